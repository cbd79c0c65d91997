// Measures the app against its budgets and prints one JSON object a line; see README.md. Without --url it measures
// against web/dev/peer.mjs, which shares the machine.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { flags, openPage, signIn, startBrowser, startServer, until } from "./fixture.mjs";
import { mainThread } from "./trace.mjs";

const given = flags();
const dist = resolve(dirname(fileURLToPath(import.meta.url)), "../../web/dist");
const SLOWDOWN = 4;
const PANELS = 24;
const UPDATES = 10;
const VIEWS = 3;
const FRAME_MS = 1_000 / 60;

function report(metric, value, unit, budget, conditions) {
  const line = { bench: "web", metric, value: Math.round(value * 10) / 10, unit, peer: "budget", ratio: Math.round((value / budget) * 1000) / 1000, conditions: { budget: Math.round(budget * 10) / 10, ...conditions } };
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
      for (const { interactionId, duration, startTime, processingStart, processingEnd } of list.getEntries()) {
        const longest = globalThis.interactions.get(interactionId);
        if (interactionId === 0 || longest?.duration >= duration) continue;
        globalThis.interactions.set(interactionId, { duration, step: globalThis.step, delay: processingStart - startTime, processing: processingEnd - processingStart });
      }
    }).observe({ type: "event", durationThreshold: 16, buffered: true });
  });
  await page.goto(server.url);
  await page.locator('[data-panel="cores"][data-state="ready"]').waitFor();
  await slow(page);
  const step = (name) => page.evaluate((words) => (globalThis.step = words), name);
  for (const keys of [["Control+k"], ["s", "t", "r"], ["Escape"], ["t"], ["ArrowDown", "ArrowDown"], ["Escape"], ["ArrowRight", "ArrowDown"], ["Enter"], ["Escape"], ["?"], ["Escape"], ["d"], ["d"]]) {
    await step(keys.join(" "));
    for (const key of keys) await page.keyboard.press(key);
    await page.waitForTimeout(350);
  }
  await step("the step's menu");
  await page.locator(".toolbar .chip").last().click();
  await page.waitForTimeout(350);
  await step("another step");
  await page.getByRole("menuitemradio").nth(2).click();
  await page.waitForTimeout(600);
  for (const name of ["Explore", "Streams", "This machine"]) {
    await step(`to ${name}`);
    await page.getByRole("link", { name, exact: true }).first().click();
    await page.waitForTimeout(700);
  }
  await page.waitForTimeout(500);
  const durations = (await page.evaluate(() => [...globalThis.interactions.values()])).sort((a, b) => b.duration - a.duration);
  const next = await page.context().storageState();
  await page.context().close();
  // With fewer than 50 interactions INP is the longest.
  const { duration = 0, step: longest, delay = 0, processing = 0 } = durations[0] ?? {};
  return { value: duration, longest, delay, processing, count: durations.length, storage: next };
}

/** Counts the page's animation frames for so long. */
function countFrames(page, milliseconds) {
  return page.evaluate(
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
    milliseconds,
  );
}

/** Frames a second, and what they cost the main thread, of 24 charts with 10 updates a second each. */
async function frames(browser, server, storage, seconds) {
  const page = await openPage(browser, { storage, width: 1920, height: 1400, reducedMotion: "no-preference" });
  await page.goto(`${server.url}/bench?panels=${PANELS}&hz=${UPDATES}`);
  await until("24 charts are drawn", async () => (await page.locator(".u-over").count()) === PANELS, 30);
  await page.waitForTimeout(2_000);
  const drawn = await countFrames(page, seconds * 1_000);
  const { result, script, layout, all } = await mainThread(browser, () => countFrames(page, 3_000));
  const canvas = await page.locator(".panel canvas").first().evaluate(({ width, height }) => ({ width, height }));
  await page.context().close();
  return { ...drawn, script: script / result.fps, layout: layout / result.fps, all: all / result.fps, canvas };
}

/** The ceiling of this machine: as many canvases of that size, cleared as often, with nothing drawn. */
async function blankFrames(browser, { width, height }, seconds) {
  const page = await openPage(browser, { width: 1920, height: 1400, reducedMotion: "no-preference" });
  await page.setContent(`<div style="display:grid;grid-template-columns:repeat(4,1fr)">${`<canvas width="${width}" height="${height}"></canvas>`.repeat(PANELS)}</div>`);
  await page.evaluate((every) => {
    const contexts = [...document.querySelectorAll("canvas")].map((canvas) => canvas.getContext("2d"));
    setInterval(() => requestAnimationFrame(() => contexts.forEach((context) => context.clearRect(0, 0, context.canvas.width, context.canvas.height))), every);
  }, 1_000 / UPDATES);
  const { fps } = await countFrames(page, seconds * 1_000);
  await page.context().close();
  return fps;
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
  // Page views, each with a page of its own, sorted by their figure.
  const views = async (measure) => {
    const seen = [];
    for (let i = 0; i < VIEWS; i++) {
      seen.push(await measure(browser, server, storage));
      storage = seen.at(-1).storage;
    }
    return seen.sort((a, b) => a.value - b.value);
  };
  const median = (seen) => seen[(VIEWS - 1) / 2];
  const slowed = { cpu: `${SLOWDOWN}x slowed`, views: VIEWS, against: server.own ? "web/dev/peer.mjs" : "suite" };
  const loads = await views(largestPaint);
  report("lcp_ms", median(loads).value, "ms", 2_500, { ...slowed, value: "median", all: loads.map((load) => Math.round(load.value)) });
  const inps = await views(interaction);
  report("inp_ms", median(inps).value, "ms", 200, { ...slowed, value: "median of each view's longest", interactions: median(inps).count, which: median(inps).longest, delay_ms: Math.round(median(inps).delay), processing_ms: Math.round(median(inps).processing), all: inps.map((inp) => inp.value) });
  const drawn = await frames(browser, server, storage, Number(given.seconds));
  const blank = await blankFrames(browser, drawn.canvas, Math.min(3, Number(given.seconds)));
  const rounded = (value) => Math.round(value * 10) / 10;
  const load = { panels: PANELS, updates_per_second: UPDATES, canvas: `${drawn.canvas.width}x${drawn.canvas.height}, software` };
  report("frames_per_second", drawn.fps, "fps", 60, { ...load, gap_p99_ms: rounded(drawn.p99), blank_canvases_fps: rounded(blank), seconds: Number(given.seconds) });
  // CPU time, which another machine's speed scales: how much of a frame script takes, and all with the drawing in software.
  report("script_ms_per_frame", drawn.script, "ms", FRAME_MS, load);
  report("main_thread_ms_per_frame", drawn.all, "ms", FRAME_MS, { ...load, layout_and_paint_ms: rounded(drawn.layout) });
} finally {
  await browser.close();
  await server.stop();
}
