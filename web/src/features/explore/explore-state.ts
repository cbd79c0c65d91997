import { FUNCTIONS, type FilterSpec, type FunctionName } from "../../live/query-spec.js";

/** What the explore page shows, apart from the time range; all of it is in the address. */
export interface ExploreState {
  readonly stream: string;
  /** Empty: counts events. */
  readonly measure: string;
  readonly fn: FunctionName;
  readonly groupBy: readonly string[];
  readonly filters: readonly FilterSpec[];
}

function isFunction(text: string | null): text is FunctionName {
  return (FUNCTIONS as readonly string[]).includes(text ?? "");
}

const NO_VALUE = "~none";

/** "core:in:0,1" or "core:not:~none"; commas and colons within values are percent-encoded. */
function parseFilter(text: string): FilterSpec | undefined {
  const [dimension, operator, ...rest] = text.split(":");
  if (dimension === undefined || dimension === "" || (operator !== "in" && operator !== "not")) return undefined;
  const list = rest.join(":");
  try {
    const values = list === "" ? [] : list.split(",").map((value) => (value === NO_VALUE ? "" : decodeURIComponent(value)));
    return { dimension, except: operator === "not", values };
  } catch {
    return undefined;
  }
}

function formatFilter({ dimension, except, values }: FilterSpec): string {
  const list = values.map((value) => (value === "" ? NO_VALUE : encodeURIComponent(value).replaceAll("~", "%7E")));
  return `${dimension}:${except ? "not" : "in"}:${list.join(",")}`;
}

export function decodeExplore(params: URLSearchParams): ExploreState {
  const measure = params.get("measure") ?? "";
  const fn = params.get("fn");
  return {
    stream: params.get("stream") ?? "",
    measure,
    fn: measure === "" ? "count" : isFunction(fn) ? fn : "mean",
    groupBy: (params.get("by") ?? "").split(",").filter((name) => name !== ""),
    filters: params.getAll("where").flatMap((text) => parseFilter(text) ?? []),
  };
}

export function encodeExplore(state: ExploreState): URLSearchParams {
  const params = new URLSearchParams();
  params.set("stream", state.stream);
  if (state.measure !== "") params.set("measure", state.measure);
  if (state.measure !== "" && state.fn !== "mean") params.set("fn", state.fn);
  if (state.groupBy.length > 0) params.set("by", state.groupBy.join(","));
  for (const filter of state.filters) params.append("where", formatFilter(filter));
  return params;
}

/** Writes a state into an address that may hold other parameters (range, step, panel), which stay. */
export function withExplore(current: URLSearchParams, state: ExploreState): URLSearchParams {
  const params = new URLSearchParams(current);
  for (const name of ["stream", "measure", "fn", "by", "where"]) params.delete(name);
  for (const [name, value] of encodeExplore(state)) params.append(name, value);
  return params;
}
