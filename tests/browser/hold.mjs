// Holds the page "This machine" open and live until stdin says so or ends; see README.md. Prints what it opened, and at
// the end what the page's own freshness figures say. Exit code 1 when the page was not live all the time.
import { once } from "node:events";
import { flags, openPage, signIn, startBrowser, startServer } from "./fixture.mjs";

const given = flags();
const server = await startServer(given);
const browser = await startBrowser();
let live = false;
try {
  const page = await openPage(browser, { reducedMotion: "no-preference" });
  await signIn(page, server, "/");
  await page.locator('[data-panel="cores"][data-state="ready"]').waitFor();
  await page.locator(".chip.live .connection-number", { hasText: "ms" }).waitFor();
  await page.evaluate(() => {
    const chip = document.querySelector(".connection .chip");
    globalThis.statesSeen = new Set([chip.className]);
    new MutationObserver(() => globalThis.statesSeen.add(chip.className)).observe(chip, { attributes: true });
  });
  const { width, height } = page.viewportSize();
  console.log(JSON.stringify({ page: "This machine", browser: `Chromium ${browser.version()}`, viewport: `${width}x${height}` }));
  await once(process.stdin.resume(), "data");
  const states = await page.evaluate(() => [...globalThis.statesSeen]);
  const freshness = await page.locator('[data-panel="freshness"] .stat-inner').innerText();
  live = states.length === 1 && page.errors.length === 0;
  console.log(JSON.stringify({ states, freshness_p99: freshness.replaceAll(/\s+/g, " "), errors: page.errors }));
} finally {
  await browser.close();
  await server.stop();
}
process.exit(live ? 0 : 1);
