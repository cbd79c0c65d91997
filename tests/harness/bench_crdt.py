"""tools/bench crdt: every engine does the same cases, in turn, each in a process of its own."""
import argparse
import os
import pathlib
import sys

from harness import bench, crdt_engines, measure
from harness.crdt_engines import B4_CASES, TRACE_CASES, say
from harness.suite import ROOT

NEEDS_UPDATES = {"b4_apply_one_by_one", "b4_apply_batches_of_100", "b4_merge_16000", "b4_merge"}
LONG_CASES = ("b4_merge", "b4x1", "b4x100")
ALL_CASES = (*B4_CASES, "b4_merge", *TRACE_CASES, "crdtbench", "large_load", "b4x1", "b4x100")
METRICS = {  # case: (metric, unit)
    "b4_apply_one_by_one": ("b4_updates_per_second", "updates/s"),
    "b4_apply_batches_of_100": ("b4_batched_updates_per_second", "updates/s"),
    "b4_local_replay": ("b4_local_replay_ms", "ms"),
    "b4_load": ("b4_load_ms", "ms"),
    "b4_encode": ("b4_encode_ms", "ms"),
    "b4_merge_16000": ("b4_merge_ms", "ms"),
    "b4_merge": ("b4_merge_ms", "ms"),
    "trace_load_encode": ("trace_merge_ms", "ms"),
}
# Where loro orders concurrent insertions in its own way, or may.
LOROS_OWN_ORDER = {"B2.1", "B2.2", "B2.3", "B2.4", "B3.4", "B3.5"}
TIMED = ("best of all rounds; in each, engines in turn, a process each that repeats for 0.5 s and three times "
         "(over 3 s: once)")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tools/bench crdt",
        description="libs/crdt beside yrs, yjs and loro. tests/load/crdt/README.md says what each case times.")
    parser.add_argument("--trace", type=pathlib.Path, help="only load and encode this update, for S1, S3, A1")
    parser.add_argument("--format", choices=("v1", "v2"), help="of --trace; v2 for .yjs, else v1")
    parser.add_argument("--root", default="text", help="the root text of --trace")
    parser.add_argument("--case", action="append", choices=ALL_CASES, metavar="NAME",
                        help=f"only this case, may be repeated: {', '.join(ALL_CASES)}")
    parser.add_argument("--line", help="only this line of the tables, for example B1.4")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", action="store_true",
                        help="also all of B4 merged by yrs (minutes) and 100 times B4 (up to an hour)")
    parser.add_argument("--peers-only", action="store_true", help="without our engine; value and ratio stay null")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.trace and not options.trace.is_file():
        parser.error(f"{options.trace} is no file")
    options.cases = options.case or (TRACE_CASES if options.trace else
                                     [case for case in ALL_CASES if options.long or not case.startswith("b4x")])
    options.data = pathlib.Path(os.environ.get("RIVERMEET_SHARED_DATA", ROOT / "../shared/data")).resolve()
    return options


def needs_data(options, case):
    return case.startswith(("b4", "large")) or (case in TRACE_CASES and not options.trace)


def runs_of(options, case, updates):
    """The runs of a case, (label, arguments) each: one a trace, else one."""
    if case in TRACE_CASES:
        if options.trace:
            form = options.format or ("v2" if options.trace.suffix == ".yjs" else "v1")
            return [(options.trace.name, {"trace": options.trace, "format": form, "root": options.root})]
        return [(name, {"trace": options.data / f"yjs/{name}.yjs", "format": "v2"}) for name in ("S1", "S3", "A1")]
    if case == "crdtbench":
        return [("N = 6000", {"seconds": 0.2, **({"line": options.line} if options.line else {})})]
    arguments = {"data": options.data}
    return [("B4", {**arguments, "updates": updates} if case in NEEDS_UPDATES else arguments)]


def takes_part(options, engine, case):
    """Whether an engine does a case in this run: merging is quadratic in yrs, so all of B4 only with --long."""
    return engine.can(case) and (options.long or engine.name == "ours" or case not in LONG_CASES)


def rounds_of(options, case):
    return 1 if case == "large_load" or (options.long and case in LONG_CASES) else options.rounds


