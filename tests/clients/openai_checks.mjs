// Uses the OpenAI endpoint of a running `orch serve` with OpenAI's own package for Node.
//
//     node openai_checks.mjs BASE_URL STAND_IN_URL
//
// Prints one line per case and exits with 1 if one differs from what is written here.

import OpenAI from "openai";

const [base, peer] = process.argv.slice(2);
const CHAT = "sn65031.chat";
const messages = [{ role: "user", content: "Say something." }];
let failures = 0;

function check(name, ok, seen = "") {
  failures += ok ? 0 : 1;
  console.log(ok ? `ok   ${name}` : `FAIL ${name}: ${JSON.stringify(seen)}`);
}

const client = (settings = {}) =>
  new OpenAI({ baseURL: base, apiKey: "sk-none", timeout: 60_000, maxRetries: 0, ...settings });

const asked = async (path, method = "GET") => (await fetch(`${peer}/${path}`, { method })).json();

async function errorOf(kind, promise) {
  try {
    await promise;
  } catch (error) {
    check(`${kind.name} is raised`, error instanceof kind, `${error}`);
    return error;
  }
  throw new Error(`no ${kind.name}`);
}

const chat = (model, more = {}, options = {}, settings = {}) =>
  client(settings).chat.completions.create({ model, messages, ...more }, options);

const listed = [];
for await (const model of client().models.list()) listed.push(model.id);
check("models are listed", listed.includes(CHAT) && listed.includes("plans/answers"), listed);
check("one model behind a slash", (await client().models.retrieve("plans/answers")).id === "plans/answers");

const { data, response } = await chat(CHAT).withResponse();
const text = data.choices[0].message.content;
check("an answer passes with id and usage", data.id === "chatcmpl-peer-1" && data.usage.completion_tokens === 6, data);
check("headers say the cost", response.headers.get("x-orchestra-cost") === "0.0025 USD");
check("the server's limit serves an unknown price", (await chat("sn65031.unpriced")).choices.length === 1);

const parts = await chat(`${CHAT}/gated-node`, { stream: true, stream_options: { include_usage: true } });
const iterator = parts[Symbol.asyncIterator]();
const first = [(await iterator.next()).value, (await iterator.next()).value];
await asked("gates/gated-node", "POST");
const rest = [];
for (let part = await iterator.next(); !part.done; part = await iterator.next()) rest.push(part.value);
const said = [...first, ...rest].map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");
check("the first part comes before the second is made", said === text, [said, text]);
check("usage and receipt come last", rest.at(-1).usage.completion_tokens === 6 && rest.at(-1).orchestra.cost === "0.0025 USD");

const helper = client().chat.completions.stream({ model: CHAT, messages });
check("the package's own gathering", (await helper.finalContent()) === text);

const rows = (await client().embeddings.create({ model: "sn65031.embeddings/m", input: ["one", "two"] })).data;
check("embeddings", rows.length === 2 && rows[0].embedding.length === 4, rows);

check("what was meant", `${await errorOf(OpenAI.NotFoundError, chat("sn65031.chatt"))}`.includes("did you mean"));
check("a parameter is named", (await errorOf(OpenAI.BadRequestError, chat(CHAT, { top_p: 0.5 }))).param === "top_p");
await errorOf(OpenAI.RateLimitError, chat(`${CHAT}/rate-limited`));
const down = await errorOf(OpenAI.InternalServerError, chat(`${CHAT}/misfit`, {}, {}, { maxRetries: 2 }));
check("what was charged is not sent again", (await asked("count/misfit")).count === 1 && down.status === 502, down);
const left = await errorOf(OpenAI.ConflictError, chat(`${CHAT}/hangs-node`, {}, {}, { maxRetries: 2, timeout: 1_000 }));
check("what was left is not paid twice", left.code === "E1823" && (await asked("count/hangs-node")).count === 1, left);
check("and was cancelled", (await asked("seen/hangs-node-gone")).count === 1);

const endless = await chat(`${CHAT}/endless-node`, { stream: true });
for await (const _ of endless) break;
check("a stream that is left is cancelled", (await asked("seen/endless-node-gone")).count === 1);

process.exit(failures > 0 ? 1 : 0);
