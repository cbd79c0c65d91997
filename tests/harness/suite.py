"""Starts and stops real Rivermeet processes for tests, crash runs and benchmarks. Standard library only."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RIVERMEET_PROGRAM", ROOT / "build/release/services/suite/rivermeet"))


class HttpError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body[:500]!r}")
        self.status, self.body = status, body


class Suite:
    """One suite on a data folder of its own, on free ports. Survives kill(): start() again on the same folder."""

    def __init__(self, data=None, arguments=(), environment=None):
        self.made = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="rivermeet-suite-"))
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.process = None
        self.port = 0
        self.state = {}

    def start(self, timeout=30, environment=None):
        """Starts the suite and waits until it is ready; returns the seconds that took."""
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "suite.json").unlink(missing_ok=True)
        self.log = open(self.data / "suite.log", "ab")
        self.banner = open(self.data / "banner", "wb")
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [str(PROGRAM), "serve", "--data", str(self.data), "--port", str(self.port), "--set", "rpc.listen=127.0.0.1:0",
             *self.arguments],
            stdout=self.banner, stderr=self.log, stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment, **(environment or {})})
        while time.monotonic() - begin < timeout:
            if self.process.poll() is not None:
                raise RuntimeError(f"the suite ended with {self.process.returncode}: {self.tail()}")
            try:
                self.state = json.loads((self.data / "suite.json").read_text())
                return time.monotonic() - begin
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.005)
        raise TimeoutError(f"not ready within {timeout} s: {self.tail()}")

    def tail(self, lines=15):
        """The end of its log."""
        return "\n".join((self.data / "suite.log").read_text(errors="replace").splitlines()[-lines:])

    @property
    def key(self):
        """The API key of this machine."""
        return (self.data / "keys/local.key").read_text().strip()

    @property
    def key_file(self):
        return str(self.data / "keys/local.key")

    @property
    def address(self):
        """host:port of the gateway."""
        return urllib.parse.urlparse(self.state["url"]).netloc

    def request(self, method, path, body=None, key=None, content_type="application/json", headers=None, timeout=30):
        """One HTTP request; returns (status, headers, bytes)."""
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        sent = {"Authorization": f"Bearer {self.key if key is None else key}"} if key != "" else {}
        if body is not None:
            sent["Content-Type"] = content_type
        sent.update(headers or {})
        try:
            try:
                connection.request(method, path, body, sent)
            except BrokenPipeError:
                pass  # refused before all of the body was sent: the answer is there
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def api(self, method, path, body=None, **options):
        """One JSON request; returns the decoded answer or raises HttpError."""
        encoded = None if body is None else json.dumps(body)
        status, _, answer = self.request(method, path, encoded, **options)
        if status // 100 != 2:
            raise HttpError(status, answer)
        return json.loads(answer)

    def send(self, stream, events, **options):
        """Sends events as NDJSON; returns the receipt."""
        body = "".join(json.dumps(event) + "\n" for event in events)
        status, _, answer = self.request("POST", f"/v1/streams/{stream}/events", body,
                                         content_type="application/x-ndjson", **options)
        if status // 100 != 2:
            raise HttpError(status, answer)
        return json.loads(answer)["receipt"]

    def ledger(self, stream):
        """The ledger's total as integers."""
        answer = self.api("GET", f"/v1/streams/{stream}/ledger")
        total = {name: int(value) for name, value in answer.get("total", {}).items()}
        return total, answer.get("balanced", False)

    def sums(self, stream, measures, since, until, step=60):
        """Count of events and sums of measures over [since, until), seconds since the epoch."""
        aggregates = [{"function": "AGGREGATE_FUNCTION_COUNT", "name": "events"}]
        aggregates += [{"function": "AGGREGATE_FUNCTION_SUM", "measure": name, "name": name} for name in measures]
        stamp = lambda t: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
        answer = self.api("POST", "/v1/query", {"query": {
            "stream": stream, "start": stamp(since - since % step), "end": stamp(until - until % step + step),
            "step": f"{step}s", "aggregates": aggregates}})
        totals = {}
        for column in answer["frame"].get("columns", []):
            values = [float(v) for v in column.get("float64Values", [])] or [int(v) for v in column.get("int64Values", [])]
            totals[column["name"]] = sum(values)
        return totals

    def pids(self):
        """The suite's process and all below it, PostgreSQL included."""
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    queue += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
            except FileNotFoundError:
                pass
        return found

    def kill(self):
        """kill -9 of the suite's process."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self, timeout=30):
        """SIGTERM, and the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout)
        for file in (self.log, self.banner):
            file.close()
        return code

    def remove(self):
        """Stops it and deletes its folder when this object made it."""
        try:
            self.stop()
        finally:
            if self.made:
                shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.remove()
