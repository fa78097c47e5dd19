"""Checks of one leaf after another."""

from __future__ import annotations

from .attested import Untrue, judge
from .cbor import EncodingError, check_value, list_length, number
from .crypto import Tree, digest, u32
from .graph import BRANCH, CALL, ENSURE, FAN_OUT, KINDS, PURE, Decision, Graph, Leaf
from .objects import (
    ATTEMPTS,
    INPUT,
    OUTPUT,
    SIGNED,
    UNITS_MAX,
    Bundle,
    Commit,
    Cost,
    Disclosure,
    Header,
    Money,
    Statement,
    Totals,
    read_attempt,
    read_attempts,
    read_commit,
)
from .objects import BRANCH as BRANCHED
from .objects import CACHED as WAS_CACHED
from .objects import CALL as CALLED
from .objects import ENSURE as ENSURED
from .objects import FAIL, JOIN, PARENT, SKIP
from .objects import FAN_OUT as FANNED_OUT
from .objects import PURE as COMPUTED
from .verdict import FAILURES_MAX, Verdict

# The kinds of node that can have a kind of leaf.
_FITS = {
    CALLED: {CALL},
    WAS_CACHED: {CALL},
    COMPUTED: {PURE},
    ENSURED: {ENSURE},
    BRANCHED: {BRANCH},
    FANNED_OUT: {FAN_OUT},
    JOIN: {BRANCH, FAN_OUT},
}
_CONTENT = {INPUT: "input", 4: "request", 5: "response", OUTPUT: "output", ATTEMPTS: "attempts", SIGNED: "signed"}


class Stopped(Exception):
    """The walk cannot go on; why is in the verdict."""


class Tally:
    """Counts for the list of what is not proven."""

    def __init__(self) -> None:
        self.unsure_costs = self.peers = self.evidence = self.cached = self.ledger_entries = self.hidden = 0
        # Signed answers, by what could be seen of them.
        self.answers: dict[str, int] = {}