def keep_best(best, line):
    """Folds a round's line into the best so far: each time and size by itself, the rest must be the same."""
    for name, value in line.items():
        if name.endswith(("ms", "_bytes")) and best.get(name) is not None and value is not None:
            best[name] = min(best[name], value)
        else:
            best.setdefault(name, value)
    if (best["check"], best.get("state_vector")) != (line["check"], line.get("state_vector")):
        sys.exit(f"bench crdt: {line['engine']} gave two results for {line['case']}")


def measure_case(options, engines, case, arguments):
    """{line or None: {engine: its best}} over all rounds."""
    results = {}
    for _ in range(rounds_of(options, case)):
        for engine in engines:
            if takes_part(options, engine, case):
                for line in engine.run(case, arguments):
                    keep_best(results.setdefault(line.get("line"), {}).setdefault(engine.name, {}), line)
    return results


def disagreement(line, seen):
    """What differs between the engines' results, or None. loro has no yjs state vector."""
    checks = {name: (found["check"], found.get("state_vector")) for name, found in seen.items() if name != "loro"}
    if len(set(checks.values())) > 1:
        return f"{line or ''} {checks}"
    if "loro" in seen and checks and line not in LOROS_OWN_ORDER:
        check = next(iter(checks.values()))[0]
        if seen["loro"]["check"] != check:
            return f"{line or ''} loro {seen['loro']['check']}, the others {check}"
    return None


class Report:
    """Prints a metric beside each peer that was measured and remembers whether all agreed."""

    def __init__(self, options):
        self.options, self.machine, self.failed = options, measure.machine(), False

    def check(self, case, line, seen):
        found = disagreement(line, seen)
        if found:
            self.failed = True
            say(f"{case}: the engines disagree: {found}")
        return found is None

    def emit(self, case, metric, unit, values, conditions):
        """`values` is {engine: value or None}: one line a peer, one without a peer when ours ran alone."""
        own = values.get("ours")
        peers = {name: value for name, value in values.items() if name != "ours" and value is not None}
        for peer, value in (peers or {None: None}).items():
            ratio = round(own / value, 3) if own is not None and value else None
            common = {"machine": self.machine, "load": round(os.getloadavg()[0], 1), "case": case,
                      "rounds": rounds_of(self.options, case)}
            bench.emit("crdt", metric, own, unit, {**common, **conditions, "peer_value": value}, peer, ratio)


def pick(seen, name, digits=3):
    return {engine: None if found.get(name) is None else round(found[name], digits) for engine, found in seen.items()}


def report_case(report, case, label, seen):
    metric, unit = METRICS[case]
    conditions = {"trace": label, "timed": TIMED, "agree": report.check(case, None, seen),
                  "without_readout_ms": pick(seen, "core_ms"), "bytes": next(iter(seen.values())).get("bytes")}
    if case in ("b4_merge", "b4_merge_16000"):
        conditions["updates"] = next(iter(seen.values()))["items"]
        conditions["quadratic"] = "yrs and yjs: 16,000 updates; all only by yrs with --long (209 s seen)"
    if case == "trace_load_encode":
        conditions |= {"load_ms": pick(seen, "load_ms"), "encode_ms": pick(seen, "encode_ms")}
    values = pick(seen, "ms")
    if unit == "updates/s":
        values = {name: round(1000 * found["items"] / found["ms"]) for name, found in seen.items()}
    report.emit(case, metric, unit, values, conditions)


def report_memory(report, label, seen):
    agree = report.check("trace_memory", None, seen)
    for kind in ("live", "peak", "rss_growth"):
        values = {name: None if found.get(f"{kind}_bytes") is None else round(found[f"{kind}_bytes"] / 1e6, 3)
                  for name, found in seen.items()}
        report.emit("trace_memory", "trace_memory_mb", "MB", values, {
            "trace": label, "kind": kind, "agree": agree, "process": "fresh, the update read before",
            "rss_peak_growth_mb": {name: found["rss_peak_growth_bytes"] / 1e6 for name, found in seen.items()}})


