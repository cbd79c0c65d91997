import { useQuery } from "@tanstack/react-query";
import { ListFilter, Telescope, X } from "lucide-react";
import { useMemo } from "react";
import { streams } from "../../api/services.js";
import { usePlace } from "../../app/hooks.js";
import { go, href } from "../../app/router.js";
import { rangeOf, stepOf } from "../../app/time-range.js";
import { useYoungRange } from "../../app/use-young-range.js";
import { FieldType, MeasureKind, type Stream } from "../../gen/rivermeet/events/v1/stream_pb.js";
import { FUNCTIONS, type FilterSpec, type QuerySpec } from "../../live/query-spec.js";
import { text } from "../../messages/en.js";
import { ChartPanel } from "../../panels/chart-panel.js";
import { EmptyPast } from "../../panels/empty-past.js";
import { useChannel } from "../../panels/use-channel.js";
import { CodeBlock, IconButton, Link } from "../../ui/controls.js";
import { unitOf } from "../../ui/format.js";
import { ChipMenu, Menu } from "../../ui/menu.js";
import { StepChip, ZoneNote } from "../this-machine/this-machine.js";
import { decodeExplore, withExplore, type ExploreState } from "./explore-state.js";
import { FilterChip } from "./filter-chip.js";
import { GroupTable } from "./group-table.js";

const t = text.explore;
const MOST_GROUPS = 24;

function fieldNames(stream: Stream | undefined, ...types: FieldType[]): string[] {
  return (stream?.fields ?? []).filter((field) => types.includes(field.type)).map((field) => field.name);
}

/** Looks into any stream: pick, group, filter; the address holds it all. */
export default function Explore() {
  const { params } = usePlace();
  const list = useQuery({ queryKey: ["streams"], queryFn: () => streams.listStreams({}), refetchInterval: 10_000 });
  const all = list.data?.streams ?? [];
  const decoded = decodeExplore(params);
  const picked = decoded.stream === "" ? (all.find(({ name }) => name === "host.metrics") ?? all[0]) : all.find(({ name }) => name === decoded.stream);
  const measures = fieldNames(picked, FieldType.FLOAT64, FieldType.INT64);
  const state: ExploreState =
    decoded.stream === "" && picked !== undefined
      ? { stream: picked.name, measure: measures[0] ?? "", fn: measures.length > 0 ? "mean" : "count", groupBy: [], filters: [] }
      : decoded;
  useYoungRange(state.stream);
  const change = (next: Partial<ExploreState>): void => go(href("/explore", withExplore(params, { ...state, ...next })));

  if (!list.isPending && all.length === 0) {
    return (
      <div className="page-empty">
        <Telescope className="icon" aria-hidden="true" />
        <h2>{t.noStreams}</h2>
        <p className="muted">{text.streams.noneLead}</p>
        <CodeBlock code={text.machine.agentCommand} label={text.machine.agentCommand} />
      </div>
    );
  }
  return (
    <div className="explore">
      <ExploreBar state={state} stream={picked} all={all} measures={measures} change={change} />
      {state.stream !== "" && <Result state={state} stream={picked} />}
    </div>
  );
}

interface BarProps {
  readonly state: ExploreState;
  readonly stream: Stream | undefined;
  readonly all: readonly Stream[];
  readonly measures: readonly string[];
  readonly change: (next: Partial<ExploreState>) => void;
}

