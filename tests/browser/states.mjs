// What the page says of itself: the connection's states, the panels' states, the address as the state, the phone.
import { check, control, sendEvents, signIn, until } from "./fixture.mjs";

const params = (page) => new URL(page.url()).searchParams;
const ready = (page, panel) => page.locator(`[data-panel="${panel}"][data-state="ready"]`).waitFor();
const boxes = (page) =>
  page.locator("[data-panel]").evaluateAll((panels) => panels.map((panel) => [panel.dataset.panel, ...Object.values(panel.getBoundingClientRect().toJSON()).map(Math.round)].join()));

/** The page's live socket in the test's hand: `hold` keeps what the server sends. */
async function heldSocket(page) {
  const held = { hold: true, waiting: [], release: () => undefined };
  await page.routeWebSocket(/\/v1\/live/, (route) => {
    const server = route.connectToServer();
    server.onMessage((message) => (held.hold ? held.waiting.push([route, message]) : route.send(message)));
  });
  held.release = () => {
    held.hold = false;
    for (const [route, message] of held.waiting.splice(0)) route.send(message);
  };
  return held;
}

async function fitsWidth(page, what) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(overflow <= 0, `${what}: ${overflow} px scroll sideways`);
}

export const states = [
  [
    "a panel has its size before its data, and a skeleton until then",
    async ({ server, open }) => {
      const page = await open();
      const held = await heldSocket(page);
      await signIn(page, server, "/?last=5m");
      await page.locator('[data-panel="cores"][data-state="loading"]').waitFor();
      await page.locator('[data-panel="cores"] .skeleton').first().waitFor();
      const before = await boxes(page);
      check(before.length >= 10, `all panels are there: ${before.length}`);
      held.release();
      await ready(page, "cores");
      await ready(page, "filesystems");
      await page.locator('[data-panel="network"] .legend-value', { hasText: /\d/ }).first().waitFor();
      check((await page.locator(".skeleton").count()) === 0, "no skeleton is left");
      const after = await boxes(page);
      check(JSON.stringify(after) === JSON.stringify(before), `panels moved: ${after.filter((box, i) => box !== before[i])} were ${before.filter((box, i) => box !== after[i])}`);
    },
  ],
  [
    "what a limit leaves out is named on the panel",
    async ({ server, signedIn }) => {
      const page = await signedIn("/streams");
      const now = Date.now() / 1_000;
      await sendEvents(server, "many.rooms", Array.from({ length: 30 }, (_, i) => ({ time: now, room: `room ${i}`, temperature: 20 + i / 10 })));
      await page.goto(`${server.url}/explore?stream=many.rooms&measure=temperature&by=room&last=15m`);
      await ready(page, "result");
      await page.locator('[data-panel="result"] .panel-caption', { hasText: "6 more groups not shown" }).waitFor();
      check((await page.locator(".group-table tbody tr").count()) === 24, "24 groups are shown");
    },
  ],
  [
    "data that stands still is called stale, and live again with the next event",
    async ({ server, signedIn }) => {
      const page = await signedIn("/streams");
      const event = () => ({ time: Date.now() / 1_000, room: "attic", temperature: 18 });
      await sendEvents(server, "quiet.stream", [event()]);
      await page.goto(`${server.url}/explore?stream=quiet.stream&measure=temperature&last=15m`);
      await ready(page, "result");
      await page.locator(".chip.live").waitFor();
      await page.locator(".chip.stale", { hasText: /Stale since \d\d:\d\d/ }).waitFor();
      await page.locator('[data-panel="result"] .panel-lag', { hasText: /no new events since \d\d:\d\d:\d\d/ }).waitFor();
      await sendEvents(server, "quiet.stream", [event()]);
      await page.locator(".chip.live").waitFor();
      await until("the panel no longer says that it lags", async () => (await page.locator(".panel-lag").count()) === 0);
    },
  ],
  [
    "a server that is killed is missed, counted down to, and met again where the page was",
    async ({ signedIn }) => {
      if (process.env.RIVERMEET_CONTROL === undefined) return "needs a suite that the test may kill (tests/browser/run)";
      const page = await signedIn("/?last=5m");
      await ready(page, "cores");
      await page.locator(".chip.live").waitFor();
      await control("kill");
      try {
        await page.locator(".chip.reconnecting", { hasText: /in\s\d+\ss/ }).waitFor();
        check((await page.locator('[data-panel="cores"] .legend-value').first().textContent()) !== "", "what was shown stays");
        await page.getByRole("button", { name: /^Connection/ }).click();
        await page.getByText("What is shown stands still.").waitFor();
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Try now" }).waitFor();
      } finally {
        await control("start");
      }
      await page.locator(".chip.live .connection-number", { hasText: "ms" }).waitFor({ timeout: 40_000 });
      check(params(page).get("last") === "5m", "the address is the same");
      await ready(page, "cores");
      check((await page.getByRole("heading", { name: "Sign in" }).count()) === 0, "the session goes on");
      return undefined;
    },
  ],
  [
    "copying the address shares exactly what is seen",
    async ({ server, signedIn }) => {
      const page = await signedIn("/explore?stream=host.metrics&measure=cpu_percent&fn=max&by=core&where=core:in:0&last=5m&step=10s");
      await ready(page, "result");
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.getByRole("button", { name: "Copy link" }).click();
      await page.getByText("Link copied").waitFor();
      const address = await page.evaluate(() => navigator.clipboard.readText());
      const seen = async (of) => ({
        title: await of.locator('[data-panel="result"] h2').textContent(),
        chips: await of.locator(".toolbar .chip").allTextContents(),
        range: await of.locator('[data-shortcut="range"]').textContent(),
        rows: await of.locator(".group-table tbody th").allTextContents(),
      });
      const mine = await seen(page);
      const other = await signedIn(address.slice(server.url.length));
      await ready(other, "result");
      const theirs = await seen(other);
      check(JSON.stringify(theirs) === JSON.stringify(mine), `one sees ${JSON.stringify(mine)}, the other ${JSON.stringify(theirs)}`);
      check(mine.rows.length === 1 && mine.chips.some((chip) => /step.*10/.test(chip)), `the view is the one that was asked for: ${JSON.stringify(mine)}`);
    },
  ],
  [
    "Back undoes each choice, one at a time",
    async ({ signedIn }) => {
      const page = await signedIn("/?last=5m");
      await ready(page, "cores");
      const step = page.locator(".toolbar .chip", { hasText: /^step/ });
      const shown = await step.textContent();
      await step.click();
      await page.getByRole("menuitemradio", { name: /^10/ }).click();
      await until("the step is in the address", () => params(page).get("step") === "10s");
      await page.locator('[data-panel="cores"]').hover();
      await page.getByRole("button", { name: "Menu of CPU by core" }).click();
      await page.getByRole("menuitem", { name: "Open", exact: true }).click();
      await page.locator('[data-panel="cores"].open').waitFor();
      await page.goBack();
      await until("the panel is closed", async () => (await page.locator(".panel.open").count()) === 0);
      check(params(page).get("step") === "10s", "the step stays");
      await page.goBack();
      await until("the step is undone", async () => (await step.textContent()) === shown);
      await page.goForward();
      await until("Forward does it again", () => params(page).get("step") === "10s");
    },
  ],
  [
    "/ searches, g and a letter go places, the palette finds streams, pages and actions",
    async ({ signedIn }) => {
      const page = await signedIn("/");
      await ready(page, "cores");
      const palette = page.getByRole("dialog", { name: "Search and commands" });
      const search = async (words) => {
        await page.keyboard.press("/");
        await palette.waitFor();
        await page.keyboard.type(words);
      };
      const find = async (words, option) => {
        await search(words);
        await palette.getByRole("option", { selected: true }).filter({ hasText: option }).waitFor();
      };
      const cores = page.locator('[data-panel="cores"]');
      for (const close of [() => page.keyboard.press("Escape"), () => page.mouse.click(5, 5)]) {
        await cores.focus();
        await search("s");
        await page.keyboard.press("Tab");
        check(await palette.getByRole("combobox").evaluate((input) => input === document.activeElement), "Tab stays in the palette");
        await close();
        await until("it closes", async () => (await palette.count()) === 0);
        check(await cores.evaluate((panel) => panel === document.activeElement), "the focus is where it was");
      }
      for (const [letter, heading] of [["e", "Explore"], ["s", "Streams"], ["k", "API keys"], ["h", "This machine"]]) {
        await page.keyboard.press("g");
        await page.keyboard.press(letter);
        await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
      }
      await find("host.metrics", "host.metrics");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "host.metrics", level: 1 }).waitFor();
      await search("no such thing");
      await palette.getByText("Nothing found").waitFor();
      await page.keyboard.press("Escape");
      await until("Escape closes it", async () => (await palette.count()) === 0);
      await find("pause", "Pause or resume live data");
      await page.keyboard.press("Enter");
      await page.locator(".chip.paused").waitFor();
      await find("create an api", "Create an API key");
      await page.keyboard.press("Enter");
      const name = page.getByRole("dialog").getByLabel("What it is for");
      await name.waitFor();
      check(await name.evaluate((input) => input === document.activeElement), "the dialog begins at its first input");
    },
  ],
  [
    "the table view says what the chart shows, by keyboard",
    async ({ server, signedIn }) => {
      const page = await signedIn("/streams");
      const second = Math.floor(Date.now() / 1_000) - 5;
      await sendEvents(server, "three.values", [11.5, 12.5, 13.5].map((temperature, i) => ({ time: second + i, room: "attic", temperature })));
      await page.goto(`${server.url}/explore?stream=three.values&measure=temperature&last=1m&step=1s`);
      await ready(page, "result");
      await page.locator('[data-panel="result"]').focus();
      await page.keyboard.press("m");
      await page.getByRole("menuitem", { name: "Show as table" }).waitFor();
      await page.keyboard.press("s");
      await page.keyboard.press("Enter");
      const cells = page.locator('[data-panel="result"] tbody td');
      await cells.first().waitFor();
      const values = (await cells.allTextContents()).map(Number);
      check(JSON.stringify(values) === "[13.5,12.5,11.5]", `newest first: ${values}`);
      const summary = await page.locator('[data-panel="result"] > .panel-body > .visually-hidden').textContent();
      check(/13\.5 now, between 11\.5 and 13\.5/.test(summary), `the summary says ${summary}`);
    },
  ],
  [
    "the table view needs no chart, and follows new groups and another measure",
    async ({ server, signedIn }) => {
      const page = await signedIn("/streams");
      let chart;
      // The chart's code never comes: what a table shows must not wait for it.
      await page.route(/assets\/chart-.*\.js/, (route) => (chart = route));
      const now = Math.floor(Date.now() / 1_000);
      const reading = (room, temperature, humidity) => ({ time: now - 2, room, temperature, humidity });
      await sendEvents(server, "two.rooms", [reading("attic", 11.5, 60.5)]);
      await page.goto(`${server.url}/explore?stream=two.rooms&measure=temperature&by=room&last=1m&step=1s`);
      await ready(page, "result");
      const result = page.locator('[data-panel="result"]');
      await result.focus();
      await page.keyboard.press("m");
      await page.getByRole("menuitem", { name: "Show as table" }).click();
      const shows = (...words) => until(`the table has ${words}`, async () => (await result.locator("table").allTextContents()).some((all) => words.every((word) => all.includes(word))));
      await shows("attic", "11.5");
      check(chart !== undefined, "the chart's code was asked for");
      await sendEvents(server, "two.rooms", [reading("cellar", 7.5, 80.5)]);
      await shows("attic", "11.5", "cellar", "7.5");
      await page.getByRole("button", { name: /^measure/ }).click();
      await page.getByRole("menuitemradio", { name: "humidity" }).click();
      await shows("attic", "60.5", "cellar", "80.5");
    },
  ],
  [
    "on a phone stat panels stand two in a row, the rest alone, and nothing scrolls sideways",
    async ({ server, signedIn }) => {
      const page = await signedIn("/", { width: 390, height: 844 });
      await ready(page, "cores");
      const box = (panel) => page.locator(`[data-panel="${panel}"]`).boundingBox();
      const [cpu, events, memory, cores, processes] = await Promise.all(["cpu", "events", "memory", "cores", "processes"].map(box));
      check(cpu.y === events.y && events.x > cpu.x + cpu.width, "CPU and events stand side by side");
      check(memory.y > cpu.y && cores.width > 340 && processes.y >= cores.y + cores.height, "the rest stands alone");
      for (const path of ["/", "/explore?stream=host.metrics&measure=cpu_percent&by=core", "/streams", "/streams?name=host.metrics", "/keys", "/nowhere"]) {
        await page.goto(server.url + path);
        await page.locator("main .panel, main .page, main .page-empty").first().waitFor();
        await fitsWidth(page, path);
      }
      const inside = async (what, locator) => {
        const { x, width } = await locator.boundingBox();
        check(x >= 0 && x + width <= 390, `${what} reaches from ${x} to ${x + width} px`);
      };
      await page.goto(`${server.url}/?from=2025-01-01T23:00:00Z&to=2025-01-02T01:00:30Z`);
      await inside("the way back to now", page.getByRole("button", { name: "Go live" }).first());
      await inside("the range", page.locator('[data-shortcut="range"]'));
      await page.getByRole("button", { name: "Go live" }).first().click();
      await page.locator(".chip.live").click();
      await page.getByRole("button", { name: "Pause" }).click();
      await page.locator(".chip.paused").click();
      await page.getByRole("button", { name: "Resume" }).click();
      await page.locator(".chip.live").waitFor();
      await page.goto(`${server.url}/keys?new=1`);
      await page.getByRole("dialog").waitFor();
      await fitsWidth(page, "the dialog");
      await page.keyboard.press("Escape");
      await page.goto(server.url);
      await ready(page, "cores");
      await page.locator('[data-panel="cores"]').focus();
      await page.keyboard.press("m");
      await page.getByRole("menuitem", { name: "How is this computed?" }).click();
      await page.getByText(/partition \d+ through offset/).first().waitFor();
      await fitsWidth(page, "how it is computed");
    },
  ],
];