class LeafChecks:
    """Judges the leaves of one bundle, and keeps what later leaves are judged by."""

    def __init__(
        self, verdict: Verdict, bundle: Bundle, header: Header, statement: Statement, graph: Graph, genesis: bytes
    ) -> None:
        self.verdict, self.bundle, self.header, self.statement = verdict, bundle, header, statement
        self.graph, self.genesis = graph, genesis
        self.locks: list[bytes] = []
        self.ends: list[int] = []
        self.has_value: list[bool] = []
        self.tree = Tree()
        self.totals = Totals(Money(), 0, {})
        self.tally = Tally()

    def visit(self, leaf: Leaf) -> Decision:
        if len(self.verdict.failures) >= FAILURES_MAX:
            raise Stopped
        if leaf.ordinal >= len(self.bundle.commits):
            raise self._stop(leaf, "the plan and the decisions before it ask for this leaf, and the bundle ends")
        data = self.bundle.commits[leaf.ordinal]
        try:
            commit = read_commit(data)
        except EncodingError as error:
            raise self._stop(leaf, f"its commit cannot be read: {error}") from error
        self._check_place(leaf, commit)
        self._check_order(leaf, commit)
        self._count(commit)
        found = len(self.verdict.failures)
        self._check_content(leaf, commit)
        if len(self.verdict.failures) == found:
            self._check_answer(leaf, commit)
        parents = [self.locks[parent] for parent in leaf.parents]
        node = digest("node", data)
        lock = digest("lock", self.genesis, u32(leaf.ordinal), node, u32(len(parents)), *parents)
        self.tree.push(lock)
        self.locks.append(lock)
        self.has_value.append(commit.has_value)
        if commit.kind == BRANCHED:
            return ("arm", commit.arm or 0)
        return ("count", commit.count or 0) if commit.kind == FANNED_OUT else None

    def _check_place(self, leaf: Leaf, commit: Commit) -> None:
        """What follows depends on it, so nothing after a misplaced leaf is judged."""
        if commit.run_id != self.header.run_id:
            raise self._stop(leaf, "its commit is of another run")
        if commit.ordinal != leaf.ordinal:
            raise self._stop(leaf, f"its commit has the number {commit.ordinal}")
        if (commit.node, commit.iteration, commit.place) != (leaf.node, leaf.iteration, leaf.place):
            found = self.graph.name(commit.node, commit.iteration)
            raise self._stop(leaf, f"its commit is of {found}, {commit.place[0]}")
        node = self.graph.nodes[leaf.node]
        if commit.node_hash != node.hash:
            raise self._stop(leaf, "its commit names another node hash than the plan's")
        fits = {BRANCH, FAN_OUT} if commit.is_join else _FITS.get(commit.kind, set(range(5)))
        if node.kind not in ({BRANCH} if commit.is_untaken else fits):
            raise self._stop(leaf, f"a {KINDS[node.kind]} node cannot have a commit of kind {commit.kind}")
        if node.kind != CALL and commit.has_call:
            raise self._stop(leaf, "it has an operation, attempts or a peer and is not a call")

    def _check_order(self, leaf: Leaf, commit: Commit) -> None:
        """It began after everything it waits for was there, or has a reason not to have begun."""
        opened = self.header.opened_at
        ends = [self.ends[parent] for parent in leaf.parents] or [opened]
        is_held_up = not all(self.has_value[parent] for parent in leaf.parents)
        has_failed_join = commit.kind == FAIL and commit.is_join
        if commit.times is not None:
            start, end = commit.times
            # A loop may fail for one element while others are still being cancelled.
            if start < max(min(ends) if has_failed_join else max(ends), opened):
                self._fail(leaf, "order", "it starts before what it waits for has ended")
            if not start <= end <= self.statement.closed_at:
                self._fail(leaf, "order", "it ends before it starts or after the run")
        self.ends.append(max(ends) if commit.times is None else commit.times[1])
        if commit.kind == SKIP:
            if not commit.is_untaken and (commit.status == PARENT) != is_held_up:
                self._fail(leaf, "order", "its reason not to begin does not agree with its parents")
            return
        is_join_of_loop = commit.kind == JOIN and self.graph.nodes[leaf.node].kind == FAN_OUT
        if is_held_up and not is_join_of_loop and not has_failed_join:
            self._fail(leaf, "order", "it ran though something it waits for failed or never began")

    def _count(self, commit: Commit) -> None:
        money = self.totals.money.plus(commit.cost.money if commit.cost else Money())
        calls = dict(self.totals.calls) if commit.netuid is not None else self.totals.calls
        if commit.netuid is not None:
            calls[commit.netuid] = calls.get(commit.netuid, 0) + 1
        attempts = self.totals.attempts + (commit.attempts[0] if commit.attempts else 0)
        self.totals = Totals(money, attempts, calls)
        tally = self.tally
        tally.unsure_costs += commit.cost is not None and commit.cost.basis in (2, 4)
        tally.evidence += commit.has_evidence
        tally.cached += commit.kind == WAS_CACHED
        tally.ledger_entries += commit.has_ledger_entry
        tally.hidden += len(commit.contents)

    def totals_agree(self) -> bool:
        """Whether the sums are the statement's, and none of them outgrew its 64 bits."""
        fits = self.totals.money.fits and self.totals.attempts <= UNITS_MAX
        return fits and self.totals == self.statement.totals

    def _check_content(self, leaf: Leaf, commit: Commit) -> None:
        for field in _CONTENT:
            shown = self.bundle.disclosures.get((leaf.ordinal, field))
            if shown is None:
                continue
            if field == ATTEMPTS:
                self._check_attempts(leaf, commit, shown)
            elif commit.contents.get(field) != digest("body", shown.salt, shown.content):
                self._fail(leaf, "disclosure", _mismatch(field))
            else:
                self.tally.hidden -= 1
                self._check_canonical(leaf, commit, shown)

    def _check_answer(self, leaf: Leaf, commit: Commit) -> None:
        """Whether the one who answered a call signed what it says."""

        def shown(field: int) -> bytes | None:
            disclosure = self.bundle.disclosures.get((leaf.ordinal, field))
            return disclosure.content if disclosure else None

        try:
            answer = judge(commit, shown)
        except Untrue as untrue:
            self._fail(leaf, "attestation", str(untrue))
            return
        if answer is None:
            self.tally.peers += commit.peer is not None
            return
        self.verdict.answers.append(answer)
        self.tally.answers[answer.attested] = self.tally.answers.get(answer.attested, 0) + 1

    def _check_canonical(self, leaf: Leaf, commit: Commit, shown: Disclosure) -> None:
        if shown.field not in (INPUT, OUTPUT):
            return
        try:
            check_value(shown.content)
        except EncodingError as error:
            self._fail(leaf, "disclosure", f"its {_CONTENT[shown.field]} is not canonical: {error}")
            return
        if shown.field == OUTPUT and not self._agrees(leaf, commit, shown.content):
            self._fail(leaf, "decision", "the value shown does not agree with what was decided")

    def _agrees(self, leaf: Leaf, commit: Commit, output: bytes) -> bool:
        """Whether a value agrees with what the leaf, or the leaves before it, decided."""
        if commit.kind == ENSURED:
            return output == b"\xf5"
        if commit.kind == BRANCHED:
            return number(output) == commit.arm
        if commit.kind == FANNED_OUT:
            return list_length(output) == commit.count
        if commit.kind == JOIN and self.graph.nodes[leaf.node].kind == FAN_OUT:
            # Elements that failed stand in the list as errors, or are left out of it.
            return list_length(output) in (len(leaf.results), self._elements_with_value(leaf))
        if commit.kind == JOIN and leaf.results:
            taken = self.bundle.disclosures.get((leaf.results[0], OUTPUT))
            return taken is None or taken.content == output
        return True

    def _elements_with_value(self, join: Leaf) -> int:
        count = len(join.results)
        tails = max(len(join.parents) // max(count, 1), 1)
        bodies = [join.parents[index * tails : (index + 1) * tails] for index in range(count)]
        return sum(all(self.has_value[tail] for tail in body) for body in bodies)

    def _check_attempts(self, leaf: Leaf, commit: Commit, shown: Disclosure) -> None:
        """The attempts shown are the chain that was committed, and their costs its cost."""
        try:
            holds = commit.attempts is not None and self._fold(commit, shown) == (commit.attempts, commit.cost)
        except EncodingError:
            holds = False
        if not holds:
            self._fail(leaf, "disclosure", _mismatch(ATTEMPTS))

    def _fold(self, commit: Commit, shown: Disclosure) -> tuple[tuple[int, bytes], Cost | None]:
        attempts = read_attempts(shown.content)
        head, cost = digest("attempt", self.genesis, shown.salt), None
        for data in attempts:
            start, added = read_attempt(data)
            # The end is not held to the node's: the loser of a race may be answered late.
            if commit.times is None or start < commit.times[0]:
                raise EncodingError("an attempt before its node began")
            head = digest("attempt", head, data)
            if added is not None:
                cost = added if cost is None else Cost(cost.money.plus(added.money), max(cost.basis, added.basis))
            if cost is not None and not cost.money.fits:
                raise EncodingError("the sum of costs")
        return (len(attempts), head), cost

    def _fail(self, leaf: Leaf, check: str, message: str) -> None:
        self.verdict.fail(check, message, leaf.ordinal, self.graph.name(leaf.node, leaf.iteration))

    def _stop(self, leaf: Leaf, message: str) -> Stopped:
        self._fail(leaf, "leaf", message)
        return Stopped()


def _mismatch(field: int) -> str:
    return f"the content shown as {_CONTENT[field]} is not what was committed"
