/** The objects of a bundle, from their bytes. Limits are those of the format. */
import { decode, EncodingError, object, type Fields, type Reader } from "./cbor.js";

export const BUNDLE_BYTES_MAX = 256 << 20;
export const PLAN_BYTES_MAX = 8 << 20;
const OBJECT_BYTES_MAX = 1 << 20;
const [COMMIT_BYTES_MIN, COMMIT_BYTES_MAX] = [64, 4 << 10];
export const LEAVES_MAX = 1_000_000;
export const ITERATION_DEPTH_MAX = 128;
const NAME_LENGTH_MAX = 128;
const OPAQUE_BYTES_MAX = 256;
const EVIDENCE_MAX = 16;
const ATTEMPTS_MAX = 10_000;
const ANSWERS_MAX = ATTEMPTS_MAX;
const SIGNED_BYTES_MAX = 1 << 10;
const U16_MAX = 2 ** 16 - 1;
export const UNITS_MAX = 2n ** 64n - 1n;

/** Which content a disclosure shows. */
export const Shown = { RunInput: 1, RunOutput: 2, Input: 3, Request: 4, Response: 5, Output: 6, Attempts: 7, Signed: 8 } as const;
/** What a commit is of. */
export const Kind = { Call: 1, Pure: 2, Ensure: 3, Branch: 4, FanOut: 5, Join: 6, Skip: 7, Fail: 8, Cached: 9 } as const;
/** Why a leaf was skipped. */
export const Skip = { Untaken: 1, Parent: 2, Stopped: 3 } as const;
const CALL_FAILURES = new Set(
  "timeout unavailable rate_limited unauthorized rejected invalid unaccepted no_quorum over_budget interrupted cancelled".split(" "),
);

/** A sum in both currencies, which are never converted. */
export interface Money {
  rao: bigint;
  microUsd: bigint;
}

export interface Cost extends Money {
  /** 1 known, 2 declared, 3 observed, 4 assumed. */
  basis: number;
}

export interface Totals extends Money {
  attempts: bigint;
  /** By subnet. */
  calls: Map<number, bigint>;
}

export interface Disclosure {
  ordinal: number | undefined;
  field: number;
  salt: Uint8Array;
  content: Uint8Array;
}

export type Bundle = ReturnType<typeof readBundle>;
export type Header = ReturnType<typeof readHeader>;
export type Challenge = ReturnType<typeof readChallenge>;
export type Statement = ReturnType<typeof readStatement>;
export type Commit = ReturnType<typeof readCommit>;

export const hash = (reader: Reader): Uint8Array => reader.fixed(32);
const big = (reader: Reader): bigint => reader.big();
const u32 = (reader: Reader): number => reader.uint();
const name = (reader: Reader): string => reader.text(NAME_LENGTH_MAX);
const opaque = (reader: Reader): Uint8Array => reader.octets(OPAQUE_BYTES_MAX);
const part = (reader: Reader): Uint8Array => reader.octets(OBJECT_BYTES_MAX);
const version = (reader: Reader): void => reader.version();

function units(fields: Fields, key: number): bigint {
  const found = fields.maybe(key, big);
  fields.check(found !== 0n, "an amount of zero is left out");
  return found ?? 0n;
}

function cost(reader: Reader): Cost {
  return object(reader, (fields) => {
    const money = { rao: units(fields, 0), microUsd: units(fields, 1) };
    const basis = fields.get(2, u32);
    fields.check(basis >= 1 && basis <= 4, "the basis of a price is unknown");
    return { ...money, basis };
  });
}

/** Where a disclosure belongs, as the key of a map. */
export function placeOf(ordinal: number | undefined, field: number): number {
  return ((ordinal ?? -1) + 1) * 16 + field;
}

function disclosures(reader: Reader): Map<number, Disclosure> {
  const found = new Map<number, Disclosure>();
  let last = 0;
  for (let left = reader.array(BUNDLE_BYTES_MAX); left > 0; left -= 1) {
    const shown = object(reader, (fields) => ({
      ordinal: fields.maybe(0, u32),
      field: fields.get(1, u32),
      salt: fields.get(2, hash),
      content: fields.get(3, (r) => r.octets(BUNDLE_BYTES_MAX)),
    }));
    const isKnown = shown.field >= Shown.RunInput && shown.field <= Shown.Signed;
    const isOfRun = shown.field <= Shown.RunOutput;
    const place = placeOf(shown.ordinal, shown.field);
    if (!isKnown || isOfRun !== (shown.ordinal === undefined) || place <= last) {
      throw reader.fail("a disclosure is unknown or out of order");
    }
    found.set(place, shown);
    last = place;
  }
  return found;
}

function commits(reader: Reader): Uint8Array[] {
  const found = reader.list(LEAVES_MAX, () => reader.octets(COMMIT_BYTES_MAX));
  if (found.some((commit) => commit.length < COMMIT_BYTES_MIN)) throw reader.fail("a commit is too short");
  return found;
}

