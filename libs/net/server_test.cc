#include "net/server.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "net/compression.h"
#include "net/internal/address_quota.h"
#include "net/raw_client_test.h"
#include "testing/eventually.h"

namespace rivermeet::net {
namespace {

// Answers by path; /hold waits until it is released or its client is gone.
class Site final : public Handler {
 public:
  BodyRules RulesFor(const RequestHead& head) override {
    return {.max_bytes = 100'000, .inflate = head.path != "/raw", .max_inflated_bytes = 1'000'000};
  }

  Task<Response> Handle(Request& request) override {
    const std::string path(request.path());
    if (path == "/throw") throw std::runtime_error("secret");
    if (path == "/big") co_return Response::Of(200, "text/plain", std::string(50'000'000, 'x'));
    if (path == "/text") co_return Response::Of(200, "text/plain", std::string(5000, 'x'));
    if (path == "/inject") co_return Response::Of(200, "text/plain", "").Set("X", "a\r\nSet-Cookie: b");
    if (path == "/hold") co_return co_await Hold(request);
    if (path == "/stream") co_return Stream();
    if (path == "/broken") co_return Broken();
    co_return Response::Of(200, "text/plain",
                           std::string(request.method()) + " " + std::string(request.path()) + " " +
                               std::string(request.content_encoding()) + "|" + request.body());
  }

  void Release() {
    std::function<void(int)> done;
    {
      std::lock_guard lock(mutex_);
      done = std::exchange(held_, nullptr);
    }
    if (done) done(200);
  }
  void WaitUntilHeld() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_ != nullptr; });
  }
  void WaitUntilGone() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return gone_; });
  }

 private:
  Task<Response> Hold(Request& request) {
    request.OnGone([this] {
      {
        std::lock_guard lock(mutex_);
        gone_ = true;
        changed_.notify_all();
      }
      Release();
    });
    auto start = [this](std::function<void(int)> done) {
      std::lock_guard lock(mutex_);
      held_ = std::move(done);
      changed_.notify_all();
    };
    const int status = co_await Await<int>(std::move(start));
    co_return Response::Of(status, "text/plain", "held");
  }

  static Response Stream() {
    Response response;
    response.stream = [](BodyWriter& writer) -> Task<absl::Status> {
      for (int i = 0; i < 3; ++i) {
        const std::string line = "line " + std::to_string(i) + "\n";
        const absl::Status status = co_await writer.Write(line);
        if (!status.ok()) co_return status;
      }
      co_return absl::OkStatus();
    };
    return response;
  }

  static Response Broken() {
    Response response;
    response.stream = [](BodyWriter& writer) -> Task<absl::Status> {
      const absl::Status status = co_await writer.Write("begun");
      co_return status.ok() ? absl::UnavailableError("upstream") : status;
    };
    return response;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void(int)> held_;
  bool gone_ = false;
};

struct Running {
  explicit Running(ServerOptions options = {}) {
    auto opened = Server::Open(std::move(options), site);
    REQUIRE(opened.ok());
    server = std::move(*opened);
    server->Start();
  }
  Site site;
  std::unique_ptr<Server> server;
};

std::string Get(std::string_view path, std::string_view fields = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", path, fields);
}
std::string Post(std::string_view body, std::string_view fields = "") {
  return fmt::format("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), fields, body);
}

TEST_CASE("requests on one connection are answered in order, however their bytes arrive", "[net]") {
  Running running({.threads = 2});
  RawClient client(running.server->port());
  const std::string three = Post("one") + Get("/two") + Post("three");
  SECTION("at once") { client.Send(three); }
  SECTION("byte by byte") {
    for (const char c : three) client.Send(std::string_view(&c, 1));
  }
  CHECK(client.ReadAnswer().body == "POST /p |one");
  CHECK(client.ReadAnswer().body == "GET /two |");
  CHECK(client.ReadAnswer().body == "POST /p |three");
  CHECK(running.server->Stats().requests == 3);
}

TEST_CASE("a malformed request is answered with 400 and the connection ends", "[net]") {
  Running running;
  for (const std::string_view bytes :
       {"GET / HTTP/1.1\nHost: a\n\n", "rubbish\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
        "\x16\x03\x01\x02\r\n\x01"}) {
    CAPTURE(bytes);
    RawClient client(running.server->port());
    client.Send(bytes);
    client.Send(Get("/smuggled"));
    const std::string all = client.ReadAll();
    CHECK(all.starts_with("HTTP/1.1 400 "));
    CHECK(all.find("application/problem+json") != std::string::npos);
    CHECK(all.find("Connection: close") != std::string::npos);
    CHECK(all.find("HTTP/1.1", 8) == std::string::npos);
  }
  CHECK(running.server->Stats().requests == 0);
  CHECK(running.server->Stats().malformed == 7);
}

TEST_CASE("a request cut off at any byte is never handled", "[net]") {
  Running running;
  const std::string whole = Post("abc", "X: y\r\n");
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    RawClient client(running.server->port());
    client.Send(std::string_view(whole).substr(0, size));
    client.FinishSending();
    CHECK(client.ReadAll() == "");
  }
  CHECK(running.server->Stats().requests == 0);
}

