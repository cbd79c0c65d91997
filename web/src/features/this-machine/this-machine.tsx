import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { queries } from "../../api/services.js";
import { usePlace } from "../../app/hooks.js";
import { href, setParams } from "../../app/router.js";
import { formatSeconds, parseSeconds, rangeOf, rangeParams, rangeSeconds, STEP_CHOICES, stepOf } from "../../app/time-range.js";
import { useYoungRange } from "../../app/use-young-range.js";
import type { QuerySpec } from "../../live/query-spec.js";
import { text } from "../../messages/en.js";
import { ChartPanel } from "../../panels/chart-panel.js";
import { EmptyPast } from "../../panels/empty-past.js";
import { StatPanel, type StatView } from "../../panels/stat-panel.js";
import { useChannel } from "../../panels/use-channel.js";
import { CodeBlock } from "../../ui/controls.js";
import { durationText, formatCount, zoneName } from "../../ui/format.js";
import { ChipMenu } from "../../ui/menu.js";
import { encodeExplore } from "../explore/explore-state.js";
import { BarTable } from "./bar-table.js";
import { NextSteps } from "./next-steps.js";
import { HOST_STREAM, machineSpecs, type MachineScope } from "./specs.js";
import { cpuView, eventsView, freshnessView, memoryView } from "./stats.js";

const t = text.machine;
const PERCENT = { min: 0, max: 100 };

function exploreOf(spec: QuerySpec): string {
  const params = encodeExplore({
    stream: spec.stream,
    measure: spec.aggregates[0]?.measure ?? "",
    fn: spec.aggregates[0]?.fn ?? "mean",
    groupBy: spec.groupBy ?? [],
    filters: spec.filters ?? [],
  });
  for (const [name, value] of Object.entries(rangeParams(spec.range))) if (value !== undefined) params.set(name, value);
  return href("/explore", params);
}

function AgentHint() {
  return (
    <>
      <p className="strong">{text.panel.emptyTitle}</p>
      <p className="muted">{t.agentHint}</p>
      <CodeBlock code={t.agentCommand} label={t.agentCommand} />
    </>
  );
}

/** The page after sign-in: this machine, moving. */
export function ThisMachine() {
  const { params } = usePlace();
  const hosts = useQuery({
    queryKey: ["values", HOST_STREAM, "host"],
    queryFn: () => queries.listDimensionValues({ stream: HOST_STREAM, dimension: "host" }),
    refetchInterval: (query) => ((query.state.data?.values.length ?? 0) === 0 ? 3_000 : 60_000),
    retry: false,
  });
  useYoungRange(HOST_STREAM);
  const names = (hosts.data?.values ?? []).filter((name) => name !== "");
  const chosen = params.get("host");
  const host = chosen === "*" ? undefined : (chosen ?? names[0]);
  const rangeKey = JSON.stringify(rangeOf(params));
  const stepSeconds = stepOf(params, rangeOf(params));
  const scope = useMemo<MachineScope>(() => ({ host, range: JSON.parse(rangeKey) as MachineScope["range"], stepSeconds }), [host, rangeKey, stepSeconds]);
  return (
    <div className="dashboard">
      <div className="toolbar">
        {names.length > 0 && (
          <ChipMenu
            name={t.host}
            value={host ?? t.allHosts}
            items={[
              ...names.map((name) => ({ id: name, label: name, checked: name === host, onSelect: () => setParams({ host: name === names[0] ? undefined : name }) })),
              { id: "*", label: t.allHosts, checked: host === undefined, onSelect: () => setParams({ host: "*" }) },
            ]}
          />
        )}
        <StepChip />
        <ZoneNote />
      </div>
      {hosts.isPending ? <MachineGridSkeleton /> : <MachineGrid scope={scope} />}
    </div>
  );
}

export function StepChip() {
  const { params } = usePlace();
  const range = rangeOf(params);
  const chosen = parseSeconds(params.get("step"));
  const step = stepOf(params, range);
  return (
    <ChipMenu
      name={text.explore.step.toLowerCase()}
      value={durationText(step)}
      items={[
        { id: "auto", label: text.explore.automatic, checked: chosen === undefined, onSelect: () => setParams({ step: undefined }) },
        ...STEP_CHOICES.filter((seconds) => seconds * 2 <= rangeSeconds(range) && rangeSeconds(range) / seconds <= 4_000).map((seconds) => ({
          id: String(seconds),
          label: durationText(seconds),
          checked: chosen === seconds,
          onSelect: () => setParams({ step: formatSeconds(seconds) }),
        })),
      ]}
    />
  );
}

/** The time zone of all times on the page. */
export function ZoneNote() {
  const zone = zoneName(Date.now());
  return (
    <span className="zone-note faint" title={`${text.range.zone} ${zone}`}>
      {zone}
    </span>
  );
}

