import { create } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { live, queries } from "../api/services.js";
import { requestIdOf } from "../api/session.js";
import { SubscribeResponseSchema, type TimeSeriesQuery } from "../gen/rivermeet/query/v1/query_pb.js";
import { LiveChannel, type ChannelStatus } from "../live/live-channel.js";
import { queryOf, type QuerySpec } from "../live/query-spec.js";
import type { TimeRange } from "../app/time-range.js";

async function fill(channel: LiveChannel, query: TimeSeriesQuery, signal: AbortSignal): Promise<void> {
  try {
    const answer = await queries.query({ query }, { signal });
    channel.apply(
      create(SubscribeResponseSchema, {
        snapshot: true,
        sequence: 1n,
        frame: answer.frame,
        dataVersion: answer.stats?.dataVersion,
        step: answer.stats?.step,
        groupsLeftOut: answer.stats?.groupsLeftOut ?? 0n,
        watermarkUs: BigInt(Date.now()) * 1000n,
      }),
      0n,
    );
  } catch (error) {
    if (signal.aborted) return;
    const failure = ConnectError.from(error);
    channel.fail(failure.code, failure.rawMessage, false, requestIdOf(error));
  }
}

export interface ChannelHandle {
  /** Undefined until the first effect has run. */
  readonly channel: LiveChannel | undefined;
  readonly retry: () => void;
}

/** The channel of a query: live when its range moves with the time, read once when it is fixed. */
export function useChannel(spec: QuerySpec): ChannelHandle {
  const key = JSON.stringify(spec);
  const query = useMemo(() => queryOf(JSON.parse(key) as QuerySpec), [key]);
  const [channel, setChannel] = useState<LiveChannel>();
  const [attempt, setAttempt] = useState(0);
  const fixed = query.last === undefined;
  useEffect(() => {
    if (!fixed) {
      const { channel: subscribed, release } = live.subscribe(query);
      setChannel(subscribed);
      return release;
    }
    const once = new LiveChannel(query);
    const abort = new AbortController();
    setChannel(once);
    void fill(once, query, abort.signal);
    return () => abort.abort();
  }, [query, fixed, attempt]);
  const retry = (): void => {
    if (fixed) setAttempt(attempt + 1);
    else if (channel !== undefined) live.retry(channel);
  };
  return { channel: channel?.query === query || channel?.query.last !== undefined ? channel : undefined, retry };
}

const LOADING: ChannelStatus = { kind: "loading" };
const nothing = (): (() => void) => () => undefined;

export function useChannelStatus(channel: LiveChannel | undefined): ChannelStatus {
  return useSyncExternalStore(channel?.status.subscribe ?? nothing, channel?.status.get ?? (() => LOADING));
}

/** Renders again when groups come or go; see SeriesGrid.structure. */
export function useStructure(channel: LiveChannel | undefined): number | undefined {
  const subscribe = useCallback((changed: () => void) => channel?.onData(changed) ?? nothing(), [channel]);
  return useSyncExternalStore(subscribe, () => channel?.grid.structure);
}

/** The time window that charts show now, in seconds since the Unix epoch. A paused page stands still. */
export function windowOf(range: TimeRange): { from: number; to: number } {
  if (range.kind === "fixed") return { from: range.fromMs / 1_000, to: range.toMs / 1_000 };
  const state = live.state.get();
  const to = state.kind === "paused" ? state.sinceMs / 1_000 : live.clock.nowUs() / 1e6;
  return { from: to - range.seconds, to };
}
