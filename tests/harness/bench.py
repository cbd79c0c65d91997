"""What the benchmarks share: a fresh suite on a real disk, the load in a process of its own, one JSON object a line."""
import argparse
import contextlib
import json
import pathlib
import resource
import shutil
import subprocess
import sys
import time

from harness import browser, measure
from harness.suite import ROOT, ClusterSuite, Suite

LOAD = ROOT / "build/release/tests/load/rivermeet_load"
STREAM = "bench.load"
FIELDS = [{"name": name, "type": "FIELD_TYPE_DIMENSION"} for name in ("host", "region", "service")] + [
    {"name": "cpu_percent", "type": "FIELD_TYPE_FLOAT64", "unit": "percent"},
    {"name": "requests", "type": "FIELD_TYPE_INT64", "kind": "MEASURE_KIND_COUNTER"}]


def parser(description, seconds=30, rate=0):
    """The options that every benchmark takes."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--kafka", action="store_true", help="the cluster form with a real broker")
    made.add_argument("--seconds", type=float, default=seconds)
    made.add_argument("--warm-up", type=float, default=5)
    made.add_argument("--rate", type=float, default=rate, help="events a second; 0: as fast as it goes")
    made.add_argument("--keep", action="store_true", help="keep the data folder")
    return made


@contextlib.contextmanager
def fresh_suite(options, arguments=()):
    """A suite on an empty folder of the build folder's disk."""
    data = ROOT / "build/bench-data"
    shutil.rmtree(data, ignore_errors=True)
    suite = (ClusterSuite if options.kafka else Suite)(data, arguments)
    suite.start()
    try:
        yield suite
    finally:
        suite.stop()
        if not options.keep:
            shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def live_page(suite):
    """Chromium with the page "This machine" open, signed in and live; yields what it is, for the conditions.

    Its processes are children of this one, not of the suite. Ends the benchmark when the page was not live all the time.
    """
    holder = subprocess.Popen(["node", browser.script("hold.mjs"), "--one-time"],
                              env=browser.sign_in_environment(suite), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        opened = holder.stdout.readline()
        if not opened:
            sys.exit("the page did not open")
        yield json.loads(opened)
        seen, _ = holder.communicate(b"close\n", timeout=30)
        if holder.returncode != 0:
            sys.exit(f"the page was not live all the time: {seen.decode().strip()}")
        print(f"the page saw {seen.decode().strip()}", file=sys.stderr)
    finally:
        if holder.poll() is None:
            holder.terminate()
            holder.wait(timeout=30)


def declare(suite):
    suite.api("PUT", f"/v1/streams/{STREAM}", {"fields": FIELDS, "partitions": 2})


def run_load(suite, mode, options, *arguments):
    """Runs the load to its end; returns what it printed, with its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    load = subprocess.run(
        [str(LOAD), mode, "--grpc", suite.state["grpc"], "--gateway", suite.address, "--key-file", suite.key_file,
         "--stream", STREAM, "--seconds", str(options.seconds), "--warm-up", str(options.warm_up),
         "--rate", str(options.rate), *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**json.loads(load.stdout), "cpu_seconds": round(used, 1)}


def drain(suite):
    """Waits until everything is folded; returns the seconds that took."""
    begin = time.monotonic()
    while suite.ledger(STREAM)[0].get("notYetFolded", 0) > 0:
        time.sleep(0.01)
    return time.monotonic() - begin


def check_sums(suite, sent, begin):
    """Ends the benchmark unless what is read back equals what was sent."""
    ledger, balanced = suite.ledger(STREAM)
    sums = suite.sums(STREAM, ["cpu_percent", "requests"], int(begin) - 60, int(time.time()) + 60)
    wanted = (sent["events"], sent["percent_hundredths"], sent["counter"])
    got = (round(sums["events"]), round(sums["cpu_percent"] * 100), round(sums["requests"]))
    if wanted != got or not balanced or ledger.get("folded") != sent["events"]:
        sys.exit(f"sent (events, hundredths, counter) {wanted}, read back {got}; ledger {ledger}, balanced {balanced}")


def disk_of(path):
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    best = max((m for m in mounts if str(path).startswith(m[1])), key=lambda m: len(m[1]))
    return f"{best[0]} {best[2]}"


def log_conditions(suite, metrics):
    """Which log it was and how well it compressed."""
    appended = measure.metric(metrics, "rivermeet_log_payload_bytes_total")
    median_ms = (measure.histogram_quantile(metrics, "rivermeet_log_sync_seconds", 0.5) or 0) * 1000
    if isinstance(suite, ClusterSuite):
        stored = sum(f.stat().st_size for f in suite.data.glob("kafka/data/rivermeet-events-*/*.log"))
        return {"log": f"Kafka {suite.cluster.kafka_version()}, acks=all, idempotent, broker on the same cores, "
                       "without its second compiler",
                "compression_ratio": round(appended / stored, 2) if stored else None, "median_produce_ms": median_ms}
    stored = measure.metric(metrics, "rivermeet_log_written_bytes_total")
    return {"log": "built-in, fdatasync", "compression_ratio": round(appended / stored, 2) if stored else None,
            "median_fdatasync_ms": median_ms}


def conditions(suite, options, **more):
    """What every figure is quoted with."""
    return {"machine": measure.machine(), "disk": disk_of(suite.data), **log_conditions(suite, suite.metrics()),
            "partitions": 2, "series": 10000, "seconds": options.seconds, "rate_limit": options.rate, **more}


def emit(bench, metric, value, unit, conditions, peer=None, ratio=None):
    print(json.dumps({"bench": bench, "metric": metric, "value": value, "unit": unit, "peer": peer, "ratio": ratio,
                      "conditions": conditions}), flush=True)
