"""What holds on both forms while PostgreSQL is away: known streams go on being taken, folded and read; what needs the
catalog is told to come back; and all goes on when it is back."""
import http.client
import json
import os
import time

from harness import measure
from harness.resilient import ResilientLoad
from harness.suite import HttpError
from suite_case import eventually

# Short, for a test of seconds, unless the environment says otherwise. Taken out of it: a suite would read it as a setting.
LEASE = float(os.environ.pop("RIVERMEET_CHAOS_LEASE", "2"))
RATE = 50_000
# Ingest answers within this for what it knows, also when the catalog hangs rather than refuses.
SOON = {"Connect-Timeout-Ms": "4000"}


class CatalogAway:
    """For a TestCase with a running `suite` of either form."""

    def load(self, stream, seconds):
        load = ResilientLoad(self.suite, stream, rate=RATE, seconds=seconds)
        self.addCleanup(load.end)
        eventually(lambda: self.folded(stream) > 0, "the load's first events are folded")
        return load

    def folded(self, stream):
        try:
            return self.suite.ledger(stream)[0].get("folded", 0)
        except (HttpError, OSError, http.client.HTTPException):
            return 0

    def metric(self, name):
        return measure.metric(self.suite.metrics(), name)

    def send_one(self, stream, headers=None):
        """One event over HTTP; (status, Retry-After)."""
        body = json.dumps({"time": int(time.time() * 1e6), "host": "a", "n": 1.0})
        status, headers, _ = self.suite.request("POST", f"/v1/streams/{stream}/events", body, timeout=20, headers=headers)
        return status, headers["Retry-After"]

    def check_catalog_away(self, how, take_away, bring_back):
        stream, known, folded_events = f"chaos.{how}", f"chaos.known_{how}", "rivermeet_aggregation_folded_events_total"
        load = self.load(stream, seconds=LEASE * 2 + 4)
        self.assertEqual(self.send_one(known)[0], 200)
        eventually(lambda: self.folded(known) == 1, "the known stream is read")
        take_away()
        folded = self.metric(folded_events)
        answers = []

        def folds_on():
            answers.append(self.send_one(known, SOON)[0])
            return self.metric(folded_events) > folded + 2 * LEASE * RATE

        eventually(folds_on, "the owner folds on beyond its lease", LEASE * 5 + 20)
        self.assertEqual(set(answers), {200})
        self.assert_reads(known, len(answers) + 1)
        status, wait = self.send_one(f"chaos.not_made_yet_{how}")
        self.assertEqual(status, 503)
        self.assertGreater(int(wait), 0)
        bring_back()
        load.check(load.finish())
        self.assertEqual(self.suite.ledger(known)[0]["folded"], len(answers) + 1)
        snapshots = self.metric("rivermeet_aggregation_snapshots_total")
        self.send_one(known)
        eventually(lambda: self.metric("rivermeet_aggregation_snapshots_total") > snapshots, "snapshots are written again")
        eventually(lambda: self.send_one(f"chaos.not_made_yet_{how}")[0] == 200, "streams are made again")

    def assert_reads(self, stream, events):
        """What of reads holds on this form while the catalog is away; `events` were acknowledged."""
        raise NotImplementedError
