import { useEffect, useRef } from "react";
import type { TimeRange } from "../app/time-range.js";
import { useObservable } from "../app/hooks.js";
import { ChartView } from "../charts/chart-view.js";
import type { ChartSource } from "../charts/lines.js";
import type { Painter } from "../live/frame-loop.js";
import { text } from "../messages/en.js";
import { paletteVersion } from "../ui/theme.js";
import { windowOf } from "./use-channel.js";
import { attachPainter } from "./use-painter.js";

interface ChartProps {
  readonly sources: readonly ChartSource[];
  readonly unit: string;
  readonly filled: boolean;
  readonly fixed?: { readonly min: number; readonly max: number };
  readonly range: TimeRange;
  readonly label: string;
  readonly onPaint: (now: number) => void;
  readonly onSelect: (fromSeconds: number, toSeconds: number) => void;
  readonly onReset: () => void;
}

/** Holds a ChartView in the page; loaded when the first chart is shown. */
export default function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const newest = useRef(props);
  newest.current = props;
  const palette = useObservable(paletteVersion);
  const { sources, unit, filled, fixed, range } = props;
  const rangeKey = JSON.stringify(range);

  useEffect(() => {
    const element = host.current;
    if (element === null || sources.length === 0) return;
    const chart = new ChartView(element, {
      sources,
      unit,
      filled,
      ...(fixed === undefined ? {} : { fixed }),
      window: () => windowOf(newest.current.range),
      sliding: range.kind === "last",
      onSelect: (from, to) => newest.current.onSelect(from, to),
      onReset: () => newest.current.onReset(),
    });
    const painter: Painter = {
      paint: (now) => {
        const next = chart.paint(now);
        for (const { channel } of sources) channel.drawn();
        newest.current.onPaint(now);
        return next;
      },
    };
    const detach = attachPainter(element, painter, sources.map(({ channel }) => channel), (width, height) => chart.resize(width, height));
    return () => {
      detach();
      chart.destroy();
    };
    // `fixed` is compared by its ends, `range` by its words.
  }, [sources, unit, filled, fixed?.min, fixed?.max, rangeKey, palette]);

  return <div ref={host} className="chart-host" role="img" aria-label={`${props.label}. ${text.chart.describe}`} />;
}
