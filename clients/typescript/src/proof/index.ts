/** Verification of proof bundles, offline: nothing here asks the server that made one. */
import { checkValue, EncodingError, VersionError } from "./cbor.js";
import { CHALLENGE_TYPE, digest, hex, isSame, RUN_TYPE, signatureHolds } from "./crypto.js";
import { Graph, GraphError, Walk } from "./graph.js";
import { LeafChecks, Stopped } from "./leaf.js";
import {
  placeOf,
  readBundle,
  readChallenge,
  readHeader,
  readStatement,
  Shown,
  type Bundle,
  type Challenge,
  type Header,
  type Statement,
} from "./objects.js";
import { Verdict, type TrustedKey } from "./verdict.js";

export { Verdict, type Failure, type RunSummary, type SignedAnswer, type TrustedKey } from "./verdict.js";

/**
 * Checks a proof bundle. `trust` are the runtime keys that you trust, by their 64 hex digits; without any a signer is reported as
 * unknown. It never rejects for what a bundle holds, only on a platform whose WebCrypto has no Ed25519.
 */
export async function verify(bundle: Uint8Array, trust: Record<string, TrustedKey> = {}): Promise<Verdict> {
  const verdict = new Verdict();
  const found = tryRead(verdict, "the bundle", bundle, readBundle);
  if (found) await check(verdict, found, trust);
  return verdict;
}

function tryRead<T>(verdict: Verdict, what: string, data: Uint8Array, read: (data: Uint8Array) => T): T | undefined {
  try {
    return read(data);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    verdict.fail(error instanceof VersionError ? "version" : "encoding", `${what} cannot be read: ${error.message}`);
    return undefined;
  }
}

async function check(verdict: Verdict, bundle: Bundle, trust: Record<string, TrustedKey>): Promise<void> {
  const header = tryRead(verdict, "the header", bundle.header, readHeader);
  const statement = tryRead(verdict, "the statement", bundle.statement, readStatement);
  const challenge = tryRead(verdict, "the challenge", bundle.challenge, readChallenge);
  if (!header || !statement || !challenge) return;
  verdict.run = {
    proofId: hex(digest("proof-id", bundle.statement)),
    runId: hex(header.runId).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
    planHash: hex(header.planHash),
    leaves: statement.leaves,
    result: statement.result,
    code: statement.code,
    totals: statement.totals,
    openedAtUs: header.openedAt,
    closedAtUs: statement.closedAt,
  };
  await checkSignature(verdict, bundle, header, statement, trust);
  await checkChallenge(verdict, bundle, header, challenge);
  const genesis = digest("header", bundle.header);
  checkHeader(verdict, bundle, header, statement, genesis);
  if (!isSame(digest("plan", bundle.plan), header.planHash)) verdict.fail("plan", "the plan is not the one the header names");
  const checks = checkLeaves(verdict, bundle, header, statement, genesis);
  await checks?.checkSignatures();
  if (!verdict.valid || !checks) {
    verdict.answers = [];
    return;
  }
  verdict.level = bundle.signature ? "L1" : "L0";
  verdict.notProven = [...notProven(verdict, header, challenge, checks.tally)];
}

function checkLeaves(verdict: Verdict, bundle: Bundle, header: Header, statement: Statement, genesis: Uint8Array) {
  let graph: Graph;
  try {
    graph = new Graph(bundle.plan);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    verdict.fail("plan", error.message);
    return undefined;
  }
  const checks = new LeafChecks(verdict, bundle, header, statement, graph, genesis);
  const walk = new Walk(graph, (leaf) => checks.visit(leaf));
  try {
    const { tails, result } = walk.run();
    checkEnd(verdict, bundle, statement, checks, walk.leaves, tails, result);
  } catch (error) {
    if (error instanceof GraphError) verdict.fail("leaf", error.message);
    else if (!(error instanceof Stopped)) throw error;
  }
  return checks;
}

async function checkSignature(
  verdict: Verdict,
  bundle: Bundle,
  header: Header,
  statement: Statement,
  trust: Record<string, TrustedKey>,
): Promise<void> {
  if (!bundle.signature) return;
  const { key, signature } = bundle.signature;
  if (!isSame(key, header.runtimeKey)) {
    return verdict.fail("signature", "the statement is signed by another key than the header names");
  }
  if (!(await signatureHolds(key, RUN_TYPE, bundle.statement, signature))) {
    return verdict.fail("signature", `the signature by ${hex(key)} does not hold`);
  }
  verdict.signer = "unknown";
  verdict.signerKey = hex(key);
  const trusted = Object.hasOwn(trust, verdict.signerKey) ? trust[verdict.signerKey] : undefined;
  if (!trusted) return;
  verdict.signer = "trusted";
  verdict.signerName = trusted.name;
  const isEarly = trusted.validFromUs !== undefined && header.openedAt < trusted.validFromUs;
  const isLate = trusted.validUntilUs !== undefined && statement.closedAt > trusted.validUntilUs;
  if (isEarly || isLate) verdict.fail("key", `the key of ${trusted.name} was not valid when the run was made`);
}

