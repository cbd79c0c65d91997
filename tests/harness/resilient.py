"""A load that outlives what it sends to, and the check of what became of it: the checker knows only what the client was
answered and what the public API says."""
import json
import subprocess
import time

from harness.suite import ROOT

LOAD = ROOT / "build/release/tests/load/rivermeet_load"


class ResilientLoad:
    """Columnar batches at a steady rate, sent again under their old numbers until they are answered."""

    def __init__(self, suite, stream, rate=100_000, seconds=3.0, time_factor=1.0, seed=1):
        self.suite, self.stream, self.seconds, self.time_factor = suite, stream, seconds, time_factor
        self.begin = int(time.time())
        self.process = subprocess.Popen(
            [str(LOAD), "resilient", "--grpc", suite.state["grpc"], "--key-file", suite.key_file, "--stream", stream,
             "--rate", str(rate), "--seconds", str(seconds), "--warm-up", "0", "--batch", "1024", "--distinct", "64",
             "--in-flight", "16", "--time-factor", str(time_factor), "--seed", str(seed)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self):
        """Waits for its end; what was acknowledged."""
        output, errors = self.process.communicate(timeout=180)
        if self.process.returncode != 0:
            raise AssertionError(f"the client gave up: {errors}")
        return json.loads(output)

    def end(self):
        """Ends it if it still runs."""
        self.process.kill()
        self.process.wait()

    def check(self, sent):
        """Raises unless all that was acknowledged is read back once, and the ledger balances; returns the ledger."""
        deadline = time.monotonic() + 30
        while True:
            ledger, balanced = self.suite.ledger(self.stream)
            if ledger.get("notYetFolded", 0) == 0 or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        first = self.begin - int(self.seconds * self.time_factor) - 60
        sums = self.suite.sums(self.stream, ["cpu_percent", "requests"], first, int(time.time()) + 60)
        acked = (sent["events"], sent["percent_hundredths"], sent["counter"])
        read = (round(sums.get("events", 0)), round(sums.get("cpu_percent", 0) * 100), round(sums.get("requests", 0)))
        assert acked == read, f"acked (events, hundredths, counter) {acked}, read back {read}, ledger {ledger}"
        assert balanced and ledger["folded"] == sent["events"], f"ledger {ledger}, acked {sent['events']}"
        return ledger
