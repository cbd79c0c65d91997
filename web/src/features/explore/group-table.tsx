import { useTick } from "../../app/hooks.js";
import type { QuerySpec } from "../../live/query-spec.js";
import { text } from "../../messages/en.js";
import { useChannelStatus, windowOf, type ChannelHandle } from "../../panels/use-channel.js";
import { formatText } from "../../ui/format.js";
import { seriesColor } from "../../ui/theme.js";

const t = text.explore;

interface GroupTableProps {
  readonly handle: ChannelHandle;
  readonly spec: QuerySpec;
  readonly unit: string;
}

/** Each line of the chart in numbers: now, smallest, mean and largest within the range. */
export function GroupTable({ handle, spec, unit }: GroupTableProps) {
  useTick(1_000);
  const status = useChannelStatus(handle.channel);
  const grid = handle.channel?.grid;
  if (grid === undefined || status.kind !== "ready") return null;
  const first = grid.indexOf(windowOf(spec.range).from * 1e6);
  const rows = grid.groups.map((group) => {
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
  return (
    <section className="panel group-table">
      <div className="table-scroll" tabIndex={0} role="group" aria-label={t.table}>
        <table className="table">
          <thead>
            <tr>
              {names.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              {[t.current, t.lowest, t.mean, t.highest].map((name) => (
                <th key={name} scope="col" className="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ group, now, low, high, mean }) => (
              <tr key={group.key}>
                {(group.labels.length === 0 ? [spec.stream] : group.labels).map((label, i) => (
                  <th key={i} scope="row">
                    {i === 0 && <span className="legend-mark" style={{ background: seriesColor(group.ordinal) }} />}
                    {label === "" ? t.without : label}
                  </th>
                ))}
                {[now, low, mean, high].map((value, i) => (
                  <td key={i} className="number">
                    {formatText(value, unit)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
