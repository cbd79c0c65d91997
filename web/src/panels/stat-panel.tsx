import { useRef, type ReactNode } from "react";
import { bucketMeans, drawSparkline } from "../charts/sparkline.js";
import { NO_VALUE, type Formatted } from "../ui/format.js";
import { Panel, type PanelProps } from "./panel.js";
import { usePainter } from "./use-painter.js";

export interface StatView {
  readonly main: Formatted;
  /** The line below the number. */
  readonly below: string;
  readonly tone?: "good" | "warn" | "bad" | undefined;
  readonly spark: Float64Array;
}

interface StatPanelProps extends Omit<PanelProps, "children" | "shape"> {
  /** What to show now; called when data has come, at most once a frame. Undefined while there is nothing. */
  readonly view: () => StatView | undefined;
  /** Asks to be drawn again after so long, for what isn't fed by a channel. */
  readonly everyMs?: number;
  readonly belowLead?: ReactNode;
}

const BUCKETS = 120;
const TEXT_MS = 250;

/** One number with its unit, a line of context and a sparkline; drawn without React. */
export function StatPanel({ view, everyMs, belowLead, ...panel }: StatPanelProps) {
  const root = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLSpanElement>(null);
  const unit = useRef<HTMLSpanElement>(null);
  const below = useRef<HTMLSpanElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const writtenAt = useRef(0);
  usePainter(root, [panel.handle?.channel], (now) => {
    const shown = view();
    if (shown !== undefined && canvas.current !== null) {
      const wait = writtenAt.current + TEXT_MS - now;
      if (wait > 0) return now + wait;
      // What has no value yet does not make the first one wait.
      if (shown.main.value !== NO_VALUE) writtenAt.current = now;
      write(value.current, shown.main.value);
      write(unit.current, shown.main.unit);
      write(below.current, shown.below);
      if (below.current !== null) below.current.className = `truncate ${shown.tone ?? "muted"}`;
      drawSparkline(canvas.current, bucketMeans(shown.spark, BUCKETS), Math.min(BUCKETS, shown.spark.length));
      panel.handle?.channel?.drawn();
    }
    return everyMs === undefined ? Infinity : now + everyMs;
  });
  return (
    <Panel {...panel} shape="stat" className={`stat ${panel.className ?? ""}`}>
      <div ref={root} className="stat-inner">
        <p className="stat-number">
          <span ref={value} className="stat-value" />
          <span ref={unit} className="stat-unit muted" />
        </p>
        <p className="stat-below">
          {belowLead}
          <span ref={below} className="muted" />
        </p>
        <canvas ref={canvas} className="stat-spark" aria-hidden="true" />
      </div>
    </Panel>
  );
}

function write(element: HTMLElement | null, words: string): void {
  if (element !== null && element.textContent !== words) element.textContent = words;
}