async function checkChallenge(verdict: Verdict, bundle: Bundle, header: Header, challenge: Challenge): Promise<void> {
  const isOwn = isSame(challenge.issuer, header.runtimeKey);
  const signature = bundle.challengeSignature;
  if (isOwn && signature) {
    verdict.fail("challenge", "a challenge of the runtime itself has a signature of its own");
  } else if (!isOwn && !signature) {
    verdict.fail("challenge", "the challenge is not signed by its issuer");
  } else if (signature && !(await signatureHolds(challenge.issuer, CHALLENGE_TYPE, bundle.challenge, signature))) {
    verdict.fail("challenge", "the signature of the challenge does not hold");
  }
  if (!isSame(digest("challenge", bundle.challenge), header.challengeHash)) {
    verdict.fail("challenge", "the challenge is not the one the header names");
  }
  if (!isSame(challenge.objective, digest("challenge", header.planHash, header.inputCommit))) {
    verdict.fail("challenge", "the challenge is for another plan or other inputs");
  }
  if (header.openedAt < challenge.issuedAt || header.openedAt > challenge.expiresAt) {
    verdict.fail("challenge", "the run opened before the challenge was issued or after it expired");
  }
}

function checkHeader(verdict: Verdict, bundle: Bundle, header: Header, statement: Statement, genesis: Uint8Array): void {
  if (!isSame(statement.genesis, genesis)) verdict.fail("header", "the statement is about another header");
  if (!isSame(statement.planHash, header.planHash)) verdict.fail("header", "header and statement name different plans");
  if (statement.closedAt < header.openedAt) verdict.fail("header", "the run closed before it opened");
  checkShown(verdict, bundle, Shown.RunInput, "inputs", header.inputCommit);
  checkShown(verdict, bundle, Shown.RunOutput, "result", statement.outputCommit);
}

/** Content of the run that is shown is what was committed, in its one form. */
function checkShown(verdict: Verdict, bundle: Bundle, field: number, what: string, commit: Uint8Array | undefined): void {
  const shown = bundle.disclosures.get(placeOf(undefined, field));
  if (!shown) return;
  if (!isSame(commit, digest("body", shown.salt, shown.content))) {
    return verdict.fail("disclosure", `the ${what} shown is not what was committed`);
  }
  try {
    checkValue(shown.content);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    verdict.fail("disclosure", `the ${what} shown is not canonical: ${error.message}`);
  }
}

/** What can only be judged when all leaves were seen. */
function checkEnd(
  verdict: Verdict,
  bundle: Bundle,
  statement: Statement,
  checks: LeafChecks,
  leaves: number,
  tails: number[],
  result: number,
): void {
  if (bundle.commits.length !== leaves) {
    // Root and sums are over other leaves than the walk's, so they say nothing more.
    const message = `the bundle has ${bundle.commits.length} leaves; plan and decisions ask for ${leaves}`;
    return verdict.fail("leaf", message);
  }
  if (statement.leaves !== leaves) verdict.fail("root", `the statement counts ${statement.leaves} leaves`);
  if (!isSame(checks.tree.root(), statement.root)) {
    verdict.fail("root", "the locks of the leaves do not give the root of the statement");
  }
  if (!checks.totalsAgree()) {
    verdict.fail("totals", "cost, attempts or calls of the leaves do not add up to the statement's");
  }
  if ([...bundle.disclosures.values()].some(({ ordinal }) => ordinal !== undefined && ordinal >= leaves)) {
    verdict.fail("disclosure", "content is shown for a leaf the run does not have");
  }
  if (statement.result !== "succeeded") return;
  if (!tails.every((tail) => checks.hasValue[tail])) {
    verdict.fail("result", "the run is said to have succeeded, and a node at its top level did not");
  }
  const ofRun = bundle.disclosures.get(placeOf(undefined, Shown.RunOutput));
  const ofLeaf = bundle.disclosures.get(placeOf(result, Shown.Output));
  if (ofRun && ofLeaf && !isSame(ofRun.content, ofLeaf.content)) {
    verdict.fail("result", "the result of the run is not the value of the plan's result node");
  }
}

function* notProven(verdict: Verdict, header: Header, challenge: Challenge, tally: LeafChecks["tally"]): Generator<string> {
  if (verdict.signer === "none") {
    yield "Who made this bundle: nobody signed it, so anyone could have written all of it.";
  } else if (verdict.signer === "unknown") {
    yield "Who made this bundle: its signer is not one of the keys you trust.";
  }
  yield "That the calls happened: a runtime can sign calls it never made.";
  yield "That the answers are right, or that their subnets are honest.";
  yield "The times: they are the runtime's own, and only their order was checked.";
  yield "That there were no other runs: one that went badly can be left out.";
  if (isSame(challenge.issuer, header.runtimeKey)) {
    yield "That the run was made after anything: the runtime issued its own challenge.";
  }
  if (tally.ledgerEntries > 0) yield "That the Ledger held the entries named: they were not compared with its log.";
  const answers = (state: string) => verdict.answers.filter(({ attested }) => attested === state).length;
  const counts: [number, string][] = [
    [tally.unsureCosts, "costs: they are declared or assumed, because the price was not known."],
    [tally.peers, "identities of peers: they are recorded and were not checked."],
    [answers("text_withheld"), "signed answers: what their peers signed is not shown, so it was not checked."],
    [answers("body_withheld"), "signed answers: they are not shown, so only hashes are known to be signed."],
    [answers("unchecked"), "signed answers: their signatures are of sr25519, which was not checked here."],
    [answers("partly"), "calls: some of the answers they were made of are not signed."],
    [tally.cached, "values from earlier runs: the proofs of those runs are not part of this one."],
    [tally.evidence, "pieces of evidence: they are named by hash and were not looked at."],
    [tally.hidden, "contents: only their salted hashes are here, so what they are cannot be seen."],
  ];
  for (const [count, text] of counts) if (count > 0) yield `${count} ${text}`;
}
