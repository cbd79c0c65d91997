import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const folder = join(import.meta.dirname, ".");
const tokens = new Map<string, { light: string; dark: string }>();
for (const [, name, light, dark] of readFileSync(join(folder, "tokens.css"), "utf8").matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);/g)) {
  tokens.set(name!, { light: light!, dark: dark! });
}

/** Relative luminance (WCAG 2.2). */
function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

const SERIES = [1, 2, 3, 4, 5, 6].map((n) => `series-${n}`);
const BACKGROUNDS = ["background", "surface", "raised"];

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  const color = (name: string): string => {
    const token = tokens.get(name);
    if (token === undefined) throw new Error(`tokens.css has no colour ${name}`);
    return token[theme];
  };

  test.each(["text", "muted", "faint", "accent", "good", "warn", "bad"])("%s as text reaches 4.5:1 on background and surface", (name) => {
    for (const behind of ["background", "surface"]) expect(contrast(color(name), color(behind)), behind).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["text", "muted"])("%s reaches 4.5:1 on raised too", (name) => {
    expect(contrast(color(name), color("raised"))).toBeGreaterThanOrEqual(4.5);
  });

  test("text on the accent reaches 4.5:1", () => {
    expect(contrast(color("on-accent"), color("accent"))).toBeGreaterThanOrEqual(4.5);
  });

  test.each([...SERIES, "accent", "edge", "faint"])("%s as a line reaches 3:1 on every background it lies on", (name) => {
    for (const behind of BACKGROUNDS) expect(contrast(color(name), color(behind)), behind).toBeGreaterThanOrEqual(3);
  });

  test("neighbouring series differ in lightness", () => {
    SERIES.slice(1).forEach((name, i) => {
      expect(contrast(color(name), color(SERIES[i]!)), `${SERIES[i]} and ${name}`).toBeGreaterThanOrEqual(1.1);
    });
  });
});

test("no other style file names a colour", () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".css") && file !== "tokens.css")) {
    const words = readFileSync(join(folder, name), "utf8");
    expect(words.match(/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/gi), name).toBeNull();
  }
});
