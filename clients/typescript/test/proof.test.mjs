// The verifier gives the verdict that the published vectors ask of every implementation.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { verify } from "@orchestra/client";

const vectors = `${process.env.ORCHESTRA_REPOSITORY}/crates/proof/tests/vectors/bundles.json`;
const cases = JSON.parse(readFileSync(vectors, "utf8")).tests;

function judged(vector, bundle) {
  const keys = Object.entries(vector.policy.runtime_keys).map(([key, { name, valid_from_us: from, valid_until_us: until }]) => [
    key,
    { name, ...(from === undefined ? {} : { validFromUs: BigInt(from) }), ...(until === undefined ? {} : { validUntilUs: BigInt(until) }) },
  ]);
  return verify(bundle, Object.fromEntries(keys));
}

const bytes = (vector) => new Uint8Array(Buffer.from(vector.bundle, "base64"));

function counted(names) {
  return Object.fromEntries([...new Set(names)].map((name) => [name, names.filter((other) => other === name).length]));
}

for (const vector of cases) {
  test(`vector ${vector.id}`, async () => {
    const verdict = await judged(vector, bytes(vector));
    const found = {
      valid: verdict.valid,
      codes: [...new Set(verdict.failures.map(({ code }) => code))].sort(),
      level: verdict.level ?? null,
      signer: verdict.signer,
      attested: counted(verdict.answers.map(({ attested }) => attested)),
    };
    // There is no sr25519 in here.
    assert.deepEqual(found, vector.expected_without_sr25519 ?? vector.expected, JSON.stringify(verdict.failures));
  });
}

test("no bit of a bundle can be flipped unseen", async () => {
  const vector = cases.find(({ id }) => id === "everything");
  const whole = bytes(vector);
  const { signerKey } = await judged(vector, whole);
  for (let at = 0; at < whole.length; at += 3) {
    const tampered = whole.slice();
    tampered[at] ^= 1 << at % 8;
    const verdict = await judged(vector, tampered);
    assert.ok(!verdict.valid || verdict.signerKey !== signerKey, `byte ${at}`);
  }
});