def print_table(results):
    """The tables as a person reads them, on stderr."""
    engines = list(dict.fromkeys(name for seen in results.values() for name in seen))
    fields = {"ms": "task ms", "encode_ms": "encode ms", "parse_ms": "parse ms", "document_bytes": "bytes"}
    columns = [(name, field) for field in fields for name in engines]
    print(f"{'':6}" + "".join(f"{f'{name} {fields[field]}':>15}" for name, field in columns), file=sys.stderr)
    for line, seen in results.items():
        cells = (seen.get(name, {}).get(field, "") for name, field in columns)
        print(f"{line:6}" + "".join(f"{cell:>15}" for cell in cells), file=sys.stderr)


def report_tables(report, results):
    for line, seen in results.items():
        agree = report.check("crdtbench", line, seen)
        for part, name in (("task", "ms"), ("encode", "encode_ms"), ("parse", "parse_ms")):
            conditions = {"line": line, "part": part, "N": 6000, "timed": TIMED.replace("0.5", "0.2"), "agree": agree,
                          "document_bytes": pick(seen, "document_bytes"), "update_bytes": pick(seen, "update_bytes")}
            if part == "task":
                conditions["without_readout_ms"] = pick(seen, "core_ms", 4)
            report.emit("crdtbench", "crdtbench_ms", "ms", pick(seen, name, 4), conditions)
    print_table(results)


def report_repeated(report, case, seen, once):
    """100 times B4 beside one, by the same procedure."""
    agree = report.check(case, None, seen)
    for part in ("replay_ms", "apply_ms", "encode_ms", "load_ms"):
        times = {name: round(found[part] / once[name][part], 1) for name, found in seen.items() if name in once}
        report.emit(case, f"{case}_{part}", "ms", pick(seen, part), {
            "trace": case, "agree": agree, "edits": next(iter(seen.values()))["items"],
            **({"times_one_b4": times} if case == "b4x100" else {})})


def report_large(report, seen):
    """Memory of a file of 200 MB, without its bytes, its text and what is made of it; and the longest step of loading."""
    found = seen["ours"]
    conditions = {"trace": "copies of S1, S3 and A1",
                  **{name: found[name] for name in ("bytes", "structs", "text_bytes")}}
    for part in ("load", "steps", "encode", "diff", "update_diff"):
        per_struct = round((found[f"{part}_peak_bytes"] - found["text_bytes"]) / found["structs"], 1)
        report.emit("large_load", "large_peak_bytes_per_struct", "bytes", {"ours": per_struct},
                    {**conditions, "part": part, "peak_bytes": found[f"{part}_peak_bytes"]})
    report.emit("large_load", "large_longest_step_ms", "ms", {"ours": round(found["longest_step_cpu_ms"], 2)},
                {**conditions, "clock": "CPU time of the thread", "steps": found["steps"],
                 "all_steps_ms": round(found["steps_cpu_ms"]), "at_once_ms": round(found["load_cpu_ms"])})


def choose_engines(options):
    engines = [] if options.peers_only else [crdt_engines.ours()]
    if None in engines:
        return None
    return [*engines, *filter(None, [crdt_engines.yrs()]), *crdt_engines.javascript()]


def run():
    options = parse_arguments()
    if any(needs_data(options, case) for case in options.cases) and not (options.data / "yjs").is_dir():
        say(f"{options.data}/yjs is absent: nothing measured; tests/load/crdt/README.md says how to get it")
        return 0
    engines = choose_engines(options)
    if not engines:
        return 2
    updates = crdt_engines.updates_file(engines, options.data) if NEEDS_UPDATES & set(options.cases) else None
    report, once = Report(options), {}
    for case in options.cases:
        if case in NEEDS_UPDATES and not updates:
            continue
        for label, arguments in runs_of(options, case, updates):
            say(f"{case} {label}")
            results = measure_case(options, engines, case, arguments)
            if case == "crdtbench":
                report_tables(report, results)
            elif not results:
                say(f"{case}: no engine here does it{'' if options.long else ' without --long'}")
            elif case == "trace_memory":
                report_memory(report, label, results[None])
            elif case == "large_load":
                report_large(report, results[None])
            elif case.startswith("b4x"):
                once = results[None] if case == "b4x1" else once
                report_repeated(report, case, results[None], once)
            else:
                report_case(report, case, label, results[None])
    return 1 if report.failed else 0