export function readBundle(data: Uint8Array) {
  return decode(data, BUNDLE_BYTES_MAX, (fields) => {
    fields.get(0, version);
    return {
      plan: fields.get(1, (r) => r.octets(PLAN_BYTES_MAX)),
      challenge: fields.get(2, part),
      challengeSignature: fields.maybe(3, (r) => r.fixed(64)),
      header: fields.get(4, part),
      commits: fields.get(5, commits),
      statement: fields.get(6, part),
      signature: fields.get(7, (r) =>
        r.list(1, () => object(r, (fields) => ({ key: fields.get(0, hash), signature: fields.get(1, (r) => r.fixed(64)) }))),
      )[0],
      disclosures: fields.get(8, disclosures),
    };
  });
}

export function readChallenge(data: Uint8Array) {
  return decode(data, OBJECT_BYTES_MAX, (fields) => {
    fields.get(0, version);
    fields.get(1, hash);
    return {
      issuer: fields.get(2, hash),
      issuedAt: fields.get(3, big),
      expiresAt: fields.get(4, big),
      objective: fields.get(5, hash),
    };
  });
}

export function readHeader(data: Uint8Array) {
  return decode(data, OBJECT_BYTES_MAX, (fields) => {
    fields.get(0, version);
    const header = {
      runId: fields.get(1, (r) => r.fixed(16)),
      planHash: fields.get(2, hash),
      challengeHash: fields.get(3, hash),
      inputCommit: fields.get(4, hash),
      runtimeKey: fields.get(5, hash),
    };
    fields.check(fields.get(6, big) === 1n, "the signature algorithm is unknown");
    fields.get(7, hash);
    const openedAt = fields.get(8, big);
    fields.maybe(9, (r) => object(r, (fields) => [fields.get(0, big), fields.get(1, hash)]));
    fields.maybe(10, opaque);
    fields.maybe(11, hash);
    return { ...header, openedAt };
  });
}

function calls(reader: Reader): Map<number, bigint> {
  const found = new Map<number, bigint>();
  let last = -1;
  for (let left = reader.map(1 << 16); left > 0; left -= 1) {
    const netuid = reader.uint(U16_MAX);
    if (netuid <= last) throw reader.fail("subnets are out of order");
    found.set(netuid, reader.big());
    last = netuid;
  }
  return found;
}

function totals(reader: Reader): Totals {
  return object(reader, (fields) => ({
    rao: units(fields, 0),
    microUsd: units(fields, 1),
    attempts: fields.get(2, big),
    calls: fields.get(3, calls),
  }));
}

export function readStatement(data: Uint8Array) {
  return decode(data, OBJECT_BYTES_MAX, (fields) => {
    fields.get(0, version);
    const statement = {
      genesis: fields.get(1, hash),
      planHash: fields.get(2, hash),
      leaves: fields.get(3, u32),
      root: fields.get(4, hash),
      outputCommit: fields.maybe(5, hash),
      totals: fields.get(6, totals),
      closedAt: fields.get(7, big),
    };
    const kind = Number(fields.get(8, big));
    const code = fields.maybe(9, name);
    const result = (["succeeded", "failed", "cancelled"] as const)[kind];
    if (!result) throw fields.reader.fail("the result is unknown");
    const isWhole = (kind === 1) === (code !== undefined) && (kind === 0) === (statement.outputCommit !== undefined);
    fields.check(isWhole, "the result does not go together with its code and output");
    return { ...statement, result, code };
  });
}

function node(reader: Reader) {
  return object(reader, (fields) => {
    const found = { node: fields.get(0, u32), nodeHash: fields.get(1, hash) };
    const iteration = fields.maybe(2, (r) => r.list(ITERATION_DEPTH_MAX, () => r.uint()));
    fields.check(iteration?.length !== 0, "an empty iteration is left out");
    return { ...found, iteration: iteration ?? [] };
  });
}

function operation(reader: Reader): number {
  return object(reader, (fields) => {
    const netuid = fields.get(0, (r) => r.uint(U16_MAX));
    fields.get(1, name);
    return netuid;
  });
}

function attempts(reader: Reader) {
  return object(reader, (fields) => {
    const count = fields.get(0, (r) => r.uint(ATTEMPTS_MAX));
    fields.check(count > 0, "no attempts are left out");
    return { count, head: fields.get(1, hash) };
  });
}

function peer(reader: Reader) {
  return object(reader, (fields) => {
    const [scheme, key] = [fields.get(0, name), fields.get(1, opaque)];
    return { scheme, key, signature: fields.maybe(2, opaque), signed: fields.maybe(3, hash) };
  });
}

function evidence(reader: Reader): number {
  const found = reader.list(EVIDENCE_MAX, () => object(reader, (fields) => [fields.get(0, name), fields.get(1, hash)]));
  if (found.length === 0) throw reader.fail("an empty list of evidence is left out");
  return found.length;
}

