"""gRPC between real processes over TLS, on both forms: who needs a certificate, and how one is renewed."""
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.forms import make_suite  # noqa: E402
from harness.suite import PROGRAM  # noqa: E402


class Authority:
    """Makes certificates of 127.0.0.1 in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        self.openssl("req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj /CN=authority"
                     " -keyout authority.key -out authority.pem")
        self.renew()

    def openssl(self, arguments, **options):
        return subprocess.run(["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True,
                              stdin=subprocess.DEVNULL, **options).stdout

    def renew(self):
        self.openssl("req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=rivermeet -keyout new.key"
                     " -out new.csr")
        self.openssl("x509 -req -in new.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2"
                     " -extfile names -out new.pem")
        (self.folder / "new.key").chmod(0o600)
        for kind in ("pem", "key"):
            (self.folder / f"new.{kind}").rename(self.folder / f"server.{kind}")

    def settings(self):
        return [word for name, file in (("certificate", "server.pem"), ("key", "server.key"),
                                        ("authority", "authority.pem"))
                for word in ("--set", f"rpc.tls_{name}={self.folder / file}")]

    def served(self, address):
        """The certificate that a server shows."""
        shown = self.openssl(f"s_client -connect {address} -alpn h2 -CAfile authority.pem -verify_return_error")
        return shown[shown.index(b"-----BEGIN"):shown.index(b"-----END")]


class Tls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.authority = Authority(folder.name)
        self.suite = make_suite(arguments=self.authority.settings())
        self.addCleanup(self.suite.remove)
        self.suite.start()
        self.address = self.suite.state["grpc"].removeprefix("https://")

    def start_agent(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        log = open(f"{folder.name}/log", "wb")
        self.addCleanup(log.close)
        agent = subprocess.Popen([str(PROGRAM), "agent", "--data", folder.name, "--grpc", f"https://{self.address}",
                                  "--key-file", str(self.suite.key_file), *arguments], stdout=log, stderr=log)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.terminate)
        return pathlib.Path(log.name)

    def folded(self):
        names = [stream["name"] for stream in self.suite.api("GET", "/v1/streams").get("streams", [])]
        return self.suite.ledger("host.metrics")[0].get("folded", 0) if "host.metrics" in names else 0

    def wait_until(self, condition, what):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.1)

    def test_an_agent_needs_a_key_and_the_authority_only_and_renewing_loses_nothing(self):
        stranger = self.start_agent()
        self.wait_until(lambda: stranger.stat().st_size > 0 and b"reason" in stranger.read_bytes(), "why it sends nothing")
        self.assertEqual(self.folded(), 0, "it must not believe a certificate of an unknown authority")
        self.start_agent("--ca", str(self.authority.folder / "authority.pem"))
        self.wait_until(lambda: self.folded() > 0, "the agent's metrics")

        before = self.authority.served(self.address)
        self.authority.renew()
        self.wait_until(lambda: self.authority.served(self.address) != before, "the new certificate")
        then = self.folded()
        self.wait_until(lambda: self.folded() > then, "metrics after the certificate was renewed")
        self.assertTrue(self.suite.ledger("host.metrics")[1])


if __name__ == "__main__":
    unittest.main()
