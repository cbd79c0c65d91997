"""What outlives a call ends soon after the key it was opened with is revoked, on both forms."""
import base64
import os
import pathlib
import socket
import sys
import unittest
from urllib.parse import urlparse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.forms import make_suite  # noqa: E402

# Long enough for any machine; what hangs fails by it.
PATIENCE = 20
POLICY_VIOLATION = 1008


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


class LiveSocket:
    """A WebSocket (RFC 6455) that only reads."""

    def __init__(self, url, ticket):
        address = urlparse(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /v1/live?ticket={ticket} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def close_code(self):
        """Reads until the server closes."""
        while True:
            head, length = read_exactly(self.stream, 2)
            if length == 126:
                length = int.from_bytes(read_exactly(self.stream, 2), "big")
            elif length == 127:
                length = int.from_bytes(read_exactly(self.stream, 8), "big")
            payload = read_exactly(self.stream, length)
            if head & 15 == 8:
                return int.from_bytes(payload[:2], "big")

    def close(self):
        self.stream.close()
        self.socket.close()


class Revocation(unittest.TestCase):
    def setUp(self):
        self.suite = make_suite()
        self.suite.start()
        self.addCleanup(self.suite.remove)

    def test_streams_and_sockets_of_a_revoked_key_end(self):
        suite = self.suite
        suite.send("watched", [{"time": 1_700_000_000, "host": "a", "n": 1.0}])
        made = suite.api("POST", "/v1/keys", {"name": "short", "role": "ROLE_VIEWER"})
        key = made["secret"]
        events = suite.subscribe({"stream": "watched", "last": "60s", "step": "60s",
                                  "aggregates": [{"function": "AGGREGATE_FUNCTION_COUNT"}]}, key, PATIENCE)
        self.addCleanup(events.close)
        self.assertIn(b"snapshot", events.readline())
        ticket = suite.api("POST", "/v1/auth/ticket", {}, key=key)["ticket"]
        live = LiveSocket(suite.state["url"], ticket)
        self.addCleanup(live.close)
        self.assertEqual(live.status, 101)

        suite.api("DELETE", f"/v1/keys/{made['key']['id']}")
        self.assertIn(b'"code":"unauthenticated"', events.read())
        self.assertEqual(live.close_code(), POLICY_VIOLATION)


if __name__ == "__main__":
    unittest.main()
