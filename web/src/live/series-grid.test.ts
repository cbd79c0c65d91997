import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ColumnType, FrameSchema, type Frame } from "../gen/rivermeet/query/v1/frame_pb.js";
import { SeriesGrid } from "./series-grid.js";

type Row = readonly [seconds: number, group: string | null, value: number | null];

/** A frame of one string column and one float64 column, "" and null told apart. */
function frameOf(rows: readonly Row[]): Frame {
  const dictionary = [...new Set(rows.flatMap(([, group]) => group ?? []))];
  const nulls = new Uint8Array(Math.ceil(rows.length / 8));
  rows.forEach(([, , value], i) => {
    if (value === null) nulls[i >> 3] = (nulls[i >> 3] ?? 0) | (1 << (i & 7));
  });
  return create(FrameSchema, {
    rowCount: BigInt(rows.length),
    columns: [
      { name: "time", type: ColumnType.TIME, int64Values: rows.map(([seconds]) => BigInt(seconds) * 1_000_000n) },
      { name: "host", type: ColumnType.STRING, dictionary, index: rows.map(([, group]) => (group === null ? 0 : dictionary.indexOf(group) + 1)) },
      { name: "mean_cpu", type: ColumnType.FLOAT64, unit: "percent", float64Values: rows.map(([, , value]) => value ?? 0), nulls },
    ],
  });
}

function cells(grid: SeriesGrid, label: string): Record<number, number> {
  const group = grid.groups.find((g) => g.labels[0] === label);
  const out: Record<number, number> = {};
  for (let i = 0; i < grid.length; i++) {
    const value = group?.values[0]?.[i];
    if (value !== undefined && !Number.isNaN(value)) out[grid.times[i] ?? -1] = value;
  }
  return out;
}

const newGrid = (keep = 100): SeriesGrid => new SeriesGrid(1_000_000, keep, 1, 1);

describe("a series grid", () => {
  test("takes a snapshot whose rows come by group, then time", () => {
    const grid = newGrid();
    grid.apply(frameOf([[102, "a", 3], [100, "b", 1], [101, "b", 2], [102, "b", 4]]), true);
    expect(cells(grid, "a")).toEqual({ 102: 3 });
    expect(cells(grid, "b")).toEqual({ 100: 1, 101: 2, 102: 4 });
    expect(grid.length).toBe(3);
    expect(grid.newestUs).toBe(102_000_000);
    expect(grid.units).toEqual(["percent"]);
  });

  test("replaces the cells that come again and adds those that are new", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, "a", 1], [101, "a", 2]]), true);
    grid.apply(frameOf([[101, "a", 5], [102, "a", 6], [102, "b", 7]]), false);
    expect(cells(grid, "a")).toEqual({ 100: 1, 101: 5, 102: 6 });
    expect(cells(grid, "b")).toEqual({ 102: 7 });
  });

  test("takes a cell that is older than all it has", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, "a", 1]]), true);
    grid.apply(frameOf([[97, "a", 9]]), false);
    expect(cells(grid, "a")).toEqual({ 97: 9, 100: 1 });
  });

  test("holds null as no value, apart from zero", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, "a", 0], [101, "a", null]]), true);
    expect(cells(grid, "a")).toEqual({ 100: 0 });
    grid.apply(frameOf([[100, "a", null]]), false);
    expect(cells(grid, "a")).toEqual({});
  });

  test("begins a group with its first value", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, "a", null], [101, "a", null], [100, "b", 1]]), true);
    expect(grid.groups.map((group) => group.labels[0])).toEqual(["b"]);
    grid.apply(frameOf([[102, "a", 7]]), false);
    expect(cells(grid, "a")).toEqual({ 102: 7 });
  });

  test("tells a group without the dimension from others", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, null, 1], [100, "a", 2]]), true);
    expect(grid.groups.map((group) => group.labels)).toEqual([[""], ["a"]]);
  });

  test("drops what slides out of the kept range and agrees with a plain map over many updates", () => {
    const grid = newGrid(50);
    const model = new Map<string, Map<number, number>>();
    let seed = 7;
    const random = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    for (let t = 1_000; t < 2_000; t++) {
      const rows: Row[] = [];
      for (const name of ["a", "b", "c"]) {
        const late = Math.floor(random() * 5);
        if (random() < 0.2) continue;
        const value = random();
        rows.push([t - late, name, value]);
        const column = model.get(name) ?? new Map<number, number>();
        column.set(t - late, value);
        model.set(name, column);
      }
      grid.apply(frameOf(rows), t === 1_000);
    }
    const newest = grid.newestUs / 1e6;
    for (const [name, column] of model) {
      const kept = [...column].filter(([t]) => t > newest - 50);
      const held = cells(grid, name);
      for (const [t, value] of kept) expect(held[t], `${name} at ${t}`).toBe(value);
      for (const [t, value] of Object.entries(held)) expect(column.get(Number(t))).toBe(value);
    }
    expect(grid.times.length).toBeLessThan(200);
  });

  test("keeps a group's place in the colours when a snapshot brings the groups in another order", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, "a", 1], [100, "b", 2]]), true);
    grid.apply(frameOf([[101, "b", 3], [101, "c", 4], [101, "a", 5]]), true);
    expect(Object.fromEntries(grid.groups.map((g) => [g.labels[0], g.ordinal]))).toEqual({ a: 0, b: 1, c: 2 });
    expect(cells(grid, "a")).toEqual({ 101: 5 });
  });

  test("forgets everything at a snapshot, and says that the structure changed", () => {
    const grid = newGrid();
    grid.apply(frameOf([[100, "a", 1]]), true);
    const before = grid.structure;
    grid.apply(frameOf([]), true);
    expect(grid.groups).toEqual([]);
    expect(grid.length).toBe(0);
    expect(grid.structure).not.toBe(before);
  });

  test("has a structure of its own, so that a grid in another's place is noticed", () => {
    const [one, other] = [newGrid(), newGrid()];
    one.apply(frameOf([[100, "a", 1]]), true);
    other.apply(frameOf([[100, "b", 1]]), true);
    expect(other.structure).not.toBe(one.structure);
  });

  test("survives a jump far ahead without holding the gap", () => {
    const grid = newGrid(50);
    grid.apply(frameOf([[100, "a", 1]]), true);
    grid.apply(frameOf([[1_000_000, "a", 2]]), false);
    expect(cells(grid, "a")).toEqual({ 1_000_000: 2 });
    expect(grid.length).toBeLessThanOrEqual(50);
  });
});
