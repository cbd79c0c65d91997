// What the app does: each test signs in on a fresh profile and leaves nothing behind that another needs.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { check, choosePassword, signIn, until } from "./fixture.mjs";

const run = promisify(execFile);
const valueOf = (page, panel) => page.locator(`[data-panel="${panel}"] .stat-value`).textContent();
const params = (page) => new URL(page.url()).searchParams;
const ready = (page, panel) => page.locator(`[data-panel="${panel}"][data-state="ready"]`).waitFor();

/** A hash of what a canvas shows. */
function pixels(page, panel) {
  return page.locator(`[data-panel="${panel}"] canvas`).first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let hash = 0;
    for (let i = 0; i < data.length; i += 4) hash = (hash * 31 + data[i] + data[i + 1] * 3 + data[i + 3] * 7) | 0;
    return hash;
  });
}

async function choose(page, chip, item) {
  await page.locator(".toolbar .chip", { hasText: new RegExp(`^${chip}\\b`) }).click();
  await page.getByRole("menu").locator("[role^=menuitem]", { hasText: new RegExp(`^${item}`) }).first().click();
}

/** Where a panel's plot is. It is made anew when lines come: for a moment there is none. */
async function plotBox(page, panel) {
  let box = null;
  await until(`${panel} has a plot`, async () => (box = await page.locator(`[data-panel="${panel}"] .u-over`).boundingBox()) !== null);
  return box;
}

