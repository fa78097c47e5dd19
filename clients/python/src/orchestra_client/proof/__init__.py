"""Verification of proof bundles, offline: nothing here asks the server that made one.

This is an implementation of its own of the format (`crates/proof/FORMAT.md` of the project), held to the published
vectors of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from .cbor import EncodingError, VersionError, check_value
from .crypto import CHALLENGE_TYPE, RUN_TYPE, digest, signature_holds
from .graph import Graph, GraphError, Walk, Walked
from .leaf import LeafChecks, Stopped, Tally
from .objects import (
    OUTPUT,
    RUN_INPUT,
    RUN_OUTPUT,
    Bundle,
    Challenge,
    Header,
    Statement,
    read_bundle,
    read_challenge,
    read_header,
    read_statement,
)
from .verdict import Failure, RunSummary, SignedAnswer, Trust, TrustedKey, Verdict

__all__ = ["Failure", "RunSummary", "SignedAnswer", "TrustedKey", "Verdict", "verify"]

T = TypeVar("T")


def verify(bundle: bytes | str | os.PathLike[str], trust: Trust | Iterable[str] = ()) -> Verdict:
    """Checks a proof bundle: its bytes, or the path of its file.

    `trust` are the runtime keys that you trust, 64 hex digits each; without any a signer is reported as unknown. It never
    raises for what a bundle holds, only where a file cannot be read.
    """
    data = bundle if isinstance(bundle, bytes) else Path(bundle).read_bytes()
    keys = dict(trust.items()) if hasattr(trust, "items") else {key: TrustedKey(key) for key in trust}
    verdict = Verdict()
    read = _read(verdict, "the bundle", data, read_bundle)
    if read is not None:
        _verify(verdict, read, keys)
    return verdict


def _read(verdict: Verdict, what: str, data: bytes, read: Callable[[bytes], T]) -> T | None:
    try:
        return read(data)
    except EncodingError as error:
        check = "version" if isinstance(error, VersionError) else "encoding"
        verdict.fail(check, f"{what} cannot be read: {error}")
        return None


def _verify(verdict: Verdict, bundle: Bundle, trust: Trust) -> None:
    header = _read(verdict, "the header", bundle.header, read_header)
    statement = _read(verdict, "the statement", bundle.statement, read_statement)
    challenge = _read(verdict, "the challenge", bundle.challenge, read_challenge)
    if header is None or statement is None or challenge is None:
        return
    verdict.run = _summary(bundle, header, statement)
    _check_signature(verdict, bundle, header, statement, trust)
    _check_challenge(verdict, bundle, header, challenge)
    genesis = digest("header", bundle.header)
    _check_header(verdict, bundle, header, statement, genesis)
    if digest("plan", bundle.plan) != header.plan_hash:
        verdict.fail("plan", "the plan is not the one the header names")
    try:
        graph = Graph(bundle.plan)
    except GraphError as error:
        verdict.fail("plan", str(error))
        return
    checks = LeafChecks(verdict, bundle, header, statement, graph, genesis)
    try:
        _check_end(verdict, bundle, statement, checks, Walk(graph, checks.visit).run())
    except Stopped:
        pass
    except GraphError as error:
        verdict.fail("leaf", str(error))
    if verdict.valid:
        verdict.level = "L0" if bundle.signature is None else "L1"
        verdict.not_proven = list(_not_proven(verdict, header, challenge, checks.tally))
    else:
        verdict.answers.clear()


def _summary(bundle: Bundle, header: Header, statement: Statement) -> RunSummary:
    return RunSummary(
        proof_id=digest("proof-id", bundle.statement).hex(),
        run_id=str(UUID(bytes=header.run_id)),
        plan_hash=header.plan_hash.hex(),
        leaves=statement.leaves,
        result=statement.result,
        code=statement.code,
        totals=statement.totals,
        opened_at_us=header.opened_at,
        closed_at_us=statement.closed_at,
    )


def _check_signature(verdict: Verdict, bundle: Bundle, header: Header, statement: Statement, trust: Trust) -> None:
    if bundle.signature is None:
        return
    key, signature = bundle.signature
    if key != header.runtime_key:
        verdict.fail("signature", "the statement is signed by another key than the header names")
    elif not signature_holds(key, RUN_TYPE, bundle.statement, signature):
        verdict.fail("signature", f"the signature by {key.hex()} does not hold")
    else:
        verdict.signer, verdict.signer_key = "unknown", key.hex()
        trusted = trust.get(key.hex())
        if trusted is None:
            return
        verdict.signer, verdict.signer_name = "trusted", trusted.name
        if not trusted.covers(header.opened_at, statement.closed_at):
            verdict.fail("key", f"the key of {trusted.name} was not valid when the run was made")


def _check_challenge(verdict: Verdict, bundle: Bundle, header: Header, challenge: Challenge) -> None:
    is_own = challenge.issuer == header.runtime_key
    signature = bundle.challenge_signature
    if is_own and signature is not None:
        verdict.fail("challenge", "a challenge of the runtime itself has a signature of its own")
    elif not is_own and signature is None:
        verdict.fail("challenge", "the challenge is not signed by its issuer")
    elif signature is not None and not signature_holds(challenge.issuer, CHALLENGE_TYPE, bundle.challenge, signature):
        verdict.fail("challenge", "the signature of the challenge does not hold")
    if digest("challenge", bundle.challenge) != header.challenge_hash:
        verdict.fail("challenge", "the challenge is not the one the header names")
    if challenge.objective != digest("challenge", header.plan_hash, header.input_commit):
        verdict.fail("challenge", "the challenge is for another plan or other inputs")
    if not challenge.issued_at <= header.opened_at <= challenge.expires_at:
        verdict.fail("challenge", "the run opened before the challenge was issued or after it expired")


def _check_header(verdict: Verdict, bundle: Bundle, header: Header, statement: Statement, genesis: bytes) -> None:
    if statement.genesis != genesis:
        verdict.fail("header", "the statement is about another header")
    if statement.plan_hash != header.plan_hash:
        verdict.fail("header", "header and statement name different plans")
    if statement.closed_at < header.opened_at:
        verdict.fail("header", "the run closed before it opened")
    verdict.inputs = _shown(verdict, bundle, RUN_INPUT, "inputs", header.input_commit)
    verdict.result = _shown(verdict, bundle, RUN_OUTPUT, "result", statement.output_commit)


def _shown(verdict: Verdict, bundle: Bundle, field: int, what: str, commit: bytes | None) -> bytes | None:
    """Content of the run that is shown, where it is what was committed."""
    shown = bundle.disclosures.get((-1, field))
    if shown is None:
        return None
    if commit != digest("body", shown.salt, shown.content):
        verdict.fail("disclosure", f"the {what} shown is not what was committed")
        return None
    try:
        check_value(shown.content)
    except EncodingError as error:
        verdict.fail("disclosure", f"the {what} shown is not canonical: {error}")
        return None
    return shown.content


def _check_end(verdict: Verdict, bundle: Bundle, statement: Statement, checks: LeafChecks, walked: Walked) -> None:
    """What can only be judged when all leaves were seen."""
    if len(bundle.commits) != walked.leaves:
        # Root and sums are over other leaves than the walk's, so they say nothing more.
        verdict.fail("leaf", f"the bundle has {len(bundle.commits)} leaves; plan and decisions ask for {walked.leaves}")
        return
    if statement.leaves != walked.leaves:
        verdict.fail("root", f"the statement counts {statement.leaves} leaves")
    if checks.tree.root() != statement.root:
        verdict.fail("root", "the locks of the leaves do not give the root of the statement")
    if not checks.totals_agree():
        verdict.fail("totals", "cost, attempts or calls of the leaves do not add up to the statement's")
    if any(ordinal >= walked.leaves for ordinal, _ in bundle.disclosures):
        verdict.fail("disclosure", "content is shown for a leaf the run does not have")
    if statement.result != "succeeded":
        return
    if not all(checks.has_value[tail] for tail in walked.tails):
        verdict.fail("result", "the run is said to have succeeded, and a node at its top level did not")
    of_run = bundle.disclosures.get((-1, RUN_OUTPUT))
    of_leaf = bundle.disclosures.get((walked.result, OUTPUT))
    if of_run is not None and of_leaf is not None and of_run.content != of_leaf.content:
        verdict.fail("result", "the result of the run is not the value of the plan's result node")


def _not_proven(verdict: Verdict, header: Header, challenge: Challenge, tally: Tally) -> Iterable[str]:
    if verdict.signer == "none":
        yield "Who made this bundle: nobody signed it, so anyone could have written all of it."
    elif verdict.signer == "unknown":
        yield "Who made this bundle: its signer is not one of the keys you trust."
    yield "That the calls happened: a runtime can sign calls it never made."
    yield "That the answers are right, or that their subnets are honest."
    yield "The times: they are the runtime's own, and only their order was checked."
    yield "That there were no other runs: one that went badly can be left out."
    if challenge.issuer == header.runtime_key:
        yield "That the run was made after anything: the runtime issued its own challenge."
    if tally.ledger_entries:
        yield "That the Ledger held the entries named: they were not compared with its log."
    for count, text in (
        (tally.unsure_costs, "costs: they are declared or assumed, because the price was not known."),
        (tally.peers, "identities of peers: they are recorded and were not checked."),
        (tally.answers.get("text_withheld"), "signed answers: what their peers signed is not shown, so it was not checked."),
        (tally.answers.get("body_withheld"), "signed answers: they are not shown, so only hashes are known to be signed."),
        (tally.answers.get("unchecked"), "signed answers: their signatures are of sr25519, which was not checked here."),
        (tally.answers.get("partly"), "calls: some of the answers they were made of are not signed."),
        (tally.cached, "values from earlier runs: the proofs of those runs are not part of this one."),
        (tally.evidence, "pieces of evidence: they are named by hash and were not looked at."),
        (tally.hidden, "contents: only their salted hashes are here, so what they are cannot be seen."),
    ):
        if count:
            yield f"{count} {text}"
