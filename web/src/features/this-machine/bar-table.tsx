import { useSyncExternalStore } from "react";
import { useTick } from "../../app/hooks.js";
import type { LiveChannel } from "../../live/live-channel.js";
import { Panel, type PanelProps } from "../../panels/panel.js";
import { DataTable, type Column } from "../../ui/data-table.js";
import { formatText } from "../../ui/format.js";

interface BarColumn {
  readonly label: string;
  readonly unit: string;
  /** A bar beside the number: against the table's largest (but at least 100), or as a share of the next column. */
  readonly bar?: "relative" | "of-next";
}

interface BarTableProps extends Omit<PanelProps, "children" | "shape"> {
  readonly nameColumn: string;
  readonly columns: readonly BarColumn[];
  readonly rows: number;
  /** The mean of the last ten windows, or the newest value. */
  readonly by: "mean" | "last";
}

interface Row {
  readonly name: string;
  readonly values: readonly number[];
}

const WINDOWS = 10;

function valueOf(channel: LiveChannel, group: number, aggregate: number, by: "mean" | "last"): number {
  const { grid } = channel;
  const of = grid.groups[group];
  if (of === undefined) return NaN;
  if (by === "last") return grid.lastValue(of, aggregate);
  const values = of.values[aggregate]?.subarray(Math.max(0, grid.length - WINDOWS - 1), grid.length) ?? [];
  let sum = 0;
  let count = 0;
  let windows = 0;
  for (const value of values) {
    windows++;
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  // A process that was not among the largest for part of the time counts as nothing for that part, not as unknown.
  return count === 0 ? NaN : aggregate === 0 ? sum / Math.max(count, windows - 1) : sum / count;
}

function rowsOf(channel: LiveChannel | undefined, columns: number, most: number, by: "mean" | "last"): Row[] {
  if (channel === undefined) return [];
  return channel.grid.groups
    .map((group, index) => ({
      name: group.labels.join(" · "),
      values: Array.from({ length: columns }, (_, aggregate) => valueOf(channel, index, aggregate, by)),
    }))
    .filter((row) => !Number.isNaN(row.values[0]))
    .sort((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0))
    .slice(0, most);
}

const nothing = (): (() => void) => () => undefined;

/** The largest groups of an answer with bars; rendered once a second, which is how often it is read. */
export function BarTable({ nameColumn, columns, rows, by, ...panel }: BarTableProps) {
  useTick(1_000);
  const channel = panel.handle?.channel;
  useSyncExternalStore(channel?.status.subscribe ?? nothing, () => channel?.status.get());
  const shown = rowsOf(channel, columns.length, rows, by);
  const largest = Math.max(0, ...shown.map((row) => row.values[0] ?? 0));
  const shareOf = (row: Row, i: number): number => {
    const share = columns[i]?.bar === "of-next" ? (row.values[i] ?? NaN) / (row.values[i + 1] ?? NaN) : (row.values[i] ?? NaN) / largest;
    return Number.isFinite(share) ? Math.min(1, share) : 0;
  };
  const tableColumns: readonly Column<Row>[] = [
    {
      id: "name",
      label: nameColumn,
      heads: true,
      cell: ({ name }) => (
        <span className="truncate" title={name}>
          {name}
        </span>
      ),
    },
    ...columns.map(({ label, unit, bar }, i): Column<Row> => ({
      id: label,
      label,
      number: true,
      cell: (row) => (
        <>
          {bar !== undefined && <Bar share={shareOf(row, i)} full={bar === "of-next" && shareOf(row, i) > 0.9} />}
          <span className="bar-number">{formatText(row.values[i] ?? NaN, unit)}</span>
        </>
      ),
    })),
  ];
  return (
    <Panel {...panel} shape="rows" className={`bars ${panel.className ?? ""}`}>
      <DataTable label={panel.title} className="bar-table" scrolls={false} columns={tableColumns} rows={shown} rowKey={({ name }) => name} />
    </Panel>
  );
}

function Bar({ share, full }: { readonly share: number; readonly full: boolean }) {
  return (
    <span className="bar" aria-hidden="true">
      <span className={full ? "bar-fill full" : "bar-fill"} style={{ width: `${Math.max(2, share * 100)}%` }} />
    </span>
  );
}
