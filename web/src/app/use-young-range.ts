import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { streams } from "../api/services.js";
import { place, setParams } from "./router.js";
import { formatSeconds } from "./time-range.js";

/** Ranges to start with, in seconds, while there is less than three times as much history. */
const YOUNG_RANGES = [60, 300] as const;

/** The shorter range that suits a stream's age, if any. */
export function fittingRange(created: Timestamp | undefined): number | undefined {
  if (created === undefined) return undefined;
  const seconds = (Date.now() - timestampMs(created)) / 1_000;
  return YOUNG_RANGES.find((range) => seconds < range * 3);
}

/**
 * A stream that has just begun fills little of the usual 15 min: the page then starts with a shorter range. Decided once,
 * and only when the address says nothing; it goes into the address like any choice.
 */
export function useYoungRange(stream: string): void {
  const decided = useRef(place.get().params.has("last") || place.get().params.has("from"));
  const path = useRef(place.get().path);
  const answer = useQuery({
    queryKey: ["stream", stream],
    queryFn: () => streams.getStream({ name: stream }),
    retry: false,
    enabled: stream !== "" && !decided.current,
  });
  const created = answer.data?.stream?.created;
  useEffect(() => {
    if (decided.current || created === undefined) return;
    decided.current = true;
    const fitting = fittingRange(created);
    if (fitting !== undefined && place.get().path === path.current) setParams({ last: formatSeconds(fitting) }, true);
  }, [created]);
}
