/** What a verifier found. */
import type { Totals } from "./objects.js";

export const FAILURES_MAX = 64;

const CODES = {
  encoding: "E1301",
  version: "E1302",
  signature: "E1303",
  key: "E1304",
  challenge: "E1305",
  plan: "E1306",
  header: "E1307",
  leaf: "E1308",
  root: "E1309",
  order: "E1310",
  totals: "E1311",
  disclosure: "E1312",
  decision: "E1313",
  result: "E1314",
  attestation: "E1315",
} as const;

export type Check = keyof typeof CODES;

/** A runtime's key that you trust, and when: microseconds since 1970 UTC, left out for always. */
export interface TrustedKey {
  name: string;
  validFromUs?: bigint;
  validUntilUs?: bigint;
}

/** A check that did not hold; `code` has a page in the error index. */
export interface Failure {
  code: string;
  check: Check;
  message: string;
  leaf: number | undefined;
  node: string | undefined;
}

export type Attested = "attested" | "body_withheld" | "text_withheld" | "unchecked" | "partly";

/**
 * What is known of the signatures that the peers of a call gave with their answers. `attested`: the peer signed this very answer.
 * `body_withheld`: it signed a hash, and the answer is not shown. `text_withheld`: a signature is there, and what it is of is not shown.
 * `unchecked`: a signature of sr25519 is there, which is not checked here; everything else about it holds. Of several answers, such as
 * votes and pages, that is the least that holds of one, and `partly` says that some are not signed. `signedBy` are the addresses of the
 * peers, by what the bundle says where it is `text_withheld` (the first of them then) or `unchecked`.
 */
export interface SignedAnswer {
  leaf: number;
  attested: Attested;
  signedBy: string[];
}

/** What a bundle says of its run. Hashes are 64 hex digits, times microseconds since 1970 UTC. */
export interface RunSummary {
  proofId: string;
  runId: string;
  planHash: string;
  leaves: number;
  result: "succeeded" | "failed" | "cancelled";
  code: string | undefined;
  totals: Totals;
  openedAtUs: bigint;
  closedAtUs: bigint;
}

/**
 * Everything there is to say of a bundle. `valid` says that every check held, not who signed: `signer` is `trusted` where the key is one
 * that you named, `unknown` where it is another, `none` where nobody signed. `level` is `L1` for a signed bundle, `L0` for one that only
 * agrees with itself, undefined where a check failed.
 */
export class Verdict {
  valid = true;
  failures: Failure[] = [];
  signer: "none" | "unknown" | "trusted" = "none";
  signerKey: string | undefined;
  signerName: string | undefined;
  level: "L0" | "L1" | undefined;
  notProven: string[] = [];
  run: RunSummary | undefined;
  /** The answers that came with a signature of their peer. */
  answers: SignedAnswer[] = [];

  /** Whether every check held and a key that you trust signed. */
  get isAttributed(): boolean {
    return this.valid && this.signer === "trusted";
  }

  /** @internal */
  fail(check: Check, message: string, leaf?: number, node?: string): void {
    this.valid = false;
    if (this.failures.length < FAILURES_MAX) this.failures.push({ code: CODES[check], check, message, leaf, node });
  }
}
