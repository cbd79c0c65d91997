import { durationMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { queries, streams } from "../../api/services.js";
import { exploreHref } from "../../app/pages.js";
import { fittingRange } from "../../app/use-young-range.js";
import { DEFAULT_LAST } from "../../app/time-range.js";
import { FieldType, type Field, type Stream } from "../../gen/rivermeet/events/v1/stream_pb.js";
import type { GetLedgerResponse, LedgerEntry } from "../../gen/rivermeet/query/v1/query_pb.js";
import type { QuerySpec } from "../../live/query-spec.js";
import { text } from "../../messages/en.js";
import { ChartPanel } from "../../panels/chart-panel.js";
import { ErrorNotice } from "../../panels/error-notice.js";
import { Skeleton } from "../../panels/panel-state.js";
import { useChannel } from "../../panels/use-channel.js";
import { Link } from "../../ui/controls.js";
import { DataTable, type Column } from "../../ui/data-table.js";
import { durationText, formatCount } from "../../ui/format.js";
import { Moment } from "../../ui/moment.js";
import { retentionText } from "./streams.js";

const t = text.streams;
const STEP_SECONDS = 10;

/** One stream: its schema, its events and its ledger. */
export default function StreamDetail({ name }: { readonly name: string }) {
  const answer = useQuery({ queryKey: ["stream", name], queryFn: () => streams.getStream({ name }), refetchInterval: 10_000 });
  if (answer.isPending) {
    return (
      <div className="page">
        <section className="panel list">
          <Skeleton shape="rows" />
        </section>
      </div>
    );
  }
  const stream = answer.data?.stream;
  if (stream === undefined) {
    if (ConnectError.from(answer.error).code === Code.NotFound) {
      return (
        <div className="page-empty">
          <h2>{t.unknown(name)}</h2>
          <Link to="/streams">{text.nav.streams}</Link>
        </div>
      );
    }
    return (
      <div className="page">
        <ErrorNotice error={answer.error} onRetry={() => void answer.refetch()} />
      </div>
    );
  }
  return (
    <div className="page detail">
      <Facts stream={stream} />
      <EventsChart name={name} created={stream.created} />
      <LedgerPanel name={name} />
      <Fields stream={stream} />
    </div>
  );
}

function Facts({ stream }: { readonly stream: Stream }) {
  const facts: readonly [string, ReactNode][] = [
    [t.version, stream.version],
    [t.partitions, stream.partitions],
    [t.lateness, stream.allowedLateness === undefined ? durationText(60) : durationText(durationMs(stream.allowedLateness) / 1_000)],
    [t.retention, retentionText(stream)],
    [t.created, <Moment at={stream.created} />],
  ];
  return (
    <div className="fact-row">
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Link to={exploreHref(stream.name)} className="button primary">
        {t.explore}
      </Link>
    </div>
  );
}

function EventsChart({ name, created }: { readonly name: string; readonly created: Timestamp | undefined }) {
  const [seconds] = useState(() => Math.max(30 * STEP_SECONDS, fittingRange(created) ?? DEFAULT_LAST));
  const spec = useMemo<QuerySpec>(
    () => ({ stream: name, aggregates: [{ measure: "", fn: "count" }], range: { kind: "last", seconds }, stepSeconds: STEP_SECONDS }),
    [name, seconds],
  );
  const handle = useChannel(spec);
  return (
    <ChartPanel
      id="events"
      title={t.eventsPerSecond}
      caption={`${text.explore.events} · ${durationText(STEP_SECONDS)}`}
      handle={handle}
      spec={spec}
      exploreHref={exploreHref(name)}
      unit=""
      filled
      legend={false}
    />
  );
}

function LedgerPanel({ name }: { readonly name: string }) {
  const ledger = useQuery({ queryKey: ["ledger", name], queryFn: () => queries.getLedger({ stream: name }), refetchInterval: 2_000 });
  return (
    <section className="panel ledger" aria-labelledby="ledger-title">
      <header className="panel-head">
        <h2 id="ledger-title">{t.ledger}</h2>
        <div className="panel-caption faint">{t.ledgerLead}</div>
        {ledger.data !== undefined && <Balance balanced={ledger.data.balanced} />}
      </header>
      {ledger.data === undefined ? ledger.error === null ? <Skeleton shape="rows" /> : <ErrorNotice error={ledger.error} onRetry={() => void ledger.refetch()} /> : <LedgerTable ledger={ledger.data} />}
    </section>
  );
}

function Balance({ balanced }: { readonly balanced: boolean }) {
  return (
    <span className={balanced ? "badge good" : "badge bad"}>
      {balanced ? <CircleCheck className="icon" /> : <TriangleAlert className="icon" />}
      {balanced ? t.balanced : t.unbalanced}
    </span>
  );
}

interface LedgerRow {
  readonly label: string;
  readonly entry: LedgerEntry;
}

function ledgerColumn(label: string, of: (entry: LedgerEntry) => bigint, trouble = false): Column<LedgerRow> {
  return {
    id: label,
    label,
    number: true,
    cell: ({ entry }) => formatCount(of(entry)),
    look: ({ entry }) => (of(entry) === 0n ? "faint" : trouble ? "warn" : ""),
  };
}

const LEDGER_COLUMNS: readonly Column<LedgerRow>[] = [
  { id: "partition", label: t.partition, heads: true, cell: ({ label }) => label },
  ledgerColumn(t.received, (e) => e.received),
  ledgerColumn(t.rejected, (e) => e.rejected, true),
  ledgerColumn(t.appended, (e) => e.appended),
  ledgerColumn(t.folded, (e) => e.folded),
  ledgerColumn(t.deduplicated, (e) => e.deduplicated),
  ledgerColumn(t.stale, (e) => e.stale, true),
  ledgerColumn(t.tooLate, (e) => e.tooLate, true),
  ledgerColumn(t.overSeriesLimit, (e) => e.overSeriesLimit, true),
  ledgerColumn(t.notYet, (e) => e.notYetFolded),
];

function LedgerTable({ ledger }: { readonly ledger: GetLedgerResponse }) {
  const total = ledger.total === undefined ? [] : [{ label: t.total, entry: ledger.total }];
  const partitions = ledger.partitions.length > 1 ? ledger.partitions.map((entry) => ({ label: String(entry.partition), entry })) : [];
  return (
    <DataTable
      label={t.ledger}
      columns={LEDGER_COLUMNS}
      rows={[...total, ...partitions]}
      rowKey={({ label }) => label}
      rowLook={({ label }) => (label === t.total ? "strong" : "")}
    />
  );
}

function Fields({ stream }: { readonly stream: Stream }) {
  const measure = (field: Field): boolean => field.type === FieldType.FLOAT64 || field.type === FieldType.INT64;
  const columns: readonly Column<Field>[] = [
    { id: "field", label: t.field, heads: true, cell: ({ name }) => <code>{name}</code> },
    { id: "type", label: t.type, cell: ({ type }) => t.types[type] },
    { id: "kind", label: t.kind, wide: true, look: () => "muted", cell: (field) => (measure(field) ? t.kinds[field.kind] : "") },
    { id: "unit", label: t.unit, wide: true, look: () => "muted", cell: ({ unit }) => unit },
    { id: "explore", label: t.explore, wide: true, actions: true, cell: (field) => measure(field) && <Link to={exploreHref(stream.name, field.name)}>{t.explore}</Link> },
  ];
  return (
    <section className="panel list" aria-labelledby="fields-title">
      <header className="panel-head">
        <h2 id="fields-title">{t.fields}</h2>
        <div className="panel-caption faint">{stream.fields.length}</div>
      </header>
      <DataTable label={t.fields} columns={columns} rows={stream.fields} rowKey={({ name }) => name} />
    </section>
  );
}
