"""Starts and stops real Rivermeet processes, of either form, for tests, crash runs and benchmarks. Standard library
only."""
import http.client
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("RIVERMEET_PROGRAM", ROOT / "build/release/services/suite/rivermeet"))


class HttpError(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body[:500]!r}")
        self.status, self.body = status, body


def name_of(pid):
    """The name of a process's program; empty once it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


def pids_below(root):
    """A process and all below it."""
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                queue += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
        except FileNotFoundError:
            pass
    return found


class RunningForm:
    """What both forms of Rivermeet have in common: a data folder and the public API."""

    def __init__(self, data, arguments, environment):
        self.made = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="rivermeet-suite-"))
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.state = {}

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

    def metrics(self):
        """The metrics of its processes, in Prometheus' text form."""
        return self.request("GET", "/metrics")[2].decode()

    def send(self, stream, events, **options):
        """Sends events as NDJSON; returns the receipt."""
        body = "".join(json.dumps(event) + "\n" for event in events)
        status, _, answer = self.request("POST", f"/v1/streams/{stream}/events", body,
                                         content_type="application/x-ndjson", **options)
        if status // 100 != 2:
            raise HttpError(status, answer)
        return json.loads(answer)["receipt"]

    def subscribe(self, query, key=None, timeout=30):
        """A live query's server-sent events, as a response to read lines from; close() ends it."""
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        connection.request("POST", "/v1/subscribe", json.dumps({"query": query}),
                           {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json",
                            "Accept": "text/event-stream"})
        response = connection.getresponse()
        if response.status != 200:
            raise HttpError(response.status, response.read())
        return response

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


class Suite(RunningForm):
    """All services in one process, on free ports. Survives kill(): start() again on the same folder."""

    form = "built-in log"

    def __init__(self, data=None, arguments=(), environment=None, keep_ports=False):
        super().__init__(data, arguments, environment)
        self.process = None
        self.port = 0
        self.keep_ports = keep_ports  # so that clients find it again after a kill

    def start(self, timeout=30, environment=None):
        """Starts the suite and waits until it is ready; returns the seconds that took."""
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "suite.json").unlink(missing_ok=True)
        self.log = open(self.data / "suite.log", "ab")
        self.banner = open(self.data / "banner", "wb")
        begin = time.monotonic()
        grpc = self.state["grpc"] if self.keep_ports and self.state else "127.0.0.1:0"
        self.process = subprocess.Popen(
            [str(PROGRAM), "serve", "--data", str(self.data), "--port", str(self.port), "--set", f"rpc.listen={grpc}",
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

    def named_pids(self):
        """Its process and all below it, PostgreSQL included: {pid: name}."""
        return {pid: name_of(pid) for pid in pids_below(self.process.pid)}

    def pids(self):
        return list(self.named_pids())

    @property
    def gateway_pid(self):
        return self.process.pid

    def wait_for_death(self, timeout):
        """Whether the process ended by itself within the time."""
        try:
            self.process.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

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


def load_cluster_tool():
    """tools/cluster as a module: the tests run the cluster form through what tools/up runs."""
    loader = importlib.machinery.SourceFileLoader("rivermeet_cluster", str(ROOT / "tools/cluster"))
    tool = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(tool)
    sys.dont_write_bytecode = bytecode
    return tool


class ClusterSuite(RunningForm):
    """The cluster form through tools/cluster: a Kafka broker, PostgreSQL and every service as a process of its own, all
    of them this process's children. kill() ends all or some of them by name; start() brings back what doesn't run."""

    form = "Kafka"
    ALL = ("kafka", "catalog", "auth", "aggregation", "ingest", "query", "gateway", "agent")

    def __init__(self, data=None, arguments=(), environment=None):
        super().__init__(data, arguments, environment)
        waiting = [word for argument in self.arguments
                   for word in (argument.split("=", 1) if argument.startswith("--") else [argument])]
        settings, agent = [], False
        while waiting:
            word = waiting.pop(0)
            if word == "--agent":
                agent = True
            elif word == "--set":
                settings.append(waiting.pop(0))
            else:
                raise ValueError(f"the cluster form has no argument {word}")
        self.tool = load_cluster_tool()
        self.cluster = self.tool.Cluster(self.data, 0, PROGRAM, settings, agent)
        self.locked = False

    def start(self, timeout=60, environment=None):
        """Starts what doesn't run and waits until all is ready; returns the seconds that took. `environment` is given
        to every process of ours that it starts."""
        if not self.locked and not self.cluster.lock():
            raise RuntimeError(f"already runs on {self.data}")
        self.locked = True
        seconds = self.cluster.start({**self.environment, **(environment or {})})
        (self.data / "banner").write_text(self.cluster.banner(seconds))
        self.state = json.loads((self.data / "suite.json").read_text())
        return seconds

    def tail(self, lines=15):
        """The ends of the logs of the services."""
        return "\n".join(f"[{name}] {self.cluster.tail(name, lines)}" for name in self.cluster.processes
                         if name != "kafka")

    def named_pids(self):
        """Every process by the name of what it does: a service, "java" (the broker), "postgres"."""
        named = {}
        for name, process in self.cluster.processes.items():
            if process.poll() is None:
                for pid in pids_below(process.pid):
                    named[pid] = name if pid == process.pid and name != "kafka" else name_of(pid)
        return named

    def pids(self):
        return list(self.named_pids())

    def pid_of(self, name):
        return self.cluster.processes[name].pid

    @property
    def gateway_pid(self):
        return self.pid_of("gateway")

    def wait_for_death(self, timeout, names=ALL):
        """Whether one of the processes ended by itself within the time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if any(name in self.cluster.processes and not self.cluster.runs(name) for name in names):
                return True
            time.sleep(0.005)
        return False

    def kill(self, names=ALL):
        """kill -9 of everything: broker, all services and, with "catalog", PostgreSQL; or of the ones named."""
        self.cluster.kill(names)

    def metrics(self, names=("ingest", "aggregation", "query", "gateway", "auth")):
        """Those of the services named, one after the other."""
        addresses = [f"http://127.0.0.1:{self.cluster.ports[f'{name} metrics']}/metrics" for name in names]
        return "".join(urllib.request.urlopen(address, timeout=10).read().decode() for address in addresses)

    def pause(self, name):
        """SIGSTOP."""
        os.kill(self.pid_of(name), signal.SIGSTOP)

    def resume(self, name):
        """SIGCONT."""
        os.kill(self.pid_of(name), signal.SIGCONT)

    def stop(self, timeout=30):
        """SIGTERM to one after the other; 0 when all of ours ended well."""
        if not self.locked:
            return None
        self.cluster.stop()
        self.cluster.held.close()
        self.locked = False
        return max((abs(process.returncode) for name, process in self.cluster.processes.items() if name != "kafka"),
                   default=0)