/** Whether kind, status and the keys 19 to 22 are a combination that a writer makes. */
function decidesWell(kind: number, status: bigint | string | undefined, keys: string): boolean {
  const isJoin = keys === "" || keys === "join";
  if (kind === Kind.Skip && status === BigInt(Skip.Untaken)) return keys === "arm";
  if (kind === Kind.Skip) return isJoin && (status === BigInt(Skip.Parent) || status === BigInt(Skip.Stopped));
  if (kind === Kind.Fail) return isJoin && typeof status === "string";
  const wanted: Record<number, string> = { [Kind.Branch]: "arm", [Kind.FanOut]: "count", [Kind.Cached]: "origin" };
  return kind >= Kind.Call && kind <= Kind.Cached && status === undefined && keys === (wanted[kind] ?? "");
}

export function readCommit(data: Uint8Array) {
  return decode(data, COMMIT_BYTES_MAX, (fields) => {
    const runId = fields.get(1, (r) => r.fixed(16));
    const ordinal = fields.get(2, u32);
    const place = fields.get(3, node);
    const kind = Number(fields.get(4, big));
    const netuid = fields.maybe(5, operation);
    const entry = fields.maybe(6, hash);
    const contents = new Map<number, Uint8Array | undefined>();
    for (const [key, field] of [[7, Shown.Input], [8, Shown.Request], [9, Shown.Response], [10, Shown.Output]] as const) {
      contents.set(field, fields.maybe(key, hash));
    }
    const start = fields.maybe(11, big);
    const times = start === undefined ? undefined : { start, end: fields.get(12, big), duration: fields.get(13, big) };
    const tried = fields.maybe(14, attempts);
    const paid = fields.maybe(15, cost);
    const status = fields.maybe(16, (r) => (r.atText ? name(r) : r.big()));
    const who = fields.maybe(17, peer);
    const pieces = fields.maybe(18, evidence);
    const [origin, arm, count] = [fields.maybe(19, hash), fields.maybe(20, u32), fields.maybe(21, u32)];
    const isJoin = fields.maybe(22, (r) => r.flag()) ?? false;
    const keys = Object.entries({ origin, arm, count, join: isJoin || undefined }).filter(([, value]) => value !== undefined);
    const isDecided = decidesWell(kind, status, keys.map(([key]) => key).join());
    fields.check(isDecided, "the kind does not go together with its status and decision");
    const [request, response] = [contents.get(Shown.Request), contents.get(Shown.Response)];
    const hasCall = [netuid, entry, request, response, tried, paid, who].some((value) => value !== undefined);
    const hasContent = hasCall || pieces !== undefined || [...contents.values()].some((value) => value !== undefined);
    fields.check((kind === Kind.Skip) === (times === undefined), "what began has times, and what did not has none");
    fields.check(kind !== Kind.Skip || !hasContent, "what never began has no content");
    fields.check(paid === undefined || tried !== undefined, "a cost has attempts");
    contents.set(Shown.Signed, who?.signed);
    const isUntaken = kind === Kind.Skip && status === BigInt(Skip.Untaken);
    const where = isUntaken ? `arm ${arm}` : kind === Kind.Join || isJoin ? "join" : "node";
    const hasValue = isUntaken || (kind !== Kind.Skip && kind !== Kind.Fail);
    const counted = { isCached: kind === Kind.Cached, hasEntry: !!entry, peer: who, hasEvidence: !!pieces };
    return {
      ...{ runId, ordinal, ...place, kind, status, netuid, contents, times, attempts: tried, cost: paid, arm, count },
      ...{ isJoin, isUntaken, where, hasValue, hasCall, ...counted },
    };
  });
}

/** When an attempt was sent, and what it cost. */
export function readAttempt(data: Uint8Array): { start: bigint; cost: Cost | undefined } {
  return decode(data, COMMIT_BYTES_MAX, (fields) => {
    fields.get(0, operation);
    const [start, end] = [fields.get(1, big), fields.get(2, big)];
    const failure = fields.maybe(3, name);
    const isKnown = failure === undefined || CALL_FAILURES.has(failure);
    fields.check(start <= end && isKnown, "an attempt ends before it starts, or fails in an unknown way");
    return { start, cost: fields.maybe(4, cost) };
  });
}

/** The attempts that a disclosure shows. */
export function readAttempts(reader: Reader): Uint8Array[] {
  const shown = reader.list(ATTEMPTS_MAX, () => reader.octets(COMMIT_BYTES_MAX));
  reader.end();
  return shown;
}

/** A peer's signature, and what it is over. */
export interface Signature {
  key: Uint8Array;
  signature: Uint8Array;
  signed: Uint8Array;
}

/** One of several answers, by the lengths of its request and of itself. */
export interface Answer {
  request: bigint;
  response: bigint;
  by: Signature | undefined;
}

/** The answers of a list. */
export function readAnswers(reader: Reader): Answer[] {
  const answers = reader.list(ANSWERS_MAX, () => object(reader, readAnswer));
  reader.end();
  return answers;
}

function readAnswer(fields: Fields): Answer {
  const [request, response] = [fields.get(0, big), fields.get(1, big)];
  const key = fields.maybe(2, hash);
  if (!key) return { request, response, by: undefined };
  const signature = fields.get(3, (reader) => reader.fixed(64));
  const signed = new TextEncoder().encode(fields.get(4, (reader) => reader.text(SIGNED_BYTES_MAX)));
  return { request, response, by: { key, signature, signed } };
}

export { EncodingError };
