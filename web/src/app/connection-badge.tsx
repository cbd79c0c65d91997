import { CircleDot, History, Pause, Play, RotateCw } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { live } from "../api/services.js";
import type { ConnectionState } from "../live/live-client.js";
import { text } from "../messages/en.js";
import { resetRange } from "../panels/chart-panel.js";
import { Button } from "../ui/controls.js";
import { clockTime, formatText } from "../ui/format.js";
import { useObservable, usePlace, useTick } from "./hooks.js";
import { rangeOf } from "./time-range.js";

/** Whether what is shown is live, how fresh it is, and the way back when it is not. */
export function ConnectionBadge({ ranged }: { readonly ranged: boolean }) {
  const state = useObservable(live.state);
  const { params } = usePlace();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : root.current?.contains(event.target as Node) !== true) setOpen(false);
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("keydown", leave);
    };
  }, [open]);
  const fixed = ranged && rangeOf(params).kind === "fixed";
  if (fixed) {
    return (
      <div className="connection" title={text.connection.fixedTitle}>
        <span className="chip still">
          <History className="icon" />
          <span className="still-words">{text.connection.fixed}</span>
        </span>
        <Button onClick={resetRange}>{text.actions.goLive}</Button>
      </div>
    );
  }
  return (
    <div className="connection" ref={root}>
      <button type="button" className={`chip ${state.kind}`} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="visually-hidden">{text.connection.label}: </span>
        <Words />
      </button>
      {(state.kind === "paused" || state.kind === "reconnecting") && <Action kind={state.kind} />}
      {open && <Details onDone={() => setOpen(false)} />}
    </div>
  );
}

/** What one can do about a state: pause what is live, and the way back from what is not. */
function Action({ kind, onDone }: { readonly kind: ConnectionState["kind"]; readonly onDone?: () => void }) {
  const button = (icon: ReactNode, words: string, act: () => void): ReactNode => (
    <Button
      onClick={() => {
        act();
        onDone?.();
      }}
    >
      {icon}
      {words}
    </Button>
  );
  switch (kind) {
    case "live":
    case "stale":
      return button(<CircleDot className="icon" />, text.connection.pause, () => live.pause());
    case "paused":
      return button(<Play className="icon" />, text.connection.resume, () => live.resume());
    case "reconnecting":
      return button(<RotateCw className="icon" />, text.connection.retryNow, () => live.retryNow());
    case "connecting":
      return null;
  }
}

function Words() {
  const state = useObservable(live.state);
  const now = useTick(500);
  switch (state.kind) {
    case "connecting":
      return (
        <>
          <span className="dot" />
          {text.connection.connecting}
        </>
      );
    case "live": {
      const { freshness } = live;
      return (
        <>
          <span className="dot" />
          {text.connection.live}
          <span className="connection-number muted">{freshness.size === 0 ? "" : formatText(Math.round(recentMedian()), "ms").replace(".0", "")}</span>
        </>
      );
    }
    case "reconnecting": {
      const seconds = Math.max(0, Math.ceil((state.retryAtMs - now) / 1_000));
      return (
        <>
          <span className="dot" />
          {text.connection.reconnecting}
          <span className="connection-number muted">{text.connection.inSeconds(seconds)}</span>
        </>
      );
    }
    case "paused":
      return (
        <>
          <Pause className="icon" />
          {text.connection.paused}
        </>
      );
    case "stale":
      return (
        <>
          <span className="dot" />
          {text.connection.stale(clockTime(state.sinceMs, false))}
        </>
      );
  }
}

/** The median of the last ten samples: what the header shows moves calmly. */
function recentMedian(): number {
  const samples = live.freshness.series(10).sort();
  return samples[samples.length >> 1] ?? NaN;
}

function Details({ onDone }: { readonly onDone: () => void }) {
  useTick(1_000);
  const { freshness, clock } = live;
  const state = live.state.get();
  const offset = clock.offsetUs / 1_000;
  const facts: readonly [string, string][] = [
    [text.connection.newest, formatText(freshness.newest, "ms")],
    [text.connection.median, formatText(freshness.quantile(0.5), "ms")],
    [text.connection.p99, formatText(freshness.quantile(0.99), "ms")],
    [text.connection.samples, String(freshness.size)],
    [text.connection.roundTrip, clock.known ? formatText(clock.roundTripUs, "us") : "–"],
    [text.connection.clock, clock.known ? `${offset < 0 ? "\u2212" : "+"}${formatText(Math.abs(offset), "ms")}` : "–"],
  ];
  const title =
    state.kind === "live"
      ? freshness.size === 0
        ? text.connection.liveNoData
        : text.connection.liveTitle(formatText(freshness.quantile(0.5), "ms"), formatText(freshness.quantile(0.99), "ms"))
      : state.kind === "stale"
        ? text.connection.staleTitle
        : state.kind === "paused"
          ? text.connection.pausedTitle(clockTime(state.sinceMs))
          : text.connection.reconnectingTitle;
  return (
    <div className="popover" role="dialog" aria-label={text.connection.label}>
      <p className="muted">{title}</p>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Action kind={state.kind} onDone={onDone} />
    </div>
  );
}
