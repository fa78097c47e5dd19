"""The graph of a plan, and which leaves a run of it has, in which order, with which parents.

The rule is that of the format: leaves are derived from the graph and from what its control nodes decided, never from
what a bundle lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cbor import EncodingError, Field, Reader, decode, maybe, read_object
from .crypto import digest
from .objects import ITERATION_DEPTH_MAX, LEAVES_MAX, PLAN_BYTES_MAX

PURE, ENSURE, CALL, BRANCH, FAN_OUT = range(5)
KINDS = ("pure", "ensure", "call", "branch", "fan-out")
IR_VERSION = 2
NODES_MAX, EDGES_MAX, LOCK_PARENTS_MAX = 10_000, 50_000, 4_000_000


class GraphError(Exception):
    """A graph that no compiler makes, or a decision that a node cannot make."""


@dataclass
class Region:
    """Nodes that run together; `head` is the control node it belongs to, `number` its place among all regions."""

    nodes: list[int]
    result: int
    head: int | None = None
    number: int = 0
    tails: list[int] = field(default_factory=list)


@dataclass
class Node:
    kind: int
    label: str
    parents: list[int]
    regions: list[Region]
    hash: bytes = b""
    # Filled in by `check`: where it is, and whether it lists no parent of its own region.
    region: Region | None = None
    is_rooted: bool = True


@dataclass(frozen=True)
class Leaf:
    """A leaf that the run must have. `results` is only filled for a join."""

    ordinal: int
    node: int
    place: tuple[str, int]
    iteration: tuple[int, ...]
    parents: Sequence[int]
    results: Sequence[int] = ()


@dataclass(frozen=True)
class Walked:
    leaves: int
    tails: list[int]
    result: int


class _Budget:
    """What all regions and edges of a graph may have together."""

    def __init__(self) -> None:
        self.region_nodes, self.edges = NODES_MAX, EDGES_MAX

    def region(self, reader: Reader) -> Region:
        def ids(reader: Reader) -> list[int]:
            count = reader.array(self.region_nodes)
            self.region_nodes -= count
            return [reader.u32() for _ in range(count)]

        found = read_object(reader, {1: Field(ids), 2: maybe(Reader.u32)})
        if not found[1]:
            raise reader.fail("a region has a node")
        return Region(found[1], found.get(2, -1))

    def node(self, reader: Reader) -> Node:
        def parents(reader: Reader) -> list[int]:
            count = reader.array(self.edges)
            self.edges -= count
            return [reader.u32() for _ in range(count)]

        def regions(reader: Reader) -> list[Region]:
            return [self.region(reader) for _ in range(reader.array(self.region_nodes))]

        start = reader.offset
        kind, label = Field(lambda r: r.uint(4)), Field(lambda r: r.text(PLAN_BYTES_MAX))
        found = read_object(reader, {1: kind, 2: label, 3: Field(parents), 4: Field(regions)})
        hashed = digest("plan-node", reader.data[start : reader.offset])
        return Node(found[1], found[2], found[3], found[4], hashed)


class Graph:
    """The checked graph of a plan."""

    def __init__(self, plan: bytes) -> None:
        if len(plan) > PLAN_BYTES_MAX:
            raise GraphError("the plan is too large")
        try:
            self.nodes, self.root = _read(plan)
        except EncodingError as error:
            raise GraphError(f"the plan's bytes cannot be read: {error}") from error
        self._claim()
        self._link()

    def name(self, node: int, iteration: Sequence[int]) -> str:
        """How messages name an instance of a node."""
        label = self.nodes[node].label[:64] if node < len(self.nodes) else ""
        return f"{label}#{node}" + "".join(f"[{index}]" for index in iteration)

    def _claim(self) -> None:
        """Gives every node its one region, which comes before it."""
        if not self.nodes:
            raise GraphError("a plan has a node")
        self.regions: list[Region] = []
        self._own(self.root, None)
        depths: list[int] = []
        for id, node in enumerate(self.nodes):
            if node.region is None:
                raise GraphError(f"node {id} is in no region")
            few, many = {BRANCH: (1, NODES_MAX), FAN_OUT: (1, 1)}.get(node.kind, (0, 0))
            if not few <= len(node.regions) <= many:
                raise GraphError(f"node {id} has a number of regions that its kind cannot have")
            around = 0 if node.region.head is None else depths[node.region.head]
            depths.append(around + (node.kind == FAN_OUT))
            if depths[-1] > ITERATION_DEPTH_MAX:
                raise GraphError(f"node {id} is nested in too many loops")
            for region in node.regions:
                self._own(region, id)

    def _own(self, region: Region, head: int | None) -> None:
        before = -1 if head is None else head
        for id in region.nodes:
            if id <= before or id >= len(self.nodes) or self.nodes[id].region is not None:
                raise GraphError("the nodes of a region are unknown, unordered or in two regions")
            self.nodes[id].region = region
            before = id
        if region.result not in region.nodes:
            raise GraphError("the result of a region is not one of its nodes")
        region.head, region.number = head, len(self.regions)
        self.regions.append(region)

    def _link(self) -> None:
        """A parent is before the node in its own region, or in an enclosing one before the node around it."""
        has_child: set[int] = set()
        for id, node in enumerate(self.nodes):
            around = self._around(id)
            last = -1
            for parent in node.parents:
                region = self.nodes[parent].region if parent < len(self.nodes) else None
                if parent <= last or region is None or parent >= around.get(region.number, -1):
                    raise GraphError(f"node {id} names {parent} as a parent, which is not before it")
                last = parent
                if region is node.region:
                    node.is_rooted = False
                    has_child.add(parent)
        for owned in self.regions:
            owned.tails = [id for id in owned.nodes if id not in has_child]

    def _around(self, id: int) -> dict[int, int]:
        """For each region that the node is in, the node there that it is, or is inside of."""
        found: dict[int, int] = {}
        inside: int | None = id
        while inside is not None:
            region = self.nodes[inside].region
            assert region is not None, "every node was given its region"
            found[region.number] = inside
            inside = region.head
        return found


def _read(plan: bytes) -> tuple[list[Node], Region]:
    budget = _Budget()

    def graph(reader: Reader) -> dict[int, Any]:
        def nodes(reader: Reader) -> list[Node]:
            return [budget.node(reader) for _ in range(reader.array(NODES_MAX))]

        return read_object(reader, {1: Field(nodes), 2: Field(budget.region)})

    body = Field(lambda r: r.octets(PLAN_BYTES_MAX))
    found = decode(plan, {1: Field(Reader.uint), 2: Field(graph), 3: body, 4: Field(Reader.u32), 5: Field(Reader.hash)})
    if found[1] != IR_VERSION:
        raise EncodingError("the version of the plan's format is unknown")
    return found[2][1], found[2][2]


# What a leaf decided: the arm it took, or its number of elements.
Decision = tuple[str, int] | None


class Walk:
    """Visits every leaf in order; what `visit` returns decides which leaves follow.

    Nested regions are kept on a stack of steps, for a plan may nest deeper than Python calls.
    """

    def __init__(self, graph: Graph, visit: Callable[[Leaf], Decision]) -> None:
        self._graph, self._visit = graph, visit
        self._outer: dict[int, int] = {}
        self._head: dict[int, int] = {}
        self._iteration: tuple[int, ...] = ()
        self._leaves = self._lock_parents = 0

    def run(self) -> Walked:
        root = self._graph.root
        steps = [self._region(root)]
        while steps:
            inner = next(steps[-1], None)
            if inner is None:
                steps.pop()
            else:
                steps.append(inner)
        return Walked(self._leaves, [self._outer[tail] for tail in root.tails], self._outer[root.result])

    def _region(self, region: Region) -> Any:
        """Walks a region; yields the walks of what is inside it."""
        for id in region.nodes:
            node = self._graph.nodes[id]
            parents = [self._head[region.head]] if node.is_rooted and region.head is not None else []
            parents += [self._outer[parent] for parent in node.parents]
            ordinal = self._leaves
            decision = self._leaf(id, ("node", 0), parents)
            self._head[id] = self._outer[id] = ordinal
            if decision is None:
                continue
            what, value = decision
            if what == "arm" and node.kind == BRANCH and value < len(node.regions):
                yield self._branch(id, value)
            elif what == "count" and node.kind == FAN_OUT and value <= LEAVES_MAX:
                yield self._fan_out(id, value)
            else:
                raise GraphError(f"leaf {ordinal}: a decision that its node cannot make")

    def _branch(self, id: int, taken: int) -> Any:
        parents: list[int] = []
        results: list[int] = []
        for arm, region in enumerate(self._graph.nodes[id].regions):
            if arm == taken:
                yield self._region(region)
                parents += [self._outer[tail] for tail in region.tails]
                results.append(self._outer[region.result])
            else:
                parents.append(self._leaves)
                self._plain(id, ("arm", arm), [self._head[id]])
        self._join(id, parents, results)

    def _fan_out(self, id: int, count: int) -> Any:
        region = self._graph.nodes[id].regions[0]
        parents: list[int] = []
        results: list[int] = []
        around = self._iteration
        for index in range(count):
            self._iteration = (*around, index)
            yield self._region(region)
            self._iteration = around
            parents += [self._outer[tail] for tail in region.tails]
            results.append(self._outer[region.result])
        self._join(id, parents if count else [self._head[id]], results)

    def _join(self, id: int, parents: list[int], results: list[int]) -> None:
        self._outer[id] = self._leaves
        self._plain(id, ("join", 0), parents, results)

    def _plain(self, id: int, place: tuple[str, int], parents: list[int], results: Sequence[int] = ()) -> None:
        ordinal = self._leaves
        if self._leaf(id, place, parents, results) is not None:
            raise GraphError(f"leaf {ordinal}: a decision that its node cannot make")

    def _leaf(self, id: int, place: tuple[str, int], parents: list[int], results: Sequence[int] = ()) -> Decision:
        ordinal = self._leaves
        self._lock_parents += len(parents)
        if ordinal >= LEAVES_MAX or self._lock_parents > LOCK_PARENTS_MAX:
            raise GraphError("a run has too many leaves, or its locks too many parents")
        self._leaves += 1
        return self._visit(Leaf(ordinal, id, place, self._iteration, parents, results))
