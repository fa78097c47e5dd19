// The package in a real browser: bundled as an application does it, on a page whose origin the server admits.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { publishUnruly, SERVER } from "./world.mjs";
import { connect } from "@orchestra/client/node";

const PAGE = `
import { connect, NotFound, verify } from "@orchestra/client/web";
window.ask = async (server) => {
  const client = connect(server);
  const answer = await client.call("sn65020.ask", { q: "browser" }, { receipt: true });
  const verdict = await verify(answer.receipt);
  const parts = [];
  for await (const part of client.stream("sn65020.parts", { q: "browser" })) parts.push(part.t);
  const error = await client.call("sn22.web_serch", {}).catch((error) => error);
  return { value: answer.value, cost: String(answer.cost), parts, code: error.code, isNotFound: error instanceof NotFound,
    proven: verdict.valid && verdict.level };
};
`;

/** Where a Chromium is; there is none in the package. */
const known = [process.env.ORCHESTRA_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const chromiumPath = known.find((path) => path && existsSync(path));
const missing = "no Chromium: install one (Debian: apt-get install chromium), or name it by ORCHESTRA_CHROMIUM";
// A machine without one passes the tests of all else; where it must be there, ORCHESTRA_BROWSER_REQUIRED says so.
const skip = chromiumPath || process.env.ORCHESTRA_BROWSER_REQUIRED ? false : missing;

test("a page of an admitted origin calls, streams and reads errors; another page may not", { skip }, async () => {
  assert.ok(chromiumPath, missing);
  await publishUnruly(connect(SERVER));
  const bundled = await build({
    stdin: { contents: PAGE, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
  });
  // The pages are handed to the browser without a network, so it would take this machine's server for one of another network.
  const args = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"];
  const launched = await chromium.launch({ executablePath: chromiumPath, args });
  try {
    const asked = async (origin) => {
      const page = await launched.newPage();
      await page.route(`${origin}/**`, (route) => {
        const isScript = route.request().url().endsWith(".js");
        const body = isScript ? bundled.outputFiles[0].text : `<script type="module" src="/page.js"></script>`;
        return route.fulfill({ contentType: isScript ? "text/javascript" : "text/html", body });
      });
      await page.goto(`${origin}/`);
      await page.waitForFunction(() => window.ask);
      return page.evaluate((server) => window.ask(server).catch((error) => ({ refused: error.message })), SERVER);
    };
    assert.deepEqual(await asked(process.env.ORCHESTRA_PAGE_ORIGIN), {
      value: { v: "answer to browser" },
      cost: "0.001 USD",
      parts: ["one", "two", "three"],
      code: "E1201",
      isNotFound: true,
      proven: "L1",
    });
    assert.ok((await asked("http://localhost:5999")).refused, "a page of an origin that is not named is refused");
  } finally {
    await launched.close();
  }
});
