import { completeColumns } from "../../live/complete.js";
import type { LiveChannel } from "../../live/live-channel.js";
import { text } from "../../messages/en.js";
import type { StatView } from "../../panels/stat-panel.js";
import { durationText, formatText, formatValue } from "../../ui/format.js";
import { windowOf } from "../../panels/use-channel.js";
import type { TimeRange } from "../../app/time-range.js";
import { live } from "../../api/services.js";

/** The values of a channel's first group within the shown range. */
function inRange(channel: LiveChannel, aggregate: number, range: TimeRange, end = channel.grid.length): Float64Array {
  const { grid } = channel;
  const from = grid.indexOf(windowOf(range).from * 1e6);
  const values = grid.groups[0]?.values[aggregate];
  return values?.subarray(Math.min(from, end), end) ?? new Float64Array(0);
}

function mean(values: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? NaN : sum / count;
}

function lastOf(values: Float64Array): number {
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i];
    if (value !== undefined && !Number.isNaN(value)) return value;
  }
  return NaN;
}

/** The mean of each value and up to `windows` - 1 before it. */
export function movingMean(values: Float64Array, windows: number): Float64Array {
  return values.map((_, i) => mean(values.subarray(Math.max(0, i + 1 - windows), i + 1)));
}

/** "▲ 3.1 vs 15 min mean". */
function against(now: number, usual: number, seconds: number, unit: string): string {
  const difference = now - usual;
  if (Number.isNaN(difference)) return "";
  const size = formatValue(Math.abs(difference), unit).value;
  if (Number(size) === 0) return text.machine.asUsual(durationText(seconds));
  return text.machine.against(`${difference >= 0 ? "▲" : "▼"} ${size}`, durationText(seconds));
}

function secondsOf(range: TimeRange): number {
  return range.kind === "last" ? range.seconds : Math.round((range.toMs - range.fromMs) / 1_000);
}

export function cpuView(channel: LiveChannel | undefined, range: TimeRange): StatView | undefined {
  if (channel === undefined) return undefined;
  const spark = inRange(channel, 0, range);
  const now = lastOf(spark);
  const tone = now >= 97 ? "bad" : now >= 90 ? "warn" : undefined;
  const usual = mean(spark);
  return {
    main: formatValue(now, "percent"),
    // The colour does not say it alone.
    below:
      tone === undefined
        ? against(now, usual, secondsOf(range), "percent")
        : `${tone === "bad" ? text.machine.saturated : text.machine.busy} · ${text.machine.mean(formatText(usual, "percent"))}`,
    tone,
    spark,
  };
}

export function memoryView(channel: LiveChannel | undefined, range: TimeRange): StatView | undefined {
  const group = channel?.grid.groups[0];
  if (channel === undefined || group === undefined) return undefined;
  const spark = inRange(channel, 0, range);
  const used = lastOf(spark);
  const total = channel.grid.lastValue(group, 1);
  const available = channel.grid.lastValue(group, 2);
  const main = formatValue(used, "bytes");
  const all = formatValue(total, "bytes");
  return {
    main: { value: main.value, unit: `${main.unit} ${text.machine.of(main.unit === all.unit ? trimmed(all.value) : `${trimmed(all.value)} ${all.unit}`)}` },
    below: text.machine.free(formatText(available, "bytes")),
    tone: available < total * 0.05 ? "bad" : available < total * 0.12 ? "warn" : undefined,
    spark,
  };
}

export function eventsView(channel: LiveChannel | undefined, range: TimeRange, below: string, tone: StatView["tone"]): StatView | undefined {
  if (channel === undefined) return undefined;
  const end = range.kind === "last" ? Math.min(channel.grid.length, completeColumns(channel)) : channel.grid.length;
  const counts = inRange(channel, 0, range, end);
  const seconds = channel.stepUs / 1e6;
  // Ten windows together: single seconds of a 1 Hz source alternate with its phase.
  const spark = movingMean(counts, 10).map((count) => count / seconds);
  return { main: formatValue(lastOf(spark), "per_second"), below, tone, spark };
}

/** 24.0 as 24: a size that never moves needs no decimals to stand still. */
function trimmed(value: string): string {
  return value.replace(/\.0+$/, "");
}

const GOAL_MS = 50;

export function freshnessView(): StatView {
  const { freshness } = live;
  const p99 = freshness.quantile(0.99);
  return {
    main: formatValue(p99, "ms"),
    below: freshness.size === 0 ? text.machine.goal : `${text.machine.median(formatText(freshness.quantile(0.5), "ms"))} · ${text.machine.goal}`,
    tone: p99 > GOAL_MS * 10 ? "warn" : undefined,
    spark: freshness.series(180),
  };
}