/** Drags over a chart from one share of its width to another. */
async function drag(page, panel, from, to) {
  const box = await plotBox(page, panel);
  await page.mouse.move(box.x + box.width * from, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * ((from + to) / 2), box.y + box.height / 2, { steps: 4 });
  await page.mouse.move(box.x + box.width * to, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
}

export const works = [
  [
    "a wrong password is told at the form",
    async ({ server, open }) => {
      const page = await open();
      await page.goto(server.url);
      await page.getByLabel("Password", { exact: true }).fill("not the password");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("User or password is wrong.").waitFor();
    },
  ],
  [
    "a one-time password has to be changed, and a weak one is not taken",
    async ({ server, open }) => {
      if (!server.oneTime) return;
      const page = await open();
      await page.goto(server.url);
      await page.getByLabel("Password", { exact: true }).fill(server.password);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Choose your password" }).waitFor();
      await page.getByLabel("New password", { exact: true }).fill("short");
      await page.getByLabel("New password again", { exact: true }).fill("short");
      await page.getByRole("button", { name: "Set and go on" }).click();
      await page.getByRole("alert").getByText("At least 12 characters").waitFor();
      await choosePassword(page, server);
    },
    true,
  ],
  [
    "this machine moves after sign-in, and says how fresh it is",
    async ({ signedIn }) => {
      const page = await signedIn("/");
      await ready(page, "cpu");
      await ready(page, "cores");
      await page.locator(".chip.live .connection-number", { hasText: "ms" }).waitFor();
      // Any of them: on a busy machine the CPU's stays at 100 %.
      const numbers = async () => (await page.locator(".stat-value, .legend-value, .bar-number").allTextContents()).join();
      const value = await numbers();
      const before = await pixels(page, "cores");
      await until("the numbers change", async () => (await numbers()) !== value);
      await until("the chart moves", async () => (await pixels(page, "cores")) !== before);
      await until("freshness is measured", async () => Number.parseFloat(await valueOf(page, "freshness")) > 0);
      check((await page.locator('[data-panel="processes"] tbody tr').count()) >= 3, "there are processes");
    },
  ],
  [
    "a reload goes on with the session, and no token is in the storage",
    async ({ signedIn }) => {
      const page = await signedIn("/streams");
      await page.getByRole("link", { name: "host.metrics" }).waitFor();
      await page.reload();
      await page.getByRole("link", { name: "host.metrics" }).waitFor();
      const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie);
      check(!/eyJ|[0-9a-f-]{36}/.test(kept), `a token is readable by scripts: ${kept}`);
    },
  ],
  [
    "tabs that are restored together refresh one after the other, and all go on",
    async ({ signedIn }) => {
      const page = await signedIn("/streams");
      const context = page.context();
      let [asked, underWay, most] = [0, 0, 0];
      await context.route("**/rivermeet.auth.v1.AuthService/Refresh", async (route) => {
        asked++;
        most = Math.max(most, ++underWay);
        const response = await route.fetch();
        await new Promise((done) => setTimeout(done, 200));
        await route.fulfill({ response });
        underWay--;
      });
      const tabs = [page, await context.newPage(), await context.newPage()];
      await Promise.all(tabs.map((tab) => tab.goto(page.url())));
      for (const tab of tabs) await tab.getByRole("link", { name: "host.metrics" }).waitFor();
      check(asked === tabs.length && most === 1, `${asked} refreshes, ${most} at once`);
    },
  ],
  [
    "a server that is too busy to refresh is waited for, not taken for the end of the session",
    async ({ signedIn }) => {
      const page = await signedIn("/streams");
      for (const [status, code] of [[429, "resource_exhausted"], [504, "deadline_exceeded"], [500, "internal"]]) {
        const refresh = "**/rivermeet.auth.v1.AuthService/Refresh";
        await page.route(refresh, (route) => route.fulfill({ status, contentType: "application/json", body: JSON.stringify({ code, message: "busy" }) }));
        await page.reload();
        await page.getByRole("heading", { name: "Rivermeet does not answer" }).waitFor();
        await page.unroute(refresh);
        await page.getByRole("button", { name: "Try again" }).click();
        await page.getByRole("link", { name: "host.metrics" }).waitFor();
      }
    },
  ],
  [
    "signing out says when the server did not take it, and the session goes on until it does",
    async ({ signedIn }) => {
      const page = await signedIn("/streams");
      const signOut = async () => {
        await page.getByRole("button", { name: /viewer|editor|admin/ }).click();
        await page.getByRole("menuitem", { name: "Sign out" }).click();
      };
      const logout = "**/rivermeet.auth.v1.AuthService/Logout";
      await page.route(logout, (route) => route.abort());
      await signOut();
      await page.getByText("You are still signed in").waitFor();
      await page.getByRole("link", { name: "host.metrics" }).waitFor();
      await page.unroute(logout);
      await signOut();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    },
  ],
  [
    "dragging over a chart selects its range for all, Back undoes it, double-click resets it",
    async ({ signedIn }) => {
      const page = await signedIn("/?last=1m");
      await ready(page, "cores");
      await page.locator('[data-panel="cores"] .u-over').waitFor();
      // The newest part of a short range: a suite that has just begun has no more.
      await drag(page, "cores", 0.69, 0.99);
      await until("the range is in the address", () => params(page).has("from") && params(page).has("to"));
      const seconds = (Date.parse(params(page).get("to")) - Date.parse(params(page).get("from"))) / 1_000;
      check(seconds > 13 && seconds < 23, `a third of 1 min was selected, got ${seconds} s`);
      await page.getByText("Past range").waitFor();
      await ready(page, "network");
      await page.goBack();
      await page.locator(".chip.live").waitFor();
      check(!params(page).has("from"), "Back undoes the selection");
      await page.locator('[data-panel="cores"] .u-over').waitFor();
      await drag(page, "cores", 0.69, 0.99);
      await until("the range is selected again", () => params(page).has("from"));
      await ready(page, "cores");
      await page.locator('[data-panel="cores"] .u-over').dblclick();
      await until("the range is reset", () => !params(page).has("from"));
    },
  ],
  [
    "the crosshair of one chart moves on the others, and the tooltip is sorted",
    async ({ signedIn }) => {
      const page = await signedIn("/");
      await ready(page, "cores");
      await ready(page, "network");
      await page.locator('[data-panel="network"] .u-over').waitFor();
      const box = await plotBox(page, "cores");
      await page.mouse.move(box.x + box.width * 0.5, box.y + 60);
      await page.mouse.move(box.x + box.width * 0.52, box.y + 60);
      await page.locator(".tooltip").waitFor();
      const values = (await page.locator(".tooltip-value").allTextContents()).map(Number.parseFloat);
      check(values.length >= 2 || (await page.locator(".tooltip-row").count()) === 1, "the tooltip has the cores");
      check(values.every((value, i) => i === 0 || value <= values[i - 1]), `the tooltip is sorted: ${values}`);
      const moved = await page.locator('[data-panel="network"] .u-cursor-x').evaluate((line) => new DOMMatrix(getComputedStyle(line).transform).m41);
      check(moved > 10, `the crosshair stands at ${moved} on the other chart`);
    },
  ],
  [
    "everything on explore is in the address",
    async ({ server, signedIn, open }) => {
      const page = await signedIn("/explore?stream=host.metrics&measure=cpu_percent");
      await ready(page, "result");
      await choose(page, "group by", "core");
      await page.keyboard.press("Escape");
      await until("the group is in the address", () => params(page).get("by") === "core");
      await page.getByRole("button", { name: "Add filter" }).click();
      await page.getByRole("menuitem", { name: "core", exact: true }).click();
      await choose(page, "core", "0$");
      await page.keyboard.press("Escape");
      await until("the filter is in the address", () => params(page).get("where") === "core:in:0");
      await ready(page, "result");
      await until("one line is left", async () => (await page.locator(".group-table tbody tr").count()) === 1);
      await choose(page, "function", "max");
      await until("the function is in the address", () => params(page).get("fn") === "max");
      const address = page.url();
      await page.goBack();
      check(params(page).get("fn") === null, "Back undoes the function");
      await page.goto(address);
      await ready(page, "result");
      await until("the same is shown", async () => (await page.locator('[data-panel="result"] h2').textContent()) === "max cpu_percent by core");
      void server;
      void open;
    },
  ],
  [
    "a key is made, shown once, its command works as it is, and it is revoked",
    async ({ server, signedIn }) => {
      const page = await signedIn("/keys");
      const name = `browser test ${Date.now()}`;
      await page.getByRole("button", { name: "Create key" }).first().click();
      await page.getByLabel("What it is for").fill(name);
      await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
      const secret = await page.getByLabel("Key", { exact: true }).textContent();
      check(/^rm_[^_]+_.{20,}$/.test(secret), `a key is shown, got ${secret}`);
      const command = await page.getByLabel("Send an event with it").textContent();
      check(command.includes(server.url) && command.includes(secret), "the command goes to this server with this key");
      const { stdout } = await run("bash", ["-c", command]);
      check(JSON.parse(stdout).receipt?.accepted === 1, `the command is answered with ${stdout}`);
      await page.getByRole("button", { name: "Done" }).click();
      check(!(await page.content()).includes(secret), "the key is gone from the page");
      await page.goto(`${server.url}/explore?stream=my.first&measure=temperature&by=room`);
      await ready(page, "result");
      await page.locator(".group-table").getByText("kitchen").waitFor();
      await page.goto(`${server.url}/keys`);
      await page.getByRole("button", { name: `Revoke “${name}”` }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
      await page.getByText(`“${name}” is revoked`).waitFor();
      await until("the key is gone from the list", async () => (await page.getByRole("button", { name: `Revoke “${name}”` }).count()) === 0);
    },
  ],
  [
    "a stream shows its fields and a ledger that balances",
    async ({ signedIn }) => {
      const page = await signedIn("/streams");
      await page.getByRole("link", { name: "host.metrics" }).click();
      await page.getByText("balanced", { exact: true }).waitFor();
      await page.getByText("memory_used_bytes").waitFor();
      const received = Number((await page.locator(".ledger tbody td").first().textContent()).replaceAll(",", ""));
      check(received > 0, "events were received");
      await ready(page, "events");
    },
  ],
  [
    "a panel says how it is computed, shows its table and opens",
    async ({ signedIn }) => {
      const page = await signedIn("/");
      await ready(page, "cores");
      const menu = async (item) => {
        await page.locator('[data-panel="cores"]').hover();
        await page.getByRole("button", { name: "Menu of CPU by core" }).click();
        await page.getByRole("menuitem", { name: item, exact: true }).click();
      };
      await menu("How is this computed?");
      await page.getByText(/partition \d+ through offset/).first().waitFor();
      await page.getByText(/from memory/).waitFor();
      await page.getByText("group by core").waitFor();
      await page.keyboard.press("Escape");
      await menu("Show as table");
      await page.locator('[data-panel="cores"] td').first().waitFor();
      await menu("Show as chart");
      await menu("Open");
      await page.locator('[data-panel="cores"].open').waitFor();
      check(params(page).get("panel") === "cores", "the open panel is in the address");
      await page.keyboard.press("Escape");
      await until("Escape closes it", () => params(page).get("panel") === null);
    },
  ],
  [
    "all of it works by keyboard",
    async ({ signedIn }) => {
      const page = await signedIn("/");
      await ready(page, "cores");
      await page.keyboard.press("ArrowRight");
      await page.locator('[data-panel="cpu"]:focus').waitFor();
      await page.keyboard.press("ArrowRight");
      await page.locator('[data-panel="events"]:focus').waitFor();
      await page.keyboard.press("ArrowDown");
      await page.locator('[data-panel="cores"]:focus').waitFor();
      await page.keyboard.press("Enter");
      await page.locator('[data-panel="cores"].open').waitFor();
      await page.keyboard.press("Escape");
      await page.locator('[data-panel="cores"]:focus').waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("t");
      await page.getByRole("menu").waitFor();
      await page.keyboard.press("Escape");
      await page.keyboard.press("g");
      await page.keyboard.press("s");
      await page.getByRole("heading", { name: "Streams", level: 1 }).waitFor();
      await page.keyboard.press("Control+k");
      await page.keyboard.type("explore host.met");
      await page.getByRole("option", { name: "Explore host.metrics" }).waitFor();
      await page.keyboard.press("Enter");
      await until("the palette went there", () => params(page).get("stream") === "host.metrics");
      await page.keyboard.press("d");
      check((await page.evaluate(() => document.documentElement.dataset.theme)) === "light", "d switches the theme");
    },
  ],
  [
    "a lost connection is said, counted down and mended",
    async ({ server, open }) => {
      const page = await open();
      let lose = () => {};
      let away = false;
      await page.routeWebSocket(/\/v1\/live/, (route) => {
        if (away) {
          void route.close();
          return;
        }
        route.connectToServer();
        lose = () => void route.close();
      });
      await signIn(page, server);
      await page.locator(".chip.live").waitFor();
      await ready(page, "cores");
      away = true;
      lose();
      await page.locator(".chip.reconnecting", { hasText: /in \d+/ }).waitFor();
      away = false;
      await page.locator(".chip.live").waitFor();
    },
  ],
  [
    "pausing stands still and resuming goes on",
    async ({ signedIn }) => {
      const page = await signedIn("/");
      await ready(page, "cores");
      await page.locator(".chip.live").waitFor();
      await page.keyboard.press("p");
      await page.locator(".chip.paused").waitFor();
      await page.waitForTimeout(500);
      const before = await pixels(page, "cores");
      await page.waitForTimeout(2_500);
      check((await pixels(page, "cores")) === before, "a paused chart does not move");
      await page.getByRole("button", { name: "Resume" }).click();
      await page.locator(".chip.live").waitFor();
      await until("the chart moves again", async () => (await pixels(page, "cores")) !== before);
    },
  ],
  [
    "a panel that fails says what happened, names the request and can be tried again",
    async ({ server, signedIn }) => {
      const page = await signedIn("/");
      const failure = { code: "internal", message: "The partition's owner is away." };
      await page.route("**/rivermeet.query.v1.QueryService/Query", (route) => route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify(failure) }));
      const to = Date.now();
      await page.goto(`${server.url}/explore?stream=host.metrics&measure=cpu_percent&from=${to - 300_000}&to=${to}`);
      const panel = page.locator('[data-panel="result"]');
      await panel.getByText("The partition's owner is away.").waitFor();
      check(/Request\s+[0-9a-f]{8}/.test(await panel.locator(".notice").textContent()), "the request's id is shown");
      await page.unroute("**/rivermeet.query.v1.QueryService/Query");
      await panel.getByRole("button", { name: "Try again" }).click();
      await ready(page, "result");
      await page.route("**/rivermeet.query.v1.QueryService/Query", (route) => route.fulfill({ status: 403, contentType: "application/json", body: JSON.stringify({ code: "permission_denied", message: "no" }) }));
      await page.reload();
      await panel.getByText("You may not see this").waitFor();
    },
  ],
  [
    "a range without events is empty, not broken",
    async ({ signedIn }) => {
      const page = await signedIn("/explore?stream=host.metrics&measure=cpu_percent&from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z");
      await page.locator('[data-panel="result"][data-state="empty"]').getByText("No events in this range", { exact: true }).waitFor();
    },
  ],
  [
    "signing out ends the session",
    async ({ server, signedIn }) => {
      const page = await signedIn("/");
      await page.getByRole("button", { name: /admin/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await page.goto(server.url);
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    },
  ],
];
