// How the app looks: axe-core on every page, nothing scrolls sideways, screenshots in both themes at four widths.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { axeSource, check, output, signIn } from "./fixture.mjs";

const PAGES = [
  { name: "machine", path: "/", ready: '[data-panel="network"][data-state="ready"]' },
  { name: "explore", path: "/explore?stream=host.metrics&measure=cpu_percent&by=core&where=core:not:~none", ready: '[data-panel="result"][data-state="ready"]' },
  { name: "streams", path: "/streams", ready: ".table tbody tr" },
  { name: "stream", path: "/streams?name=host.metrics", ready: ".ledger tbody tr" },
  { name: "keys", path: "/keys", ready: ".page" },
];
const WIDTHS = [
  [390, 844],
  [768, 1024],
  [1280, 960],
  [1920, 1080],
];
const axe = readFileSync(axeSource, "utf8");

async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary?.replaceAll("\n", " ")}`).join(" | ")}`);
}

async function settle(page) {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(1_600);
}

async function shoot(page, name, fullPage = false) {
  await page.screenshot({ path: join(output, `${name}.png`), fullPage });
}

async function wholePage(page, width, height) {
  const tall = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.max(height, tall) });
  await page.waitForTimeout(700);
}

export const looks = ["dark", "light"].flatMap((theme) => [
  [
    `the sign-in page is accessible, ${theme}`,
    async ({ server, open }) => {
      const page = await open({ theme });
      await page.goto(server.url);
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await page.waitForTimeout(300);
      await shoot(page, `sign-in-1280-${theme}`);
      const found = await violations(page);
      check(found.length === 0, found.join("\n"));
      await page.setViewportSize({ width: 390, height: 844 });
      await shoot(page, `sign-in-390-${theme}`);
    },
  ],
  ...PAGES.map(({ name, path, ready }) => [
    `${name} is accessible and fits every width, ${theme}`,
    async ({ server, open }) => {
      const page = await open({ theme });
      await signIn(page, server, path);
      await page.locator(ready).first().waitFor();
      for (const [width, height] of WIDTHS) {
        await page.setViewportSize({ width, height });
        await settle(page);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        check(overflow <= 0, `${width} px: ${overflow} px scroll sideways`);
        if (width === 390) await wholePage(page, width, height);
        await shoot(page, `${name}-${width}-${theme}`);
        if (width === 390 || width === 1280) {
          const found = await violations(page);
          check(found.length === 0, `${width} px: ${found.join("\n")}`);
        }
      }
    },
  ]),
  [
    `menus and dialogs are accessible, ${theme}`,
    async ({ server, open }) => {
      const page = await open({ theme });
      await signIn(page, server, "/");
      await page.locator('[data-panel="cores"][data-state="ready"]').waitFor();
      const look = async (name) => {
        await page.waitForTimeout(400);
        await shoot(page, `${name}-${theme}`);
        const found = await violations(page);
        check(found.length === 0, `${name}: ${found.join("\n")}`);
      };
      await page.keyboard.press("Control+k");
      await look("palette");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await look("shortcuts");
      await page.keyboard.press("Escape");
      await page.keyboard.press("t");
      await look("range");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^Connection/ }).click();
      await look("connection");
      await page.keyboard.press("Escape");
      await page.locator('[data-panel="cores"]').hover();
      await page.getByRole("button", { name: "Menu of CPU by core" }).click();
      await look("panel-menu");
      await page.getByRole("menuitem", { name: "How is this computed?" }).click();
      await page.getByText(/from memory/).waitFor();
      await look("how");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Make the command" }).click();
      await page.getByText("Read it back").waitFor();
      await look("command");
    },
  ],
  [
    `panels without data look right, ${theme}`,
    async ({ server, open }) => {
      const page = await open({ theme });
      await page.route("**/rivermeet.query.v1.QueryService/Query", (route) =>
        route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify({ code: "internal", message: "The partition's owner is away." }) }),
      );
      const to = Date.now() - 60_000;
      await signIn(page, server, `/?from=${to - 600_000}&to=${to}`);
      await page.locator('[data-panel="cores"][data-state="error"]').waitFor();
      await settle(page);
      await shoot(page, `errors-1280-${theme}`);
      const found = await violations(page);
      check(found.length === 0, found.join("\n"));
      await page.unroute("**/rivermeet.query.v1.QueryService/Query");
      await page.goto(`${server.url}/?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z`);
      await page.locator('[data-panel="cores"][data-state="empty"]').waitFor();
      await settle(page);
      await shoot(page, `empty-1280-${theme}`);
    },
  ],
]);
