import { lazy, Suspense, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { setParams } from "../app/router.js";
import { rangeParams, type TimeRange } from "../app/time-range.js";
import { useTick } from "../app/hooks.js";
import { linesOf, type ChartLine } from "../charts/lines.js";
import type { LiveChannel } from "../live/live-channel.js";
import { growsWithinWindow } from "../live/query-spec.js";
import { text } from "../messages/en.js";
import { DataTable, type Column } from "../ui/data-table.js";
import { clockTime, dateTime, durationText, formatCount, formatText, unitCaption } from "../ui/format.js";
import { seriesColor } from "../ui/theme.js";
import { Panel, type PanelProps } from "./panel.js";
import { Skeleton } from "./panel-state.js";
import { useStructure, windowOf } from "./use-channel.js";

const Chart = lazy(() => import("./chart.js"));

interface ChartPanelProps extends Omit<PanelProps, "children" | "shape" | "table" | "csv" | "spec"> {
  readonly spec: NonNullable<PanelProps["spec"]>;
  /** Names of the aggregates' lines; without it the groups name them. */
  readonly names?: readonly string[];
  /** Names a group's line. */
  readonly groupName?: (labels: readonly string[]) => string;
  readonly unit: string;
  readonly filled?: boolean;
  readonly fixed?: { readonly min: number; readonly max: number };
  /** Words before the unit and step of the caption. */
  readonly legend?: boolean;
}

/** A live chart with its legend, table view and text summary. */
export function ChartPanel(props: ChartPanelProps) {
  const { spec, names, groupName, unit, filled = false, fixed, legend = true, handle, title, ...panel } = props;
  const [table, setTable] = useState(false);
  const channel = handle?.channel;
  const label = useCallback(
    (aggregate: number, labels: readonly string[]): string => {
      const group = groupName === undefined ? labels.map((l) => (l === "" ? text.explore.without : l)).join(" · ") : groupName(labels);
      const name = names?.[aggregate];
      if (labels.length === 0) return name ?? title;
      return name === undefined ? group : `${group} ${name}`;
    },
    [groupName, names, title],
  );
  const sources = useMemo(
    () =>
      channel === undefined
        ? []
        : spec.aggregates.map(({ fn }, aggregate) => ({
            channel,
            aggregate,
            label: (labels: readonly string[]) => label(aggregate, labels),
            completeOnly: growsWithinWindow(fn) && spec.range.kind === "last",
            ordinal: (group: number) => group * spec.aggregates.length + aggregate,
          })),
    // The spec's words decide, not its identity.
    [channel, JSON.stringify(spec.aggregates), JSON.stringify(spec.groupBy), spec.range.kind, label],
  );
  const structure = useStructure(channel);
  // As the chart has them, with or without a chart.
  const lines = useMemo(() => linesOf(sources), [sources, structure]);
  const values = useRef(new Map<string, HTMLElement>());
  const writtenAt = useRef(0);
  const writeLegend = useCallback((): void => {
    for (const line of lines) {
      const element = values.current.get(keyOf(line));
      const group = line.source.channel.grid.groups[line.group];
      if (element === undefined || group === undefined) continue;
      const words = formatText(line.source.channel.grid.lastValue(group, line.source.aggregate), unit);
      if (element.textContent !== words) element.textContent = words;
    }
  }, [lines, unit]);
  const paintLegend = useCallback((now: number): void => {
    if (now - writtenAt.current < LEGEND_MS) return;
    writtenAt.current = now;
    writeLegend();
  }, [writeLegend]);
  // New lines have their numbers at once, not with the next event.
  useLayoutEffect(writeLegend, [writeLegend]);
  const step = spec.stepSeconds;
  return (
    <Panel
      {...panel}
      title={title}
      spec={spec}
      handle={handle}
      caption={panel.caption ?? <Caption channel={channel} unit={unit} step={step} />}
      className={`chart ${panel.className ?? ""}`}
      table={{ shown: table, toggle: () => setTable(!table) }}
      csv={channel === undefined ? undefined : () => toCsv(lines)}
      footer={legend && <Legend lines={lines} unit={unit} values={values.current} />}
    >
      {table && channel !== undefined ? (
        <ValueTable title={title} lines={lines} unit={unit} range={spec.range} />
      ) : (
        channel !== undefined && (
          <Suspense fallback={<Skeleton shape="chart" />}>
            <Chart
              sources={sources}
              unit={unit}
              filled={filled}
              {...(fixed === undefined ? {} : { fixed })}
              range={spec.range}
              label={title}
              onPaint={paintLegend}
              onSelect={(from, to) => selectRange(from, to, step)}
              onReset={resetRange}
            />
          </Suspense>
        )
      )}
      <Summary title={title} lines={lines} unit={unit} />
    </Panel>
  );
}

function selectRange(from: number, to: number, step: number): void {
  const fromMs = Math.floor(from / step) * step * 1_000;
  const toMs = Math.max(Math.ceil(to / step) * step * 1_000, fromMs + step * 2_000);
  setParams(rangeParams({ kind: "fixed", fromMs, toMs }));
}

/** Back to the range that moves with the time. */
export function resetRange(): void {
  setParams({ from: undefined, to: undefined });
}

function keyOf(line: ChartLine): string {
  return `${line.source.aggregate}/${line.label}`;
}

function Caption({ channel, unit, step }: { readonly channel: LiveChannel | undefined; readonly unit: string; readonly step: number }) {
  useTick(2_000);
  let largest = 0;
  for (const group of channel?.grid.groups ?? []) {
    for (const values of group.values) for (const value of values) if (value > largest) largest = value;
  }
  const parts = [unitCaption(unit, largest), durationText(step)];
  const leftOut = channel?.groupsLeftOut ?? 0;
  return (
    <>
      {leftOut > 0 && <span className="warn">{`${text.panel.leftOut(formatCount(leftOut))} · `}</span>}
      {parts.filter((part) => part !== "").join(" · ")}
    </>
  );
}

/** Numbers that change faster can't be read, and each change costs a layout. */
const LEGEND_MS = 250;
const LEGEND_LINES = 8;

function Legend({ lines, unit, values }: { readonly lines: readonly ChartLine[]; readonly unit: string; readonly values: Map<string, HTMLElement> }) {
  return (
    <ul className="legend">
      {lines.slice(0, LEGEND_LINES).map((line) => (
        <li key={keyOf(line)} className="legend-item">
          <span className="legend-mark" style={{ background: seriesColor(line.ordinal) }} />
          <span className="truncate muted">{line.label}</span>
          <span
            className={unit.startsWith("bytes") ? "legend-value long" : "legend-value"}
            ref={(element) => {
              if (element === null) values.delete(keyOf(line));
              else values.set(keyOf(line), element);
            }}
          />
        </li>
      ))}
      {lines.length > LEGEND_LINES && <li className="legend-item muted">{text.chart.more(lines.length - LEGEND_LINES)}</li>}
    </ul>
  );
}

const TABLE_ROWS = 60;

interface ValueRow {
  readonly time: number;
  readonly values: readonly number[];
}

/** The same numbers as text, newest first. */
function ValueTable({ title, lines, unit, range }: { readonly title: string; readonly lines: readonly ChartLine[]; readonly unit: string; readonly range: TimeRange }) {
  useTick(2_000);
  const grid = lines[0]?.source.channel.grid;
  const rows: ValueRow[] = [];
  if (grid !== undefined) {
    const first = grid.indexOf(windowOf(range).from * 1e6);
    for (let i = grid.length - 1; i >= first && rows.length < TABLE_ROWS; i--) {
      const values = lines.map((line) => line.source.channel.grid.groups[line.group]?.values[line.source.aggregate]?.[i] ?? NaN);
      if (values.some((value) => !Number.isNaN(value))) rows.push({ time: grid.times[i] ?? 0, values });
    }
  }
  const columns: readonly Column<ValueRow>[] = [
    { id: "time", label: text.chart.time, heads: true, cell: ({ time }) => clockTime(time * 1_000), title: ({ time }) => dateTime(time * 1_000) },
    ...lines.map((line, i): Column<ValueRow> => ({ id: keyOf(line), label: line.label, number: true, cell: ({ values }) => formatText(values[i] ?? NaN, unit) })),
  ];
  return <DataTable label={title} caption={`${title}. ${text.chart.rows(rows.length)}`} className="dense" columns={columns} rows={rows} rowKey={({ time }) => time} />;
}

/** For screen readers: what the lines say, in words. */
function Summary({ title, lines, unit }: { readonly title: string; readonly lines: readonly ChartLine[]; readonly unit: string }) {
  useTick(10_000);
  const words = lines.slice(0, 12).map((line) => {
    const { grid } = line.source.channel;
    const group = grid.groups[line.group];
    const values = group?.values[line.source.aggregate]?.subarray(0, grid.length) ?? new Float64Array(0);
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (group === undefined || low === Infinity) return `${line.label}: ${text.chart.noValues}`;
    const now = formatText(grid.lastValue(group, line.source.aggregate), unit);
    return text.chart.line(line.label, now, formatText(low, unit), formatText(high, unit));
  });
  return <p className="visually-hidden">{text.chart.summary(title, words.join(". "))}</p>;
}

function toCsv(lines: readonly ChartLine[]): string {
  const grid = lines[0]?.source.channel.grid;
  const quote = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const rows = [["time", ...lines.map((line) => line.label)].map(quote).join(",")];
  for (let i = 0; i < (grid?.length ?? 0); i++) {
    const values = lines.map((line) => line.source.channel.grid.groups[line.group]?.values[line.source.aggregate]?.[i] ?? NaN);
    if (values.every(Number.isNaN)) continue;
    const time = new Date((grid?.times[i] ?? 0) * 1_000).toISOString();
    rows.push([time, ...values.map((value) => (Number.isNaN(value) ? "" : String(value)))].join(","));
  }
  return `${rows.join("\n")}\n`;
}
