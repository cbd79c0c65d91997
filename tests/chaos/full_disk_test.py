"""A full disk: the data folder on a tmpfs of a fixed size. What doesn't fit is refused and says why, what was
taken stays and is read, and all goes on as soon as there is room."""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness.suite import PROGRAM, Suite  # noqa: E402
from history import History, event, ndjson  # noqa: E402
from suite_case import eventually  # noqa: E402
from tokens import sql  # noqa: E402

DISK_BYTES = 96 << 20  # of which PostgreSQL takes some 40 MB
LEFT_BYTES = 2 << 20
SETTINGS = {"log.segment_bytes": 1 << 20, "aggregation.snapshot_interval": "0.2s"}
FINDINGS = 6  # docs/cli.md


def unmount(folder):
    eventually(lambda: subprocess.run(["umount", folder], capture_output=True).returncode == 0, f"unmounted {folder}", 20)


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="rivermeet-full-"))
        self.addCleanup(self.data.rmdir)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "rivermeet-test",
                                  str(self.data)], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"a tmpfs of a fixed size can't be mounted here: {mounted.stderr.strip()}")
        self.addCleanup(unmount, str(self.data))
        self.suite = Suite(self.data, arguments=[f"--set={name}={value}" for name, value in SETTINGS.items()])
        self.addCleanup(self.end)
        self.suite.start()

    def end(self):
        try:
            self.suite.stop()
        finally:
            self.suite.kill()

    def fill(self):
        """Leaves a little of the disk, then sends until that is used up; what was refused first."""
        with open(self.data / "filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(self.data).free - LEFT_BYTES)
        return self.send_until_refused()

    def send_until_refused(self):
        for _ in range(5000):
            # Values that no compression makes small.
            events = [event(f"h{n % 10}", random.randrange(1 << 40)) for n in range(500)]
            self.history.sequence += 1
            status, headers, answer = self.history.post(ndjson(events), self.history.sequence)
            if status != 200:
                return events, status, headers, answer
            self.history.told(events, answer["receipt"])
        raise AssertionError("the disk does not get full")

    def assert_refused(self, status, headers, answer):
        self.assertEqual(status, 507, answer)
        self.assertGreater(int(headers["Retry-After"]), 0)
        self.assertEqual(answer["code"], "resource_exhausted")
        self.assertIn("disk is full", answer["detail"])
        self.assertNotIn(str(self.data), str(answer))

    def doctor(self):
        done = subprocess.run([str(PROGRAM), "doctor", "--data", str(self.data)], capture_output=True, text=True)
        return done.returncode, done.stdout

    def test_what_does_not_fit_is_refused_and_nothing_else_is_lost(self):
        self.history = History(self.suite, "full", partitions=1)
        rest, *refusal = self.fill()
        self.assert_refused(*refusal)
        rpc = wire.Rpc(self.suite, wire.access_token(self.suite))
        self.addCleanup(rpc.close)
        # A snapshot that was refused gives back what it had written: there may be room for some more.
        for _ in range(200):
            code, answer = rpc.call(wire.INGEST + "IngestRows", wire.rows_request("full", [wire.row(one) for one in rest]))
            if code != "OK":
                break
            self.history.told(rest, wire.receipt_of(answer))
        self.assertEqual(code, "RESOURCE_EXHAUSTED")
        # Reads go on: all that was acknowledged and nothing of what was refused.
        self.history.check()
        code, said = self.doctor()
        self.assertEqual(code, FINDINGS)
        self.assertRegex(said, r"bad +disk space +the disk is full, events are refused: .*\n +-> free some")

        (self.data / "filler").unlink()
        self.history.sequence -= 1
        self.history.send(rest)
        self.history.check()
        self.assertNotIn("events are refused", self.doctor()[1])
        self.assertEqual(self.suite.stop(), 0)
        self.suite.start()
        self.history.check()

    def test_the_catalog_too_comes_back_by_itself(self):
        self.history = History(self.suite, "full", partitions=1)
        self.fill()
        self.history.check()  # and so query knows the stream
        # PostgreSQL ends when its own log finds no room, and can't recover before there is some.
        with self.assertRaises(subprocess.CalledProcessError):
            sql(self.suite, "SELECT pg_switch_wal(); CREATE TABLE filling AS SELECT 1")
        eventually(lambda: "No space left on device" in self.suite.tail(50), "the suite says what PostgreSQL ended of")
        # What was refused, or more of it: a snapshot that was refused gives back what it had written.
        self.history.sequence -= 1
        rest, *refusal = self.send_until_refused()
        self.assert_refused(*refusal)
        self.history.check()
        # Between two of its tries.
        eventually(lambda: re.search(r"bad +PostgreSQL .*not running.*\n +-> .*postgres\.log says why", self.doctor()[1]),
                   "doctor says that PostgreSQL does not run, and where to look", 20)
        (self.data / "filler").unlink()
        self.history.sequence -= 1
        self.history.send(rest)
        # Needs the catalog: a stream that is not known yet.
        other = History(self.suite, "full.after", declare=False)
        other.send([event("h", 1)], number=False)
        other.check()
        self.history.check()

    def test_a_start_on_a_full_disk_loses_nothing(self):
        self.history = History(self.suite, "full", partitions=1)
        rest, *_ = self.fill()
        self.suite.kill()
        self.suite.start()
        # A start removes what was left unfinished, so there may be a little room again.
        status, headers, answer = self.history.post(ndjson(rest), self.history.sequence)
        if status == 200:
            self.history.told(rest, answer["receipt"])
            rest, status, headers, answer = self.send_until_refused()
        self.assert_refused(status, headers, answer)
        self.history.check()
        (self.data / "filler").unlink()
        self.history.sequence -= 1
        self.history.send(rest)
        self.history.check()


if __name__ == "__main__":
    unittest.main()
