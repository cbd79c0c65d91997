import { Calculator, Download, Ellipsis, Expand, LineChart, Shrink, Table2, Telescope } from "lucide-react";
import { useId, useState, type ReactNode } from "react";
import { live } from "../api/services.js";
import { useObservable, usePlace, useTick } from "../app/hooks.js";
import { setParams, go } from "../app/router.js";
import type { LiveChannel } from "../live/live-channel.js";
import type { QuerySpec } from "../live/query-spec.js";
import { text } from "../messages/en.js";
import { IconButton } from "../ui/controls.js";
import { clockTime } from "../ui/format.js";
import { Menu, type MenuItem } from "../ui/menu.js";
import { HowDialog } from "./how-dialog.js";
import { PanelState } from "./panel-state.js";
import { useChannelStatus, type ChannelHandle } from "./use-channel.js";

export interface PanelProps {
  /** Names the panel in the address when it is open. */
  readonly id: string;
  readonly title: string;
  readonly caption?: ReactNode;
  readonly handle?: ChannelHandle | undefined;
  readonly spec?: QuerySpec | undefined;
  /** Where "Open in Explore" goes. */
  readonly exploreHref?: string | undefined;
  /** What would fill the panel, with the command or button. */
  readonly empty?: ReactNode;
  readonly className?: string;
  readonly table?: { readonly shown: boolean; readonly toggle: () => void };
  readonly csv?: (() => string) | undefined;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
  /** The shape of the skeleton. */
  readonly shape?: "stat" | "chart" | "rows";
}

const LAG_MS = 10_000;

/** A piece of a page: title, what it shows, its menu, and the five states it can be in. */
export function Panel(props: PanelProps) {
  const { id, title, caption, handle, spec, className = "", children, footer, shape = "chart" } = props;
  const titleId = useId();
  const status = useChannelStatus(handle?.channel);
  const place = usePlace();
  const open = place.params.get("panel") === id;
  const [how, setHow] = useState(false);
  const blocked = handle !== undefined && status.kind !== "ready";
  return (
    <section
      className={`panel ${className} ${open ? "open" : ""}`}
      data-panel={id}
      data-state={handle === undefined ? "ready" : status.kind}
      aria-labelledby={titleId}
      tabIndex={0}
    >
      <header className="panel-head">
        <h2 id={titleId} className="truncate">
          {title}
        </h2>
        <div className="panel-caption faint truncate">{caption}</div>
        <PanelMenu {...props} open={open} onHow={() => setHow(true)} />
      </header>
      <div className="panel-body">
        {children}
        {blocked && <PanelState status={status} onRetry={handle.retry} empty={props.empty} shape={shape} stream={spec?.stream} />}
      </div>
      {footer}
      {handle?.channel !== undefined && status.kind === "ready" && spec?.range.kind === "last" && <Lag channel={handle.channel} />}
      {how && <HowDialog title={title} spec={spec} onClose={() => setHow(false)} />}
    </section>
  );
}

function PanelMenu(props: PanelProps & { readonly open: boolean; readonly onHow: () => void }) {
  const { id, title, open, table, csv, exploreHref, onHow } = props;
  const items: MenuItem[] = [
    { id: "how", label: text.panel.how, icon: <Calculator className="icon" />, onSelect: onHow },
    {
      id: "open",
      label: open ? text.panel.shrink : text.panel.open,
      icon: open ? <Shrink className="icon" /> : <Expand className="icon" />,
      onSelect: () => setParams({ panel: open ? undefined : id }),
    },
  ];
  if (table !== undefined) {
    items.push({
      id: "table",
      label: table.shown ? text.panel.chart : text.panel.table,
      icon: table.shown ? <LineChart className="icon" /> : <Table2 className="icon" />,
      onSelect: table.toggle,
    });
  }
  if (exploreHref !== undefined) {
    items.push({ id: "explore", label: text.panel.explore, icon: <Telescope className="icon" />, onSelect: () => go(exploreHref) });
  }
  if (csv !== undefined) {
    items.push({ id: "csv", label: text.panel.csv, icon: <Download className="icon" />, onSelect: () => download(`${id}.csv`, csv()) });
  }
  return (
    <Menu
      label={text.panel.menu(title)}
      items={items}
      align="end"
      trigger={(trigger) => (
        <IconButton {...trigger} label={text.panel.menu(title)} className="panel-menu">
          <Ellipsis className="icon" />
        </IconButton>
      )}
    />
  );
}

function download(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Says that this panel's data stands still although the page is connected. */
function Lag({ channel }: { readonly channel: LiveChannel }) {
  useTick(2_000);
  const trouble = useObservable(channel.trouble);
  const [born] = useState(Date.now);
  if (trouble !== "") return <p className="panel-lag warn">{`${trouble} ${text.panel.retrying}`}</p>;
  const newestMs = channel.newestAppendUs / 1_000;
  const nowMs = live.clock.nowUs() / 1_000;
  if (newestMs === 0 || nowMs - newestMs < LAG_MS || Date.now() - born < 3_000) return null;
  return <p className="panel-lag warn">{text.panel.lag(clockTime(newestMs))}</p>;
}
