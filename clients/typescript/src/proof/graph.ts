/**
 * The graph of a plan, and which leaves a run of it has, in which order, with which parents. Leaves are derived from the graph and from
 * what its control nodes decided, never from what a bundle lists.
 */
import { decode, EncodingError, object, type Reader } from "./cbor.js";
import { digest } from "./crypto.js";
import { hash, ITERATION_DEPTH_MAX, LEAVES_MAX, PLAN_BYTES_MAX } from "./objects.js";

export const NodeKind = { Pure: 0, Ensure: 1, Call: 2, Branch: 3, FanOut: 4 } as const;
const IR_VERSION = 2;
const NODES_MAX = 10_000;
const EDGES_MAX = 50_000;
const LOCK_PARENTS_MAX = 4_000_000;

/** A graph that no compiler makes, or a decision that a node cannot make. */
export class GraphError extends Error {}

interface Region {
  nodes: number[];
  result: number;
  /** The control node it belongs to. */
  head: number | undefined;
  tails: number[];
}

interface Node {
  kind: number;
  label: string;
  parents: number[];
  regions: Region[];
  hash: Uint8Array;
  region: Region | undefined;
  /** Lists no parent of its own region. */
  isRooted: boolean;
}

/** A leaf that the run must have; `results` is only filled for a join. */
export interface Leaf {
  ordinal: number;
  node: number;
  where: string;
  iteration: readonly number[];
  parents: number[];
  results: number[];
}

/** What a leaf decided: the arm it took, or its number of elements. */
export type Decision = { arm: number } | { count: number } | undefined;

/** The checked graph of a plan. */
export class Graph {
  readonly nodes: Node[];
  readonly root: Region;

  constructor(plan: Uint8Array) {
    try {
      [this.nodes, this.root] = read(plan);
    } catch (error) {
      if (error instanceof EncodingError) throw new GraphError(`the plan's bytes cannot be read: ${error.message}`);
      throw error;
    }
    const regions = this.#claim();
    this.#link(regions);
  }

  node(id: number): Node {
    const node = this.nodes[id];
    if (!node) throw new GraphError(`there is no node ${id}`);
    return node;
  }

  /** How messages name an instance of a node. */
  name(id: number, iteration: readonly number[]): string {
    const label = [...(this.nodes[id]?.label ?? "")].slice(0, 64).join("");
    return `${label}#${id}${iteration.map((index) => `[${index}]`).join("")}`;
  }

  /** Gives every node its one region, which comes before it. */
  #claim(): Region[] {
    if (this.nodes.length === 0) throw new GraphError("a plan has a node");
    const regions: Region[] = [];
    this.#own(regions, this.root, undefined);
    const depths: number[] = [];
    for (const [id, node] of this.nodes.entries()) {
      if (!node.region) throw new GraphError(`node ${id} is in no region`);
      const count = node.regions.length;
      const fits = node.kind === NodeKind.Branch ? count > 0 : count === (node.kind === NodeKind.FanOut ? 1 : 0);
      if (!fits) throw new GraphError(`node ${id} has a number of regions that its kind cannot have`);
      const around = node.region.head === undefined ? 0 : (depths[node.region.head] ?? 0);
      const depth = around + (node.kind === NodeKind.FanOut ? 1 : 0);
      if (depth > ITERATION_DEPTH_MAX) throw new GraphError(`node ${id} is nested in too many loops`);
      depths.push(depth);
      for (const region of node.regions) this.#own(regions, region, id);
    }
    return regions;
  }

  #own(regions: Region[], region: Region, head: number | undefined): void {
    let before = head ?? -1;
    for (const id of region.nodes) {
      const node = this.nodes[id];
      if (!node || id <= before || node.region) {
        throw new GraphError("the nodes of a region are unknown, unordered or in two regions");
      }
      node.region = region;
      before = id;
    }
    if (!region.nodes.includes(region.result)) throw new GraphError("the result of a region is not one of its nodes");
    region.head = head;
    regions.push(region);
  }

  /** A parent is before the node in its own region, or in an enclosing one before the node around it. */
  #link(regions: Region[]): void {
    const hasChild = new Set<number>();
    for (const [id, node] of this.nodes.entries()) {
      const around = this.#around(id);
      let last = -1;
      for (const parent of node.parents) {
        const region = this.nodes[parent]?.region;
        const reached = region && around.get(region);
        if (parent <= last || reached === undefined || parent >= reached) {
          throw new GraphError(`node ${id} names ${parent} as a parent, which is not before it`);
        }
        last = parent;
        if (region !== node.region) continue;
        node.isRooted = false;
        hasChild.add(parent);
      }
    }
    for (const region of regions) region.tails = region.nodes.filter((id) => !hasChild.has(id));
  }

  /** For each region that the node is in, the node there that it is, or is inside of. */
  #around(id: number): Map<Region, number> {
    const found = new Map<Region, number>();
    for (let inside: number | undefined = id; inside !== undefined; ) {
      const region: Region | undefined = this.node(inside).region;
      if (!region) break;
      found.set(region, inside);
      inside = region.head;
    }
    return found;
  }
}

