import { describe, expect, test } from "vitest";
import { decodeExplore, encodeExplore, withExplore, type ExploreState } from "../features/explore/explore-state.js";
import { automaticStep, formatSeconds, parseSeconds, rangeOf, rangeParams, stepOf } from "./time-range.js";

describe("the time range in the address", () => {
  test("is the last 15 minutes without one", () => {
    expect(rangeOf(new URLSearchParams())).toEqual({ kind: "last", seconds: 900 });
    expect(rangeOf(new URLSearchParams("last=bogus"))).toEqual({ kind: "last", seconds: 900 });
    expect(rangeOf(new URLSearchParams("from=2026-01-02&to=2026-01-01"))).toEqual({ kind: "last", seconds: 900 });
  });

  test.each([60, 90, 900, 3_600, 21_600, 86_400, 604_800])("of %d s comes back as it was", (seconds) => {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(rangeParams({ kind: "last", seconds }))) if (value !== undefined) params.set(name, value);
    expect(rangeOf(params)).toEqual({ kind: "last", seconds });
    expect(parseSeconds(formatSeconds(seconds))).toBe(seconds);
  });

  test("that is fixed comes back to the millisecond", () => {
    const range = { kind: "fixed", fromMs: 1_700_000_000_123, toMs: 1_700_000_060_456 } as const;
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(rangeParams(range))) if (value !== undefined) params.set(name, value);
    expect(rangeOf(params)).toEqual(range);
  });

  test("decides the step unless the address does", () => {
    expect(automaticStep(300)).toBe(1);
    expect(automaticStep(900)).toBe(5);
    expect(automaticStep(3_600)).toBe(10);
    expect(automaticStep(86_400)).toBe(300);
    expect(stepOf(new URLSearchParams("step=1m"), { kind: "last", seconds: 900 })).toBe(60);
    expect(stepOf(new URLSearchParams("step=1s"), { kind: "last", seconds: 604_800 })).toBe(1_800);
  });

  test("refuses what is no duration", () => {
    for (const text of ["", "15", "-1m", "1y", "0s", "99999999s", null]) expect(parseSeconds(text)).toBeUndefined();
  });
});

describe("the explore page in the address", () => {
  const states: ExploreState[] = [
    { stream: "host.metrics", measure: "cpu_percent", fn: "mean", groupBy: ["core"], filters: [] },
    { stream: "host.metrics", measure: "", fn: "count", groupBy: [], filters: [{ dimension: "core", except: false, values: ["0", ""] }] },
    {
      stream: "odd",
      measure: "m",
      fn: "rate",
      groupBy: ["a", "b"],
      filters: [
        { dimension: "path", except: true, values: ["a,b:c", "100% & more", "~none", "ü"] },
        { dimension: "path", except: false, values: [] },
      ],
    },
  ];

  test.each(states)("comes back as it was: %j", (state) => {
    expect(decodeExplore(new URLSearchParams(encodeExplore(state).toString()))).toEqual(state);
  });

  test("keeps the other parameters of the address", () => {
    const params = withExplore(new URLSearchParams("last=1h&stream=old&where=x:in:1"), states[0]!);
    expect(params.get("last")).toBe("1h");
    expect(params.get("stream")).toBe("host.metrics");
    expect(params.getAll("where")).toEqual([]);
  });

  test("ignores filters it can't read", () => {
    expect(decodeExplore(new URLSearchParams("stream=s&where=x&where=y:like:1&where=z:in:%25E0")).filters).toEqual([]);
  });
});
