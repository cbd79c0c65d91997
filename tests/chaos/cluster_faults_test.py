"""Faults between the processes of the cluster form: an owner that wakes after its lease, processes that stand
still for a second, no broker, no catalog."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import grpc_call, measure  # noqa: E402
from harness.suite import ClusterSuite, HttpError  # noqa: E402
from catalog_away import LEASE, SOON, CatalogAway  # noqa: E402
from suite_case import eventually  # noqa: E402
from wire import grpc  # noqa: E402

# Snapshots one after the other, so that one is under way whenever an owner is stopped.
SETTINGS = {"aggregation.lease": f"{LEASE}s", "aggregation.lease_renewal": f"{LEASE / 4}s",
            "aggregation.snapshot_interval": "0.01s"}
FAILED_PRECONDITION = 9


class ClusterFaults(CatalogAway, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = ClusterSuite(arguments=["--agent", *(f"--set={name}={value}" for name, value in SETTINGS.items())])
        cls.suite.start()
        cls.ids = {}  # of streams, by name

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def gauge(self, port, name):
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        return measure.metric(text, name)

    def readiness(self, name):
        """What a process says of itself: (status of /readyz, whether gRPC's health is SERVING)."""
        port = self.suite.cluster.ports[f"{name} metrics"]
        try:
            status = urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10).status
        except urllib.error.HTTPError as error:
            status = error.code
        return status, self.serving(name)

    def serving(self, name):
        with grpc.insecure_channel(f"127.0.0.1:{self.suite.cluster.ports[name]}") as channel:
            return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10) == b"\x08\x01"

    def sql(self, statement):
        """Asks the catalog; rows of texts."""
        answer = subprocess.run(["psql", self.suite.cluster.connection("test"), "-AtX", "-F", " ", "-c", statement], check=True,
                                stdout=subprocess.PIPE, text=True)
        return [line.split(" ") for line in answer.stdout.splitlines()]

    def start_second_owner(self):
        """Another aggregation process: a name, a port and a folder of its own. A store of files is one process's: the
        objects in it are shared by links to their folders."""
        cluster, folder = self.suite.cluster, self.suite.data / "second"
        (folder / "objects").mkdir(parents=True, exist_ok=True)
        for name in ("snapshots", "segments"):
            (self.suite.data / "objects" / name).mkdir(exist_ok=True)
            if not (folder / "objects" / name).exists():
                (folder / "objects" / name).symlink_to(self.suite.data / "objects" / name)
        ports = [cluster.ports.setdefault(name, self.suite.tool.free_port(cluster.ports.values()))
                 for name in ("second", "second metrics")]
        (folder / "aggregation.ready").unlink(missing_ok=True)
        cluster.run("second", cluster.command("aggregation", **{
            "data": folder, "rpc.listen": f"127.0.0.1:{ports[0]}", "telemetry.listen": f"127.0.0.1:{ports[1]}",
            "aggregation.owner_name": "second", "catalog.connection": cluster.connection("second")}))
        cluster.wait("second", (folder / "aggregation.ready").exists)

    def read_from_first(self, stream):
        """Starts a read at the first owner itself, past query's look-up."""
        if stream not in self.ids:
            self.ids[stream] = int(self.sql(f"SELECT id FROM streams WHERE name = '{stream}'")[0][0])
        request = grpc_call.ledger_request(self.ids[stream], [0, 1])
        return grpc_call.start(self.suite.cluster.ports["aggregation"],
                               "rivermeet.aggregation.v1.AggregationService/ReadLedger", request, self.suite.key)

    def test_an_owner_that_wakes_after_its_lease_is_fenced(self):
        suite, stream = self.suite, "chaos.zombie"
        load = self.load(stream, seconds=LEASE + 6)
        self.assertEqual(self.read_from_first(stream).status(), 0)
        self.start_second_owner()
        self.addCleanup(lambda: suite.kill(["second"]))
        self.stop_first_owner_until_second_has_all(stream)
        load.check(load.finish())
        # And back, by the other's end.
        suite.kill(["second"])
        eventually(lambda: self.folded(stream) > 0, "the first owner has taken over again")
        self.assertTrue(suite.ledger(stream)[1])

    def test_reads_and_live_queries_leave_an_owner_that_stands_still(self):
        """Its connection stays open and its lease ends: what waits for it goes on with the next owner."""
        suite, stream = self.suite, "chaos.standing"
        one = {"time": int(time.time() * 1e6), "host": "a", "n": 1.0}
        suite.send(stream, [one])
        eventually(lambda: self.folded(stream) == 1, "the event is folded")
        frames = suite.subscribe({"stream": stream, "last": "3600s", "step": "3600s",
                                  "aggregates": [{"function": "AGGREGATE_FUNCTION_COUNT"}]})
        self.addCleanup(frames.close)
        self.assertIn(b"snapshot", frames.readline())
        self.start_second_owner()
        self.addCleanup(lambda: suite.kill(["second"]))
        suite.pause("aggregation")
        try:
            self.assertEqual(suite.ledger(stream)[0]["folded"], 1)
            suite.send(stream, [one])
            line = frames.readline()
            while b'"2"' not in line:
                self.assertTrue(line, "the live query ended")
                line = frames.readline()
        finally:
            suite.resume("aggregation")

    def stop_first_owner_until_second_has_all(self, stream):
        """Wakes it then, and reads from it before it can ask the catalog."""
        suite = self.suite
        suite.pause("aggregation")
        stopped = []
        try:
            late = self.read_from_first(stream)
            eventually(lambda: self.gauge(suite.cluster.ports["second metrics"],
                                          "rivermeet_aggregation_owned_partitions") == 2,
                       "the second owner has both partitions")
            owners = self.sql("SELECT partition, epoch FROM leases WHERE log = 'events'")
            before = self.old_snapshots(owners)
            rows = self.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'aggregation'")
            stopped = [int(pid) for (pid,) in rows]
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            suite.resume("aggregation")
            answers = [late.status()] + [self.read_from_first(stream).status() for _ in range(3)]
        finally:
            suite.resume("aggregation")
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        self.assertEqual(set(answers), {FAILED_PRECONDITION})
        eventually(lambda: "lost to another owner" in suite.cluster.tail("aggregation", 200), "it knows that it lost")
        self.assertEqual(self.old_snapshots(owners) - before, set(), "committed with an old epoch")

    def old_snapshots(self, owners):
        """Snapshots with an epoch before the owners' present ones."""
        old = set()
        for partition, epoch in owners:
            rows = self.sql("SELECT partition, epoch, record_offset FROM snapshots WHERE log = 'events' AND "
                            f"partition = {partition} AND epoch < {epoch}")
            old |= set(map(tuple, rows))
        return old

    def test_processes_that_stand_still_for_a_second_lose_and_repeat_nothing(self):
        load = self.load("chaos.still", seconds=6)
        for name in ("ingest", "kafka", "aggregation"):
            self.suite.pause(name)
            try:
                time.sleep(1)
            finally:
                self.suite.resume(name)
            time.sleep(0.5)
        load.check(load.finish())

    def test_without_a_broker_ingest_refuses_at_once_and_keeps_nothing(self):
        suite, stream = self.suite, "chaos.broker"
        suite.send(stream, [{"time": int(time.time() * 1e6), "host": "a", "n": 1.0}])
        load = self.load("chaos.broker_load", seconds=8)
        begin = int(time.time())
        suite.kill(["kafka"])
        # What was under way at that moment is answered as unclear; from then on nothing is taken.
        eventually(lambda: self.send_one(stream)[0] == 503, "ingest answers 503")
        resident = measure.resident_bytes(suite.pid_of("ingest"))
        for _ in range(200):
            status, wait = self.send_one(stream, SOON)
            self.assertEqual(status, 503)
            self.assertGreater(int(wait), 0)
        body = "".join(json.dumps({"time": int(time.time() * 1e6), "host": f"h{i}", "n": 1.0}) + "\n"
                       for i in range(50_000))
        for _ in range(20):
            status, headers, _ = suite.request("POST", f"/v1/streams/{stream}/events", body,
                                               content_type="application/x-ndjson")
            self.assertEqual((status, headers["Retry-After"] is not None), (503, True))
        # Twenty bodies of some 3 MB: had they been kept, it would show.
        grown = measure.resident_bytes(suite.pid_of("ingest")) - resident
        self.assertLess(grown, 48 << 20)
        suite.start()
        eventually(lambda: self.send_one(stream)[0] == 200, "ingest takes events again")
        load.check(load.finish())
        # The first one and the last one: not one of those that were refused.
        eventually(lambda: suite.ledger(stream)[0].get("notYetFolded", 0) == 0, "all is folded")
        total, balanced = suite.ledger(stream)
        self.assertTrue(balanced)
        self.assertLess(total["received"], 200)
        self.assertEqual(total["folded"], total["received"])
        self.check_agent_kept_its_seconds(begin, int(time.time()))

    def test_who_has_no_broker_is_not_ready_until_it_is_back(self):
        needs_it = ("ingest", "aggregation")
        told = lambda: [self.readiness(name) for name in needs_it]
        eventually(lambda: told() == [(200, True)] * 2, "both are ready")
        self.suite.kill(["kafka"])
        eventually(lambda: told() == [(503, False)] * 2, "both say that they are not ready")
        self.assertEqual(self.readiness("query"), (200, True))
        self.suite.start()
        eventually(lambda: told() == [(200, True)] * 2, "both are ready again")

    def test_an_owner_that_waits_for_its_leases_is_not_serving_yet(self):
        suite = self.suite
        suite.kill(["aggregation"])
        psql = subprocess.Popen(["psql", suite.cluster.connection("test"), "-AtXq"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        try:
            psql.stdin.write("BEGIN; LOCK TABLE leases IN SHARE MODE;\n\\echo locked\n")
            psql.stdin.flush()
            self.assertEqual(psql.stdout.readline(), "locked\n")
            suite.cluster.serve("aggregation")
            eventually(lambda: self.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'aggregation' "
                                        "AND wait_event_type = 'Lock'"), "the owner waits for its leases")
            serving = self.serving("aggregation")
        finally:
            psql.communicate("ROLLBACK;\n")
        suite.cluster.wait("aggregation", (suite.data / "aggregation.ready").exists)
        self.assertFalse(serving)
        eventually(lambda: self.readiness("aggregation") == (200, True), "the owner is ready")

    def check_agent_kept_its_seconds(self, begin, end):
        """Each second of the time without a broker has the agent's events, in the end."""
        def missing():
            stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
            answer = self.suite.api("POST", "/v1/query", {"query": {
                "stream": "host.metrics", "start": stamp(begin), "end": stamp(end), "step": "1s",
                "aggregates": [{"function": "AGGREGATE_FUNCTION_COUNT", "name": "events"}]}})
            columns = {column["name"]: column for column in answer["frame"].get("columns", [])}
            counts = columns.get("events", {}).get("int64Values", []) or columns.get("events", {}).get("float64Values", [])
            return end - begin - sum(1 for count in counts if float(count) > 0)
        # A second without a sample of its own next to one with two is the clock's.
        eventually(lambda: missing() <= 1, f"events of the agent in each of {end - begin} seconds: {missing()} missing")

    def test_without_a_catalog_ingest_and_fold_go_on(self):
        self.check_catalog_away("killed", lambda: self.suite.kill(["catalog"]), self.suite.start)

    def assert_reads(self, stream, events):
        # Another may have its partitions by now: refused, or waited for until the time is over, and never a number.
        with self.assertRaises(HttpError) as refused:
            self.suite.api("GET", f"/v1/streams/{stream}/ledger", headers=SOON)
        self.assertIn(refused.exception.status, (503, 504))


if __name__ == "__main__":
    unittest.main()
