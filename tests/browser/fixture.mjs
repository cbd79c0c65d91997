// What the browser tests stand on: a server (given, or the stand-in of web/dev), a browser, a signed-in page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = resolve(fileURLToPath(import.meta.url), "../../..");
const fromWeb = createRequire(join(root, "web/package.json"));
export const { chromium } = fromWeb("playwright-core");
export const axeSource = fromWeb.resolve("axe-core/axe.min.js");
export const output = join(root, "test-output/browser");

export function flags() {
  const { values } = parseArgs({
    options: {
      url: { type: "string", default: process.env.RIVERMEET_URL },
      user: { type: "string", default: process.env.RIVERMEET_USER ?? "admin" },
      password: { type: "string", default: process.env.RIVERMEET_PASSWORD },
      "one-time": { type: "boolean", default: false },
      only: { type: "string", default: "" },
      seconds: { type: "string", default: "10" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return values;
}

/** The server under test: `--url`, or web/dev/peer.mjs on a free port. */
export async function startServer(given, { oneTime = true, args = [] } = {}) {
  if (given.url !== undefined) {
    if (given.password === undefined) throw new Error("--url needs --password");
    return { url: given.url.replace(/\/$/, ""), user: given.user, password: given.password, oneTime: given["one-time"], own: false, stop: async () => {} };
  }
  if (!existsSync(join(root, "web/dist/index.html"))) throw new Error("web/dist is missing: run npm run build in web/");
  const flagsOfPeer = ["--port", "0", ...(oneTime ? ["--one-time"] : []), ...args];
  const child = spawn(process.execPath, [join(root, "web/dev/peer.mjs"), ...flagsOfPeer], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).once("line", done);
    child.once("exit", (code) => fail(new Error(`the stand-in ended with ${code}`)));
  });
  const { url, user, password } = JSON.parse(line);
  return {
    url,
    user,
    password,
    oneTime,
    own: true,
    stop: () =>
      new Promise((done) => {
        if (child.exitCode !== null) return done();
        child.removeAllListeners("exit");
        child.once("exit", done);
        child.kill("SIGTERM");
      }),
  };
}

/** Kills ("kill") the suite under test or starts it again at the same address ("start"); see tests/harness/browser.py. */
export async function control(order) {
  const socket = connect(process.env.RIVERMEET_CONTROL);
  socket.end(`${order}\n`);
  const [answer] = await Promise.race([once(socket, "data"), once(socket, "close").then(() => [""])]);
  check(String(answer).trim() === "done", `the suite did not ${order}`);
}

/** Sends events over the public API, as a signed-in person. */
export async function sendEvents(server, stream, events) {
  const post = (path, body, headers = {}) =>
    fetch(server.url + path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
  const login = await (await post("/rivermeet.auth.v1.AuthService/Login", { user: server.user, password: server.password })).json();
  const answer = await post(`/v1/streams/${stream}/events`, events, { Authorization: `Bearer ${login.tokens.accessToken}` });
  const { receipt } = await answer.json();
  check(answer.ok && Number(receipt.accepted) === events.length, `the events are answered with ${answer.status} ${JSON.stringify(receipt)}`);
}

export async function startBrowser() {
  mkdirSync(output, { recursive: true });
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"] });
}

/** A page on its own profile; fails the test on any script error. */
export async function openPage(browser, { width = 1280, height = 900, theme = "dark", storage, reducedMotion = "reduce" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion, ...(storage === undefined ? {} : { storageState: storage }) });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.stack ?? String(error)));
  // A request to anywhere else than the server under test is an error: the app needs no other.
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (!["127.0.0.1", "localhost"].includes(hostname) && !["data:", "blob:"].includes(protocol)) page.errors.push(`asked ${request.url()}`);
  });
  return page;
}

export async function signIn(page, server, path = "/") {
  await page.goto(server.url + path);
  await page.getByLabel("User", { exact: true }).fill(server.user);
  await page.getByLabel("Password", { exact: true }).fill(server.password);
  const submit = page.getByRole("button", { name: "Sign in" });
  const shell = page.locator(".shell");
  const choose = page.getByRole("heading", { name: "Choose your password" });
  const limited = page.getByText("Too many tries");
  await submit.click();
  while (await until("an answer to signing in", async () => (await limited.isVisible()) || (await shell.isVisible()) || (await choose.isVisible()), 30)) {
    if (!(await limited.isVisible())) break;
    // A suite with its own limits lets so many sign in a minute.
    await page.waitForTimeout(10_000);
    await submit.click();
    await page.waitForTimeout(500);
  }
  if (await choose.isVisible()) await choosePassword(page, server);
  await shell.waitFor();
}

const CHOSEN = "a-quiet-river-at-dawn";

/** Changes the one-time password; the server's is the new one from then on. */
export async function choosePassword(page, server) {
  await page.getByLabel("New password", { exact: true }).fill(CHOSEN);
  await page.getByLabel("New password again", { exact: true }).fill(CHOSEN);
  await page.getByRole("button", { name: "Set and go on" }).click();
  await page.getByRole("heading", { name: "This machine", level: 1 }).waitFor();
  server.password = CHOSEN;
  server.oneTime = false;
}

/** Waits until `condition` holds; it is asked every 100 ms. */
export async function until(what, condition, seconds = 15) {
  const end = Date.now() + seconds * 1_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

export function check(condition, message) {
  if (!condition) throw new Error(message);
}
