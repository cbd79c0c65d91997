import { describe, expect, test } from "vitest";
import { Freshness } from "./freshness.js";
import { ServerClock } from "./server-clock.js";

describe("freshness", () => {
  test("knows its quantiles by nearest rank", () => {
    const freshness = new Freshness(200);
    for (let i = 1; i <= 100; i++) freshness.add(i);
    expect(freshness.quantile(0.5)).toBe(50);
    expect(freshness.quantile(0.99)).toBe(99);
    expect(freshness.quantile(1)).toBe(100);
  });

  test("forgets the oldest samples and gives the rest in order", () => {
    const freshness = new Freshness(3);
    for (const sample of [1, 2, 3, 4, 5]) freshness.add(sample);
    expect([...freshness.series()]).toEqual([3, 4, 5]);
    expect([...freshness.series(2)]).toEqual([4, 5]);
    expect(freshness.newest).toBe(5);
  });

  test("has no number before its first sample", () => {
    expect(new Freshness().quantile(0.99)).toBeNaN();
  });
});

describe("the server's clock", () => {
  test("is believed from the sample with the shortest round trip", () => {
    const clock = new ServerClock();
    clock.add(0, 10_000, 1_005_000);
    clock.add(20_000, 21_000, 1_021_500);
    clock.add(30_000, 60_000, 1_090_000);
    expect(clock.offsetUs).toBe(1_001_000);
    expect(clock.roundTripUs).toBe(1_000);
  });

  test("takes no sample that came back before it went", () => {
    const clock = new ServerClock();
    clock.add(10, 5, 100);
    expect(clock.known).toBe(false);
    expect(clock.offsetUs).toBe(0);
  });
});
