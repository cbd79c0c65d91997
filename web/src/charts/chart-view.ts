import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Painter } from "../live/frame-loop.js";
import { completeColumns } from "../live/complete.js";
import { clockTime, formatText, unitDivisor } from "../ui/format.js";
import { currentPalette, seriesColor } from "../ui/theme.js";
import { CalmRange, EMPTY_RANGE, niceRange } from "./axis-range.js";
import { linePath } from "./line-path.js";
import { linesOf, type ChartLine, type ChartSource } from "./lines.js";
import { tooltip, type TooltipRow } from "./tooltip.js";

export interface ChartOptions {
  readonly sources: readonly ChartSource[];
  readonly unit: string;
  readonly filled: boolean;
  /** A fixed value range, for example 0 to 100 percent. */
  readonly fixed?: { readonly min: number; readonly max: number };
  /** The shown time range in seconds since the Unix epoch, at this moment. */
  readonly window: () => { readonly from: number; readonly to: number };
  /** Whether the window moves with the time. */
  readonly sliding: boolean;
  readonly onSelect: (fromSeconds: number, toSeconds: number) => void;
  readonly onReset: () => void;
}

const SYNC_KEY = "rivermeet";
const AXIS_FONT = '11px "Inter Variable", system-ui, sans-serif';
const NARROW = 520;
/** Seconds between the labels of a time axis; uPlot's own have none between 1 and 5 min, which leaves short axes empty. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];
/** On a page with more charts than this lines are one pixel wide, which the rasteriser draws three times as fast. */
const MANY_CHARTS = 12;
let chartsOnPage = 0;

