"""Without a good token, with another tenant's, an expired or a tampered one, every route that /openapi.json names and
every RPC answers 401 or 403 as a problem (RFC 9457) that is the same for all and tells nothing."""
import base64
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness.suite import ROOT  # noqa: E402
from history import History, event  # noqa: E402
from suite_case import SuiteCase  # noqa: E402
from tokens import Mint, base64url, sql  # noqa: E402

# What a problem may say to somebody we don't know.
MEMBERS = {"type", "title", "status", "detail", "requestId", "code"}


def rpcs():
    """Every RPC of the protos: (path, who may call it)."""
    for path in (ROOT / "proto/rivermeet").rglob("*.proto"):
        text = path.read_text()
        service = re.search(r"^service (\w+) {", text, re.M)
        if not service:
            continue
        package = re.search(r"^package ([\w.]+);", text, re.M)[1]
        for name, access in re.findall(r"rpc (\w+)\([^{]*{[^}]*?ACCESS_(\w+)", text):
            yield f"/{package}.{service[1]}/{name}", access


class NoCallerLearnsAnything(SuiteCase):
    settings = {"gateway.requests_per_second": 1_000_000}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mint = Mint()
        cls.other = Mint()  # the same key id, another key
        cls.mint.publish(cls.suite)
        sql(cls.suite, "INSERT INTO tenants (id, name) VALUES ('rival', 'Rival'), ('twin', 'Twin')")
        cls.history = History(cls.suite, "secret.stream")
        cls.history.send([event("canary", 42)])
        cls.suite.stop()
        cls.suite.start()
        cls.api = json.loads(cls.suite.request("GET", "/openapi.json", key="")[2])

    @classmethod
    def tearDownClass(cls):
        cls.history.check()

    def routes(self):
        """Every route that needs a caller, its names filled in: (method, path)."""
        for path, operations in self.api["paths"].items():
            for method, operation in operations.items():
                if operation.get("security") != []:
                    yield method.upper(), re.sub(r"{(?:stream|name|stream\.name)}", "secret.stream", re.sub(
                        r"{(?:id|dimension)}", "host", path))

    def bad_tokens(self):
        good = self.mint.token()
        header, claims, signature = good.split(".")
        now = int(time.time())
        changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
        changed["tid"] = "rival"
        unsigned = base64url(json.dumps({"alg": "none", "typ": "at+jwt", "kid": self.mint.kid}).encode())
        yield "none at all", None
        yield "another scheme", "Basic YWRtaW46YWRtaW4="
        yield "nothing after the scheme", "Bearer "
        yield "no token", "Bearer nonsense"
        yield "a key that nobody has", "Bearer rm_AAAAAAAAAAAA_" + "A" * 43
        yield "expired", "Bearer " + self.mint.token(exp=now - 3600, iat=now - 7200)
        yield "not valid yet", "Bearer " + self.mint.token(nbf=now + 3600)
        yield "of another issuer", "Bearer " + self.mint.token(iss="elsewhere")
        yield "for another audience", "Bearer " + self.mint.token(aud="elsewhere")
        yield "of another key", "Bearer " + self.other.token()
        yield "of a key that is not published", "Bearer " + self.mint.token(header={"kid": "unknown"})
        yield "unsigned", f"Bearer {unsigned}.{claims}."
        yield "with its tenant changed", f"Bearer {header}.{base64url(json.dumps(changed).encode())}.{signature}"
        yield "with its signature cut", f"Bearer {good[:-4]}"
        yield "an id token", "Bearer " + self.mint.token(header={"typ": "JWT"})
        yield "without a tenant", "Bearer " + self.mint.token(tid="")

    def ask(self, method, path, authorization, body="{}", content_type="application/json"):
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.suite.request(method, path, None if method in ("GET", "DELETE") else body, key="", headers=headers,
                                  content_type=content_type)

    def assert_tells_nothing(self, answer, context):
        for word in (b"secret.stream", b"canary", b"/", b"pqxx", b"rival", b"token of"):
            told = answer.replace(b"about:blank", b"").replace(b"application/", b"")
            self.assertNotIn(word, told, context)

    def test_a_good_token_of_our_key_is_let_in(self):
        # Otherwise the refusals below would show nothing.
        status, _, body = self.ask("GET", "/v1/streams/secret.stream", "Bearer " + self.mint.token())
        self.assertEqual(status, 200, body)
        self.assertEqual(json.loads(body)["stream"]["name"], "secret.stream")

    def test_every_route_refuses_bad_tokens_alike(self):
        routes = list(self.routes())
        self.assertGreater(len(routes), 15)
        tokens = list(self.bad_tokens())
        for method, path in routes:
            shapes = set()
            for what, authorization in tokens:
                status, headers, body = self.ask(method, path, authorization)
                context = (method, path, what, status, body)
                self.assertEqual(status, 401, context)
                self.assertEqual(headers["Content-Type"].split(";")[0], "application/problem+json", context)
                self.assertTrue(headers["WWW-Authenticate"].startswith("Bearer"), context)
                problem = json.loads(body)
                self.assertLessEqual(set(problem), MEMBERS, context)
                self.assertEqual((problem["status"], problem["code"]), (401, "unauthenticated"), context)
                self.assert_tells_nothing(body, context)
                problem.pop("requestId")
                shapes.add(json.dumps(problem, sort_keys=True))
            self.assertEqual(len(shapes), 1, (method, path, shapes))

    def test_every_rpc_refuses_bad_tokens_at_both_doors(self):
        calls = [path for path, access in rpcs() if access not in ("ANYONE", "INTERNAL")]
        self.assertGreater(len(calls), 20)
        tokens = list(self.bad_tokens())
        for what, authorization in tokens:
            token = (authorization or "").removeprefix("Bearer ")
            if not token.isprintable() or not token:
                token = "nothing"
            rpc = wire.Rpc(self.suite, token)
            for path in calls:
                code, details = rpc.call(path, b"")
                self.assertEqual(code, "UNAUTHENTICATED", (path, what, details))
                self.assert_tells_nothing(details.encode(), (path, what, details))
            rpc.close()
        for path in calls:
            status, _, body = self.ask("POST", path, tokens[5][1])
            if status in (404, 415):  # internal ones have no door here, streams another type
                continue
            self.assertEqual(status, 401, (path, body))
            self.assertEqual(json.loads(body)["code"], "unauthenticated")

    def test_another_tenant_s_token_sees_what_is_not_there(self):
        rival = "Bearer " + self.mint.token(tid="rival")
        for method, path in self.routes():
            if "secret.stream" not in path and "host" not in path:
                continue
            if method == "PUT" or path.endswith("/events"):
                continue  # makes a stream of their own
            answers = []
            for name in ("secret.stream", "never.was"):
                status, headers, body = self.ask(method, path.replace("secret.stream", name), rival)
                problem = json.loads(body)
                problem.pop("requestId", None)
                answers.append((status, headers["Content-Type"], json.dumps(problem).replace(name, "NAME")))
            self.assertEqual(answers[0], answers[1], (method, path))
            self.assertIn(answers[0][0], (400, 403, 404), (method, path, answers))
        status, _, body = self.ask("POST", "/v1/query", rival, json.dumps({"query": {
            "stream": "secret.stream", "last": "60s", "aggregates": [{"function": "AGGREGATE_FUNCTION_COUNT"}]}}))
        self.assertEqual(status, 404, body)
        status, _, body = self.ask("GET", "/v1/streams", rival)
        self.assertEqual((status, json.loads(body)), (200, {"streams": []}))

    def test_another_tenant_s_stream_of_the_same_name_is_another_stream(self):
        twin = "Bearer " + self.mint.token(tid="twin")
        now = int(time.time() * 1e6)
        status, _, body = self.ask("POST", "/v1/streams/secret.stream/events", twin,
                                   json.dumps({"time": now, "host": "theirs", "n": 1, "value": 1_000_000}))
        self.assertEqual(status, 200, body)
        token = json.loads(body)["receipt"]["visibilityToken"]
        query = {"query": {"stream": "secret.stream", "last": "60s",
                           "aggregates": [{"function": "AGGREGATE_FUNCTION_COUNT"}]}, "waitFor": token}
        # Their visibility token is theirs alone.
        status, _, body = self.ask("POST", "/v1/query", "Bearer " + self.mint.token(), json.dumps(query))
        self.assertEqual(status, 403, body)
        self.history.check()

    def test_a_role_that_is_not_enough_is_403_and_changes_nothing(self):
        viewer = "Bearer " + self.mint.token(role="viewer")
        refused = 0
        for path, access in rpcs():
            if access not in ("EDITOR", "ADMIN"):
                continue
            status, _, body = self.ask("POST", path, viewer)
            if status in (404, 415):
                continue
            refused += 1
            self.assertEqual((status, json.loads(body)["code"]), (403, "permission_denied"), (path, body))
        self.assertGreater(refused, 5)
        for body, kind in ((b"{}", "application/json"), (b"", "text/csv")):
            status, headers, answer = self.ask("POST", "/v1/streams/secret.stream/events", viewer, body, kind)
            self.assertEqual((status, headers["Content-Type"]), (403, "application/problem+json"), answer)
        for role in ("", "root", "ADMIN"):
            status, _, body = self.ask("GET", "/v1/streams", "Bearer " + self.mint.token(role=role))
            self.assertEqual(status, 401, (role, body))


if __name__ == "__main__":
    unittest.main()