function ExploreBar({ state, stream, all, measures, change }: BarProps) {
  const dimensions = fieldNames(stream, FieldType.DIMENSION);
  const kind = stream?.fields.find((field) => field.name === state.measure)?.kind ?? MeasureKind.UNSPECIFIED;
  const rateable = kind === MeasureKind.COUNTER || kind === MeasureKind.DELTA;
  const setFilter = (at: number, filter: FilterSpec | undefined): void => {
    const next = state.filters.flatMap((old, i) => (i === at ? (filter ?? []) : old));
    change({ filters: next });
  };
  return (
    <div className="toolbar">
      <ChipMenu
        name={t.stream.toLowerCase()}
        value={state.stream === "" ? t.pickStream : state.stream}
        search={text.streams.search}
        items={all.map(({ name, fields }) => ({
          id: name,
          label: name,
          checked: name === state.stream,
          onSelect: () => {
            const first = fields.find((field) => field.type === FieldType.FLOAT64 || field.type === FieldType.INT64)?.name ?? "";
            change({ stream: name, measure: first, fn: first === "" ? "count" : "mean", groupBy: [], filters: [] });
          },
        }))}
      />
      <ChipMenu
        name={t.measure.toLowerCase()}
        value={state.measure === "" ? t.events : state.measure}
        {...(measures.length > 8 ? { search: t.measure } : {})}
        items={[
          { id: "", label: t.events, checked: state.measure === "", onSelect: () => change({ measure: "", fn: "count" }) },
          ...measures.map((name) => ({
            id: name,
            label: name,
            checked: name === state.measure,
            onSelect: () => change({ measure: name, fn: state.measure === "" ? "mean" : state.fn }),
          })),
        ]}
      />
      {state.measure !== "" && (
        <ChipMenu
          name={t.fn.toLowerCase()}
          value={t.functions[state.fn]}
          items={FUNCTIONS.filter((fn) => fn !== "rate" || rateable || state.fn === "rate").map((fn) => ({
            id: fn,
            label: t.functions[fn],
            checked: fn === state.fn,
            onSelect: () => change({ fn }),
          }))}
        />
      )}
      <ChipMenu
        name={t.groupBy.toLowerCase()}
        value={state.groupBy.length === 0 ? t.nothing : state.groupBy.join(", ")}
        several
        items={dimensions.map((name) => ({
          id: name,
          label: name,
          checked: state.groupBy.includes(name),
          onSelect: () => change({ groupBy: state.groupBy.includes(name) ? state.groupBy.filter((other) => other !== name) : [...state.groupBy, name] }),
        }))}
      />
      <StepChip />
      {state.filters.map((filter, i) => (
        <span key={`${filter.dimension}-${i}`} className="chip-pair">
          <FilterChip stream={state.stream} filter={filter} onChange={(next) => setFilter(i, next)} />
          <IconButton label={t.removeFilter(filter.dimension)} onClick={() => setFilter(i, undefined)} className="chip-remove">
            <X className="icon" />
          </IconButton>
        </span>
      ))}
      <Menu
        label={t.addFilter}
        items={dimensions.map((name) => ({
          id: name,
          label: name,
          onSelect: () => change({ filters: [...state.filters, { dimension: name, except: true, values: [""] }] }),
        }))}
        trigger={(props) => (
          <button type="button" className="chip" {...props} aria-label={t.addFilter}>
            <ListFilter className="icon" />
            {t.filter}
          </button>
        )}
      />
      <ZoneNote />
    </div>
  );
}

function Result({ state, stream }: { readonly state: ExploreState; readonly stream: Stream | undefined }) {
  const { params } = usePlace();
  const range = rangeOf(params);
  const stepSeconds = stepOf(params, range);
  const spec: QuerySpec = {
    stream: state.stream,
    aggregates: [{ measure: state.measure, fn: state.fn }],
    groupBy: state.groupBy,
    // An empty list of values would match nothing: a filter that is being made does not filter yet.
    filters: state.filters.filter((filter) => filter.values.length > 0),
    range,
    stepSeconds,
    groupLimit: MOST_GROUPS,
  };
  const handle = useChannel(spec);
  const declared = stream?.fields.find((field) => field.name === state.measure)?.unit ?? "";
  const base = state.fn === "count" ? "" : unitOf(state.measure, declared);
  const unit = state.fn === "rate" ? (base === "bytes" ? "bytes_per_second" : "per_second") : base;
  const title = useMemo(() => {
    const what = state.measure === "" ? t.events : `${t.functions[state.fn]} ${state.measure}`;
    return state.groupBy.length === 0 ? what : `${what} by ${state.groupBy.join(", ")}`;
  }, [state.measure, state.fn, state.groupBy.join()]);
  const empty = range.kind === "fixed" && stream !== undefined ? (
    <EmptyPast />
  ) : (
    <>
      <p className="strong">{text.panel.emptyTitle}</p>
      <p className="muted">{stream === undefined ? text.panel.noStream(state.stream) : text.panel.emptyRange}</p>
      {stream === undefined && <Link to="/keys?new=1">{text.palette.newKey}</Link>}
    </>
  );
  return (
    <>
      <ChartPanel id="result" className="explore-chart" title={title} handle={handle} spec={spec} unit={unit} empty={empty} legend={false} />
      <GroupTable handle={handle} spec={spec} unit={unit} />
    </>
  );
}