/** A uPlot chart that draws channels' grids without copying them, when the frame loop says so. */
export class ChartView implements Painter {
  private plot: uPlot | undefined;
  private lines: ChartLine[] = [];
  private structure = "";
  private readonly calm = new CalmRange();
  private range = EMPTY_RANGE;
  private pointerOver = false;
  private drawn = { from: 0, to: 0, updates: -1, palette: "" };
  private width = 0;
  private height = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    chartsOnPage++;
  }

  resize(width: number, height: number): void {
    this.width = Math.floor(width);
    this.height = Math.floor(height);
    if (this.plot !== undefined && this.width > 0 && this.height > 0) {
      this.plot.setSize({ width: this.width, height: this.height });
    }
    this.drawn.updates = -1;
  }

  destroy(): void {
    chartsOnPage--;
    tooltip.hide(this);
    this.plot?.destroy();
    this.plot = undefined;
  }

  paint(now: number): number {
    if (this.width < 40 || this.height < 40) return Infinity;
    const structure = this.options.sources.map(({ channel }) => channel.grid.structure).join();
    if (structure !== this.structure || this.plot === undefined) this.rebuild(structure);
    const plot = this.plot;
    if (plot === undefined) return Infinity;

    const window = this.options.window();
    const perPixel = (window.to - window.from) / Math.max(1, plot.bbox.width);
    const updates = this.options.sources.reduce((sum, { channel }) => sum + channel.updates, 0);
    const slid = Math.abs(window.to - this.drawn.to) >= perPixel || Math.abs(window.from - this.drawn.from) >= perPixel;
    if (updates !== this.drawn.updates || slid) {
      this.draw(plot, window, now);
      this.drawn = { ...window, updates, palette: "" };
    }
    return this.options.sliding ? now + Math.max(16, perPixel * 1_000) : Infinity;
  }

  private draw(plot: uPlot, window: { from: number; to: number }, now: number): void {
    const data = this.view(window);
    if (this.options.fixed === undefined) this.fitValues(data, now);
    else this.range = { ...this.options.fixed, tick: (this.options.fixed.max - this.options.fixed.min) / 4 };
    plot.batch(() => {
      plot.setData(data as unknown as uPlot.AlignedData, false);
      plot.setScale("x", { min: window.from, max: window.to });
      plot.setScale("y", { min: this.range.min, max: this.range.max });
    });
  }

  /** Subarrays of the grids, one column before the window included so that lines enter from the edge. */
  private view(window: { from: number; to: number }): Float64Array[] {
    const grid = this.options.sources[0]?.channel.grid;
    if (grid === undefined) return [new Float64Array(0)];
    const from = Math.max(0, grid.indexOf(window.from * 1e6) - 1);
    const to = Math.min(grid.length, grid.indexOf(window.to * 1e6) + 1);
    const data: Float64Array[] = [grid.times.subarray(from, to)];
    for (const line of this.lines) {
      data.push(this.column(line, grid.times[from] ?? 0, to - from));
    }
    return data;
  }

  private column({ source, group }: ChartLine, firstSeconds: number, length: number): Float64Array {
    const { channel, aggregate, completeOnly } = source;
    const { grid } = channel;
    const values = grid.groups[group]?.values[aggregate];
    if (values === undefined) return new Float64Array(length).fill(NaN);
    const from = grid.indexOf(Math.round(firstSeconds * 1e6));
    const end = completeOnly === true ? Math.min(grid.length, completeColumns(channel)) : grid.length;
    const piece = values.subarray(from, Math.min(from + length, Math.max(from, end)));
    if (piece.length === length) return piece;
    const padded = new Float64Array(length).fill(NaN);
    padded.set(piece);
    return padded;
  }

  private fitValues(data: readonly Float64Array[], now: number): void {
    let low = Infinity;
    let high = -Infinity;
    for (let i = 1; i < data.length; i++) {
      for (const value of data[i] ?? []) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const { unit, filled } = this.options;
    const free = !filled && unit !== "percent";
    this.range = this.calm.next(niceRange(low, high, unit.startsWith("bytes"), free), now, this.pointerOver);
  }

  private rebuild(structure: string): void {
    this.structure = structure;
    this.lines = linesOf(this.options.sources);
    this.plot?.destroy();
    this.plot = undefined;
    if (this.width < 40 || this.height < 40) return;
    this.plot = new uPlot(this.uplotOptions(), [new Float64Array(0), ...this.lines.map(() => new Float64Array(0))] as unknown as uPlot.AlignedData, this.host);
    this.drawn.updates = -1;
    const { over } = this.plot;
    over.addEventListener("pointerenter", () => (this.pointerOver = true));
    over.addEventListener("pointerleave", () => {
      this.pointerOver = false;
      tooltip.hide(this);
    });
    over.addEventListener("dblclick", () => this.options.onReset());
  }

  private uplotOptions(): uPlot.Options {
    const palette = currentPalette();
    const grid = { stroke: palette.line, width: 1 };
    return {
      width: this.width,
      height: this.height,
      padding: [8, 12, 0, 0],
      pxAlign: 0,
      legend: { show: false },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      axes: [
        {
          stroke: palette.faint,
          font: AXIS_FONT,
          size: 24,
          gap: 6,
          grid: { show: false },
          ticks: { show: false },
          space: () => (this.width < NARROW ? 64 : 84),
          incrs: TIME_STEPS,
          values: (u, splits, _axis, _space, increment) => this.timeLabels(u, splits, increment),
        },
        {
          stroke: palette.faint,
          font: AXIS_FONT,
          size: 44,
          gap: 6,
          grid,
          ticks: { show: false },
          splits: () => this.ticks(),
          values: (_u, splits) => this.valueLabels(splits),
        },
      ],
      series: [
        {},
        ...this.lines.map((line): uPlot.Series => {
          const color = palette.series[line.ordinal % palette.series.length] ?? palette.accent;
          return {
            label: line.label,
            stroke: color,
            width: chartsOnPage > MANY_CHARTS ? 1 : 1.35,
            ...(line.ordinal >= palette.series.length ? { dash: [5, 3] } : {}),
            ...(this.options.filled ? { fill: color.replace(/^rgb\((.*)\)$/, "rgba($1, 0.13)") } : {}),
            paths: linePath(this.options.filled),
            points: { show: false },
            auto: false,
          };
        }),
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        bind: { dblclick: () => null },
        sync: {
          key: SYNC_KEY,
          setSeries: false,
          scales: ["x", null],
          filters: { pub: (type: string) => type === "mousemove" || type === "mouseleave" },
        },
      },
      hooks: {
        setCursor: [(u) => this.hover(u)],
        setSelect: [(u) => this.selected(u)],
      },
    };
  }

  private ticks(): number[] {
    const { min, max, tick } = this.range;
    const out: number[] = [];
    for (let value = min; value <= max + tick / 1e6; value += tick) out.push(value);
    return out;
  }

  private valueLabels(splits: readonly number[]): string[] {
    const divisor = unitDivisor(this.options.unit, this.range.max);
    const tick = this.range.tick / divisor;
    const thousands = divisor === 1 && !this.options.unit.startsWith("bytes") && this.range.max >= 10_000;
    const scale = thousands ? 10 ** (3 * Math.floor(Math.log10(this.range.max) / 3)) : 1;
    const name = { 1: "", 1e3: "k", 1e6: "M", 1e9: "G", 1e12: "T" }[scale] ?? "";
    const step = tick / scale;
    const decimals = Number.isInteger(step) ? 0 : Math.min(6, Math.max(1, Math.ceil(-Math.log10(step) + (step * 10 ** Math.ceil(-Math.log10(step)) % 1 === 0 ? 0 : 1))));
    return splits.map((value) => (value / divisor / scale).toFixed(decimals).replace("-", "\u2212") + name);
  }

  private timeLabels(u: uPlot, splits: readonly number[], increment: number): (string | null)[] {
    const long = (u.scales["x"]?.max ?? 0) - (u.scales["x"]?.min ?? 0) > 36 * 3_600;
    // From the drawing's own numbers: asking the element would make the browser lay the page out in every frame.
    const width = u.bbox.width / devicePixelRatio;
    return splits.map((seconds) => {
      const x = u.valToPos(seconds, "x");
      // A label that would be cut off at the edge is not written.
      if (x < 6 || x > width - 10) return null;
      const ms = seconds * 1_000;
      if (!long) return clockTime(ms, increment < 60);
      const date = new Date(ms);
      const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
      return date.getHours() === 0 && date.getMinutes() === 0 ? day : clockTime(ms, false);
    });
  }

  private hover(u: uPlot): void {
    const { left, top, idx } = u.cursor;
    if (!this.pointerOver || left === undefined || left < 0 || idx == null) {
      tooltip.hide(this);
      return;
    }
    const seconds = u.data[0][idx];
    if (seconds === undefined) return;
    const pointer = u.posToVal(top ?? 0, "y");
    const rows: TooltipRow[] = [];
    let nearest = -1;
    let distance = Infinity;
    this.lines.forEach((line, i) => {
      const value = u.data[i + 1]?.[idx];
      if (value == null || Number.isNaN(value)) return;
      if (Math.abs(value - pointer) < distance) {
        distance = Math.abs(value - pointer);
        nearest = rows.length;
      }
      rows.push({
        color: seriesColor(line.ordinal),
        label: line.label,
        value,
        shown: formatText(value, this.options.unit),
        nearest: false,
      });
    });
    const near = rows[nearest];
    if (near !== undefined && rows.length > 1) rows[nearest] = { ...near, nearest: true };
    const box = u.over.getBoundingClientRect();
    const long = (u.scales["x"]?.max ?? 0) - (u.scales["x"]?.min ?? 0) > 12 * 3_600;
    tooltip.show(this, box.left + left, box.top + (top ?? 0), seconds, long, rows);
  }

  private selected(u: uPlot): void {
    const { left, width } = u.select;
    if (width < 6) return;
    const from = u.posToVal(left, "x");
    const to = u.posToVal(left + width, "x");
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.options.onSelect(from, to);
  }
}
