"""What somebody meets in their first ten minutes, over HTTP against the real suite, on both forms."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness.forms import make_suite  # noqa: E402
from harness.suite import PROGRAM  # noqa: E402


class FirstMinutes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = make_suite(arguments=["--agent"])
        cls.suite.start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def now(self):
        return int(time.time() * 1e6)

    def test_the_banner_says_where_to_go_and_how_to_sign_in(self):
        banner = (self.suite.data / "banner").read_text()
        self.assertIn(self.suite.state["url"], banner)
        self.assertRegex(banner, r"Sign in\s+admin / \S{12,}")

    def test_the_one_time_password_opens_only_its_own_change(self):
        suite = self.suite
        password = re.search(r"Sign in\s+admin / (\S+)", (suite.data / "banner").read_text())[1]
        login = suite.api("POST", "/v1/auth/login", {"user": "admin", "password": password}, key="")
        self.assertTrue(login["mustChangePassword"])
        token = login["tokens"]["accessToken"]
        status, _, _ = suite.request("GET", "/v1/streams", key=token)
        self.assertEqual(status, 403)
        changed = suite.api("POST", "/v1/auth/password",
                            {"currentPassword": password, "newPassword": "a long new password"}, key=token)
        token = changed["tokens"]["accessToken"]
        self.assertEqual(suite.api("GET", "/v1/auth/me", key=token)["role"], "ROLE_ADMIN")
        status, _, _ = suite.request("POST", "/v1/auth/login", json.dumps({"user": "admin", "password": password}), key="")
        self.assertEqual(status, 401)

    def test_an_event_sent_with_a_new_key_is_read_back_with_its_visibility_token(self):
        suite = self.suite
        key = suite.api("POST", "/v1/keys", {"name": "first", "role": "ROLE_EDITOR"})["secret"]
        stream = "first.events"
        receipt = json.loads(suite.request(
            "POST", f"/v1/streams/{stream}/events", json.dumps({"time": self.now(), "host": "a", "cpu": 12.5}),
            key=key)[2])["receipt"]
        self.assertEqual(int(receipt["accepted"]), 1)
        answer = suite.api("POST", "/v1/query", {
            "waitFor": receipt["visibilityToken"],
            "query": {"stream": stream, "last": "60s", "step": "60s", "groupBy": ["host"],
                      "aggregates": [{"function": "AGGREGATE_FUNCTION_MEAN", "measure": "cpu"}]}}, key=key)
        columns = {column["name"]: column for column in answer["frame"]["columns"]}
        self.assertEqual(columns["host"]["dictionary"], ["a"])
        self.assertEqual(columns["mean_cpu"]["float64Values"], [12.5])

    def command(self, *arguments):
        return subprocess.run([PROGRAM, *arguments, "--data", self.suite.data], capture_output=True, text=True, timeout=120)

    def test_a_file_in_the_order_of_its_times_is_counted_whole(self):
        now = self.now()
        with tempfile.TemporaryDirectory() as folder:
            # Ten minutes, over several bodies of 1 MiB, whose last line may fill them to the byte.
            for name, width in (("narrow", 1), ("wide", 37)):
                file = pathlib.Path(folder) / f"{name}.ndjson"
                with open(file, "w") as out:
                    for i in range(60_000):
                        out.write(json.dumps({"time": now - (60_000 - i) * 10_000, "host": "h" * width, "n": i}) + "\n")
                sent = self.command("send", str(file), "--stream", f"file.{name}")
                self.assertEqual(sent.returncode, 0, sent.stderr)
                total, balanced = self.suite.ledger(f"file.{name}")
                self.assertTrue(balanced)
                self.assertEqual((total["folded"], total["tooLate"], total["rejected"]), (60_000, 0, 0), total)

    def test_events_that_came_too_late_are_told(self):
        now = self.now()
        self.suite.send("file.late", [{"time": now, "host": "a", "n": 1}])
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "late.csv"
            # The newest event's time is the stream's: what is minutes older has no window any more.
            file.write_text("time,host,n\n" + "".join(f"{now - i * 1_000_000},a,1\n" for i in range(200, 300)))
            sent = self.command("send", str(file), "--stream", "file.late")
        self.assertEqual(sent.returncode, 3, sent.stderr)
        self.assertIn("100 events came too late", sent.stderr)

    def test_another_field_leaves_a_stream_s_retention_as_it_is(self):
        declared = self.command("streams", "declare", "kept", "--float64", "x", "--retention", "90d", "--lateness", "5m")
        self.assertEqual(declared.returncode, 0, declared.stderr)
        self.assertEqual(self.command("streams", "declare", "kept", "--dimension", "color").returncode, 0)
        stream = self.suite.api("GET", "/v1/streams/kept")["stream"]
        self.assertEqual((stream["retention"], stream["allowedLateness"]), ("7776000s", "300s"))
        self.assertEqual(self.command("streams", "declare", "kept", "--retention", "forever").returncode, 0)
        self.assertNotIn("retention", self.suite.api("GET", "/v1/streams/kept")["stream"])

    def test_the_agent_s_metrics_arrive(self):
        for _ in range(100):
            names = [s["name"] for s in self.suite.api("GET", "/v1/streams").get("streams", [])]
            if "host.metrics" in names and self.suite.ledger("host.metrics")[0].get("folded", 0) > 0:
                return
            time.sleep(0.1)
        self.fail("no host.metrics within 10 s")

    def test_good_events_of_a_bad_body_are_kept_and_the_bad_ones_named(self):
        suite = self.suite
        suite.send("mixed", [{"time": self.now(), "host": "a", "cpu": 1.5}])
        now = self.now()
        lines = [
            json.dumps({"time": now, "host": "a", "cpu": 2.5}),
            json.dumps({"time": now, "host": "a", "cpu": "hot"}),          # wrong type
            json.dumps({"time": now, "host": "a", "cpu": 1, "new": 2}),     # unknown field
            '{"time": %d, "host": "a", "host": "b", "cpu": 1}' % now,       # a field twice
            json.dumps({"time": now + 3_600_000_000, "host": "a", "cpu": 1}),  # an hour in the future
            '{"time": %d, "host": "a", "cpu": ' % now,                      # truncated
            json.dumps({"time": None, "host": "a", "cpu": 1}),              # an empty time
        ]
        status, _, body = suite.request("POST", "/v1/streams/mixed/events", "\n".join(lines) + "\n",
                                        content_type="application/x-ndjson")
        self.assertEqual(status, 200, body)
        receipt = json.loads(body)["receipt"]
        self.assertEqual((int(receipt["accepted"]), int(receipt["rejected"])), (1, 6))
        errors = {int(e.get("index", 0)): (e.get("field", ""), e["reason"]) for e in receipt["errors"]}
        self.assertEqual(sorted(errors), [1, 2, 3, 4, 5, 6])
        self.assertEqual([errors[i][0] for i in (1, 2, 3, 4)], ["cpu", "new", "host", "time"])
        time.sleep(0.2)
        total, balanced = suite.ledger("mixed")
        self.assertTrue(balanced)
        self.assertEqual((total["received"], total["appended"], total["rejected"]), (8, 2, 6))

    def test_callers_without_a_good_token_learn_nothing(self):
        suite = self.suite
        for key in ("", "rm_nobody_nothing", "eyJhbGciOiJub25lIn0.e30."):
            status, headers, body = suite.request("GET", "/v1/streams", key=key)
            self.assertEqual(status, 401)
            self.assertEqual(headers["Content-Type"].split(";")[0], "application/problem+json")
            self.assertNotIn(b"host.metrics", body)
        viewer = suite.api("POST", "/v1/keys", {"name": "reader", "role": "ROLE_VIEWER"})["secret"]
        status, _, _ = suite.request("POST", "/v1/streams/first.events/events", json.dumps({"time": 1}), key=viewer)
        self.assertEqual(status, 403)

    def test_a_revoked_key_stops_working(self):
        suite = self.suite
        made = suite.api("POST", "/v1/keys", {"name": "short", "role": "ROLE_VIEWER"})
        suite.api("GET", "/v1/streams", key=made["secret"])
        suite.api("DELETE", f"/v1/keys/{made['key']['id']}")
        for _ in range(100):
            if suite.request("GET", "/v1/streams", key=made["secret"])[0] == 401:
                return
            time.sleep(0.1)
        self.fail("the key still works after 10 s")

    def test_wrong_bodies_are_refused_with_a_reason(self):
        suite = self.suite
        cases = [("text/csv", "time,host,cpu\n1,a\n", None), ("application/json", "{", None),
                 ("application/json", "[" * 100_000, None), ("application/xml", "<a/>", 415),
                 ("application/json", b'{"time": 1, "host": "\xff\xfe", "cpu": 1}', None)]
        for content_type, body, wanted in cases:
            status, headers, answer = suite.request("POST", "/v1/streams/wrong/events", body, content_type=content_type)
            self.assertEqual(status // 100, 4, (content_type, status, answer))
            if wanted:
                self.assertEqual(status, wanted)
            self.assertTrue(json.loads(answer))
        status, _, _ = suite.request("POST", "/v1/streams/wrong/events", b"not gzip",
                                     headers={"Content-Encoding": "gzip"})
        self.assertEqual(status, 400)
        status, _, _ = suite.request("POST", "/v1/streams/wrong/events", b"x",
                                     headers={"Content-Encoding": "rot13"})
        self.assertEqual(status, 415)
        status, _, _ = suite.request("POST", "/v1/streams/wrong/events", b" " * (9 << 20))
        self.assertEqual(status, 413)

    def test_tail_ends_when_nobody_reads_it(self):
        with subprocess.Popen([PROGRAM, "tail", "host.metrics", "--last", "10s", "--step", "1s", "--data", self.suite.data],
                              stdout=subprocess.PIPE) as tail:
            self.addCleanup(tail.kill)
            self.assertTrue(tail.stdout.readline())
            tail.stdout.close()
            self.assertEqual(tail.wait(20), 0)

    def test_every_process_shows_its_metrics(self):
        metrics = self.suite.metrics()
        for name in ("rivermeet_log_appended_records_total", "rivermeet_aggregation_folded_events_total",
                     "rivermeet_gateway_live_channels", "process_resident_memory_bytes"):
            self.assertRegex(metrics, rf"(?m)^{name}[ {{]")

    def test_the_api_describes_itself(self):
        status, _, body = self.suite.request("GET", "/openapi.json", key="")
        self.assertEqual(status, 200)
        paths = json.loads(body)["paths"]
        self.assertIn("/v1/streams/{name}", paths)
        for path, methods in paths.items():
            for method, operation in methods.items():
                self.assertTrue(operation.get("summary"), f"{method} {path}")


class Restarts(unittest.TestCase):
    def test_what_was_acknowledged_is_there_after_kill_9_and_after_a_clean_stop(self):
        suite = make_suite()
        try:
            suite.start()
            begin = int(time.time())
            for i in range(20):
                suite.send("kept", [{"time": int(time.time() * 1e6), "host": f"h{i % 3}", "n": 1.0}] * 50)
            suite.kill()
            suite.start()
            self.assert_sum(suite, begin, 1000)
            self.assertEqual(suite.stop(), 0)
            suite.start()
            self.assert_sum(suite, begin, 1000)
        finally:
            suite.remove()

    def assert_sum(self, suite, begin, wanted):
        for _ in range(100):
            if suite.sums("kept", ["n"], begin - 60, int(time.time()) + 60).get("n") == wanted:
                return
            time.sleep(0.05)
        self.fail(suite.ledger("kept"))

    def test_a_second_suite_on_the_same_folder_is_refused_by_name(self):
        with make_suite() as first:
            second = make_suite(first.data)
            with self.assertRaisesRegex(RuntimeError, "already runs"):
                second.start()


if __name__ == "__main__":
    unittest.main()
