"""Wrong settings: each setting wrong in each way. The program ends at once with the exit code of docs/cli.md, one line that
names the setting, and leaves nothing running."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.suite import PROGRAM, ROOT, Suite  # noqa: E402

FAILED, USAGE = 1, 2  # docs/cli.md
SCALARS = {"string", "bool", "uint32", "uint64", "int32", "int64", "double", "google.protobuf.Duration"}


def fields(message="SuiteConfig", prefix=""):
    """Every setting of the protos: (path, type)."""
    for path in (ROOT / "proto/rivermeet/config/v1").glob("*.proto"):
        body = re.search(rf"^message {message} {{(.*?)^}}", path.read_text(), re.M | re.S)
        if not body:
            continue
        for kind, name in re.findall(r"^  ([\w.]+) (\w+) = \d+;", body[1], re.M):
            if kind in SCALARS:
                yield prefix + name, kind
            else:
                yield from fields(kind, f"{prefix}{name}.")


def nested(path, value):
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


class WrongSettings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="rivermeet-settings-"))
        cls.folder.chmod(0o755)
        cls.good = cls.folder / "good"
        # A folder that has run, so that what is found after the catalog is up is found soon.
        with Suite(cls.good) as suite:
            cls.key = suite.key

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def serve(self, *arguments, data=None, environment=None):
        """Runs `rivermeet serve` to its end: (exit code, what it wrote to standard error)."""
        data = data or self.good
        with open(self.folder / "told", "w+") as told:
            process = subprocess.Popen(
                [str(PROGRAM), "serve", "--data", str(data), "--port", "0", "--set", "rpc.listen=127.0.0.1:0",
                 *arguments], stderr=told, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
            deadline = time.monotonic() + 60
            while process.poll() is None and not (self.good / "suite.json").exists() and time.monotonic() < deadline:
                time.sleep(0.005)
            if process.poll() is None:
                process.terminate()
                process.wait()
                self.fail(f"it runs with {arguments} {environment}")
            told.seek(0)
            self.assertFalse((self.good / "postgres/postmaster.pid").exists(), "PostgreSQL is left running")
            return process.returncode, told.read()

    def refused(self, named, *arguments, code=FAILED, **options):
        got, told = self.serve(*arguments, **options)
        self.assertEqual(got, code, told)
        lines = [line for line in told.splitlines() if line.startswith("rivermeet: ")]
        self.assertEqual(len(lines), 1, told)
        for name in [named] if isinstance(named, str) else named:
            self.assertIn(name, lines[0])

    def file(self, content):
        path = self.folder / "settings.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return ["--config", str(path)]

    def test_every_setting_of_a_wrong_type_is_named(self):
        found = list(fields())
        self.assertGreater(len(found), 40)
        for path, kind in found:
            name = path.split(".")[-1]
            with self.subTest(path):
                for wrong in ({"x": 1}, ["a"]):
                    self.refused(name, *self.file(nested(path, wrong)))
                if kind == "string":
                    continue
                self.refused(name, *self.file(nested(path, "wrong")))
                self.refused(path, f"--set={path}=wrong")
                variable = "RIVERMEET_" + path.upper().replace(".", "__")
                self.refused(variable, environment={variable: "wrong"})
                if kind.startswith("uint"):
                    self.refused(path, f"--set={path}=-1")
                    self.refused(path, f"--set={path}={1 << 65}")

    def test_unknown_settings_are_named(self):
        for section in ("", *{path.rpartition(".")[0] + "." for path, _ in fields() if "." in path}):
            with self.subTest(section):
                self.refused("no_such", *self.file(nested(section + "no_such", 1)))
                self.refused(section + "no_such", f"--set={section}no_such=1")
        self.refused("RIVERMEET_NO__SUCH", environment={"RIVERMEET_NO__SUCH": "1"})

    def test_a_file_that_can_t_be_read_is_named(self):
        self.refused("nowhere.json", "--config", str(self.folder / "nowhere.json"))
        for content in ("", "{", "[]", "null", "17", '{"gateway": {"port": 1}', '{"log": null} x', "\xff\xfe"):
            with self.subTest(content):
                self.refused("settings.json", *self.file(content))

    def test_values_out_of_their_range_are_named(self):
        wrong = {
            "gateway.port": [65536, 70000, 4294967295], "gateway.max_connections": [1, 15, 1000001],
            "gateway.max_body_bytes": [1, 1023, (64 << 20) + 1], "gateway.requests_per_second": [1000001],
            "gateway.logins_per_minute": [10001], "gateway.address": ["nonsense", "256.1.1.1", "0.0.0.0", "10.0.0.1"],
            "gateway.drain_timeout": ["-1s"], "gateway.web_folder": ["/nowhere"],
            "log.kind": ["pulsar", ""], "log.partitions": [0, 1025], "log.segment_bytes": [1, (1 << 20) - 1, 1 << 40],
            "log.retention": ["-1s"],
            "catalog.connections": [0, 101], "catalog.password_file": ["/nowhere"],
            "rpc.listen": ["nonsense", "127.0.0.1:99999", "0.0.0.0"], "telemetry.log_level": ["loud", ""],
            "telemetry.log_format": ["xml"],
            "auth.access_lifetime": ["59s", "3601s"], "auth.refresh_lifetime": ["1s"], "auth.key_rotation": ["1s"],
            "ingest.max_inflight_bytes": [1, (1 << 20) - 1], "ingest.max_fields": [10001], "ingest.max_future": ["-1s"],
            "ingest.append_timeout": ["-1s"],
            "aggregation.snapshot_interval": ["0s", "-1s", "90000s"], "aggregation.hot_age": ["-1s"],
            "aggregation.watermark_delay": ["-1s", "90000s"], "aggregation.allowed_lateness": ["-1s"],
            "aggregation.lease": ["0.1s", "3600s"], "aggregation.lease_renewal": ["0.01s", "8s"],
            "aggregation.owner_name": [""],
            "query.timeout": ["0s", "-1s", "3601s"], "query.memory_bytes": [1], "query.concurrency": [1025],
            "query.max_rows": [100000001], "query.queue": [100001], "query.queue_wait": ["-1s"],
            "query.subscriptions": [1000001], "query.subscription_bytes": [1],
        }
        for path, values in wrong.items():
            for value in values:
                with self.subTest(f"{path}={value}"):
                    extra = ["--set=catalog.connection=host=/nowhere"] if path == "catalog.password_file" else []
                    self.refused(str(value) if path in ("rpc.listen", "catalog.password_file") else path.split(".")[-1],
                                 f"--set={path}={value}", *extra)

    def test_what_goes_together(self):
        self.refused("log.kafka_brokers", "--set=log.kind=kafka")
        for half in ("gateway.tls_certificate", "gateway.tls_key", "rpc.tls_certificate", "rpc.tls_key",
                     "rpc.tls_authority"):
            self.refused(half, f"--set={half}=/nowhere")
        self.refused(["path=value", "gateway.port"], "--set=gateway.port")

    def test_a_wrong_command_line_is_another_exit_code(self):
        for arguments in (["--target=kitchen"], ["--no-such-flag"], ["--port"]):
            self.refused("", *arguments, code=USAGE)

    def test_an_address_that_is_taken_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused(address, f"--set=gateway.port={taken.getsockname()[1]}")
            self.refused(address, f"--set=rpc.listen={address}")

    def test_certificates_and_keys(self):
        run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
               "-subj", "/CN=localhost"]
        run(*new, "-keyout", "key.pem", "-out", "cert.pem")
        run(*new, "-keyout", "other.pem", "-out", "other-cert.pem")
        key, cert = self.folder / "key.pem", self.folder / "cert.pem"
        (self.folder / "other.pem").chmod(0o600)
        expired = ROOT / "libs/net/testdata/expired_certificate.pem"
        for section in ("gateway", "rpc"):
            def tls(certificate, private, section=section):
                more = ["--set=rpc.tls_authority=" + str(cert)] if section == "rpc" else []
                return [f"--set={section}.tls_certificate={certificate}", f"--set={section}.tls_key={private}", *more]
            with self.subTest(section):
                key.chmod(0o644)
                self.refused(["key.pem", "chmod 600"], *tls(cert, key))
                key.chmod(0o600)
                self.refused(["expired_certificate.pem", "expired at 2020-01-02"], *tls(expired, key))
                self.refused("nowhere.pem", *tls("nowhere.pem", key))
                self.refused("nowhere.pem", *tls(cert, "nowhere.pem"))
                self.refused("key.pem", *tls(key, key))
        self.refused(["other.pem", "mismatch"], f"--set=gateway.tls_certificate={cert}",
                     f"--set=gateway.tls_key={self.folder / 'other.pem'}")
        self.refused("expired at 2020-01-02", f"--set=rpc.tls_certificate={cert}", f"--set=rpc.tls_key={key}",
                     f"--set=rpc.tls_authority={expired}")

    def test_secrets_that_others_can_read_are_named(self):
        for name in ("keys/local.key", "keys/master.key"):
            path = self.good / name
            with self.subTest(name):
                self.assertTrue(path.exists(), list((self.good / "keys").iterdir()))
                path.chmod(0o640)
                self.refused([name, "chmod 600"])
                path.chmod(0o600)
        password = self.folder / "password"
        password.write_text("secret")
        password.chmod(0o644)
        self.refused(["password", "chmod 600"], f"--set=catalog.password_file={password}",
                     "--set=catalog.connection=host=/nowhere")

    def test_a_data_folder_that_can_t_be_used_is_named(self):
        file = self.folder / "file"
        file.write_text("")
        self.refused(str(file), data=file)
        self.refused("/proc/nowhere", data="/proc/nowhere")
        if os.geteuid() != 0:
            closed = self.folder / "closed"
            closed.mkdir(mode=0)
            self.refused(str(closed), data=closed)
        for part in ("log", "objects", "keys"):
            with self.subTest(part):
                data = self.folder / f"without-{part}"
                data.mkdir()
                (data / part).write_text("not a folder")
                self.refused(str(data / part) if part != "keys" else str(data), data=data)

    def test_the_same_folder_starts_once_all_is_right(self):
        with Suite(self.good) as suite:
            self.assertEqual(suite.key, self.key)


if __name__ == "__main__":
    unittest.main()
