import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { TimeRange } from "../app/time-range.js";
import { AggregateFunction, FilterOperator, TimeSeriesQuerySchema, type TimeSeriesQuery } from "../gen/rivermeet/query/v1/query_pb.js";

export const FUNCTIONS = ["count", "sum", "min", "max", "mean", "rate", "first", "last"] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

const BY_NAME: Readonly<Record<FunctionName, AggregateFunction>> = {
  count: AggregateFunction.COUNT,
  sum: AggregateFunction.SUM,
  min: AggregateFunction.MIN,
  max: AggregateFunction.MAX,
  mean: AggregateFunction.MEAN,
  rate: AggregateFunction.RATE,
  first: AggregateFunction.FIRST,
  last: AggregateFunction.LAST,
};

export interface FilterSpec {
  readonly dimension: string;
  readonly except: boolean;
  readonly values: readonly string[];
}

/** A time-series query in the page's words. */
export interface QuerySpec {
  readonly stream: string;
  /** An empty measure counts events. */
  readonly aggregates: readonly { readonly measure: string; readonly fn: FunctionName }[];
  readonly groupBy?: readonly string[];
  readonly filters?: readonly FilterSpec[];
  readonly range: TimeRange;
  readonly stepSeconds: number;
  readonly groupLimit?: number;
}

export function queryOf(spec: QuerySpec): TimeSeriesQuery {
  const { range } = spec;
  return create(TimeSeriesQuerySchema, {
    stream: spec.stream,
    ...(range.kind === "last"
      ? { last: durationFromMs(range.seconds * 1_000) }
      : { start: timestampFromMs(range.fromMs), end: timestampFromMs(range.toMs) }),
    step: durationFromMs(spec.stepSeconds * 1_000),
    aggregates: spec.aggregates.map(({ measure, fn }) => ({ measure, function: BY_NAME[fn] })),
    groupBy: [...(spec.groupBy ?? [])],
    filters: (spec.filters ?? []).map((filter) => ({
      dimension: filter.dimension,
      operator: filter.except ? FilterOperator.NOT_IN : FilterOperator.IN,
      values: [...filter.values],
    })),
    groupLimit: spec.groupLimit ?? 0,
  });
}

/** Whether a function starts each window at nothing, so that an unfinished window reads too low. */
export function growsWithinWindow(fn: FunctionName): boolean {
  return fn === "count" || fn === "sum" || fn === "rate";
}

/** The query as one reads it aloud. */
export function describeQuery(spec: QuerySpec): string {
  const what = spec.aggregates.map(({ measure, fn }) => `${fn}(${measure})`).join(", ");
  const lines = [`${what}`, `from ${spec.stream}`];
  for (const { dimension, except, values } of spec.filters ?? []) {
    const shown = values.map((value) => (value === "" ? "none" : JSON.stringify(value))).join(", ");
    lines.push(`where ${dimension} ${except ? "not in" : "in"} (${shown})`);
  }
  if ((spec.groupBy ?? []).length > 0) lines.push(`group by ${(spec.groupBy ?? []).join(", ")}`);
  lines.push(`every ${spec.stepSeconds} s`);
  lines.push(
    spec.range.kind === "last"
      ? `over the last ${spec.range.seconds} s`
      : `from ${new Date(spec.range.fromMs).toISOString()} to ${new Date(spec.range.toMs).toISOString()}`,
  );
  return lines.join("\n");
}
