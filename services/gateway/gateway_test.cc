#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "gateway/test_world_test.h"
#include "net/compression.h"
#include "testing/eventually.h"
#include "testing/manual_clock.h"

namespace rivermeet::gateway {
namespace {

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string Connect(std::string_view method) { return fmt::format("/rivermeet.ingest.v1.StreamService/{}", method); }

TEST_CASE("a REST request becomes an RPC by its annotation, and the answer JSON", "[gateway]") {
  TestWorld world;
  const auto answer = world.Ask("GET", "/v1/streams/host.metrics", kViewer);
  CHECK(answer.status == 200);
  CHECK(Contains(answer.body, "\"name\":\"host.metrics\""));
  CHECK(Contains(answer.head, "X-Request-Id: "));
  CHECK(Contains(answer.head, "Cache-Control: no-store"));
  CHECK(world.streams.seen.bearer == "viewer-1");
  CHECK(world.streams.seen.deadline < absl::Now() + absl::Seconds(31));
}

TEST_CASE("the trace of the caller goes on to the service and comes back as the request id", "[gateway]") {
  TestWorld world;
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto answer =
      world.Ask("GET", "/v1/streams/a", fmt::format("{}traceparent: 00-{}-00f067aa0ba902b7-01\r\n", kViewer, trace));
  CHECK(Contains(answer.head, "X-Request-Id: " + trace));
  CHECK(Contains(world.streams.seen.traceparent, trace));
  CHECK(world.streams.seen.client_address == "127.0.0.1");
}

TEST_CASE("a service that has stopped answering is cut off until it answers again", "[gateway]") {
  TestWorld world;
  const std::string hurried = std::string(kViewer) + "Connect-Timeout-Ms: 1050\r\n";
  std::vector<std::thread> callers;
  std::atomic<int> timed_out{0};
  for (int i = 0; i < 5; ++i) {
    callers.emplace_back([&] { timed_out += world.Ask("GET", "/v1/streams/slow", hurried).status == 504; });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(timed_out == 5);

  const auto refused = world.Ask("GET", "/v1/streams/a", kViewer);
  CHECK(refused.status == 503);
  CHECK(Contains(refused.head, "Retry-After: 1"));
  CHECK(Contains(world.Ask("GET", "/metrics").body, "rivermeet_gateway_refused_total 1"));
  // The other services behind the gateway go on.
  CHECK(world.Ask("POST", "/v1/query", std::string(kViewer) + kJson, "{}").status == 200);
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (world.Ask("GET", "/v1/streams/a", kViewer).status != 200 && absl::Now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(world.Ask("GET", "/v1/streams/a", kViewer).status == 200);
}

TEST_CASE("path, query and body each fill what is theirs", "[gateway]") {
  TestWorld world;
  const auto put = world.Ask("PUT", "/v1/streams/a.b", std::string(kEditor) + kJson, R"({"name":"other"})");
  CHECK(put.status == 200);
  CHECK(Contains(put.body, "\"name\":\"a.b\""));
  CHECK(world.Ask("PUT", "/v1/streams/a?stream.name=x", std::string(kEditor) + kJson, "{}").status == 400);
  CHECK(world.Ask("GET", "/v1/streams/a?nothing=1", kViewer).status == 400);
  CHECK(world.Ask("GET", "/v1/streams/a%", kViewer).status == 404);
  CHECK(world.Ask("GET", "/v1/streams/a", kViewer, "body").status >= 400);
  CHECK(world
            .Ask("POST", "/v1/query", std::string(kViewer) + kJson,
                 R"({"query":{"stream":"a","last":"60s","aggregates":[{"function":"AGGREGATE_FUNCTION_COUNT"}]}})")
            .body.find("\"hotRows\":\"1\"") != std::string::npos);
}

TEST_CASE("JSON that is not the message is refused with its place, and nothing breaks", "[gateway]") {
  TestWorld world;
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("{\"query\":{\"nothing\":1}}"), std::string("{\"query\":7}"),
        std::string("\xff{}"), std::string(100'000, '['), std::string("{\"query\":{\"last\":\"soon\"}}"),
        std::string("{\"query\":{}}{}"), std::string("{\"waitFor\":{}}")}) {
    CAPTURE(body.substr(0, 50));
    const auto answer = world.Ask("POST", "/v1/query", std::string(kViewer) + kJson, body);
    CHECK(answer.status == 400);
    CHECK(Contains(answer.head, "application/problem+json"));
  }
  CHECK(world.Ask("POST", "/v1/query", std::string(kViewer) + "Content-Type: text/plain\r\n", "{}").status == 415);
}

TEST_CASE("who may not, gets 401 or 403 and learns nothing", "[gateway]") {
  TestWorld world;
  const auto status = [&](std::string_view method, std::string_view target, std::string_view authorization) {
    const auto answer = world.Ask(
        method, target, authorization.empty() ? "" : fmt::format("Authorization: {}\r\n{}", authorization, kJson));
    CHECK(Contains(answer.head, "application/problem+json"));
    CHECK_FALSE(Contains(answer.body, "internal:"));
    CHECK_FALSE(Contains(answer.body, "no such key"));
    return answer.status;
  };
  CHECK(status("GET", "/v1/streams/a", "") == 401);
  CHECK(status("GET", "/v1/streams/a", "Bearer") == 401);
  CHECK(status("GET", "/v1/streams/a", "Bearer nobody") == 401);
  CHECK(status("GET", "/v1/streams/a", "Basic dmlld2VyOjE=") == 401);
  CHECK(status("GET", "/v1/streams/a", "Bearer rm_1_bad") == 401);
  CHECK(status("GET", "/v1/streams/a", "Bearer " + std::string(9000, 'a')) == 401);
  CHECK(status("DELETE", "/v1/keys/k", "Bearer viewer-1") == 403);
  CHECK(status("GET", "/v1/streams/a", "Bearer onetime-1") == 403);
  CHECK(world.Ask("GET", "/v1/streams/a", std::string(kViewer) + kViewer).status == 401);
  CHECK(world.Ask("GET", "/v1/streams/a", "authorization: bearer viewer-1\r\n").status == 200);
  CHECK(Contains(world.Ask("GET", "/v1/streams/a").head, "WWW-Authenticate: Bearer"));
}

TEST_CASE("an API key is exchanged once for many requests", "[gateway]") {
  TestWorld world;
  for (int i = 0; i < 5; ++i) {
    CHECK(world.Ask("GET", "/v1/streams/a", "Authorization: Bearer rm_1_good\r\n").status == 200);
  }
  CHECK(world.streams.seen.bearer == "rm_1_good");
  CHECK(world.auth.exchanges <= 2);
}

TEST_CASE("an API key that was good is good for five minutes while it can't be checked", "[gateway]") {
  constexpr char kKey[] = "Authorization: Bearer rm_1_good\r\n";
  testing::ManualClock clock(absl::Now());
  TestWorld world({}, clock, kLooksWhenTold);
  CHECK(world.Ask("GET", "/v1/streams/a", kKey).status == 200);
  world.auth.away = true;
  for (int i = 0; i < 4; ++i) {
    clock.Advance(absl::Minutes(1));
    world.bearers->Recheck();
    CHECK(world.Ask("GET", "/v1/streams/a", kKey).status == 200);
  }
  CHECK(world.Ask("GET", "/v1/streams/a", "Authorization: Bearer rm_2_new\r\n").status == 503);
  clock.Advance(absl::Minutes(1) + absl::Seconds(1));
  world.bearers->Recheck();
  CHECK(world.Ask("GET", "/v1/streams/a", kKey).status == 503);
  world.auth.away = false;
  clock.Advance(absl::Minutes(1));
  CHECK(world.Ask("GET", "/v1/streams/a", kKey).status == 200);
}

TEST_CASE("errors of services keep their code and lose what is ours", "[gateway]") {
  TestWorld world;
  const auto missing = world.Ask("DELETE", "/v1/keys/k7", kEditor);
  CHECK(missing.status == 404);
  CHECK(Contains(missing.body, "no key k7"));
  CHECK(Contains(missing.body, "\"requestId\":\""));
  const auto internal = world.Ask("GET", "/v1/streams/secret", kViewer);
  CHECK(internal.status == 500);
  CHECK_FALSE(Contains(internal.body, "hunter2"));
  const auto rotten = world.Ask("GET", "/v1/streams/rotten", kViewer);
  CHECK(rotten.status == 500);
  CHECK(Contains(rotten.body, "segment segments/p0/7 is damaged"));
  CHECK(Contains(rotten.body, "\"code\":\"data_loss\""));
  const auto away = world.Ask("GET", "/v1/streams/away", kViewer);
  CHECK(away.status == 503);
  CHECK(Contains(away.head, "Retry-After: "));
  CHECK_FALSE(Contains(away.body, "10.1.2.3"));
  const auto full = world.Ask("GET", "/v1/streams/full", kViewer);
  CHECK(full.status == 507);
  CHECK(Contains(full.head, "507 Insufficient Storage"));
  CHECK(Contains(full.head, "Retry-After: "));
  CHECK(Contains(full.body, "disk is full"));
  CHECK_FALSE(Contains(full.body, "/data/log"));
  const auto half = world.Ask("GET", "/v1/streams/half", kViewer);
  CHECK(half.status == 409);
  CHECK(Contains(half.body, "5 of its events are durable"));
  CHECK(world.Ask("GET", "/v1/nothing", kViewer).status == 404);
  const auto method = world.Ask("POST", "/v1/keys/k", kViewer);
  CHECK(method.status == 405);
  CHECK(Contains(method.head, "Allow: DELETE"));
  for (const auto& [path, allowed] :
       {std::pair("/v1/streams/s/events", "Allow: POST"), std::pair("/openapi.json", "Allow: GET, HEAD"),
        std::pair("/metrics", "Allow: GET, HEAD")}) {
    const auto put = world.Ask("PUT", path, kViewer);
    CHECK(put.status == 405);
    CHECK(Contains(put.head, allowed));
  }
}

TEST_CASE("a caller's deadline and disconnection reach the service", "[gateway]") {
  TestWorld world;
  CHECK(world.Ask("GET", "/v1/streams/slow", std::string(kViewer) + "Connect-Timeout-Ms: 50\r\n").status == 504);
  REQUIRE(testing::Eventually([&] { return world.streams.cancelled >= 1; }));
  {
    net::RawClient client = world.Client();
    client.Send(fmt::format("GET /v1/streams/slow HTTP/1.1\r\nHost: a\r\n{}\r\n", kViewer));
    client.FinishSending();
  }
  REQUIRE(testing::Eventually([&] { return world.streams.cancelled >= 2; }));
}

TEST_CASE("the Connect protocol speaks JSON and binary", "[gateway]") {
  TestWorld world;
  const auto json = world.Ask("POST", Connect("GetStream"), std::string(kViewer) + kJson, R"({"name":"a"})");
  CHECK(json.status == 200);
  CHECK(json.body == R"({"stream":{"name":"a"}})");
  ingest::v1::GetStreamRequest request;
  request.set_name("b");
  const std::string proto = std::string(kViewer) + "Content-Type: application/proto\r\n";
  const auto binary = world.Ask("POST", Connect("GetStream"), proto, request.SerializeAsString());
  ingest::v1::GetStreamResponse response;
  CHECK(response.ParseFromString(binary.body));
  CHECK(response.stream().name() == "b");
  const auto refused = world.Ask("POST", Connect("GetStream"), kJson, "{}");
  CHECK(refused.status == 401);
  CHECK(Contains(refused.body, R"("code":"unauthenticated")"));
  CHECK(Contains(refused.head, "Content-Type: application/json"));
  CHECK(world.Ask("POST", Connect("GetStream"), proto, "\xff\xff").status >= 400);
  CHECK(world.Ask("POST", Connect("GetStream"), kViewer, "{}").status == 415);
  CHECK(world.Ask("GET", Connect("GetStream"), kViewer).status == 405);
  CHECK(world.Ask("POST", Connect("Nothing"), std::string(kViewer) + kJson, "{}").status == 404);
}

TEST_CASE("internal RPCs are not offered", "[gateway]") {
  TestWorld world;
  CHECK(
      world.Ask("POST", "/rivermeet.aggregation.v1.AggregationService/ReadPartials", std::string(kEditor) + kJson, "{}")
          .status == 404);
}

TEST_CASE("bulk bodies reach ingest as they came, and the receipt names each bad event", "[gateway]") {
  TestWorld world;
  const std::string fields =
      std::string("Authorization: Bearer rm_1_good\r\n") + "Content-Type: text/csv; charset=utf-8\r\n";
  const std::string csv = "time,host,cpu\n1,a,2\n";
  const auto answer = world.Ask("POST", "/v1/streams/my.first/events?producer_id=5&sequence=6", fields, csv);
  CHECK(answer.status == 200);
  CHECK(answer.body ==
        "{\"receipt\":{\"accepted\":2,\"rejected\":1,\"errors\":[{\"index\":7,\"field\":\"cpu\",\"reason\":\"\\\"x\\\" "
        "is no "
        "number\",\"code\":\"wrong_type\",\"byteOffset\":14}],\"visibilityToken\":\"tok\"}}\n");
  {
    std::lock_guard lock(world.ingest.mutex);
    CHECK(world.ingest.last.stream() == "my.first");
    CHECK(world.ingest.last.content_type() == "text/csv");
    CHECK(world.ingest.last.body() == csv);
    CHECK(world.ingest.last.producer_id() == 5);
    CHECK(world.ingest.last.sequence() == 6);
  }
  const auto bad = world.Ask("POST", "/v1/streams/s/events", fields, "bad").body;
  CHECK(Contains(bad, "\"accepted\":0,\"rejected\":1"));
  CHECK(Contains(bad, "\"code\":\"invalid_argument\""));
  CHECK(Contains(bad, "\"requestId\":\""));
  std::string large(3'000'000, ' ');
  large.replace(0, 2, "{}");
  CHECK(world.Ask("POST", "/v1/streams/s/events", std::string(kEditor) + kJson, large).status == 200);
  CHECK(world.ingest.last.body() == large);
  const std::string zipped = net::GzipIfItPays(large).value();
  CHECK(world.Ask("POST", "/v1/streams/s/events", std::string(kEditor) + kJson + "Content-Encoding: gzip\r\n", zipped)
            .status == 413);
  CHECK(world.Ask("POST", "/v1/streams/s/events", std::string(kEditor) + kJson, std::string(9 << 20, ' ')).status ==
        413);
  CHECK(world.Ask("POST", "/v1/streams/s/events", std::string(kEditor) + "Content-Type: text/html\r\n", "x").status ==
        415);
  CHECK(world.Ask("POST", "/v1/streams/s/events?sequence=x", fields, csv).status == 400);
  CHECK(world.Ask("POST", "/v1/streams/s/events", kJson, "{}").status == 401);
  CHECK(world.Ask("POST", "/v1/streams/s/events", std::string(kViewer) + kJson, "{}").status == 403);
}

TEST_CASE("a browser's refresh token stays in a cookie that only our own page can spend", "[gateway]") {
  TestWorld world;
  const std::string own = std::string(kJson) + "Origin: http://gate\r\n";
  const std::string body = R"({"user":"ada","password":"right"})";
  const auto login = world.Ask("POST", "/v1/auth/login", own, body);
  CHECK(login.status == 200);
  CHECK_FALSE(Contains(login.body, "\"r1\""));
  CHECK(Contains(login.head, "Set-Cookie: rivermeet_refresh=r1; Path=/v1/auth; Max-Age="));
  CHECK(Contains(login.head, "HttpOnly; SameSite=Strict"));
  CHECK(Contains(world.Ask("POST", "/v1/auth/login", kJson, body).body, "\"r1\""));
  const std::string cookie = "Cookie: a=b; rivermeet_refresh=r1\r\n";
  const auto refresh = world.Ask("POST", "/rivermeet.auth.v1.AuthService/Refresh", own + cookie, "{}");
  CHECK(refresh.status == 200);
  CHECK(Contains(refresh.head, "rivermeet_refresh=r2; Path=/rivermeet.auth.v1.AuthService"));
  for (const std::string_view origin : {"", "Origin: https://evil.example\r\n", "Origin: null\r\n"}) {
    CHECK(world.Ask("POST", "/v1/auth/refresh", std::string(kJson) + cookie + std::string(origin), "{}").status == 403);
  }
  const auto dead = world.Ask("POST", "/v1/auth/refresh", own + "Cookie: rivermeet_refresh=old\r\n", "{}");
  CHECK(dead.status == 401);
  CHECK(Contains(dead.head, "rivermeet_refresh=; Path=/v1/auth; Max-Age=0"));
  CHECK(Contains(world.Ask("POST", "/v1/auth/logout", own + cookie, "{}").head, "Max-Age=0"));
  CHECK(world.Ask("GET", "/v1/streams/a", own + cookie).status == 401);
}

TEST_CASE("too many requests get 429 and a time to wait", "[gateway]") {
  config::v1::GatewayConfig config;
  config.set_logins_per_minute(3);
  config.set_requests_per_second(2);
  TestWorld world(config);
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    const auto answer = world.Ask("POST", "/v1/auth/login", kJson, R"({"user":"a","password":"b"})");
    if (answer.status != 429) continue;
    ++refused;
    CHECK(Contains(answer.head, "Retry-After: "));
  }
  CHECK(refused >= 6);
  int served = 0;
  for (int i = 0; i < 20; ++i) served += world.Ask("GET", "/v1/streams/a", kViewer).status == 200;
  CHECK(served < 20);
  CHECK(world.Ask("GET", "/v1/streams/a", kEditor).status == 200);
}

TEST_CASE("guessing is limited before it costs the auth service anything", "[gateway]") {
  config::v1::GatewayConfig config;
  config.set_requests_per_second(1);
  testing::ManualClock clock(absl::Now());
  TestWorld world(config, clock, kLooksWhenTold);
  int limited = 0;
  for (int i = 0; i < 20; ++i) {
    limited += world.Ask("GET", "/v1/streams/a", fmt::format("Authorization: Bearer rm_{}_bad\r\n", i)).status == 429;
  }
  CHECK(limited == 18);
  CHECK(world.auth.exchanges == 2);
}

query::v1::SubscribeResponse Update(bool snapshot, uint64_t sequence) {
  query::v1::SubscribeResponse response;
  response.set_snapshot(snapshot);
  response.set_sequence(sequence);
  return response;
}

TEST_CASE("a server's stream reaches curl as lines or as events", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1));
  world.query.Push(Update(false, 2));
  const std::string body = R"({"query":{"stream":"a"}})";
  const auto subscribe = [&](std::string_view fields) {
    net::RawClient client = world.Client();
    client.Send(fmt::format("POST /v1/subscribe HTTP/1.1\r\nHost: a\r\n{}{}{}Content-Length: {}\r\n\r\n{}", kViewer,
                            kJson, fields, body.size(), body));
    return client;
  };
  {
    net::RawClient lines = subscribe("");
    CHECK(Contains(lines.ReadUntil("\r\n\r\n"), "application/x-ndjson"));
    CHECK(Contains(lines.ReadUntil("}\n"), "\"sequence\":\"1\""));
    CHECK(Contains(lines.ReadUntil("}\n"), "\"sequence\":\"2\""));
    net::RawClient events = subscribe("Accept: text/event-stream\r\n");
    CHECK(Contains(events.ReadUntil("\r\n\r\n"), "text/event-stream"));
    CHECK(Contains(events.ReadUntil("}\n\n"), "data: {\"snapshot\":true"));
    CHECK(world.query.open == 2);
  }
  REQUIRE(testing::Eventually([&] { return world.query.open == 0; }));
  const auto missing =
      world.Ask("POST", "/v1/subscribe", std::string(kViewer) + kJson, R"({"query":{"stream":"missing"}})");
  CHECK(missing.status == 404);
}

TEST_CASE("a stream ends as unauthenticated when its caller's bearer is revoked", "[gateway]") {
  TestWorld world({}, Clock::System(), kLooksWhenTold);
  world.query.Push(Update(true, 1));
  const std::string body = R"({"query":{"stream":"a"}})";
  net::RawClient events = world.Client();
  events.Send(
      fmt::format("POST /v1/subscribe HTTP/1.1\r\nHost: a\r\n{}{}Accept: text/event-stream\r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  kViewer, kJson, body.size(), body));
  CHECK(Contains(events.ReadUntil("}\n\n"), "data: {\"snapshot\":true"));
  net::RawClient connect = world.Client();
  connect.Send(
      fmt::format("POST /rivermeet.query.v1.QueryService/Subscribe HTTP/1.1\r\nHost: a\r\n{}"
                  "Content-Type: application/connect+json\r\nContent-Length: {}\r\n\r\n{}{}{}",
                  kViewer, body.size() + 5, std::string("\0\0\0\0", 4), static_cast<char>(body.size()), body));
  CHECK(Contains(connect.ReadUntil("}"), "snapshot"));
  world.verifier.revoked = "viewer-1";
  world.bearers->Recheck();
  CHECK(Contains(events.ReadUntil("}\n\n"), R"("code":"unauthenticated")"));
  CHECK(Contains(connect.ReadUntil("}}"), R"({"error":{"code":"unauthenticated")"));
  REQUIRE(testing::Eventually([&] { return world.query.open == 0; }));
}

TEST_CASE("a server's stream speaks Connect's envelopes", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1));
  const auto open = [&](std::string_view type, std::string_view message) {
    std::string body("\0\0\0\0", 4);
    body.push_back(static_cast<char>(message.size()));
    body += message;
    net::RawClient client = world.Client();
    client.Send(
        fmt::format("POST /rivermeet.query.v1.QueryService/Subscribe HTTP/1.1\r\nHost: a\r\n{}Content-Type: {}\r\n"
                    "Content-Length: {}\r\n\r\n{}",
                    kViewer, type, body.size(), body));
    return client;
  };
  net::RawClient json = open("application/connect+json", R"({"query":{"stream":"a"}})");
  CHECK(Contains(json.ReadUntil("}"), std::string("\0\0\0\0", 4)));
  net::RawClient failed = open("application/connect+json", R"({"query":{"stream":"missing"}})");
  CHECK(Contains(failed.ReadUntil("}}"), R"({"error":{"code":"not_found")"));
  net::RawClient broken = open("application/connect+json", R"({"nothing":1})");
  CHECK(Contains(broken.ReadUntil("}}"), R"("code":"invalid_argument")"));
}

TEST_CASE("the web app comes with its compressed forms and its policy", "[gateway]") {
  const auto folder = std::filesystem::temp_directory_path() / ("gateway-web-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder / "assets");
  const auto write = [&](const char* name, std::string_view text) { std::ofstream(folder / name) << text; };
  write("index.html", "<html><script>theme()</script><script src=\"/assets/a.js\"></script></html>");
  write("assets/a-1.js", "plain");
  write("assets/a-1.js.br", "brotli");
  write("assets/a-1.js.gz", "gzip");
  config::v1::GatewayConfig config;
  config.set_web_folder(folder.string());
  {
    TestWorld world(config);
    const auto page = world.Ask("GET", "/");
    CHECK(page.status == 200);
    CHECK(Contains(page.head, "script-src 'self' 'sha256-"));
    CHECK(Contains(page.head, "frame-ancestors 'none'"));
    CHECK(Contains(page.head, "Cache-Control: no-cache"));
    CHECK(world.Ask("GET", "/explore/x").body == page.body);
    CHECK(world.Ask("GET", "/missing.js").status == 404);
    CHECK(world.Ask("GET", "/../../etc/passwd.txt").status == 404);
    CHECK(world.Ask("GET", "/%2e%2e/%2e%2e/etc/passwd.txt").status == 404);
    const auto script = world.Ask("GET", "/assets/a-1.js", "Accept-Encoding: gzip, br\r\n");
    CHECK(script.body == "brotli");
    CHECK(Contains(script.head, "immutable"));
    CHECK(world.Ask("GET", "/assets/a-1.js", "Accept-Encoding: gzip\r\n").body == "gzip");
    CHECK(world.Ask("GET", "/assets/a-1.js").body == "plain");
    const size_t at = script.head.find("ETag: ") + 6;
    const std::string etag = script.head.substr(at, script.head.find("\r\n", at) - at);
    CHECK(world.Ask("GET", "/assets/a-1.js", "If-None-Match: " + etag + "\r\n").status == 304);
    CHECK(world.Ask("GET", "/v1/nothing").status == 404);
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("health, metrics and the interface's description are served", "[gateway]") {
  TestWorld world;
  CHECK(world.Ask("GET", "/healthz").status == 200);
  CHECK(world.Ask("GET", "/readyz").status == 200);
  world.health.Add("catalog");
  CHECK(world.Ask("GET", "/readyz").status == 503);
  world.Ask("GET", "/v1/streams/a", kViewer);
  CHECK(Contains(world.Ask("GET", "/metrics").body,
                 "rivermeet_gateway_calls_total{code=\"ok\",rpc=\"rivermeet.ingest.v1.StreamService.GetStream\"} 1"));
  const auto description = world.Ask("GET", "/openapi.json");
  CHECK(Contains(description.body, "\"openapi\":\"3.1.0\""));
  CHECK(Contains(description.body, R"("code":{"type":"string"},"byteOffset":{"type":"integer"})"));
  CHECK_FALSE(Contains(description.body, "{stream.name}"));  // the same path as {name}
  for (const char* path : {"\"/v1/streams/{stream}/events\"", "\"/v1/streams/{name}\"", "\"/v1/query\""}) {
    CHECK(Contains(description.body, path));
  }
}

TEST_CASE("settings that can't be are refused by name", "[gateway]") {
  TestWorld world;
  const auto open = [&](config::v1::GatewayConfig config) {
    const auto opened =
        GatewayModule::Open(config, {.services = {}, .bearers = world.bearers.get(), .registry = &world.registry});
    return opened.ok() ? std::string() : opened.status().ToString();
  };
  config::v1::GatewayConfig config;
  config.set_max_connections(3);
  CHECK(Contains(open(config), "gateway.max_connections"));
  config.Clear();
  config.set_max_connections_per_client(1'000'001);
  CHECK(Contains(open(config), "gateway.max_connections_per_client"));
  config.Clear();
  config.set_tls_certificate("/x");
  CHECK(Contains(open(config), "tls_key"));
  config.Clear();
  config.set_port(static_cast<uint32_t>(world.gateway->port()));
  CHECK(Contains(open(config), fmt::format("127.0.0.1:{} is in use", world.gateway->port())));
  config.Clear();
  config.set_web_folder("/nowhere");
  CHECK(Contains(open(config), "/nowhere"));
}

}  // namespace
}  // namespace rivermeet::gateway
