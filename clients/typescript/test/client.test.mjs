// Calls, streams and runs on a real server with sample subnets, by gRPC and by gRPC-Web.
import assert from "node:assert/strict";
import test from "node:test";
import * as orchestra from "@orchestra/client/node";
import { connect as connectWeb } from "@orchestra/client/web";
import { z } from "zod";
import { cutting, failure, Found, PLAN, PRICE, publishUnruly, SEARCH, SERVER } from "./world.mjs";

const links = { fileName: "links.orch", text: PLAN };

for (const [way, connect] of [["gRPC", orchestra.connect], ["gRPC-Web", connectWeb]]) {
  test(way, async (t) => {
    const client = connect(SERVER);
    await publishUnruly(client);

    await t.test("a call gives a checked value and says what it cost", async () => {
      const answer = await client.call(SEARCH, { query: "Halcyon" }, { result: Found, costMax: PRICE });
      assert.ok(answer.value.data[0].link.startsWith("http"));
      assert.equal(String(answer.cost), "0.0025 USD");
      assert.ok(answer.certain && answer.run.startsWith("runs/") && answer.operation === SEARCH);
    });

    await t.test("the same request id is called once, and for one request only", async () => {
      const options = { costMax: PRICE, requestId: `ts-once-${way}` };
      const runs = [await client.call(SEARCH, { query: "once" }, options), await client.call(SEARCH, { query: "once" }, options)];
      assert.equal(runs[0].run, runs[1].run);
      const refused = await failure(client.call(SEARCH, { query: "other" }, options), orchestra.InvalidRequest);
      assert.equal(refused.code, "E1008");
    });

    await t.test("errors have codes and families, and say that nothing was charged", async () => {
      const unknown = await failure(client.call("sn22.web_serch", { query: "a" }), orchestra.NotFound);
      assert.equal(unknown.code, "E1201");
      assert.match(unknown.message, /did you mean `sn22.web_search`/);
      assert.equal(unknown.help, "see docs/errors/E1201.md");
      const wrong = await failure(client.call(SEARCH, { qurey: "a" }, { costMax: PRICE }), orchestra.InvalidRequest);
      assert.ok(wrong.code && wrong.run === undefined && wrong.charged === undefined);
      const dear = await failure(client.call("sn65020.ask", { q: "a" }, { costMax: "0.0001 USD" }), orchestra.OverBudget);
      assert.equal(dear.code, "E1402");
      const broken = { text: PLAN.replace("h.link", "h.lnik") };
      assert.match((await failure(client.run(broken), orchestra.PlanInvalid)).message, /h\.lnik/);
      await failure(client.call(SEARCH, { query: "a" }, { costMax: "5 EUR" }), RangeError);
    });

    await t.test("what a subnet gets wrong is told with what it may have cost", async () => {
      for (const [wish, family, options] of [
        ["timeout", orchestra.CallTimedOut, { timeoutMs: 500 }],
        ["busy", orchestra.CallRateLimited],
        ["html", orchestra.CallFailed],
        ["schema", orchestra.AnswerInvalid],
        ["payment", orchestra.CallFailed],
        ["half", orchestra.CallFailed],
      ]) {
        const error = await failure(client.call("sn65020.ask", { q: `${wish}:ts-${way}` }, options), family);
        assert.ok(error.run && error.charged && error.proofId && error.code, wish);
      }
    });

    await t.test("an answer that does not fit the schema is told with its path and cost", async () => {
      const Other = z.object({ data: z.array(z.object({ missing: z.number() })) });
      const error = await failure(client.call(SEARCH, { query: "a" }, { result: Other, costMax: PRICE }), orchestra.ResultMismatch);
      assert.equal(error.path, "$.data[0].missing");
      assert.equal(String(error.charged), "0.0025 USD");
    });

    await t.test("search finds operations", async () => {
      const hits = await client.search("web search", { limit: 5 });
      assert.ok(hits.some((hit) => hit.operation === SEARCH && hit.callable));
      assert.deepEqual(await client.search("", { tags: ["no such tag"] }), []);
    });

    await t.test("a stream gives its parts one by one, then its answer", async () => {
      const stream = client.stream("sn65020.parts", { q: `ts-${way}` });
      const parts = [];
      for await (const part of stream) parts.push(part.t);
      assert.deepEqual(parts, ["one", "two", "three"]);
      const answer = await stream.answer();
      assert.deepEqual(answer.value, [{ t: "one" }, { t: "two" }, { t: "three" }]);
      assert.equal(stream.run, answer.run);
      const seen = [];
      const broken = client.stream("sn65020.parts", { q: `half:ts-parts-${way}` });
      const error = await failure((async () => { for await (const part of broken) seen.push(part.t); })(), orchestra.CallFailed);
      assert.deepEqual(seen, ["one"]);
      assert.equal(error.run, broken.run);
      assert.ok((await client.call(SEARCH, { query: "slow" }, { costMax: PRICE, timeoutMs: 90_000 })).value);
    });

    await t.test("a run gives its result and a proof that holds", async () => {
      const done = await client.run(links, { query: "a" }, { result: z.array(z.string()), costMax: "0.02 USD" });
      assert.ok(done.value.length > 0 && done.plan === "links" && done.proofId.length === 64);
      const bundle = await client.proof(done.run);
      const verdict = await orchestra.verify(bundle);
      assert.ok(verdict.valid && verdict.level === "L1" && verdict.signer === "unknown", JSON.stringify(verdict.failures));
      assert.equal(verdict.run.proofId, done.proofId);
      assert.equal(`runs/${verdict.run.runId}`, done.run);
      assert.equal(verdict.run.planHash, done.planHash);
      assert.ok((await orchestra.verify(bundle, { [verdict.signerKey]: { name: "mine" } })).isAttributed);
      bundle[bundle.length >> 1] ^= 1;
      assert.ok(!(await orchestra.verify(bundle)).valid);
    });

    await t.test("watching goes on without a gap after the connection broke", async () => {
      const run = await client.start(links, { query: "cut" });
      const seqs = async (events) => { const all = []; for await (const { seq } of events) all.push(seq); return all; };
      const whole = await seqs(client.watch(run));
      const broken = await cutting(250, 350);
      const seen = await seqs(connect(broken.url).watch(run, { patienceMs: 20_000 }));
      broken.close();
      assert.deepEqual(seen, whole);
      assert.deepEqual(seen, whole.map((_, index) => index + 1));
      assert.ok(broken.connections > 1, `${broken.connections}`);
      const nowhere = client.watch("runs/01a20312-e3b0-71c1-8f80-cf4a5739d298").next();
      await failure(nowhere, orchestra.NotFound);
    });

    await t.test("a server that is not there is unavailable", async () => {
      await failure(connect("http://127.0.0.1:9").search("a"), orchestra.Unavailable);
    });
  });
}

test("amounts are exact", () => {
  for (const [text, units, shown] of [["0.05 USD", 50_000n, "0.05 USD"], ["1TAO", 10n ** 9n, "1 TAO"], ["0.000000001 TAO", 1n, "0.000000001 TAO"]]) {
    const amount = orchestra.Amount.parse(text);
    assert.equal(amount.units, units);
    assert.equal(String(amount), shown);
  }
  for (const text of ["0.05", "-1 USD", "0.0000001 USD", "1e3 USD", "99999999999999 USD"]) {
    assert.throws(() => orchestra.Amount.parse(text), RangeError, text);
  }
});
