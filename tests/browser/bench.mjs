// Measures the app against its budgets and prints one JSON object a line; see README.md. Without --url it measures
// against web/dev/peer.mjs, which shares the machine.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { flags, openPage, signIn, startBrowser, startServer, until } from "./fixture.mjs";

const given = flags();
const dist = resolve(dirname(fileURLToPath(import.meta.url)), "../../web/dist");
const SLOWDOWN = 4;
const PANELS = 24;
const UPDATES = 10;

function report(metric, value, unit, budget, conditions) {
  const line = { bench: "web", metric, value: Math.round(value * 10) / 10, unit, peer: "budget", ratio: Math.round((value / budget) * 1000) / 1000, conditions: { budget, ...conditions } };
  console.log(JSON.stringify(line));
}

/** Brotli bytes of the script that the first load needs: index.html's module and what it imports statically. */
function shellBytes() {
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const queue = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js|theme\.js)"/g)].map((match) => match[1]);
  const seen = new Set();
  let bytes = 0;
  while (queue.length > 0) {
    const file = queue.pop();
    if (seen.has(file)) continue;
    seen.add(file);
    const compressed = readdirSync(dirname(join(dist, file))).find((name) => `${name}` === `${file.split("/").pop()}.br`);
    bytes += readFileSync(join(dist, compressed === undefined ? file : `${file}.br`)).length;
    const code = readFileSync(join(dist, file), "utf8");
    for (const [, name] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) queue.push(`assets/${name}`);
  }
  return { bytes, files: seen.size };
}

async function slow(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
}

/** Largest contentful paint of a load with a session, on a slowed CPU and an empty cache. */
async function largestPaint(browser, server, storage) {
  const page = await openPage(browser, { storage, reducedMotion: "no-preference" });
  await slow(page);
  await page.addInitScript(() => {
    globalThis.lcp = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.lcp = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
  });
  await page.goto(server.url);
  await page.locator('[data-panel="cores"][data-state="ready"]').waitFor();
  await page.waitForTimeout(1_500);
  const value = await page.evaluate(() => globalThis.lcp);
  const next = await page.context().storageState();
  await page.context().close();
  return { value, storage: next };
}

/** The longest of some interactions with the live page, on a slowed CPU (event timing, as INP is defined). */
async function interaction(browser, server, storage) {
  const page = await openPage(browser, { storage, reducedMotion: "no-preference" });
  await page.addInitScript(() => {
    globalThis.interactions = new Map();
    new PerformanceObserver((list) => {
      for (const { interactionId, duration } of list.getEntries()) {
        if (interactionId > 0) globalThis.interactions.set(interactionId, Math.max(duration, globalThis.interactions.get(interactionId) ?? 0));
      }
    }).observe({ type: "event", durationThreshold: 16, buffered: true });
  });
  await page.goto(server.url);
  await page.locator('[data-panel="cores"][data-state="ready"]').waitFor();
  await slow(page);
  for (const keys of [["Control+k"], ["s", "t", "r"], ["Escape"], ["t"], ["ArrowDown", "ArrowDown"], ["Escape"], ["ArrowRight", "ArrowDown"], ["Enter"], ["Escape"], ["?"], ["Escape"], ["d"], ["d"]]) {
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForTimeout(350);
  }
  await page.locator(".toolbar .chip").last().click();
  await page.waitForTimeout(350);
  await page.getByRole("menuitemradio").nth(2).click();
  await page.waitForTimeout(600);
  for (const name of ["Explore", "Streams", "This machine"]) {
    await page.getByRole("link", { name, exact: true }).first().click();
    await page.waitForTimeout(700);
  }
  await page.waitForTimeout(500);
  const durations = (await page.evaluate(() => [...globalThis.interactions.values()])).sort((a, b) => b - a);
  const next = await page.context().storageState();
  await page.context().close();
  // With fewer than 50 interactions INP is the longest.
  return { value: durations[0] ?? 0, count: durations.length, storage: next };
}

/** Frames a second, and the main thread's share, of 24 charts with 10 updates a second each. */
async function frames(browser, server, storage, seconds) {
  const page = await openPage(browser, { storage, width: 1920, height: 1400, reducedMotion: "no-preference" });
  await page.goto(`${server.url}/bench?panels=${PANELS}&hz=${UPDATES}`);
  await until("24 charts are drawn", async () => (await page.locator(".u-over").count()) === PANELS, 30);
  await page.waitForTimeout(2_000);
  const result = await page.evaluate(
    (duration) =>
      new Promise((done) => {
        const gaps = [];
        let last = performance.now();
        const start = last;
        const step = (now) => {
          gaps.push(now - last);
          last = now;
          if (now - start < duration) requestAnimationFrame(step);
          else {
            gaps.sort((a, b) => a - b);
            done({ fps: (gaps.length / (now - start)) * 1000, p99: gaps[Math.floor(gaps.length * 0.99)] });
          }
        };
        requestAnimationFrame(step);
      }),
    seconds * 1_000,
  );
  await page.context().close();
  return result;
}

const server = await startServer(given, { oneTime: false });
const browser = await startBrowser();
try {
  const shell = shellBytes();
  report("shell_compressed_kb", shell.bytes / 1_000, "kB", 250, { encoding: "br", files: shell.files });
  const page = await openPage(browser);
  await signIn(page, server);
  let storage = await page.context().storageState();
  await page.context().close();
  const loads = [];
  for (let i = 0; i < 3; i++) {
    const load = await largestPaint(browser, server, storage);
    loads.push(load.value);
    storage = load.storage;
  }
  loads.sort((a, b) => a - b);
  report("lcp_ms", loads[1], "ms", 2_500, { cpu: `${SLOWDOWN}x slowed`, runs: loads.length, value: "median", against: server.own ? "web/dev/peer.mjs" : "suite" });
  const inp = await interaction(browser, server, storage);
  report("inp_ms", inp.value, "ms", 200, { cpu: `${SLOWDOWN}x slowed`, interactions: inp.count, value: "longest", against: server.own ? "web/dev/peer.mjs" : "suite" });
  const drawn = await frames(browser, server, inp.storage, Number(given.seconds));
  report("frames_per_second", drawn.fps, "fps", 60, { panels: PANELS, updates_per_second: UPDATES, gap_p99_ms: Math.round(drawn.p99 * 10) / 10, seconds: Number(given.seconds), canvas: "software" });
} finally {
  await browser.close();
  await server.stop();
}
