// What the main thread of a page spends its CPU time on, from the browser's own trace.
const SCRIPT = new Set(["FireAnimationFrame", "FunctionCall", "TimerFire", "EvaluateScript", "EventDispatch", "RunMicrotasks"]);
const LAYOUT = new Set(["UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize"]);

/** CPU milliseconds of the events in `names`; what is nested in another one of them is counted once. */
function outermost(events, names) {
  let end = -Infinity;
  let total = 0;
  for (const event of events) {
    if (!names.has(event.name) || event.ts < end) continue;
    end = event.ts + event.dur;
    total += event.tdur / 1_000;
  }
  return total;
}

/** CPU milliseconds a second of the busiest renderer's main thread while `work` runs: script, layout and paint, all. */
export async function mainThread(browser, work) {
  const session = await browser.newBrowserCDPSession();
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const categories = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"];
  await session.send("Tracing.start", { traceConfig: { includedCategories: categories, recordMode: "recordAsMuchAsPossible" }, transferMode: "ReportEvents" });
  const begin = performance.now();
  const result = await work();
  const seconds = (performance.now() - begin) / 1_000;
  const complete = new Promise((done) => session.once("Tracing.tracingComplete", done));
  await session.send("Tracing.end");
  await complete;
  await session.detach();
  const threads = new Map();
  for (const { ph, name, pid, tid, args } of events) if (ph === "M" && name === "thread_name" && args.name === "CrRendererMain") threads.set(`${pid}/${tid}`, []);
  for (const event of events) if (event.ph === "X" && event.tdur !== undefined) threads.get(`${event.pid}/${event.tid}`)?.push(event);
  const cpu = [...threads.values()].map((of) => {
    of.sort((a, b) => a.ts - b.ts);
    return { script: outermost(of, SCRIPT) / seconds, layout: outermost(of, LAYOUT) / seconds, all: outermost(of, new Set(["RunTask", "ThreadControllerImpl::RunTask"])) / seconds };
  });
  return { result, ...cpu.sort((a, b) => b.all - a.all)[0] };
}
