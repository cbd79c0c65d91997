import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@tanstack/react-query";
import { Layers, Search } from "lucide-react";
import { useState } from "react";
import { streams } from "../../api/services.js";
import { streamHref } from "../../app/pages.js";
import { FieldType, type Stream } from "../../gen/rivermeet/events/v1/stream_pb.js";
import { text } from "../../messages/en.js";
import { ErrorNotice } from "../../panels/error-notice.js";
import { Skeleton } from "../../panels/panel-state.js";
import { CodeBlock, Link } from "../../ui/controls.js";
import { dateTime, durationText, relativeTime } from "../../ui/format.js";

const t = text.streams;

export function countFields(stream: Stream, ...types: FieldType[]): number {
  return stream.fields.filter((field) => types.includes(field.type)).length;
}

export function retentionText(stream: Stream): string {
  return stream.retention === undefined ? t.forEver : durationText(durationMs(stream.retention) / 1_000);
}

/** All streams of the tenant. */
export default function Streams() {
  const list = useQuery({ queryKey: ["streams"], queryFn: () => streams.listStreams({}), refetchInterval: 5_000 });
  const [query, setQuery] = useState("");
  const all = list.data?.streams ?? [];
  const shown = all.filter(({ name }) => name.includes(query.toLowerCase()));
  return (
    <div className="page">
      <div className="page-head">
        <p className="muted">{t.lead}</p>
        {all.length > 0 && (
          <label className="search">
            <Search className="icon faint" aria-hidden="true" />
            <input className="input" placeholder={t.search} aria-label={t.search} value={query} onChange={(event) => setQuery(event.target.value)} />
          </label>
        )}
      </div>
      {list.isPending && (
        <section className="panel list">
          <Skeleton shape="rows" />
        </section>
      )}
      {list.error !== null && all.length === 0 && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && all.length === 0 && (
        <div className="page-empty">
          <Layers className="icon" aria-hidden="true" />
          <h2>{t.none}</h2>
          <p className="muted">{t.noneLead}</p>
          <CodeBlock code={text.machine.agentCommand} label={text.machine.agentCommand} />
          <Link to="/keys?new=1">{text.palette.newKey}</Link>
        </div>
      )}
      {all.length > 0 && (
        <section className="panel list">
          <div className="table-scroll" tabIndex={0} role="group" aria-label={t.title}>
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">{t.name}</th>
                  <th scope="col" className="number">
                    {t.dimensions}
                  </th>
                  <th scope="col" className="number">
                    {t.measures}
                  </th>
                  <th scope="col" className="number wide-only">
                    {t.partitions}
                  </th>
                  <th scope="col" className="wide-only">
                    {t.retention}
                  </th>
                  <th scope="col" className="wide-only">
                    {t.created}
                  </th>
                  <th scope="col">
                    <span className="visually-hidden">{t.explore}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map((stream) => (
                  <Row key={stream.name} stream={stream} />
                ))}
              </tbody>
            </table>
          </div>
          {shown.length === 0 && <p className="list-note muted">{t.noMatch(query)}</p>}
        </section>
      )}
    </div>
  );
}

function Row({ stream }: { readonly stream: Stream }) {
  const created = stream.created === undefined ? undefined : timestampMs(stream.created);
  return (
    <tr>
      <th scope="row">
        <Link to={streamHref(stream.name)}>{stream.name}</Link>
      </th>
      <td className="number">{countFields(stream, FieldType.DIMENSION)}</td>
      <td className="number">{countFields(stream, FieldType.FLOAT64, FieldType.INT64)}</td>
      <td className="number wide-only">{stream.partitions}</td>
      <td className="wide-only">{retentionText(stream)}</td>
      <td className="wide-only muted" title={created === undefined ? "" : dateTime(created)}>
        {created === undefined ? "" : relativeTime(created, Date.now())}
      </td>
      <td className="row-actions">
        <Link to={`/explore?stream=${encodeURIComponent(stream.name)}`}>{t.explore}</Link>
      </td>
    </tr>
  );
}
