// Runs the browser tests; see README.md.
import { flags, openPage, signIn, startBrowser, startServer } from "./fixture.mjs";
import { states } from "./states.mjs";
import { looks } from "./looks.mjs";
import { works } from "./works.mjs";

const given = flags();
if (given.help) {
  console.log("node tests/browser/run.mjs [--url URL --user NAME --password WORD [--one-time]] [--only WORD]");
  process.exit(0);
}
const server = await startServer(given);
const browser = await startBrowser();
let passed = 0;
let failed = 0;

async function run(name, test) {
  const started = Date.now();
  const pages = [];
  const open = async (options) => {
    const page = await openPage(browser, options);
    pages.push(page);
    return page;
  };
  try {
    const skipped = await test({ server, open, signedIn: async (path, options) => {
      const page = await open(options);
      await signIn(page, server, path);
      return page;
    } });
    const errors = pages.flatMap((page) => page.errors);
    if (errors.length > 0) throw new Error(`the page failed: ${errors.join("\n")}`);
    if (skipped !== undefined) return console.log(`skip ${name}: ${skipped}`);
    passed++;
    console.log(`ok   ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}\n     ${String(error?.stack ?? error).split("\n").slice(0, 12).join("\n     ")}`);
  } finally {
    for (const page of pages) await page.context().close();
  }
}

try {
  // The first ones leave the server with a password that the rest signs in with: always run.
  for (const [name, test, always] of [...works, ...states, ...looks]) {
    if (always === true || new RegExp(given.only).test(name)) await run(name, test);
  }
} finally {
  await browser.close();
  await server.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
