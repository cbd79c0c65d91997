"""What a client knows, and the check of it against the public API: nothing acknowledged is missing (I1), nothing is
counted twice (I2), everything that was refused is accounted for (I10).

A `History` is told what was sent and what was answered, and nothing else. `check` reads the ledger and the sums of the
stream as any client would."""
import collections
import json
import time

from harness.suite import HttpError

MEASURES = ("n", "value")  # of every event here: 1, so that sums count, and a number of its own
FIELDS = [{"name": "host", "type": "FIELD_TYPE_DIMENSION"},
          {"name": "n", "type": "FIELD_TYPE_INT64"}, {"name": "value", "type": "FIELD_TYPE_INT64"}]


def event(host, value, at=None):
    """An event at `at`, seconds since the epoch."""
    return {"time": int((time.time() if at is None else at) * 1e6), "host": host, "n": 1, "value": value}


def ndjson(events):
    return "".join(json.dumps(one) + "\n" for one in events).encode()


class History:
    """One stream as its client knows it. Not thread-safe."""

    def __init__(self, suite, stream, declare=True, **declaration):
        self.suite, self.stream = suite, stream
        self.acked = collections.defaultdict(lambda: [0, 0])  # by host: events, sum of `value`
        self.refused = 0    # events that a receipt named
        self.repeats = collections.Counter()  # events by what the ledger has to call them
        self.begin = time.time()
        if declare:
            suite.api("PUT", f"/v1/streams/{stream}", {"fields": FIELDS, **declaration})
            self.producer = int(suite.api("POST", "/rivermeet.ingest.v1.IngestService/OpenProducer", {})["producerId"])
        self.sequence = 0

    def post(self, body, sequence=None, content_type="application/x-ndjson", **options):
        """One request under `sequence`; returns (status, headers, decoded answer)."""
        path = f"/v1/streams/{self.stream}/events"
        if sequence:
            path += f"?producer_id={self.producer}&sequence={sequence}"
        status, headers, answer = self.suite.request("POST", path, body, content_type=content_type, **options)
        return status, headers, json.loads(answer) if answer else {}

    def told(self, events, receipt):
        """A receipt came: which of `events` were taken follows from the errors it names."""
        wrong = {int(error.get("index", 0)) for error in receipt.get("errors", [])}
        assert len(wrong) == int(receipt.get("rejected", 0)), f"each rejected event is named: {receipt}"
        taken = [one for index, one in enumerate(events) if index not in wrong]
        assert len(taken) == int(receipt.get("accepted", 0)), f"{len(events)} sent: {receipt}"
        self.refused += len(wrong)
        for one in taken:
            entry = self.acked[one["host"]]
            entry[0] += 1
            entry[1] += one["value"]

    def send(self, events, number=True, timeout=30):
        """Sends until a receipt comes, under the same number, as our clients do."""
        if number:
            self.sequence += 1
        deadline = time.monotonic() + timeout
        while True:
            try:
                status, _, answer = self.post(ndjson(events), self.sequence if number else None, timeout=10)
            except OSError:
                status, answer = 503, {}
            if status == 200:
                self.told(events, answer["receipt"])
                return answer["receipt"]
            if status not in (429, 503, 504) or time.monotonic() > deadline:
                raise HttpError(status, json.dumps(answer).encode())
            time.sleep(0.05)

    def repeat(self, events, sequence, kind="deduplicated"):
        """Sends a request again that was acknowledged: the ledger has to call its events `kind`."""
        status, _, answer = self.post(ndjson(events), sequence)
        assert status == 200, answer
        self.repeats[kind] += len(events)

    def not_folded(self, events, kind):
        """Of the acknowledged `events` the ledger has to say that they were taken and not counted, and why."""
        self.repeats[kind] += len(events)
        for one in events:
            entry = self.acked[one["host"]]
            entry[0] -= 1
            entry[1] -= one["value"]

    @property
    def events(self):
        return sum(count for count, _ in self.acked.values())

    def ledger(self, timeout=30):
        """The ledger once all is folded."""
        deadline = time.monotonic() + timeout
        while True:
            total, balanced = self.suite.ledger(self.stream)
            if total.get("notYetFolded", 0) == 0 or time.monotonic() > deadline:
                return total, balanced
            time.sleep(0.02)

    def sums(self, since=None):
        """By host: events and sum of `value`, as a query gives them."""
        stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
        since = (self.begin - 3600 if since is None else since) // 60 * 60
        aggregates = [{"function": "AGGREGATE_FUNCTION_COUNT", "name": "events"}]
        aggregates += [{"function": "AGGREGATE_FUNCTION_SUM", "measure": name, "name": name} for name in MEASURES]
        answer = self.suite.api("POST", "/v1/query", {"query": {
            "stream": self.stream, "start": stamp(since), "end": stamp(time.time() // 60 * 60 + 600),
            "step": "60s", "groupBy": ["host"], "aggregates": aggregates}})
        columns = {column["name"]: column for column in answer["frame"].get("columns", [])}
        found = collections.defaultdict(lambda: [0, 0])
        if not columns:
            return found
        host = columns["host"]
        count, ones, values = (columns[name].get("int64Values") or columns[name].get("float64Values", [])
                               for name in ("events", *MEASURES))
        for row, index in enumerate(host.get("index", [])):
            assert int(count[row]) == int(ones[row]), f"row {row}: {count[row]} events, sum of ones {ones[row]}"
            entry = found[host["dictionary"][int(index) - 1] if index else ""]
            entry[0] += int(count[row])
            entry[1] += int(values[row])
        return found

    def check(self, since=None):
        """Fails when an invariant is broken; returns the ledger."""
        total, balanced = self.ledger()
        found = self.sums(since)
        wanted = {host: tuple(entry) for host, entry in self.acked.items() if entry[0]}
        got = {host: tuple(entry) for host, entry in found.items()}
        assert got == wanted, f"{self.stream}: acknowledged {wanted}, read back {got}, ledger {total}"
        assert balanced, f"{self.stream}: the ledger does not balance: {total}"
        want = {"folded": self.events, "rejected": self.refused, **self.repeats}
        for name, value in want.items():
            assert total.get(name, 0) == value, f"{self.stream}: {name} is {total.get(name, 0)}, not {value}: {total}"
        assert total["received"] == self.events + self.refused + sum(self.repeats.values()), f"{self.stream}: {total}"
        return total