TEST_CASE("bodies over their limit are refused before they are read", "[net]") {
  Running running;
  const auto status = [&](std::string_view bytes) {
    RawClient client(running.server->port());
    return client.Ask(bytes).status;
  };
  CHECK(status(Post(std::string(100'000, 'a'))) == 200);
  CHECK(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n") == 413);
  CHECK(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n") == 413);
  CHECK(status("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'a')) == 431);
  CHECK(status("GET /" + std::string(20'000, 'a')) == 414);
}

TEST_CASE("compressed bodies are inflated within bounds, or passed on where the route says so", "[net]") {
  Running running;
  const auto ask = [&](std::string_view bytes) {
    RawClient client(running.server->port());
    return client.Ask(bytes);
  };
  const std::string text(3000, 'a');
  const std::string gzip = GzipIfItPays(text).value();
  CHECK(ask(Post(gzip, "Content-Encoding: gzip\r\n")).body == "POST /p |" + text);
  CHECK(ask(Post("abc", "Content-Encoding: gzip\r\n")).status == 400);
  CHECK(ask(Post("abc", "Content-Encoding: br\r\n")).status == 415);
  CHECK(ask(Post("abc", "Content-Encoding: gzip, gzip\r\n")).status == 415);
  CHECK(ask(Post("abc", "Content-Encoding: identity\r\n")).status == 200);
  const std::string raw = fmt::format(
      "POST /raw HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n{}", gzip.size(), gzip);
  CHECK(ask(raw).body == "POST /raw gzip|" + gzip);
  const std::string bomb = GzipIfItPays(std::string(2'000'000, 'a')).value();
  const auto refused = ask(Post(bomb, "Content-Encoding: gzip\r\n"));
  CHECK(refused.status == 413);
  CHECK(refused.body.find("\"code\":\"invalid_argument\"") != std::string::npos);
  CHECK(refused.body.find("The limit is 1000000.") != std::string::npos);
  // The last connection gives its bytes back after its answer is out.
  REQUIRE(testing::Eventually([&] { return running.server->Stats().body_bytes == 0; }));
}

TEST_CASE("a HEAD request gets the length and no body", "[net]") {
  Running running;
  RawClient client(running.server->port());
  client.Send("HEAD /text HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = client.ReadUntil("\r\n\r\n");
  CHECK(head.find("Content-Length: 5000") != std::string::npos);
  CHECK(client.Ask(Get("/next")).body == "GET /next |");
}

TEST_CASE("responses are compressed for those who take it", "[net]") {
  Running running;
  RawClient client(running.server->port());
  const auto answer = client.Ask(Get("/text", "Accept-Encoding: br, gzip\r\n"));
  CHECK(answer.head.find("Content-Encoding: gzip") != std::string::npos);
  CHECK(Inflate("gzip", answer.body, {}).value() == std::string(5000, 'x'));
  CHECK(client.Ask(Get("/text")).body == std::string(5000, 'x'));
}

TEST_CASE("a handler's line breaks don't become header lines and its exceptions tell nothing", "[net]") {
  Running running;
  RawClient client(running.server->port());
  CHECK(client.Ask(Get("/inject")).head.find("\r\nSet-Cookie") == std::string::npos);
  const auto failed = client.Ask(Get("/throw"));
  CHECK(failed.status == 500);
  CHECK((failed.head + failed.body).find("secret") == std::string::npos);
  CHECK(client.Ask(Get("/after")).status == 200);
}

TEST_CASE("a stream is chunked, and one that fails is seen to be incomplete", "[net]") {
  Running running;
  RawClient client(running.server->port());
  client.Send(Get("/stream"));
  CHECK(client.ReadUntil("\r\n\r\n").find("Transfer-Encoding: chunked") != std::string::npos);
  CHECK(client.ReadUntil("0\r\n\r\n") == "7\r\nline 0\n\r\n7\r\nline 1\n\r\n7\r\nline 2\n\r\n0\r\n\r\n");
  client.Send(Get("/broken"));
  const std::string all = client.ReadAll();
  CHECK(all.find("begun") != std::string::npos);
  CHECK_FALSE(all.ends_with("0\r\n\r\n"));
  RawClient old(running.server->port());
  old.Send("GET /stream HTTP/1.0\r\n\r\n");
  CHECK(old.ReadAll().ends_with("\r\n\r\nline 0\nline 1\nline 2\n"));
}

TEST_CASE("100 Continue is sent once the body is wanted", "[net]") {
  Running running;
  RawClient client(running.server->port());
  client.Send("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.ReadUntil("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(client.Ask("abc").body == "POST /p |abc");
  const auto refused =
      client.Ask("POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n");
  CHECK(refused.status == 413);
}

TEST_CASE("clients that are too slow are cut off", "[net]") {
  Running running({.header_timeout = absl::Milliseconds(300),
                   .idle_timeout = absl::Milliseconds(300),
                   .write_timeout = absl::Milliseconds(300),
                   .min_body_bytes_per_second = 1'000'000});
  SECTION("between requests") {
    RawClient client(running.server->port());
    CHECK(client.Ask(Get("/")).status == 200);
    CHECK(client.ReadAll() == "");
  }
  SECTION("within a head, though bytes keep dripping") {
    RawClient client(running.server->port());
    client.Send("GET / HTTP/1.1\r\n");
    while (client.Send("X: y\r\n") && running.server->Stats().timed_out == 0) {
      std::this_thread::yield();
      if (running.server->Stats().malformed > 0) break;
    }
    const std::string all = client.ReadAll();
    CHECK((all.empty() || all.starts_with("HTTP/1.1 408") || all.starts_with("HTTP/1.1 431")));
  }
  SECTION("within a body") {
    RawClient client(running.server->port());
    client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
    CHECK(client.ReadAll().starts_with("HTTP/1.1 408"));
  }
  SECTION("taking a response") {
    RawClient client(running.server->port(), 4096);
    client.Send(Get("/big"));
    REQUIRE(testing::Eventually([&] { return running.server->Stats().timed_out != 0; }));
    CHECK(running.server->Stats().timed_out == 1);
  }
}

TEST_CASE("a handler learns that its client is gone", "[net]") {
  Running running;
  {
    RawClient client(running.server->port());
    client.Send(Get("/hold"));
    running.site.WaitUntilHeld();
  }
  running.site.WaitUntilGone();
}

TEST_CASE("connections over the limit get 503 and existing ones go on", "[net]") {
  Running running({.max_connections = 2});
  RawClient first(running.server->port());
  RawClient second(running.server->port());
  CHECK(first.Ask(Get("/")).status == 200);
  CHECK(second.Ask(Get("/")).status == 200);
  RawClient third(running.server->port());
  CHECK(third.ReadAll().starts_with("HTTP/1.1 503 "));
  CHECK(first.Ask(Get("/")).status == 200);
  CHECK(running.server->Stats().refused == 1);
}

TEST_CASE("a client's connections over its limit get 503, another's don't, and closed ones don't count", "[net]") {
  Running running({.max_connections_per_client = 2});
  auto first = std::make_unique<RawClient>(running.server->port());
  RawClient second(running.server->port());
  CHECK(first->Ask(Get("/")).status == 200);
  CHECK(second.Ask(Get("/")).status == 200);
  {
    RawClient third(running.server->port());
    CHECK(third.ReadAll().starts_with("HTTP/1.1 503 "));
  }
  CHECK(running.server->Stats().refused == 1);
  RawClient other(running.server->port(), 0, "127.0.0.2");
  CHECK(other.Ask(Get("/")).status == 200);
  first.reset();
  REQUIRE(testing::Eventually([&] { return running.server->Stats().connections <= 2; }));
  RawClient again(running.server->port());
  CHECK(again.Ask(Get("/")).status == 200);
}

TEST_CASE("a client is an IPv4 address or an IPv6 network of 64 bits", "[net]") {
  const auto key = [](const char* address) { return internal::ClientKey(boost::asio::ip::make_address(address)); };
  CHECK(key("10.0.0.1") == key("::ffff:10.0.0.1"));
  CHECK(key("10.0.0.1") != key("10.0.0.2"));
  CHECK(key("2001:db8::1") == key("2001:db8::ffff:1"));
  CHECK(key("2001:db8::1") != key("2001:db8:0:1::1"));
}

TEST_CASE("running out of descriptors refuses connections and recovers", "[net]") {
  Running running;
  RawClient before(running.server->port());
  CHECK(before.Ask(Get("/")).status == 200);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit old = limit;
  RawClient waiting(running.server->port());
  CHECK(waiting.Ask(Get("/")).status == 200);
  // The clients' descriptors exist before the limit falls; the server's has to be opened after, when none is left. One
  // that something before this test closes late is taken, too, or the server gets it and the next client is tried.
  std::vector<int> opened;
  absl::Cleanup close_all = [&] {
    for (const int descriptor : opened) ::close(descriptor);
    setrlimit(RLIMIT_NOFILE, &old);
  };
  for (int i = 0; i < 8; ++i) opened.push_back(::socket(AF_INET, SOCK_STREAM, 0));
  const std::vector<int> clients = opened;
  limit.rlim_cur = static_cast<rlim_t>(*std::max_element(clients.begin(), clients.end())) + 1;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(running.server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto refused = [&] { return running.server->Stats().refused != 0; };
  for (size_t i = 0; i < clients.size() && !refused(); ++i) {
    for (int left = 0; (left = ::open("/dev/null", O_RDONLY)) >= 0;) opened.push_back(left);
    REQUIRE(::connect(clients[i], reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    testing::Eventually(refused, absl::Seconds(i + 1 < clients.size() ? 2 : 20));
  }
  CHECK(refused());
  CHECK(before.Ask(Get("/")).status == 200);
  std::move(close_all).Invoke();
  RawClient after(running.server->port());
  CHECK(after.Ask(Get("/")).status == 200);
}

TEST_CASE("stopping finishes what is in flight and closes what is idle", "[net]") {
  Running running;
  RawClient idle(running.server->port());
  CHECK(idle.Ask(Get("/")).status == 200);
  RawClient busy(running.server->port());
  busy.Send(Get("/hold"));
  running.site.WaitUntilHeld();
  std::future<void> stopped =
      std::async(std::launch::async, [&] { running.server->Stop(absl::Now() + absl::Seconds(30)); });
  CHECK(idle.ReadAll() == "");
  running.site.Release();
  const auto answer = busy.ReadAnswer();
  CHECK(answer.body == "held");
  CHECK(answer.head.find("Connection: close") != std::string::npos);
  stopped.get();
  CHECK_FALSE(running.server->Post(0, [] {}));
}

TEST_CASE("stopping cuts off what is not finished by the deadline", "[net]") {
  Running running;
  RawClient busy(running.server->port());
  busy.Send(Get("/hold"));
  running.site.WaitUntilHeld();
  running.server->Stop(absl::Now() + absl::Milliseconds(50));
  running.site.WaitUntilGone();
  CHECK(busy.ReadAll() == "");
}

TEST_CASE("an address that can't be had is named", "[net]") {
  Running running;
  Site site;
  const auto taken = Server::Open({.port = running.server->port()}, site);
  CHECK(absl::IsAlreadyExists(taken.status()));
  CHECK(taken.status().ToString().find(fmt::format("127.0.0.1:{}", running.server->port())) != std::string::npos);
  const auto open = Server::Open({.address = "0.0.0.0"}, site);
  CHECK(absl::IsInvalidArgument(open.status()));
  CHECK(open.status().ToString().find("TLS") != std::string::npos);
  CHECK(absl::IsInvalidArgument(Server::Open({.address = "example.org"}, site).status()));
  CHECK(Server::Open({.address = "::1"}, site).ok());
}

}  // namespace
}  // namespace rivermeet::net
