/** Checks of one leaf after another. */
import { judge, Untrue } from "./attested.js";
import { attempt, checkValue, EncodingError } from "./cbor.js";
import { bytesAreSigned, digest, isSame, Tree, u32 } from "./crypto.js";
import { NodeKind, type Decision, type Graph, type Leaf } from "./graph.js";
import {
  Kind,
  placeOf,
  readAttempt,
  readAttempts,
  readCommit,
  Shown,
  Skip,
  UNITS_MAX,
  type Bundle,
  type Commit,
  type Signature,
  type Cost,
  type Disclosure,
  type Header,
  type Statement,
  type Totals,
} from "./objects.js";
import { FAILURES_MAX, type Check, type Verdict } from "./verdict.js";

/** The walk cannot go on; why is in the verdict. */
export class Stopped extends Error {}

const CONTENT: [number, string][] = [
  [Shown.Input, "input"],
  [Shown.Request, "request"],
  [Shown.Response, "response"],
  [Shown.Output, "output"],
  [Shown.Attempts, "attempts"],
  [Shown.Signed, "signed"],
];
const CONTROLS: number[] = [NodeKind.Branch, NodeKind.FanOut];
/** The kinds of node that can have a kind of leaf; any of those that are not listed. */
const FITS: Record<number, number[]> = {
  [Kind.Call]: [NodeKind.Call],
  [Kind.Cached]: [NodeKind.Call],
  [Kind.Pure]: [NodeKind.Pure],
  [Kind.Ensure]: [NodeKind.Ensure],
  [Kind.Branch]: [NodeKind.Branch],
  [Kind.FanOut]: [NodeKind.FanOut],
  [Kind.Join]: CONTROLS,
};

/** Judges the leaves of one bundle, and keeps what later leaves are judged by. */
export class LeafChecks {
  readonly hasValue: boolean[] = [];
  readonly tree = new Tree();
  readonly tally = { unsureCosts: 0, peers: 0, evidence: 0, cached: 0, ledgerEntries: 0, hidden: 0 };
  /** Signatures of answers, which are checked at the end, because that takes a promise. */
  readonly #pending: [Leaf, Signature][] = [];
  readonly #totals: Totals = { rao: 0n, microUsd: 0n, attempts: 0n, calls: new Map() };
  readonly #locks: Uint8Array[] = [];
  readonly #ends: bigint[] = [];

  constructor(
    readonly verdict: Verdict,
    readonly bundle: Bundle,
    readonly header: Header,
    readonly statement: Statement,
    readonly graph: Graph,
    readonly genesis: Uint8Array,
  ) {}

  visit(leaf: Leaf): Decision {
    if (this.verdict.failures.length >= FAILURES_MAX) throw new Stopped();
    const data = this.bundle.commits[leaf.ordinal];
    if (!data) throw this.#stop(leaf, "the plan and the decisions before it ask for this leaf, and the bundle ends");
    const commit = this.#read(leaf, data);
    this.#checkPlace(leaf, commit);
    this.#checkOrder(leaf, commit);
    this.#count(commit);
    const found = this.verdict.failures.length;
    this.#checkContent(leaf, commit);
    if (this.verdict.failures.length === found) this.#checkAnswer(leaf, commit);
    const parents = leaf.parents.map((parent) => this.#locks[parent] ?? new Uint8Array(32));
    const count = u32(parents.length);
    const lock = digest("lock", this.genesis, u32(leaf.ordinal), digest("node", data), count, ...parents);
    this.tree.push(lock);
    this.#locks.push(lock);
    this.hasValue.push(commit.hasValue);
    if (commit.kind === Kind.Branch) return { arm: commit.arm ?? 0 };
    return commit.kind === Kind.FanOut ? { count: commit.count ?? 0 } : undefined;
  }

  /** Whether the sums are the statement's, and none of them outgrew its 64 bits. */
  totalsAgree(): boolean {
    const [found, said] = [this.#totals, this.statement.totals];
    const calls = (totals: Totals) => [...totals.calls].sort(([a], [b]) => a - b).join();
    const fits = [found.rao, found.microUsd, found.attempts].every((sum) => sum <= UNITS_MAX);
    const agree = found.rao === said.rao && found.microUsd === said.microUsd && found.attempts === said.attempts;
    return fits && agree && calls(found) === calls(said);
  }

  #read(leaf: Leaf, data: Uint8Array): Commit {
    try {
      return readCommit(data);
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      throw this.#stop(leaf, `its commit cannot be read: ${error.message}`);
    }
  }

  /** What follows depends on it, so nothing after a misplaced leaf is judged. */
  #checkPlace(leaf: Leaf, commit: Commit): void {
    if (!isSame(commit.runId, this.header.runId)) throw this.#stop(leaf, "its commit is of another run");
    if (commit.ordinal !== leaf.ordinal) throw this.#stop(leaf, `its commit has the number ${commit.ordinal}`);
    const isThere = commit.node === leaf.node && commit.iteration.join() === leaf.iteration.join();
    if (!isThere || commit.where !== leaf.where) {
      throw this.#stop(leaf, `its commit is of ${this.graph.name(commit.node, commit.iteration)}, ${commit.where}`);
    }
    const node = this.graph.node(leaf.node);
    if (!isSame(commit.nodeHash, node.hash)) throw this.#stop(leaf, "its commit names another node hash than the plan's");
    const fits = commit.isUntaken ? [NodeKind.Branch] : commit.isJoin ? CONTROLS : FITS[commit.kind];
    if (fits && !(fits as number[]).includes(node.kind)) {
      throw this.#stop(leaf, `its node cannot have a commit of kind ${commit.kind}`);
    }
    if (node.kind !== NodeKind.Call && commit.hasCall) {
      throw this.#stop(leaf, "it has an operation, attempts or a peer and is not a call");
    }
  }

