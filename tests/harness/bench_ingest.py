"""The ingest benchmarks: sums are read back and compared."""
import time

from harness import bench, measure


def run(mode, connections, in_flight):
    parser = bench.parser(__doc__)
    parser.add_argument("--connections", type=int, default=connections)
    parser.add_argument("--in-flight", type=int, default=in_flight)
    options = parser.parse_args()
    with bench.fresh_suite(options) as suite:
        bench.declare(suite)
        before = measure.cpu_by_name(suite.named_pids())
        begin = time.time()
        sent = bench.run_load(suite, mode, options, "--connections", options.connections,
                              "--in-flight", options.in_flight)
        # The rate counts events whose fold is done: what the fold lags behind at the end counts in the time.
        lag = bench.drain(suite)
        cpu = {name: round(seconds - before.get(name, 0), 1)
               for name, seconds in measure.cpu_by_name(suite.named_pids()).items()}
        cpu["rivermeet_load"] = sent["cpu_seconds"]
        bench.check_sums(suite, sent, begin)
        conditions = bench.conditions(
            suite, options, batch_events=8192, distinct_batches=1024, connections=options.connections,
            in_flight=options.in_flight, drain_seconds=round(lag, 3), events_sent=sent["events"],
            sums="equal to what was sent", cpu_seconds=cpu)
        name = f"ingest-{'row' if mode == 'rows' else mode}"
        seconds = sent["measured_seconds"] + (lag if lag > 1 else 0)
        bench.emit(name, "events_per_second", round(sent["measured_events"] / seconds), "events/s", conditions)
        bench.emit(name, "ack_p50_ms", sent["ack_p50_ms"], "ms", conditions)
        bench.emit(name, "ack_p99_ms", sent["ack_p99_ms"], "ms", conditions)
