import { toJson } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { useQuery } from "@tanstack/react-query";
import { queries } from "../api/services.js";
import { TimeSeriesQuerySchema, type DataVersion, type QueryStats } from "../gen/rivermeet/query/v1/query_pb.js";
import { describeQuery, queryOf, type QuerySpec } from "../live/query-spec.js";
import { text } from "../messages/en.js";
import { CodeBlock } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";
import { formatCount, formatText, THIN_SPACE } from "../ui/format.js";

/** What a panel's numbers are made of: asks the same query once and shows what the answer saw and cost. */
export function HowDialog({ title, spec, onClose }: { readonly title: string; readonly spec: QuerySpec | undefined; readonly onClose: () => void }) {
  return (
    <Dialog title={`${title}: ${text.how.title.toLowerCase()}`} onClose={onClose} wide>
      {spec === undefined ? <p>{text.how.local}</p> : <Measured spec={spec} />}
    </Dialog>
  );
}

function Measured({ spec }: { readonly spec: QuerySpec }) {
  const query = queryOf(spec);
  const answer = useQuery({
    queryKey: ["how", JSON.stringify(spec)],
    queryFn: () => queries.query({ query }),
    staleTime: 0,
    gcTime: 0,
  });
  const body = JSON.stringify({ query: toJson(TimeSeriesQuerySchema, query) });
  const curl = `curl -s ${location.origin}/v1/query \\\n  -H "Authorization: Bearer $RIVERMEET_KEY" \\\n  -H 'Content-Type: application/json' \\\n  -d '${body.replaceAll("'", "'\\''")}'`;
  const stats = answer.data?.stats;
  return (
    <>
      <dl className="facts">
        <dt>{text.how.query}</dt>
        <dd>
          <pre className="query" tabIndex={0} aria-label={text.how.query}>{describeQuery(spec)}</pre>
        </dd>
        {answer.isPending && (
          <>
            <dt>{text.how.rows}</dt>
            <dd className="muted">{text.panel.loading}</dd>
          </>
        )}
        {answer.error !== null && (
          <>
            <dt>{text.how.rows}</dt>
            <dd className="bad">{ConnectError.from(answer.error).rawMessage}</dd>
          </>
        )}
        {stats !== undefined && <Stats stats={stats} />}
      </dl>
      <h3 className="dialog-section">{text.how.asCurl}</h3>
      <p className="muted">{text.how.asCurlHint}</p>
      <CodeBlock code={curl} label={text.how.asCurl} />
    </>
  );
}

function Stats({ stats }: { readonly stats: QueryStats }) {
  const seconds = (duration: QueryStats["step"]): string =>
    duration === undefined ? "" : `${durationMs(duration) / 1_000}${THIN_SPACE}s`;
  return (
    <>
      <dt>{text.how.version}</dt>
      <dd>
        <Versions version={stats.dataVersion} />
      </dd>
      <dt>{text.how.rows}</dt>
      <dd>{text.how.rowsLine(formatCount(stats.hotRows), formatCount(stats.storedRows), formatCount(stats.segments))}</dd>
      <dt>{text.how.tier}</dt>
      <dd>{seconds(stats.resolution)}</dd>
      <dt>{text.how.step}</dt>
      <dd>{seconds(stats.step)}</dd>
      <dt>{text.how.elapsed}</dt>
      <dd>{formatText(stats.elapsed === undefined ? NaN : Number(stats.elapsed.seconds) * 1e6 + stats.elapsed.nanos / 1e3, "us")}</dd>
      {stats.groupsLeftOut > 0n && (
        <>
          <dt>{text.how.groupsLeftOut}</dt>
          <dd className="warn">{formatCount(stats.groupsLeftOut)}</dd>
        </>
      )}
    </>
  );
}

function Versions({ version }: { readonly version: DataVersion | undefined }) {
  const partitions = version?.partitions ?? [];
  return (
    <ul>
      {partitions.slice(0, 8).map((p) => (
        <li key={p.partition}>{text.how.versionLine(p.partition, formatCount(p.throughOffset), p.epoch.toString())}</li>
      ))}
      {partitions.length > 8 && <li className="muted">{text.how.partitions(partitions.length)}</li>}
    </ul>
  );
}
