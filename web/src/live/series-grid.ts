import type { Column, Frame } from "../gen/rivermeet/query/v1/frame_pb.js";

/** One group of an answer: the values of the group-by dimensions and one array for each aggregate. */
export interface SeriesGroup {
  readonly key: string;
  readonly labels: readonly string[];
  /** Its place among all groups ever seen here: decides the colour, which never changes. */
  readonly ordinal: number;
  values: Float64Array[];
}

const MICROS = 1e6;
let nextStructure = 0;

function isNull(column: Column, row: number): boolean {
  const byte = column.nulls[row >> 3];
  return byte !== undefined && (byte & (1 << (row & 7))) !== 0;
}

function numberAt(column: Column, row: number): number {
  if (column.nulls.length > 0 && isNull(column, row)) return NaN;
  const float = column.float64Values[row];
  if (float !== undefined) return float;
  const int = column.int64Values[row];
  return int === undefined ? NaN : Number(int);
}

function stringAt(column: Column, row: number): string {
  const index = column.index[row] ?? 0;
  return index === 0 ? "" : (column.dictionary[index - 1] ?? "");
}

/**
 * The cells of a time-series answer on a regular time grid, by column.
 *
 * A cell is replaced by its key (time, group); rows older than `keepSteps` behind the newest are dropped as newer ones
 * come. All arrays of a grid have the same length, so that a chart draws subarrays without copying. NaN is no value.
 */
export class SeriesGrid {
  /** Window starts in seconds since the Unix epoch. */
  times = new Float64Array(0);
  groups: SeriesGroup[] = [];
  units: string[];
  /** Changes when groups come or go, and is never that of another grid: what is derived from them must be made anew. */
  structure = nextStructure++;

  private readonly byKey = new Map<string, SeriesGroup>();
  private readonly ordinals = new Map<string, number>();
  private base = 0;
  private used = 0;

  /** `stepUs`: the time between cells; `keepSteps`: how many of the newest columns stay. */
  constructor(
    public stepUs: number,
    public keepSteps: number,
    private readonly groupColumns: number,
    private readonly aggregates: number,
  ) {
    this.units = new Array<string>(aggregates).fill("");
  }

  /** Columns in use. */
  get length(): number {
    return this.used;
  }

  /** The newest window's start in microseconds, or 0. */
  get newestUs(): number {
    return this.used === 0 ? 0 : (this.base + this.used - 1) * this.stepUs;
  }

  /** Takes a whole answer (`snapshot`) or replacement cells. Returns whether anything changed. */
  apply(frame: Frame, snapshot: boolean): boolean {
    const rows = Number(frame.rowCount);
    const time = frame.columns[0];
    if (snapshot) this.clear();
    if (rows === 0 || time === undefined) return snapshot;

    let first = Infinity;
    let last = -Infinity;
    const slots = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const slot = Math.floor(Number(time.int64Values[row] ?? 0n) / this.stepUs);
      slots[row] = slot;
      if (slot < first) first = slot;
      if (slot > last) last = slot;
    }
    this.makeRoom(first, last);

