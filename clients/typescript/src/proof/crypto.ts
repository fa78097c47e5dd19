/** Hashes and signatures of proofs. */
import { blake3 } from "@noble/hashes/blake3.js";

export const RUN_TYPE = "application/vnd.orchestra.run.v1+cbor";
export const CHALLENGE_TYPE = "application/vnd.orchestra.challenge.v1+cbor";
const PREFIX = "orchestra.proof 2026-11-22 v1 ";
const P = 2n ** 255n - 19n;
// The y coordinates of the points of small order, in every encoding that decompresses. Who names such a key needs no secret to
// sign.
const SMALL_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  P,
  P + 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);
const contexts = new Map<string, ReturnType<typeof blake3.create>>();

/** The hash of the concatenation of `parts` in `context`. */
export function digest(context: string, ...parts: Uint8Array[]): Uint8Array {
  let start = contexts.get(context);
  if (!start) {
    start = blake3.create({ context: new TextEncoder().encode(PREFIX + context) });
    contexts.set(context, start);
  }
  const hasher = start.clone();
  for (const part of parts) hasher.update(part);
  return hasher.digest();
}

/** A number as it is hashed. */
export function u32(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function isSmallOrder(point: Uint8Array): boolean {
  const y = BigInt(`0x${hex(point.slice().reverse())}`) & (2n ** 255n - 1n);
  return SMALL_ORDER.has(y);
}

/** Whether a strict Ed25519 signature over the DSSE encoding of `payload` holds. */
export async function signatureHolds(
  key: Uint8Array,
  payloadType: string,
  payload: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const head = new TextEncoder().encode(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `);
  const message = new Uint8Array(head.length + payload.length);
  message.set(head);
  message.set(payload, head.length);
  return bytesAreSigned(key, message, signature);
}

/** Whether a strict Ed25519 signature over these very bytes holds. */
export async function bytesAreSigned(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (isSmallOrder(key) || isSmallOrder(signature.subarray(0, 32))) return false;
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key.slice(), "Ed25519", false, ["verify"]);
  } catch (error) {
    // A platform without Ed25519 must not pass for a signature that does not hold.
    if (error instanceof DOMException && error.name === "NotSupportedError") throw error;
    return false;
  }
  return crypto.subtle.verify("Ed25519", imported, signature.slice(), message.slice());
}

/** The root over the locks of a run, in RFC 6962's shape, computed leaf by leaf. */
export class Tree {
  readonly #complete: [number, Uint8Array][] = [];

  push(lock: Uint8Array): void {
    let [size, found] = [1, digest("merkle-leaf", lock)];
    for (let last = this.#complete.at(-1); last && last[0] === size; last = this.#complete.at(-1)) {
      found = digest("merkle-node", last[1], found);
      size *= 2;
      this.#complete.pop();
    }
    this.#complete.push([size, found]);
  }

  root(): Uint8Array | undefined {
    const [smallest, ...larger] = this.#complete.map(([, hash]) => hash).reverse();
    return smallest && larger.reduce((right, left) => digest("merkle-node", left, right), smallest);
  }
}