  /** It began after everything it waits for was there, or has a reason not to have begun. */
  #checkOrder(leaf: Leaf, commit: Commit): void {
    const opened = this.header.openedAt;
    const ends = leaf.parents.map((parent) => this.#ends[parent] ?? 0n);
    if (ends.length === 0) ends.push(opened);
    const latest = ends.reduce((a, b) => (a > b ? a : b));
    const earliest = ends.reduce((a, b) => (a < b ? a : b));
    const isHeldUp = leaf.parents.some((parent) => !this.hasValue[parent]);
    const hasFailedJoin = commit.kind === Kind.Fail && commit.isJoin;
    if (commit.times) {
      const { start, end } = commit.times;
      // A loop may fail for one element while others are still being cancelled.
      const ready = hasFailedJoin ? earliest : latest;
      if (start < ready || start < opened) this.#fail(leaf, "order", "it starts before what it waits for has ended");
      if (end < start || end > this.statement.closedAt) {
        this.#fail(leaf, "order", "it ends before it starts or after the run");
      }
    }
    this.#ends.push(commit.times?.end ?? latest);
    if (commit.kind === Kind.Skip) {
      if (!commit.isUntaken && (commit.status === BigInt(Skip.Parent)) !== isHeldUp) {
        this.#fail(leaf, "order", "its reason not to begin does not agree with its parents");
      }
      return;
    }
    const isJoinOfLoop = commit.kind === Kind.Join && this.graph.node(leaf.node).kind === NodeKind.FanOut;
    if (isHeldUp && !isJoinOfLoop && !hasFailedJoin) {
      this.#fail(leaf, "order", "it ran though something it waits for failed or never began");
    }
  }

  #count(commit: Commit): void {
    const [totals, tally] = [this.#totals, this.tally];
    totals.rao += commit.cost?.rao ?? 0n;
    totals.microUsd += commit.cost?.microUsd ?? 0n;
    totals.attempts += BigInt(commit.attempts?.count ?? 0);
    if (commit.netuid !== undefined) totals.calls.set(commit.netuid, (totals.calls.get(commit.netuid) ?? 0n) + 1n);
    tally.unsureCosts += commit.cost?.basis === 2 || commit.cost?.basis === 4 ? 1 : 0;
    tally.evidence += commit.hasEvidence ? 1 : 0;
    tally.cached += commit.isCached ? 1 : 0;
    tally.ledgerEntries += commit.hasEntry ? 1 : 0;
    tally.hidden += [...commit.contents.values()].filter((hash) => hash !== undefined).length;
  }

  #checkContent(leaf: Leaf, commit: Commit): void {
    for (const [field, name] of CONTENT) {
      const shown = this.bundle.disclosures.get(placeOf(leaf.ordinal, field));
      if (!shown) continue;
      const mismatch = `the content shown as ${name} is not what was committed`;
      if (field === Shown.Attempts) {
        if (!this.#attemptsAgree(commit, shown)) this.#fail(leaf, "disclosure", mismatch);
      } else if (!isSame(commit.contents.get(field), digest("body", shown.salt, shown.content))) {
        this.#fail(leaf, "disclosure", mismatch);
      } else {
        this.tally.hidden -= 1;
        if (field === Shown.Input || field === Shown.Output) this.#checkCanonical(leaf, commit, shown, name);
      }
    }
  }

