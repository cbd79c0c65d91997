import { describe, expect, test } from "vitest";
import { dateTime, durationText, formatText, formatValue, relativeTime, significant, THIN_SPACE, unitDivisor, unitOf } from "./format.js";

const plain = (text: string): string => text.replaceAll(THIN_SPACE, " ");

describe("numbers", () => {
  test("have three significant digits, so that their width stays", () => {
    expect([0, 0.5, 6.824, 9.994, 9.996, 23.44, 99.94, 99.96, 128.4].map(significant)).toEqual(["0.00", "0.50", "6.82", "9.99", "10.0", "23.4", "99.9", "100", "128"]);
    expect(significant(-3.14)).toBe("\u22123.14");
  });

  test.each([
    [23.44, "percent", "23.4 %"],
    [100, "percent", "100 %"],
    [6.82 * 1024 ** 3, "bytes", "6.82 GiB"],
    [512, "bytes", "512 B"],
    [1023.9 * 1024, "bytes", "1.00 MiB"],
    [2.31 * 1024 ** 2, "bytes_per_second", "2.31 MiB/s"],
    [214_000, "per_second", "214 k /s"],
    [21, "per_second", "21 /s"],
    [999.6, "", "1.00 k"],
    [1_234_567, "", "1.23 M"],
    [14.2, "ms", "14 ms"],
    [4.23, "ms", "4.2 ms"],
    [0.25, "s", "250 ms"],
    [1_500, "us", "1.5 ms"],
    [NaN, "percent", "–"],
  ])("%d of %s is written %s", (value, unit, expected) => {
    expect(plain(formatText(value, unit))).toBe(expected);
  });

  test("keep whole counts whole", () => {
    expect(formatValue(7, "").value).toBe("7");
  });
});

describe("units", () => {
  test("come from the schema, else from the name", () => {
    expect(unitOf("memory_used_bytes", "")).toBe("bytes");
    expect(unitOf("network_sent_bytes_per_second", "")).toBe("bytes_per_second");
    expect(unitOf("cpu_percent", "")).toBe("percent");
    expect(unitOf("cpu_percent", "furlongs")).toBe("furlongs");
    expect(unitOf("load_1m", "")).toBe("");
  });

  test("divide an axis so that all its ticks share one", () => {
    expect(unitDivisor("bytes", 3 * 1024 ** 2)).toBe(1024 ** 2);
    expect(unitDivisor("percent", 100)).toBe(1);
  });
});

describe("times", () => {
  test("are relative to now, in the largest whole unit", () => {
    const now = 1_000_000_000;
    expect(plain(relativeTime(now - 2_000, now))).toBe("just now");
    expect(plain(relativeTime(now - 42_000, now))).toBe("42 s ago");
    expect(plain(relativeTime(now - 3 * 60_000, now))).toBe("3 min ago");
    expect(plain(relativeTime(now + 2 * 86_400_000, now))).toBe("in 2 d");
  });

  test("have the exact moment beside them", () => {
    expect(dateTime(new Date(2026, 4, 4, 10, 2, 7).getTime())).toBe("2026-05-04 10:02:07");
    expect(plain(durationText(900))).toBe("15 min");
    expect(plain(durationText(90))).toBe("90 s");
  });
});
