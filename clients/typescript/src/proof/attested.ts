/** Whether the peer of a call signed its answer by twresp/1, as far as a bundle shows it. */
import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hex } from "./crypto.js";
import { Kind, Shown, UNITS_MAX, type Commit } from "./objects.js";
import type { SignedAnswer } from "./verdict.js";

const TEXT = /^twresp\/1\n(sr25519|ed25519)\n(0|[1-9][0-9]*)\n([^\n]*)\n([^\n]*)\n(0|[1-9][0-9]*)\n([0-9a-f]{64})$/;
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** What a commit says of its peer's signature is not so. */
export class Untrue extends Error {}

/** A signature of Ed25519 that is still to be checked. */
export interface Pending {
  key: Uint8Array;
  signed: Uint8Array;
  signature: Uint8Array;
}

/** The SS58 address, with Bittensor's prefix, of a public key. */
function addressOf(key: Uint8Array): string {
  const prefixed = Uint8Array.of(42, ...key);
  const checksum = blake2b(Uint8Array.of(...new TextEncoder().encode("SS58PRE"), ...prefixed)).subarray(0, 2);
  let text = "";
  for (let left = BigInt(`0x${hex(prefixed)}${hex(checksum)}`); left > 0n; left /= 58n) text = BASE58[Number(left % 58n)] + text;
  return text;
}

/**
 * What is known of the signature of an answer, and of Ed25519 the signature itself; undefined where it has none. `shown` gives content
 * that opens its commit.
 */
export function judge(
  commit: Commit,
  shown: (field: number) => Uint8Array | undefined,
): { answer: SignedAnswer; pending?: Pending } | undefined {
  const peer = commit.peer;
  const scheme = /^twresp\/1\/(sr25519|ed25519)$/.exec(peer?.scheme ?? "")?.[1];
  if (!peer || !scheme) return undefined;
  const { key, signature } = peer;
  if (key.length !== 32 || signature?.length !== 64 || !commit.contents.get(Shown.Signed)) {
    throw new Untrue("its peer is said to sign answers, and a key, a signature or what was signed is missing");
  }
  const answer = { leaf: commit.ordinal, signedBy: addressOf(key) };
  const signed = shown(Shown.Signed);
  if (!signed) return { answer: { ...answer, attested: "text_withheld" } };
  const text = read(signed, scheme, answer.signedBy, commit.kind === Kind.Call);
  const request = shown(Shown.Request);
  if (request && !headOf(request).includes(`x-bittensor-nonce: ${text.nonce}`)) {
    throw new Untrue("what its peer signed is the answer to another request");
  }
  const body = commit.contents.get(Shown.Response) ? shown(Shown.Response) : new Uint8Array();
  if (body && hex(sha256(body)) !== text.bodyHash) throw new Untrue("what its peer signed is another answer");
  if (scheme === "sr25519") return { answer: { ...answer, attested: "unchecked" } };
  return { answer: { ...answer, attested: body ? "attested" : "body_withheld" }, pending: { key, signed, signature } };
}

/** The lines of a redacted request before its body. */
function headOf(request: Uint8Array): string[] {
  const lines = new TextDecoder().decode(request).split("\n");
  const end = lines.indexOf("");
  return end < 0 ? lines : lines.slice(0, end);
}

/** The number of the request and the hash of the answer that a text names. */
function read(signed: Uint8Array, scheme: string, address: string, hasValue: boolean): { nonce: string; bodyHash: string } {
  const found = TEXT.exec(textOf(signed));
  const [, by, nonce = "", , responder, status = "", bodyHash = ""] = found ?? [];
  if (!found || BigInt(nonce) > UNITS_MAX || BigInt(status) > 0xffffn) {
    throw new Untrue("what its peer signed is no text of twresp/1");
  }
  if (by !== scheme || responder !== address) {
    throw new Untrue("what is signed is by another hotkey, or in another way, than its peer's");
  }
  if (hasValue && (Number(status) < 200 || Number(status) >= 300)) {
    throw new Untrue("its peer signed a refusal, and it has a value");
  }
  return { nonce, bodyHash };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}
