import { durationMs } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@tanstack/react-query";
import { Layers, Search } from "lucide-react";
import { useState } from "react";
import { streams } from "../../api/services.js";
import { exploreHref, streamHref } from "../../app/pages.js";
import { FieldType, type Stream } from "../../gen/rivermeet/events/v1/stream_pb.js";
import { text } from "../../messages/en.js";
import { ErrorNotice } from "../../panels/error-notice.js";
import { Skeleton } from "../../panels/panel-state.js";
import { CodeBlock, Link } from "../../ui/controls.js";
import { DataTable, type Column } from "../../ui/data-table.js";
import { durationText } from "../../ui/format.js";
import { Moment } from "../../ui/moment.js";

const t = text.streams;

export function countFields(stream: Stream, ...types: FieldType[]): number {
  return stream.fields.filter((field) => types.includes(field.type)).length;
}

export function retentionText(stream: Stream): string {
  return stream.retention === undefined ? t.forEver : durationText(durationMs(stream.retention) / 1_000);
}

const COLUMNS: readonly Column<Stream>[] = [
  { id: "name", label: t.name, heads: true, cell: ({ name }) => <Link to={streamHref(name)}>{name}</Link> },
  { id: "dimensions", label: t.dimensions, number: true, cell: (stream) => countFields(stream, FieldType.DIMENSION) },
  { id: "measures", label: t.measures, number: true, cell: (stream) => countFields(stream, FieldType.FLOAT64, FieldType.INT64) },
  { id: "partitions", label: t.partitions, number: true, wide: true, cell: ({ partitions }) => partitions },
  { id: "retention", label: t.retention, wide: true, cell: retentionText },
  { id: "created", label: t.created, wide: true, look: () => "muted", cell: ({ created }) => <Moment at={created} /> },
  { id: "explore", label: t.explore, actions: true, cell: ({ name }) => <Link to={exploreHref(name)}>{t.explore}</Link> },
];

/** All streams of the tenant. */
export default function Streams() {
  const list = useQuery({ queryKey: ["streams"], queryFn: () => streams.listStreams({}), refetchInterval: 5_000 });
  const [query, setQuery] = useState("");
  const all = list.data?.streams ?? [];
  const shown = all.filter(({ name }) => name.toLowerCase().includes(query.trim().toLowerCase()));
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
          <DataTable label={t.title} columns={COLUMNS} rows={shown} rowKey={({ name }) => name} />
          {shown.length === 0 && <p className="list-note muted">{t.noMatch(query)}</p>}
        </section>
      )}
    </div>
  );
}