/** The grid before the hosts are known: the panels have their places already. */
function MachineGridSkeleton() {
  return (
    <div className="grid" aria-hidden="true">
      {["span-3", "span-3", "span-3", "span-3"].map((span, i) => (
        <div key={i} className={`panel stat ${span}`} />
      ))}
      <div className="panel span-8 tall" />
      <div className="panel span-4 tall" />
    </div>
  );
}

function MachineGrid({ scope }: { readonly scope: MachineScope }) {
  const { range } = scope;
  const ledger = useQuery({
    queryKey: ["ledger", HOST_STREAM],
    queryFn: () => queries.getLedger({ stream: HOST_STREAM }),
    refetchInterval: 5_000,
    retry: false,
  });
  const specs = useMemo(() => Object.fromEntries(Object.entries(machineSpecs).map(([name, spec]) => [name, spec(scope)])) as Record<keyof typeof machineSpecs, QuerySpec>, [scope]);
  const cpu = useChannel(specs.cpu);
  const memory = useChannel(specs.memory);
  const events = useChannel(specs.events);
  const cores = useChannel(specs.cores);
  const network = useChannel(specs.network);
  const disk = useChannel(specs.disk);
  const load = useChannel(specs.load);
  const pressure = useChannel(specs.pressure);
  const processes = useChannel(specs.processes);
  const filesystems = useChannel(specs.filesystems);

  const total = ledger.data?.total;
  const lost = total === undefined ? "" : `${t.rejected(formatCount(total.rejected))} · ${t.late(formatCount(total.tooLate))}`;
  const tone: StatView["tone"] = total === undefined ? undefined : total.rejected + total.tooLate > 0n ? "warn" : "good";
  const past = range.kind === "fixed";
  const quiet = <p className="muted">{past ? text.panel.emptyPast : text.panel.emptyTitle}</p>;
  const empty = past ? <EmptyPast /> : <AgentHint />;
  return (
    <div className="grid">
      <StatPanel id="cpu" className="span-3" title={t.cpu} caption={HOST_STREAM} handle={cpu} spec={specs.cpu} exploreHref={exploreOf(specs.cpu)} empty={quiet} view={() => cpuView(cpu.channel, range)} />
      <StatPanel id="events" className="span-3" title={t.eventsIn} caption={HOST_STREAM} handle={events} spec={specs.events} exploreHref={exploreOf(specs.events)} empty={quiet} view={() => eventsView(events.channel, range, lost, tone)} />
      <StatPanel id="memory" className="span-3" title={t.memory} caption={HOST_STREAM} handle={memory} spec={specs.memory} exploreHref={exploreOf(specs.memory)} empty={quiet} view={() => memoryView(memory.channel, range)} />
      <StatPanel id="freshness" className="span-3" title={t.freshness} caption={t.toScreen} view={freshnessView} everyMs={1_000} />
      <ChartPanel id="cores" className="span-8 tall" title={t.cores} handle={cores} spec={specs.cores} exploreHref={exploreOf(specs.cores)} empty={empty} unit="percent" fixed={PERCENT} groupName={coreName} />
      <BarTable
        id="processes"
        className="span-4 tall"
        title={t.processes}
        caption={range.kind === "last" ? t.tenSeconds : undefined}
        handle={processes}
        spec={specs.processes}
        exploreHref={exploreOf(specs.processes)}
        empty={empty}
        nameColumn={t.process}
        columns={[
          { label: t.cpu, unit: "percent", bar: "relative" },
          { label: t.memoryColumn, unit: "bytes" },
        ]}
        rows={9}
        by="mean"
      />
      <ChartPanel id="network" className="span-5" title={t.network} handle={network} spec={specs.network} exploreHref={exploreOf(specs.network)} empty={quiet} unit="bytes_per_second" filled names={[t.received, t.sent]} />
      <ChartPanel id="disk" className="span-4" title={t.disk} handle={disk} spec={specs.disk} exploreHref={exploreOf(specs.disk)} empty={quiet} unit="bytes_per_second" filled names={[t.read, t.written]} />
      <NextSteps className="span-3" />
      <ChartPanel id="load" className="span-4" title={t.load} handle={load} spec={specs.load} exploreHref={exploreOf(specs.load)} empty={quiet} unit="" names={[t.loadSpan(1), t.loadSpan(5), t.loadSpan(15)]} />
      <ChartPanel id="pressure" className="span-4" title={t.pressure} handle={pressure} spec={specs.pressure} exploreHref={exploreOf(specs.pressure)} empty={quiet} unit="percent" names={[t.pressureCpu, t.pressureMemory, t.pressureIo]} />
      <BarTable
        id="filesystems"
        className="span-4"
        title={t.filesystems}
        caption={HOST_STREAM}
        handle={filesystems}
        spec={specs.filesystems}
        exploreHref={exploreOf(specs.filesystems)}
        empty={quiet}
        nameColumn={t.device}
        columns={[
          { label: t.used, unit: "bytes", bar: "of-next" },
          { label: t.size, unit: "bytes" },
        ]}
        rows={6}
        by="last"
      />
    </div>
  );
}

function coreName(labels: readonly string[]): string {
  return t.core(labels[0] ?? "");
}