function read(plan: Uint8Array): [Node[], Region] {
  const left = { nodes: NODES_MAX, edges: EDGES_MAX };
  const ids = (reader: Reader, what: keyof typeof left): number[] => {
    const found = reader.list(left[what], () => reader.uint());
    left[what] -= found.length;
    return found;
  };
  const region = (reader: Reader): Region =>
    object(reader, (fields) => {
      const nodes = fields.get(1, (r) => ids(r, "nodes"));
      fields.check(nodes.length > 0, "a region has a node");
      return { nodes, result: fields.maybe(2, (r) => r.uint()) ?? -1, head: undefined, tails: [] };
    });
  const node = (reader: Reader): Node => {
    const start = reader.offset;
    const found = object(reader, (fields) => ({
      kind: fields.get(1, (r) => r.uint(NodeKind.FanOut)),
      label: fields.get(2, (r) => r.text(PLAN_BYTES_MAX)),
      parents: fields.get(3, (r) => ids(r, "edges")),
      regions: fields.get(4, (r) => r.list(left.nodes, () => region(r))),
    }));
    const hashed = digest("plan-node", reader.data.subarray(start, reader.offset));
    return { ...found, hash: hashed, region: undefined, isRooted: true };
  };
  return decode(plan, PLAN_BYTES_MAX, (fields) => {
    fields.check(fields.get(1, (r) => r.big()) === BigInt(IR_VERSION), "the version of the plan's format is unknown");
    const graph = fields.get(2, (r) =>
      object(r, (fields): [Node[], Region] => [fields.get(1, (r) => r.list(NODES_MAX, () => node(r))), fields.get(2, region)]),
    );
    fields.get(3, (r) => r.octets(PLAN_BYTES_MAX));
    fields.get(4, (r) => r.uint());
    fields.get(5, hash);
    return graph;
  });
}

type Steps = Generator<Steps, void, undefined>;

/** Visits every leaf in order; what `visit` returns decides which leaves follow. */
export class Walk {
  leaves = 0;
  #lockParents = 0;
  #iteration: readonly number[] = [];
  readonly #outer: number[] = [];
  readonly #head: number[] = [];

  constructor(
    readonly graph: Graph,
    readonly visit: (leaf: Leaf) => Decision,
  ) {}

  /** The outer leaves of the root's tails, and that of the plan's result. */
  run(): { tails: number[]; result: number } {
    const { root } = this.graph;
    // A stack of steps: a plan may nest deeper than calls may.
    const steps: Steps[] = [this.#region(root)];
    for (let step = steps.at(-1); step; step = steps.at(-1)) {
      const inner = step.next();
      if (inner.done) steps.pop();
      else steps.push(inner.value);
    }
    return { tails: root.tails.map((tail) => this.#outerOf(tail)), result: this.#outerOf(root.result) };
  }

  #outerOf(id: number): number {
    return this.#outer[id] ?? 0;
  }

  *#region(region: Region): Steps {
    for (const id of region.nodes) {
      const node = this.graph.node(id);
      const isHeaded = node.isRooted && region.head !== undefined;
      const parents = isHeaded ? [this.#head[region.head ?? 0] ?? 0] : [];
      parents.push(...node.parents.map((parent) => this.#outerOf(parent)));
      const ordinal = this.leaves;
      const decision = this.#leaf(id, "node", parents, []);
      this.#head[id] = this.#outer[id] = ordinal;
      if (!decision) continue;
      if ("arm" in decision && node.kind === NodeKind.Branch && decision.arm < node.regions.length) {
        yield this.#branch(id, node, decision.arm);
      } else if ("count" in decision && node.kind === NodeKind.FanOut && decision.count <= LEAVES_MAX) {
        yield this.#fanOut(id, node, decision.count);
      } else {
        throw new GraphError(`leaf ${ordinal}: a decision that its node cannot make`);
      }
    }
  }

  *#branch(id: number, node: Node, taken: number): Steps {
    const [parents, results]: [number[], number[]] = [[], []];
    for (const [arm, region] of node.regions.entries()) {
      if (arm === taken) {
        yield this.#region(region);
        for (const tail of region.tails) parents.push(this.#outerOf(tail));
        results.push(this.#outerOf(region.result));
      } else {
        parents.push(this.leaves);
        this.#plain(id, `arm ${arm}`, [this.#head[id] ?? 0], []);
      }
    }
    this.#join(id, parents, results);
  }

  *#fanOut(id: number, node: Node, count: number): Steps {
    const [parents, results]: [number[], number[]] = [[], []];
    const [region, around] = [node.regions[0], this.#iteration];
    for (let index = 0; region && index < count; index += 1) {
      this.#iteration = [...around, index];
      yield this.#region(region);
      this.#iteration = around;
      for (const tail of region.tails) parents.push(this.#outerOf(tail));
      results.push(this.#outerOf(region.result));
    }
    this.#join(id, count > 0 ? parents : [this.#head[id] ?? 0], results);
  }

  #join(id: number, parents: number[], results: number[]): void {
    this.#outer[id] = this.leaves;
    this.#plain(id, "join", parents, results);
  }

  /** A leaf after which nothing is left to decide. */
  #plain(id: number, where: string, parents: number[], results: number[]): void {
    const ordinal = this.leaves;
    if (this.#leaf(id, where, parents, results)) throw new GraphError(`leaf ${ordinal}: a decision that its node cannot make`);
  }

  #leaf(node: number, where: string, parents: number[], results: number[]): Decision {
    const ordinal = this.leaves;
    this.#lockParents += parents.length;
    if (ordinal >= LEAVES_MAX || this.#lockParents > LOCK_PARENTS_MAX) {
      throw new GraphError("a run has too many leaves, or its locks too many parents");
    }
    this.leaves += 1;
    return this.visit({ ordinal, node, where, iteration: this.#iteration, parents, results });
  }
}