    const measures = frame.columns.slice(1 + this.groupColumns, 1 + this.groupColumns + this.aggregates);
    measures.forEach((column, i) => {
      if (column.unit !== "") this.units[i] = column.unit;
    });
    let group: SeriesGroup | undefined;
    let combination: string | undefined;
    for (let row = 0; row < rows; row++) {
      const at = (slots[row] ?? 0) - this.base;
      if (at < 0) continue;
      const next = this.combinationAt(frame, row);
      if (next !== combination) {
        combination = next;
        group = this.knownGroup(frame, row);
      }
      // A group begins with its first value: one that has none (a disk without a file system) is not shown.
      if (group === undefined) {
        if (measures.every((column) => Number.isNaN(numberAt(column, row)))) continue;
        group = this.newGroup(frame, row);
      }
      for (let i = 0; i < measures.length; i++) {
        const column = measures[i];
        const values = group.values[i];
        if (column !== undefined && values !== undefined) values[at] = numberAt(column, row);
      }
    }
    return true;
  }

  /** The first column whose window starts at or after `timeUs`. */
  indexOf(timeUs: number): number {
    return Math.min(this.used, Math.max(0, Math.ceil(timeUs / this.stepUs) - this.base));
  }

  /** The newest value of an aggregate at or before column `before`, or NaN. */
  lastValue(group: SeriesGroup, aggregate: number, before = this.used): number {
    const values = group.values[aggregate];
    if (values === undefined) return NaN;
    for (let i = Math.min(before, this.used) - 1; i >= 0; i--) {
      const value = values[i];
      if (value !== undefined && !Number.isNaN(value)) return value;
    }
    return NaN;
  }

  private clear(): void {
    this.used = 0;
    this.base = 0;
    if (this.groups.length > 0) this.structure = nextStructure++;
    this.groups = [];
    this.byKey.clear();
  }

  private combinationAt(frame: Frame, row: number): string {
    let key = "";
    for (let i = 1; i <= this.groupColumns; i++) {
      const column = frame.columns[i];
      key += `${column?.index[row] ?? 0},`;
    }
    return key;
  }

  private labelsOf(frame: Frame, row: number): string[] {
    const labels: string[] = [];
    for (let i = 1; i <= this.groupColumns; i++) {
      const column = frame.columns[i];
      labels.push(column === undefined ? "" : stringAt(column, row));
    }
    return labels;
  }

  private knownGroup(frame: Frame, row: number): SeriesGroup | undefined {
    return this.byKey.get(this.labelsOf(frame, row).join("\u0000"));
  }

  private newGroup(frame: Frame, row: number): SeriesGroup {
    const labels = this.labelsOf(frame, row);
    const key = labels.join("\u0000");
    const ordinal = this.ordinals.get(key) ?? this.ordinals.size;
    this.ordinals.set(key, ordinal);
    const values = Array.from({ length: this.aggregates }, () => new Float64Array(this.times.length).fill(NaN));
    const group: SeriesGroup = { key, labels, ordinal, values };
    this.byKey.set(key, group);
    this.groups.push(group);
    this.groups.sort((a, b) => a.ordinal - b.ordinal);
    this.structure = nextStructure++;
    return group;
  }

  /** Makes the grid reach from column `first` to `last`, dropping what falls out of the kept range. */
  private makeRoom(first: number, last: number): void {
    const empty = this.used === 0;
    const end = empty ? last : Math.max(last, this.base + this.used - 1);
    const start = Math.max(end - this.keepSteps + 1, empty ? first : Math.min(first, this.base));
    if (!empty && start === this.base && end - start < this.times.length) {
      this.extend(end - start + 1);
      return;
    }
    if (!empty && first >= this.base && end - this.base < this.times.length) {
      // Room is left at the end: old columns stay until it is used up, so that sliding costs nothing.
      this.extend(end - this.base + 1);
      return;
    }
    this.move(start, end - start + 1);
  }

  private extend(used: number): void {
    this.used = Math.max(this.used, used);
  }

  private move(start: number, used: number): void {
    const size = used + Math.max(32, this.keepSteps >> 1);
    const capacity = size > this.times.length ? size : this.times.length;
    const shift = this.base - start;
    const copy = (from: Float64Array): Float64Array => {
      const to = new Float64Array(capacity).fill(NaN);
      const source = from.subarray(Math.max(0, -shift), this.used);
      if (source.length > 0) to.set(source, Math.max(0, shift));
      return to;
    };
    for (const group of this.groups) group.values = group.values.map(copy);
    this.times = new Float64Array(capacity);
    for (let i = 0; i < capacity; i++) this.times[i] = ((start + i) * this.stepUs) / MICROS;
    this.base = start;
    this.used = used;
    this.dropEmptyGroups();
  }

  private dropEmptyGroups(): void {
    const kept = this.groups.filter((group) => group.values.some((values) => values.some((v) => !Number.isNaN(v))));
    if (kept.length === this.groups.length) return;
    for (const group of this.groups) if (!kept.includes(group)) this.byKey.delete(group.key);
    this.groups = kept;
    this.structure = nextStructure++;
  }
}
