import { useTick } from "../../app/hooks.js";
import type { QuerySpec } from "../../live/query-spec.js";
import type { SeriesGroup } from "../../live/series-grid.js";
import { text } from "../../messages/en.js";
import { useChannelStatus, windowOf, type ChannelHandle } from "../../panels/use-channel.js";
import { DataTable, type Column } from "../../ui/data-table.js";
import { formatText } from "../../ui/format.js";
import { seriesColor } from "../../ui/theme.js";

const t = text.explore;

interface GroupTableProps {
  readonly handle: ChannelHandle;
  readonly spec: QuerySpec;
  readonly unit: string;
}

interface GroupRow {
  readonly group: SeriesGroup;
  readonly now: number;
  readonly low: number;
  readonly mean: number;
  readonly high: number;
}

/** Each line of the chart in numbers: now, smallest, mean and largest within the range. */
export function GroupTable({ handle, spec, unit }: GroupTableProps) {
  useTick(1_000);
  const status = useChannelStatus(handle.channel);
  const grid = handle.channel?.grid;
  if (grid === undefined || status.kind !== "ready") return null;
  const first = grid.indexOf(windowOf(spec.range).from * 1e6);
  const rows = grid.groups.map((group): GroupRow => {
    let low = Infinity;
    let high = -Infinity;
    let sum = 0;
    let count = 0;
    for (const value of group.values[0]?.subarray(first, grid.length) ?? []) {
      if (Number.isNaN(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
      sum += value;
      count++;
    }
    return { group, now: grid.lastValue(group, 0), low, high, mean: count === 0 ? NaN : sum / count };
  });
  // By the mean, which moves slowly: rows that change places every second can't be read.
  rows.sort((a, b) => (b.mean || 0) - (a.mean || 0));
  const names = (spec.groupBy ?? []).length === 0 ? [t.group] : (spec.groupBy ?? []);
  const number = (id: string, label: string, of: (row: GroupRow) => number): Column<GroupRow> => ({ id, label, number: true, cell: (row) => formatText(of(row), unit) });
  const columns: readonly Column<GroupRow>[] = [
    ...names.map(
      (name, i): Column<GroupRow> => ({
        id: `label ${i}`,
        label: name,
        heads: true,
        cell: ({ group }) => (
          <>
            {i === 0 && <span className="legend-mark" style={{ background: seriesColor(group.ordinal) }} />}
            {group.labels.length === 0 ? spec.stream : group.labels[i] === "" ? t.without : group.labels[i]}
          </>
        ),
      }),
    ),
    number("now", t.current, (row) => row.now),
    number("low", t.lowest, (row) => row.low),
    number("mean", t.mean, (row) => row.mean),
    number("high", t.highest, (row) => row.high),
  ];
  return (
    <section className="panel group-table">
      <DataTable label={t.table} columns={columns} rows={rows} rowKey={({ group }) => group.key} />
    </section>
  );
}
