import type { TimeRange } from "../../app/time-range.js";
import type { FilterSpec, FunctionName, QuerySpec } from "../../live/query-spec.js";

/** The stream that `rivermeet agent` sends, once a second. */
export const HOST_STREAM = "host.metrics";

export interface MachineScope {
  /** The chosen host, or undefined for all. */
  readonly host: string | undefined;
  readonly range: TimeRange;
  readonly stepSeconds: number;
}

type Aggregates = QuerySpec["aggregates"];

function scoped(scope: MachineScope, aggregates: Aggregates, extra: Partial<QuerySpec>, filters: readonly FilterSpec[] = []): QuerySpec {
  const host: FilterSpec[] = scope.host === undefined ? [] : [{ dimension: "host", except: false, values: [scope.host] }];
  return {
    stream: HOST_STREAM,
    aggregates,
    range: scope.range,
    stepSeconds: scope.stepSeconds,
    filters: [...host, ...filters],
    ...extra,
  };
}

const has = (dimension: string): FilterSpec => ({ dimension, except: true, values: [""] });
const lacks = (dimension: string): FilterSpec => ({ dimension, except: false, values: [""] });
const each = (fn: FunctionName, ...measures: string[]): Aggregates => measures.map((measure) => ({ measure, fn }));

/** The queries behind the page's panels. */
export const machineSpecs = {
  cpu: (s: MachineScope) => scoped(s, each("mean", "cpu_percent"), {}, [lacks("core")]),
  memory: (s: MachineScope) => scoped(s, each("last", "memory_used_bytes", "memory_total_bytes", "memory_available_bytes"), {}),
  events: (s: MachineScope) => scoped(s, [{ measure: "", fn: "count" }], {}),
  cores: (s: MachineScope) => scoped(s, each("mean", "cpu_percent"), { groupBy: ["core"], groupLimit: 32 }, [has("core")]),
  network: (s: MachineScope) =>
    scoped(s, each("mean", "network_received_bytes_per_second", "network_sent_bytes_per_second"), { groupBy: ["interface"], groupLimit: 4 }, [has("interface")]),
  disk: (s: MachineScope) =>
    scoped(s, each("mean", "disk_read_bytes_per_second", "disk_written_bytes_per_second"), { groupBy: ["device"], groupLimit: 4 }, [has("device")]),
  load: (s: MachineScope) => scoped(s, each("last", "load_1m", "load_5m", "load_15m"), {}),
  pressure: (s: MachineScope) => scoped(s, each("mean", "pressure_cpu_percent", "pressure_memory_percent", "pressure_io_percent"), {}),
  processes: (s: MachineScope) =>
    scoped(
      s,
      each("mean", "process_cpu_percent", "process_memory_bytes"),
      {
        groupBy: ["process"],
        groupLimit: 50,
        range: s.range.kind === "last" ? { kind: "last", seconds: 12 } : { ...s.range, fromMs: Math.max(s.range.fromMs, s.range.toMs - 12_000) },
        stepSeconds: 1,
      },
      [has("process")],
    ),
  filesystems: (s: MachineScope) =>
    scoped(
      s,
      each("last", "filesystem_used_bytes", "filesystem_size_bytes"),
      {
        groupBy: ["device"],
        groupLimit: 20,
        range: s.range.kind === "last" ? { kind: "last", seconds: 60 } : { ...s.range, fromMs: Math.max(s.range.fromMs, s.range.toMs - 60_000) },
        stepSeconds: 10,
      },
      [has("device")],
    ),
} as const;
