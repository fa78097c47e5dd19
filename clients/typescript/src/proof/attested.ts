/** Whether the peers of a call signed their answers by twresp/1, as far as a bundle shows it. */
import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { attempt } from "./cbor.js";
import { hex, isSame } from "./crypto.js";
import { Kind, readAnswers, Shown, UNITS_MAX, type Commit, type Signature } from "./objects.js";
import type { Attested, SignedAnswer } from "./verdict.js";

const TEXT = /^twresp\/1\n(sr25519|ed25519)\n(0|[1-9][0-9]*)\n([^\n]*)\n([^\n]*)\n(0|[1-9][0-9]*)\n([0-9a-f]{64})$/;
const LEAST: Attested[] = ["partly", "text_withheld", "unchecked", "body_withheld", "attested"];
const LINE_END = 10;
const NOT_THE_SUM = "the list of its answers does not add up to what is shown of them";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** What a commit says of its peer's signature is not so. */
export class Untrue extends Error {}

/** The SS58 address, with Bittensor's prefix, of a public key. */
function addressOf(key: Uint8Array): string {
  const prefixed = Uint8Array.of(42, ...key);
  const checksum = blake2b(Uint8Array.of(...new TextEncoder().encode("SS58PRE"), ...prefixed)).subarray(0, 2);
  let text = "";
  for (let left = BigInt(`0x${hex(prefixed)}${hex(checksum)}`); left > 0n; left /= 58n) text = BASE58[Number(left % 58n)] + text;
  return text;
}

/**
 * What is known of the signatures of a call's answers, and those of Ed25519 that are still to be checked; undefined where there are none.
 * `shown` gives content that opens its commit.
 */
export function judge(
  commit: Commit,
  shown: (field: number) => Uint8Array | undefined,
): { answer: SignedAnswer; pending: Signature[] } | undefined {
  const peer = commit.peer;
  const scheme = /^twresp\/1\/(sr25519|ed25519|answers)$/.exec(peer?.scheme ?? "")?.[1];
  if (!peer || !scheme) return undefined;
  const isOne = scheme !== "answers";
  const { key, signature } = peer;
  const hasSignature = isOne ? signature?.length === 64 : !signature;
  if (key.length !== 32 || !hasSignature || !commit.contents.get(Shown.Signed)) {
    throw new Untrue("its peers are said to sign answers, and a key, a signature or what was signed is missing");
  }
  const answer = { leaf: commit.ordinal, signedBy: [addressOf(key)] };
  const signed = shown(Shown.Signed);
  if (!signed) return { answer: { ...answer, attested: "text_withheld" }, pending: [] };
  const request = shown(Shown.Request);
  const response = commit.contents.get(Shown.Response) ? shown(Shown.Response) : new Uint8Array();
  const hasValue = commit.kind === Kind.Call;
  if (signature) {
    if (read(signed).scheme !== scheme) throw new Untrue("what is signed is signed in another way than its peer's");
    const by = { key, signature, signed };
    const { attested, pending } = judgeOne(by, request, response, hasValue);
    return { answer: { ...answer, attested }, pending: pending ? [by] : [] };
  }
  const answers = attempt(signed, readAnswers);
  if (!answers) throw new Untrue("what its peers signed is no list of answers");
  const requests = partsOf(request, answers.map((answer) => answer.request));
  const responses = partsOf(response, answers.map((answer) => answer.response));
  const found = answers.flatMap(({ by }, at) => (by ? [{ by, ...judgeOne(by, requests?.[at], responses?.[at], hasValue) }] : []));
  const first = found[0];
  if (!first || answers.length < 2 || !isSame(first.by.key, key)) {
    throw new Untrue("the list of its answers is of one, or none of them is signed, or the first by another hotkey than its peer's");
  }
  const states = new Set<Attested>(found.map(({ attested }) => attested));
  if (found.length < answers.length) states.add("partly");
  return {
    answer: {
      leaf: commit.ordinal,
      attested: LEAST.find((state) => states.has(state)) ?? "partly",
      signedBy: [...new Set(found.map(({ by }) => addressOf(by.key)))],
    },
    pending: found.filter(({ pending }) => pending).map(({ by }) => by),
  };
}

/** What is known of the signature of one answer, of which the request and the body are shown or not. */
function judgeOne(
  { key, signed }: Signature,
  request: Uint8Array | undefined,
  body: Uint8Array | undefined,
  hasValue: boolean,
): { attested: Attested; pending: boolean } {
  const text = read(signed);
  if (text.responder !== addressOf(key)) throw new Untrue("what is signed is by another hotkey than its peer's");
  if (hasValue && (text.status < 200 || text.status >= 300)) throw new Untrue("its peer signed a refusal, and it has a value");
  if (request && !headOf(request).includes(`x-bittensor-nonce: ${text.nonce}`)) {
    throw new Untrue("what its peer signed is the answer to another request");
  }
  if (body && hex(sha256(body)) !== text.bodyHash) throw new Untrue("what its peer signed is another answer");
  if (text.scheme === "sr25519") return { attested: "unchecked", pending: false };
  return { attested: body ? "attested" : "body_withheld", pending: true };
}

/** The parts, of these lengths and with a line end between each two, of content that is shown. */
function partsOf(shown: Uint8Array | undefined, lengths: bigint[]): Uint8Array[] | undefined {
  if (!shown) return undefined;
  let at = 0n;
  const parts = lengths.map((length, index) => {
    if (index > 0 && shown[Number(at++)] !== LINE_END) throw new Untrue(NOT_THE_SUM);
    const part = shown.subarray(Number(at), Number(at + length));
    at += length;
    return part;
  });
  if (at !== BigInt(shown.length)) throw new Untrue(NOT_THE_SUM);
  return parts;
}

/** The lines of a redacted request before its body. */
function headOf(request: Uint8Array): string[] {
  const lines = new TextDecoder().decode(request).split("\n");
  const end = lines.indexOf("");
  return end < 0 ? lines : lines.slice(0, end);
}

/** What a text says. */
function read(signed: Uint8Array): { scheme: string; nonce: string; responder: string; status: number; bodyHash: string } {
  const found = TEXT.exec(textOf(signed));
  const [, scheme = "", nonce = "", , responder = "", status = "", bodyHash = ""] = found ?? [];
  if (!found || BigInt(nonce) > UNITS_MAX || BigInt(status) > 0xffffn) {
    throw new Untrue("what its peer signed is no text of twresp/1");
  }
  return { scheme, nonce, responder, status: Number(status), bodyHash };
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}
