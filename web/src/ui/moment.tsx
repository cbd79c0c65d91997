import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import { dateTime, relativeTime } from "./format.js";

/** "3 min ago" with the exact time on hover; `absent` where there is none. */
export function Moment({ at, absent = "" }: { readonly at: Timestamp | undefined; readonly absent?: string }) {
  if (at === undefined) return <span className="faint">{absent}</span>;
  const ms = timestampMs(at);
  return <span title={dateTime(ms)}>{relativeTime(ms, Date.now())}</span>;
}
