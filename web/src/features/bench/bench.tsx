import { useEffect, useMemo, useState } from "react";
import { usePlace } from "../../app/hooks.js";
import { LiveClient } from "../../live/live-client.js";
import type { LiveChannel } from "../../live/live-channel.js";
import { queryOf, type QuerySpec } from "../../live/query-spec.js";
import { ChartPanel } from "../../panels/chart-panel.js";
import { FeedSocket } from "./feed-socket.js";

/**
 * Not in the navigation: so many live panels fed from within the page, for tests/browser/bench.mjs. Frames are encoded,
 * decoded, stored and drawn as any others; only the network is missing.
 */
export default function Bench() {
  const { params } = usePlace();
  const count = Math.min(100, Number(params.get("panels") ?? 24));
  const hz = Math.min(60, Number(params.get("hz") ?? 10));
  const [channels, setChannels] = useState<readonly LiveChannel[]>([]);
  const specs = useMemo(
    () =>
      Array.from({ length: count }, (_, i): QuerySpec => ({
        stream: `bench.${i}`,
        aggregates: [{ measure: "cpu_percent", fn: "mean" }],
        groupBy: ["core"],
        range: { kind: "last", seconds: 300 },
        stepSeconds: 1,
      })),
    [count],
  );
  useEffect(() => {
    const client = new LiveClient({ ticket: () => Promise.resolve(""), open: () => new FeedSocket(hz) });
    setChannels(specs.map((spec) => client.subscribe(queryOf(spec)).channel));
    client.start();
    return () => client.stop();
  }, [specs, hz]);
  return (
    <div className="grid bench-grid">
      {channels.map((channel, i) => (
        <ChartPanel key={i} id={`panel-${i}`} title={`${i + 1}`} handle={{ channel, retry: () => undefined }} spec={specs[i] as QuerySpec} unit="percent" filled={i % 2 === 1} />
      ))}
    </div>
  );
}