  /** Whether the one who answered a call signed what it says. */
  #checkAnswer(leaf: Leaf, commit: Commit): void {
    try {
      const found = judge(commit, (field) => this.bundle.disclosures.get(placeOf(leaf.ordinal, field))?.content);
      if (found) this.verdict.answers.push(found.answer);
      else this.tally.peers += commit.peer ? 1 : 0;
      for (const by of found?.pending ?? []) this.#pending.push([{ ...leaf, iteration: [...leaf.iteration] }, by]);
    } catch (error) {
      if (!(error instanceof Untrue)) throw error;
      this.#fail(leaf, "attestation", error.message);
    }
  }

  /** Checks the signatures of answers that were seen. */
  async checkSignatures(): Promise<void> {
    for (const [leaf, { key, signed, signature }] of this.#pending) {
      if (!(await bytesAreSigned(key, signed, signature))) {
        this.#fail(leaf, "attestation", "the signature of its peer does not hold");
      }
    }
  }

  #checkCanonical(leaf: Leaf, commit: Commit, shown: Disclosure, name: string): void {
    try {
      checkValue(shown.content);
    } catch (error) {
      if (!(error instanceof EncodingError)) throw error;
      return this.#fail(leaf, "disclosure", `its ${name} is not canonical: ${error.message}`);
    }
    if (shown.field === Shown.Output && !this.#agrees(leaf, commit, shown.content)) {
      this.#fail(leaf, "decision", "the value shown does not agree with what was decided");
    }
  }

  /** Whether a value agrees with what the leaf, or the leaves before it, decided. */
  #agrees(leaf: Leaf, commit: Commit, output: Uint8Array): boolean {
    const length = () => attempt(output, (reader) => reader.array(output.length));
    switch (commit.kind) {
      case Kind.Ensure:
        return isSame(output, Uint8Array.of(0xf5));
      case Kind.Branch:
        return attempt(output, (reader) => { const arm = reader.big(); reader.end(); return arm; }) === BigInt(commit.arm ?? 0);
      case Kind.FanOut:
        return length() === commit.count;
      case Kind.Join: {
        if (this.graph.node(leaf.node).kind === NodeKind.FanOut) {
          // Elements that failed stand in the list as errors, or are left out of it.
          return [leaf.results.length, this.#elementsWithValue(leaf)].includes(length() ?? -1);
        }
        const [result] = leaf.results;
        const taken = result === undefined ? undefined : this.bundle.disclosures.get(placeOf(result, Shown.Output));
        return !taken || isSame(taken.content, output);
      }
      default:
        return true;
    }
  }

  #elementsWithValue(join: Leaf): number {
    const count = join.results.length;
    const tails = Math.max(Math.floor(join.parents.length / Math.max(count, 1)), 1);
    const bodies = join.results.map((_, index) => join.parents.slice(index * tails, (index + 1) * tails));
    return bodies.filter((body) => body.every((tail) => this.hasValue[tail])).length;
  }

  /** Whether the attempts shown are the chain that was committed, and their costs its cost. */
  #attemptsAgree(commit: Commit, shown: Disclosure): boolean {
    const found = attempt(shown.content, (reader) => {
      let head = digest("attempt", this.genesis, shown.salt);
      let sum: Cost | undefined;
      const attempts = readAttempts(reader);
      for (const data of attempts) {
        const { start, cost } = readAttempt(data);
        // The end is not held to the node's: the loser of a race may be answered late.
        if (!commit.times || start < commit.times.start) throw new EncodingError("an attempt before its node began");
        head = digest("attempt", head, data);
        sum = plus(sum, cost);
      }
      return { count: attempts.length, head, sum };
    });
    if (!found || !commit.attempts) return false;
    const isChain = found.count === commit.attempts.count && isSame(found.head, commit.attempts.head);
    const [a, b] = [found.sum, commit.cost];
    return isChain && a?.rao === b?.rao && a?.microUsd === b?.microUsd && a?.basis === b?.basis;
  }

  #fail(leaf: Leaf, check: Check, message: string): void {
    this.verdict.fail(check, message, leaf.ordinal, this.graph.name(leaf.node, leaf.iteration));
  }

  #stop(leaf: Leaf, message: string): Stopped {
    this.#fail(leaf, "leaf", message);
    return new Stopped();
  }
}

/** What two attempts cost together: the least sure basis counts. */
function plus(sum: Cost | undefined, next: Cost | undefined): Cost | undefined {
  if (!sum || !next) return sum ?? next;
  const cost = { rao: sum.rao + next.rao, microUsd: sum.microUsd + next.microUsd, basis: Math.max(sum.basis, next.basis) };
  if (cost.rao > UNITS_MAX || cost.microUsd > UNITS_MAX) throw new EncodingError("the sum of costs");
  return cost;
}
