import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { queries, streams } from "../../api/services.js";
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
import { dateTime, durationText, formatCount, relativeTime } from "../../ui/format.js";
import { retentionText } from "./streams.js";

const t = text.streams;

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
      <EventsChart name={name} />
      <LedgerPanel name={name} />
      <Fields stream={stream} />
    </div>
  );
}

function Facts({ stream }: { readonly stream: Stream }) {
  const created = stream.created === undefined ? undefined : timestampMs(stream.created);
  const facts: readonly [string, ReactNode][] = [
    [t.version, stream.version],
    [t.partitions, stream.partitions],
    [t.lateness, stream.allowedLateness === undefined ? durationText(60) : durationText(durationMs(stream.allowedLateness) / 1_000)],
    [t.retention, retentionText(stream)],
    [t.created, created === undefined ? "" : <span title={dateTime(created)}>{relativeTime(created, Date.now())}</span>],
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
      <Link to={`/explore?stream=${encodeURIComponent(stream.name)}`} className="button primary">
        {t.explore}
      </Link>
    </div>
  );
}

function EventsChart({ name }: { readonly name: string }) {
  const spec = useMemo<QuerySpec>(
    () => ({ stream: name, aggregates: [{ measure: "", fn: "count" }], range: { kind: "last", seconds: DEFAULT_LAST }, stepSeconds: 10 }),
    [name],
  );
  const handle = useChannel(spec);
  return (
    <ChartPanel
      id="events"
      title={t.eventsPerSecond}
      caption={`${text.explore.events} · ${durationText(10)}`}
      handle={handle}
      spec={spec}
      exploreHref={`/explore?stream=${encodeURIComponent(name)}`}
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

const LEDGER_COLUMNS: readonly [string, (entry: LedgerEntry) => bigint][] = [
  [t.received, (e) => e.received],
  [t.rejected, (e) => e.rejected],
  [t.appended, (e) => e.appended],
  [t.folded, (e) => e.folded],
  [t.deduplicated, (e) => e.deduplicated],
  [t.stale, (e) => e.stale],
  [t.tooLate, (e) => e.tooLate],
  [t.notYet, (e) => e.notYetFolded],
];
const TROUBLE = new Set<string>([t.rejected, t.stale, t.tooLate]);

function LedgerTable({ ledger }: { readonly ledger: GetLedgerResponse }) {
  const row = (label: string, entry: LedgerEntry, strong: boolean): ReactNode => (
    <tr key={label} className={strong ? "strong" : ""}>
      <th scope="row">{label}</th>
      {LEDGER_COLUMNS.map(([name, of]) => {
        const count = of(entry);
        const tone = count === 0n ? "faint" : TROUBLE.has(name) ? "warn" : "";
        return (
          <td key={name} className={`number ${tone}`} data-label={name}>
            {formatCount(count)}
          </td>
        );
      })}
    </tr>
  );
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={t.ledger}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t.partition}</th>
            {LEDGER_COLUMNS.map(([name]) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ledger.total !== undefined && row(t.total, ledger.total, true)}
          {ledger.partitions.length > 1 && ledger.partitions.map((entry) => row(String(entry.partition), entry, false))}
        </tbody>
      </table>
    </div>
  );
}

function Fields({ stream }: { readonly stream: Stream }) {
  const measure = (field: Field): boolean => field.type === FieldType.FLOAT64 || field.type === FieldType.INT64;
  return (
    <section className="panel list" aria-labelledby="fields-title">
      <header className="panel-head">
        <h2 id="fields-title">{t.fields}</h2>
        <div className="panel-caption faint">{stream.fields.length}</div>
      </header>
      <div className="table-scroll" tabIndex={0} role="group" aria-label={t.fields}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t.field}</th>
              <th scope="col">{t.type}</th>
              <th scope="col" className="wide-only">{t.kind}</th>
              <th scope="col" className="wide-only">{t.unit}</th>
              <th scope="col" className="wide-only">
                <span className="visually-hidden">{t.explore}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {stream.fields.map((field) => (
              <tr key={field.name}>
                <th scope="row">
                  <code>{field.name}</code>
                </th>
                <td>{t.types[field.type]}</td>
                <td className="muted wide-only">{measure(field) ? t.kinds[field.kind] : ""}</td>
                <td className="muted wide-only">{field.unit}</td>
                <td className="row-actions wide-only">
                  {measure(field) && <Link to={`/explore?stream=${encodeURIComponent(stream.name)}&measure=${encodeURIComponent(field.name)}`}>{t.explore}</Link>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
