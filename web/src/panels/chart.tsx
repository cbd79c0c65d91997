import { useEffect, useRef } from "react";
import type { TimeRange } from "../app/time-range.js";
import { useObservable } from "../app/hooks.js";
import { ChartView, type ChartLine, type ChartSource } from "../charts/chart-view.js";
import { frameLoop, type Painter } from "../live/frame-loop.js";
import { text } from "../messages/en.js";
import { paletteVersion } from "../ui/theme.js";
import { windowOf } from "./use-channel.js";

interface ChartProps {
  readonly sources: readonly ChartSource[];
  readonly unit: string;
  readonly filled: boolean;
  readonly fixed?: { readonly min: number; readonly max: number };
  readonly range: TimeRange;
  readonly label: string;
  readonly onLines: (lines: readonly ChartLine[]) => void;
  readonly onPaint: (now: number) => void;
  readonly onSelect: (fromSeconds: number, toSeconds: number) => void;
  readonly onReset: () => void;
}

/** Holds a ChartView in the page; loaded when the first chart is shown. */
export default function Chart(props: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<ChartView>(undefined);
  const newest = useRef(props);
  newest.current = props;
  const palette = useObservable(paletteVersion);
  const { sources, unit, filled, fixed, range } = props;
  const rangeKey = JSON.stringify(range);

  useEffect(() => {
    const element = host.current;
    if (element === null || sources.length === 0) return;
    const chart = new ChartView(
      element,
      {
        sources,
        unit,
        filled,
        ...(fixed === undefined ? {} : { fixed }),
        window: () => windowOf(newest.current.range),
        sliding: range.kind === "last",
        onSelect: (from, to) => newest.current.onSelect(from, to),
        onReset: () => newest.current.onReset(),
      },
      (lines) => newest.current.onLines(lines),
    );
    view.current = chart;
    const painter: Painter = {
      paint: (now) => {
        const next = chart.paint(now);
        for (const { channel } of sources) channel.drawn();
        newest.current.onPaint(now);
        return next;
      },
    };
    const invalidate = (): void => frameLoop.invalidate(painter);
    const stops = [frameLoop.add(painter), ...sources.map(({ channel }) => channel.onData(invalidate))];
    const sized = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      chart.resize(entry.contentRect.width, entry.contentRect.height);
      invalidate();
    });
    const seen = new IntersectionObserver(([entry]) => frameLoop.setVisible(painter, entry?.isIntersecting ?? true), { rootMargin: "300px" });
    sized.observe(element);
    seen.observe(element);
    return () => {
      sized.disconnect();
      seen.disconnect();
      for (const stop of stops) stop();
      chart.destroy();
      view.current = undefined;
    };
    // `fixed` is compared by its ends, `range` by its words.
  }, [sources, unit, filled, fixed?.min, fixed?.max, rangeKey, palette]);

  return <div ref={host} className="chart-host" role="img" aria-label={`${props.label}. ${text.chart.describe}`} />;
}
