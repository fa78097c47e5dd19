// Uses an Orchestra MCP server through the official TypeScript SDK.
//
//     node mcp_checks.mjs http URL
//     node mcp_checks.mjs stdio COMMAND ARGUMENT..
//
// Prints one line per case and exits with 1 if one differs from what is written here. The lines `do ..` are those of
// mcp_checks.py.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

const LINKS = readFileSync(new URL("links.orch", import.meta.url), "utf8");
const SEARCH = { operation: "sn22.web_search", arguments_json: '{"query": "tea"}', cost_max: "0.005 USD" };
const SILENT = { operation: "sn65020.silent", arguments_json: '{"q": "tea"}', cost_max: "0.01 USD" };
const TOPIC = "Halcyon versus Meridian";
let failures = 0;

function check(name, ok, seen = "") {
  failures += ok ? 0 : 1;
  console.log(`${ok ? "ok  " : "FAIL"} ${name}${ok ? "" : `: ${JSON.stringify(seen)}`}`);
}

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
function does(what) {
  console.log(`do ${what}`);
  return answers.next();
}

const [kind, ...rest] = process.argv.slice(2);
const transport =
  kind === "http"
    ? new StreamableHTTPClientTransport(new URL(rest[0]))
    : new StdioClientTransport({ command: rest[0], args: rest.slice(1), env: process.env, stderr: "inherit" });
const client = new Client({ name: "checks", version: "1" });
await client.connect(transport);

// The SDK itself holds structured content to the output schema, once it has listed the tools.
const use = async (name, args, options) => {
  const result = await client.callTool({ name, arguments: args }, undefined, options);
  const text = JSON.parse(result.content[0].text);
  if (!result.isError) {
    check(`${name} says the same as text and as structure`, JSON.stringify(text) === JSON.stringify(result.structuredContent), result);
  }
  return { ...result, text };
};
const tools = async () => Object.fromEntries((await client.listTools()).tools.map((tool) => [tool.name, tool]));

const listed = await tools();
check("every tool is there", Object.keys(listed).length >= 9, Object.keys(listed));
check("call needs a limit", listed.call.inputSchema.required.includes("cost_max"), listed.call);

const found = await use("search_subnets", { query: "web search", limit: 3 });
check("a search finds", found.text.hits[0].operation === "sn22.web_search", found);
await use("get_operation", { operation: "sn22.web_search" });

const steps = [];
const called = await use("call", SEARCH, { onprogress: (step) => steps.push(step.message) });
check("a call answers and says what it cost", called.text.cost === "0.0025 USD", called);
check("and told its attempt", steps.some((step) => step.includes("sn22.web_search")), steps);
const unlimited = await use("call", { ...SEARCH, cost_max: undefined });
check("no call without a limit", unlimited.isError && unlimited.text.error.code === "E1851", unlimited);

const checked = await use("check_plan", { source: LINKS.replace("found.data", "found.dta") });
check("a mistake is found", checked.text.ok === false, checked);
await use("explain_plan", { source: LINKS });
const run = { source: LINKS, inputs_json: JSON.stringify({ topic: TOPIC }), cost_max: "0.02 USD" };
const ran = await use("run_plan", run);
check("a plan runs", ran.text.state === "succeeded" && ran.text.result.links.length === 5, ran);
const later = await use("run_plan", { ...run, wait_seconds: 0 });
check("or gives its name at once", later.text.run.startsWith("runs/"), later);
await use("get_run", { run: ran.text.run, bytes_max: 10 });
await use("get_proof", { run: ran.text.run });
const over = await use("run_plan", { ...run, cost_max: "0.001 USD" });
check("not over its limit", over.isError && over.text.error.code === "E1402", over);

const guide = await client.readResource({ uri: "orch://docs/language" });
check("the guide can be read", guide.contents[0].text.includes("plan first_links"), guide);
const refused = await client.callTool({ name: "no_such_tool", arguments: {} }).catch((error) => error);
check("an unknown tool is refused", refused instanceof Error && refused.message.includes("no_such_tool"), refused);

const changed = new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, resolve));
await does("publish");
await changed;
check("a published plan is a tool", "plan_links" in (await tools()));
const planned = await use("plan_links", { inputs: { topic: TOPIC }, cost_max: "0.02 USD" });
check("it runs", planned.text.result.links.length === 5, planned);

const unwanted = new AbortController();
const silent = client.callTool({ name: "call", arguments: SILENT }, undefined, { signal: unwanted.signal }).catch((error) => error);
await does("arrive");
unwanted.abort("no longer wanted");
await does("leave");
check("a call that is not wanted any more is cancelled", (await silent) instanceof Error);

await client.close();
process.stdin.destroy();
process.exitCode = failures > 0 ? 1 : 0;
