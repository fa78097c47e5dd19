// What the tests share: a plan, a validator, and a way to a server that breaks.
import assert from "node:assert/strict";
import net from "node:net";
import { createClient } from "@connectrpc/connect";
import { LedgerService } from "@orchestra/client";
import { z } from "zod";

export const SERVER = process.env.ORCHESTRA_SERVER;
export const SEARCH = "sn22.web_search";
export const PRICE = "0.005 USD";
export const Found = z.object({ data: z.array(z.object({ title: z.string(), link: z.url() })) });
export const PLAN = `edition 2026
use sn22 { web_search as search }

/// The links for a query.
plan links(query: String(1..200)) -> [String](..5) with { budget: 0.02USD, deadline: 20s } {
  let found = call search(query) with { timeout: 8s, retry: { max: 1, backoff: 300ms }, max_price: 0.005USD }
  return found.data.take(5).map(h => h.link)
}
`;

/** Makes the operations of the unruly subnet known to the server. */
export async function publishUnruly(client) {
  const ledger = createClient(LedgerService, client.transport);
  for (const entry of JSON.parse(process.env.ORCHESTRA_UNRULY).entries) {
    await ledger.publishOperation({ entryJson: new TextEncoder().encode(JSON.stringify(entry)) });
  }
}

/** The error that `promise` ends with, of this class. */
export async function failure(promise, family) {
  let error;
  await assert.rejects(promise, (raised) => ((error = raised), true));
  assert.ok(error instanceof family, `${error.name}: ${error.message}`);
  return error;
}

/** Passes connections on to the server, and breaks each when it has brought so many bytes: the last has no limit. */
export async function cutting(...limits) {
  const { hostname, port } = new URL(SERVER);
  const way = { connections: 0 };
  const open = new Set();
  const server = net.createServer((near) => {
    way.connections += 1;
    let left = limits.shift() ?? Infinity;
    const far = net.connect(Number(port), hostname);
    const end = () => (near.destroy(), far.destroy());
    for (const side of [near, far]) open.add(side.on("close", end).on("error", end));
    near.on("data", (data) => far.write(data));
    far.on("data", (data) => {
      const passed = data.subarray(0, left);
      left -= passed.length;
      near.write(passed, () => left === 0 && end());
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  way.url = `http://127.0.0.1:${server.address().port}`;
  // What is left open would keep the tests from ending.
  way.close = () => {
    server.close();
    for (const side of open) side.destroy();
  };
  return way;
}
