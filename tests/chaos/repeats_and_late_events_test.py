"""Repeats and late events: what comes twice, a thousand times, after a restart, out of order, late, or with gaps."""
import concurrent.futures
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from history import History, event, ndjson  # noqa: E402
from suite_case import SuiteCase  # noqa: E402


class RepeatsAndLateEvents(SuiteCase):
    # Snapshots every second, so that a restart finds the table of producers in one.
    settings = {"aggregation.snapshot_interval": "1s"}

    def batches(self, history, count, size=3):
        """Sends `count` numbered batches over several hosts; returns them by sequence."""
        sent = {}
        for _ in range(count):
            events = [event(f"h{random.randrange(5)}", random.randrange(1000)) for _ in range(size)]
            history.send(events)
            sent[history.sequence] = events
        return sent

    def test_repeats_are_told_and_counted_once_also_after_kill_9(self):
        history = History(self.suite, "repeats", partitions=2)
        sent = self.batches(history, 20)
        for sequence, events in sent.items():
            history.repeat(events, sequence)
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: history.post(ndjson(sent[7]), 7)[0], range(1000)))
        self.assertEqual(set(answers), {200})
        history.repeats["deduplicated"] += 1000 * len(sent[7])
        history.check()
        time.sleep(1.2)  # past a snapshot
        self.suite.kill()
        self.suite.start()
        history.check()
        for sequence, events in sent.items():
            history.repeat(events, sequence)
        history.check()

    def test_a_repeat_older_than_what_is_remembered_is_stale_and_not_counted(self):
        history = History(self.suite, "stale", partitions=1)
        sent = self.batches(history, 3)
        history.sequence = 5000
        self.batches(history, 1)
        for sequence, events in sent.items():
            history.repeat(events, sequence, kind="stale")
        # A first send of an old number can't be told from a repeat: it is counted as stale, never as a result.
        history.repeat([event("h0", 1)], 10, kind="stale")
        history.check()

    def test_any_order_and_gaps_within_what_is_remembered_give_the_same(self):
        history = History(self.suite, "reordered", partitions=2)
        numbers = random.sample(range(1, 1000), 60)
        for number in numbers:
            history.sequence = number - 1
            self.batches(history, 1)
        history.check()

    def test_events_behind_watermark_and_lateness_are_counted_as_too_late(self):
        history = History(self.suite, "late", partitions=1, allowedLateness="10s")
        now = time.time()
        history.send([event("h0", 1, now)])
        history.ledger()
        late = [event("h0", 7, now - 300), event("h1", 8, now - 86400 * 3)]
        # One request with both: only those that are too late are left out.
        receipt = history.send([event("h0", 2, now - 5), *late])
        self.assertEqual(int(receipt["accepted"]), 3)
        history.not_folded(late, "tooLate")
        history.check(since=now - 86400 * 4)

    def test_a_leap_into_the_future_makes_nothing_else_late(self):
        history = History(self.suite, "leaps", partitions=1, allowedLateness="1s")
        history.send([event("ahead", 1, time.time() + 240)])
        history.ledger()
        for _ in range(3):
            history.send([event("h0", 5)])
        history.check()

    def test_what_is_refused_is_accounted_for_beside_what_is_taken(self):
        history = History(self.suite, "refused", partitions=2)
        for round_number in range(5):
            good = event("h1", round_number)
            events = [good, {**good, "value": "many"}, {**good, "extra": 1}, {**good, "time": 90_000_000_000_000_000}]
            history.send(events)
        total = history.check()
        self.assertEqual((total["rejected"], total["folded"]), (15, 5))


if __name__ == "__main__":
    unittest.main()
