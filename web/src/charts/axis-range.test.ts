import { describe, expect, test } from "vitest";
import { CalmRange, EMPTY_RANGE, niceRange } from "./axis-range.js";

describe("a value axis", () => {
  test.each([
    [0, 83, false, { min: 0, max: 100, tick: 25 }],
    [0, 3.7, false, { min: 0, max: 4, tick: 1 }],
    [0, 3.5 * 1024 ** 2, true, { min: 0, max: 4 * 1024 ** 2, tick: 1024 ** 2 }],
    [-5, 10, false, { min: -5, max: 10, tick: 5 }],
    [0, 0, false, { min: 0, max: 1, tick: 0.25 }],
  ])("of %d to %d (by two: %s) has round ends", (low, high, binary, expected) => {
    expect(niceRange(low, high, binary)).toEqual(expected);
  });

  test("leaves zero only for values that hardly differ, and only when it may", () => {
    expect(niceRange(95, 100, false, true)?.min).toBeGreaterThan(0);
    expect(niceRange(95, 100, false)?.min).toBe(0);
  });

  test("always holds its data", () => {
    for (let i = 0; i < 2_000; i++) {
      const low = ((i * 7_919) % 1_000) - 300;
      const high = low + ((i * 104_729) % 5_000) / 7;
      for (const binary of [false, true]) {
        const range = niceRange(low, high, binary, i % 2 === 0);
        const holds = range !== undefined && range.min <= low + 1e-6 && range.max >= high - 1e-6 && (range.max - range.min) / range.tick <= 7;
        if (!holds) throw new Error(`${low} to ${high}: ${JSON.stringify(range)}`);
      }
    }
  });
});

describe("a calm range", () => {
  const range = (max: number): { min: number; max: number; tick: number } => ({ min: 0, max, tick: max / 4 });

  test("lets the first values decide at once, however long there were none", () => {
    const calm = new CalmRange();
    expect(calm.next(niceRange(Infinity, -Infinity, false), 0, false)).toEqual(EMPTY_RANGE);
    expect(calm.next(range(3), 20, false).max).toBe(3);
  });


  test("changes at most once a second", () => {
    const calm = new CalmRange();
    expect(calm.next(range(100), 0, false).max).toBe(100);
    expect(calm.next(range(200), 500, false).max).toBe(100);
    expect(calm.next(range(200), 1_000, false).max).toBe(200);
  });

  test("shrinks only when half is enough, and never under the pointer", () => {
    const calm = new CalmRange();
    calm.next(range(100), 0, false);
    expect(calm.next(range(80), 5_000, false).max).toBe(100);
    expect(calm.next(range(40), 6_000, true).max).toBe(100);
    expect(calm.next(range(40), 7_000, false).max).toBe(40);
  });

  test("grows under the pointer", () => {
    const calm = new CalmRange();
    calm.next(range(100), 0, true);
    expect(calm.next(range(400), 2_000, true).max).toBe(400);
  });
});
