"""The one-process form without its private PostgreSQL: standing still, and killed."""
import os
import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from catalog_away import LEASE, CatalogAway  # noqa: E402
from harness.suite import name_of, pids_below  # noqa: E402
from suite_case import SuiteCase, eventually  # noqa: E402


class PrivateCatalogAway(CatalogAway, SuiteCase):
    settings = {"aggregation.lease": f"{LEASE}s", "aggregation.lease_renewal": f"{LEASE / 4}s",
                "aggregation.snapshot_interval": "0.2s"}

    def postgres(self):
        """The pid of the server that the suite started; None while there is none."""
        found = [pid for pid in pids_below(self.suite.process.pid) if name_of(pid) == "postgres"]
        return found[0] if found else None

    def assert_reads(self, stream, events):
        # Nobody else can have its log, so the owner goes on answering.
        self.assertEqual(self.suite.ledger(stream)[0]["folded"], events)

    def test_a_catalog_that_stands_still(self):
        stopped = []

        def stop():
            # The server itself first, so that it starts no others.
            for pid in pids_below(self.postgres()):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)

        def go_on():
            while stopped:
                os.kill(stopped.pop(), signal.SIGCONT)

        self.addCleanup(go_on)
        self.check_catalog_away("still", stop, go_on)

    def test_a_catalog_that_is_killed_again_and_again_is_started_by_the_suite(self):
        load = self.load("chaos.killed", seconds=4)
        self.assertEqual(self.send_one("chaos.known")[0], 200)
        for round_number in range(2):
            killed = self.postgres()
            os.kill(killed, signal.SIGKILL)
            self.assertEqual(self.send_one("chaos.known")[0], 200)
            eventually(lambda: self.postgres() not in (None, killed), "the suite started it again")
            eventually(lambda: self.send_one(f"chaos.made_{round_number}")[0] == 200, "streams are made again")
        self.assertIn("PostgreSQL ended by itself", self.suite.tail(200))
        load.check(load.finish())
        self.assertEqual(self.suite.ledger("chaos.known")[0]["folded"], 3)


if __name__ == "__main__":
    unittest.main()
