#include "net/websocket.h"

#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "net/internal/websocket_frames.h"
#include "net/raw_client_test.h"
#include "net/server.h"

namespace rivermeet::net {
namespace {

namespace beast = boost::beast;
using internal::Opcode;

// Echoes messages, and keeps what it was told.
class Echo final : public WebSocketHandler {
 public:
  void OnOpen(const std::shared_ptr<WebSocket>& socket) override {
    std::lock_guard lock(mutex_);
    socket_ = socket;
    changed_.notify_all();
  }
  void OnMessage(std::string_view payload, bool text) override {
    Socket()->Send(text ? TextFrame(payload) : BinaryFrame(payload));
  }
  Frame OnStateWanted(uint64_t key) override {
    std::lock_guard lock(mutex_);
    ++wanted_[key];
    return BinaryFrame("newest " + std::to_string(key));
  }
  void OnClosed(uint16_t code) override {
    std::lock_guard lock(mutex_);
    code_ = code;
    socket_ = nullptr;
    changed_.notify_all();
  }

  std::shared_ptr<WebSocket> Socket() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return socket_ != nullptr || code_ != 0; });
    return socket_;
  }
  uint16_t WaitUntilClosed() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return code_ != 0; });
    return code_;
  }
  int wanted(uint64_t key) {
    std::lock_guard lock(mutex_);
    return wanted_[key];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<WebSocket> socket_;
  std::map<uint64_t, int> wanted_;
  uint16_t code_ = 0;
};

class Site final : public Handler {
 public:
  Task<Response> Handle(Request& request) override {
    if (request.path() != "/ws") co_return Response::Of(200, "text/plain", "plain");
    Response response;
    response.websocket = echo;
    response.websocket_rules = rules;
    co_return response;
  }

  std::shared_ptr<Echo> echo = std::make_shared<Echo>();
  std::shared_ptr<WebSocketRules> rules = std::make_shared<WebSocketRules>();
};

struct Running {
  Running() {
    auto opened = Server::Open({}, site);
    REQUIRE(opened.ok());
    server = std::move(*opened);
  }
  uint16_t Start() {
    server->Start();
    return server->port();
  }
  Site site;
  std::unique_ptr<Server> server;
};

std::string Handshake(std::string_view fields = "", std::string_view version = "13",
                      std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==") {
  return fmt::format(
      "GET /ws HTTP/1.1\r\nHost: a:1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
      "Sec-WebSocket-Version: {}\r\nSec-WebSocket-Key: {}\r\n{}\r\n",
      version, key, fields);
}

std::string Masked(int first_byte, std::string_view payload) {
  std::string frame(1, static_cast<char>(first_byte));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size() & 0xff));
  }
  const std::string mask = "\x12\x34\x56\x78";
  frame += mask;
  for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return frame;
}

RawClient Connected(uint16_t port, int receive_buffer = 0) {
  RawClient client(port, receive_buffer);
  client.Send(Handshake());
  REQUIRE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  return client;
}

std::string Close(uint16_t code) {
  std::string frame("\x88\x02", 2);
  frame.push_back(static_cast<char>(code >> 8));
  frame.push_back(static_cast<char>(code & 0xff));
  return frame;
}

TEST_CASE("the handshake is RFC 6455's own example", "[net]") {
  Running running;
  RawClient client(running.Start());
  client.Send(Handshake());
  const std::string head = client.ReadUntil("\r\n\r\n");
  CHECK(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
}

TEST_CASE("handshakes that are not whole are answered as HTTP", "[net]") {
  Running running;
  running.site.rules->allowed_origins = {"https://good.example"};
  running.site.rules->subprotocols = {"live.v1"};
  const uint16_t port = running.Start();
  const auto status = [&](const std::string& bytes) {
    RawClient client(port);
    return client.Ask(bytes).status;
  };
  CHECK(status("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n") == 426);
  CHECK(status(Handshake("", "8")) == 426);
  CHECK(status(Handshake("", "13", "short")) == 400);
  CHECK(status(Handshake("Origin: https://evil.example\r\n")) == 403);
  CHECK(status(Handshake("Origin: null\r\n")) == 403);
  CHECK(status(Handshake("Origin: https://a:1.evil.example\r\n")) == 403);
  CHECK(status(Handshake("Sec-WebSocket-Protocol: other\r\n")) == 400);
  for (const std::string_view origin : {"https://good.example", "http://a:1", "https://a:1"}) {
    RawClient client(port);
    client.Send(Handshake(fmt::format("Origin: {}\r\nSec-WebSocket-Protocol: x, live.v1\r\n", origin)));
    CHECK(client.ReadUntil("\r\n\r\n").find("Sec-WebSocket-Protocol: live.v1") != std::string::npos);
  }
}

TEST_CASE("another implementation's client is echoed at every size of length field", "[net]") {
  Running running;
  running.site.rules->max_message_bytes = 1 << 20;
  const uint16_t port = running.Start();
  boost::asio::io_context context;
  beast::websocket::stream<boost::asio::ip::tcp::socket> client(context);
  client.next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
  client.handshake("a:1", "/ws");
  for (const size_t size : {0, 1, 125, 126, 127, 65535, 65536, 1 << 20}) {
    CAPTURE(size);
    const std::string sent(size, 'x');
    client.binary(size % 2 == 0);
    client.write(boost::asio::buffer(sent));
    beast::flat_buffer received;
    client.read(received);
    CHECK(beast::buffers_to_string(received.data()) == sent);
    CHECK(client.got_text() == (size % 2 != 0));
  }
  client.ping("are you there");
  client.close(beast::websocket::close_code::normal);
  CHECK(running.site.echo->WaitUntilClosed() == kNormalClosure);
}

TEST_CASE("messages arrive the same however their bytes and fragments are cut", "[net]") {
  Running running;
  RawClient client = Connected(running.Start());
  const std::string bytes = Masked(0x01, "Gr\xc3") + Masked(0x89, "ping") + Masked(0x00, "\xbc\xc3\x9f") +
                            Masked(0x80, "e") + Masked(0x82, std::string(300, '\xff'));
  SECTION("at once") { client.Send(bytes); }
  SECTION("byte by byte") {
    for (const char c : bytes) client.Send(std::string_view(&c, 1));
  }
  CHECK(client.Read(6) == "\x8a\x04ping");
  const std::string text =
      "Gr\xc3\xbc\xc3\x9f"
      "e";
  CHECK(client.Read(9) == "\x81\x07" + text);
  CHECK(client.Read(304).substr(4) == std::string(300, '\xff'));
}

TEST_CASE("a client that breaks the protocol gets the code that says how", "[net]") {
  const struct {
    std::string bytes;
    uint16_t code;
  } cases[] = {
      {std::string("\x82\x01"
                   "a",
                   3),
       kProtocolError},                                                // not masked
      {Masked(0xc2, "a"), kProtocolError},                             // a reserved bit
      {Masked(0x83, "a"), kProtocolError},                             // an unknown opcode
      {Masked(0x8b, "a"), kProtocolError},                             // an unknown control opcode
      {Masked(0x09, "a"), kProtocolError},                             // a fragmented ping
      {Masked(0x89, std::string(126, 'a')), kProtocolError},           // a long ping
      {Masked(0x80, "a"), kProtocolError},                             // a continuation of nothing
      {Masked(0x01, "a") + Masked(0x81, "b"), kProtocolError},         // a message within a message
      {Masked(0x88, "a"), kProtocolError},                             // half a close code
      {Masked(0x88, "\x03\xed"), kProtocolError},                      // 1005 on the wire
      {Masked(0x88, std::string("\x03\xe8\xff", 3)), kProtocolError},  // a close reason that is not UTF-8
      {Masked(0x81, "\xc0\x80"), kInvalidPayload},                     // overlong
      {Masked(0x81, "\xed\xa0\x80"), kInvalidPayload},                 // a surrogate
      {Masked(0x01, "\xff"), kInvalidPayload},                         // wrong before the message's end
      {Masked(0x82, std::string(2000, 'a')), kMessageTooBig},
      {Masked(0x02, std::string(600, 'a')) + Masked(0x00, std::string(600, 'a')), kMessageTooBig},
      {std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"
                   "mask",
                   14),
       kMessageTooBig},
      {std::string("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                   "mask",
                   14),
       kProtocolError},
      {std::string("\x82\xfe\x00\x05"
                   "mask"
                   "12345",
                   13),
       kProtocolError},  // a length not in its shortest form
  };
  for (const auto& bad : cases) {
    CAPTURE(bad.bytes);
    Running running;
    running.site.rules->max_message_bytes = 1000;
    RawClient client = Connected(running.Start());
    client.Send(bad.bytes);
    client.Send(Masked(0x82, "after"));
    CHECK(client.Read(4) == Close(bad.code));
    client.FinishSending();
    CHECK(client.ReadAll() == "");
    CHECK(running.site.echo->WaitUntilClosed() == bad.code);
  }
}

TEST_CASE("a frame cut off at any byte is no message, and the end is noticed", "[net]") {
  const std::string whole = Masked(0x82, "abc");
  for (size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    Running running;
    RawClient client = Connected(running.Start());
    client.Send(std::string_view(whole).substr(0, size));
    client.FinishSending();
    CHECK(client.ReadAll() == "");
    CHECK(running.site.echo->WaitUntilClosed() == 1006);
  }
}

TEST_CASE("a slow client gets the newest state, not the history", "[net]") {
  Running running;
  running.site.rules->slow_timeout = absl::Seconds(60);
  RawClient client = Connected(running.Start(), 4096);
  const std::shared_ptr<WebSocket> socket = running.site.echo->Socket();
  const Frame large = BinaryFrame(std::string(16 << 20, 'x'));
  socket->SendState(1, large, true);
  for (int i = 0; i < 50; ++i) {
    socket->SendState(1, BinaryFrame("delta"), false);
    socket->SendState(2, BinaryFrame("whole " + std::to_string(i)), true);
    socket->SendState(3, BinaryFrame("dropped"), true);
  }
  socket->Forget(3);
  CHECK(client.Read(large->size()) == *large);
  const std::string newest = *BinaryFrame("newest 1"), last = *BinaryFrame("whole 49");
  const std::string both = client.Read(newest.size() + last.size());
  CHECK((both == newest + last || both == last + newest));
  CHECK(running.site.echo->wanted(1) == 1);
  CHECK(running.site.echo->wanted(2) == 0);
  socket->SendState(1, BinaryFrame("d"), false);
  CHECK(client.Read(3) == *BinaryFrame("d"));
}

TEST_CASE("a client that takes nothing is closed with 1013", "[net]") {
  Running running;
  SECTION("when more waits than may") { running.site.rules->max_unsent_bytes = 1000; }
  SECTION("when it takes nothing for too long") { running.site.rules->slow_timeout = absl::Milliseconds(100); }
  RawClient client = Connected(running.Start(), 4096);
  const std::shared_ptr<WebSocket> socket = running.site.echo->Socket();
  socket->Send(BinaryFrame(std::string(16 << 20, 'x')));
  socket->Send(BinaryFrame(std::string(2000, 'y')));
  CHECK(running.site.echo->WaitUntilClosed() == kTryAgainLater);
  CHECK(running.server->Stats().slow_closed == 1);
}

TEST_CASE("silence is met with a ping and then with the end", "[net]") {
  Running running;
  running.site.rules->ping_interval = absl::Milliseconds(50);
  running.site.rules->idle_timeout = absl::Milliseconds(800);
  RawClient client = Connected(running.Start());
  CHECK(client.Read(2) == std::string("\x89\x00", 2));
  client.Send(Masked(0x8a, ""));
  CHECK(client.Read(2) == std::string("\x89\x00", 2));
  CHECK(running.site.echo->WaitUntilClosed() == 1006);
}

TEST_CASE("stopping the server closes sockets with 1001", "[net]") {
  Running running;
  RawClient client = Connected(running.Start());
  running.site.echo->Socket();
  std::thread stop([&] { running.server->Stop(absl::Now() + absl::Seconds(20)); });
  CHECK(client.Read(4).substr(2) == Close(kGoingAway).substr(2));
  client.Send(Masked(0x88, "\x03\xe9"));
  stop.join();
  CHECK(running.site.echo->WaitUntilClosed() == kGoingAway);
}

// Echoes for any number of sockets.
class EchoSite final : public Handler {
 public:
  Task<Response> Handle(Request&) override {
    Response response;
    response.websocket = std::make_shared<Echo>();
    response.websocket_rules = rules_;
    co_return response;
  }

 private:
  const std::shared_ptr<const WebSocketRules> rules_ = std::make_shared<const WebSocketRules>(
      WebSocketRules{.max_message_bytes = 32 << 20, .max_unsent_bytes = 64 << 20});
};

// Not a test: an echo server for outside judges (kosoku, Autobahn's cases). Runs until its standard input ends.
TEST_CASE("serves echoes to a judge", "[.serve]") {
  EchoSite site;
  auto opened = Server::Open({}, site);
  REQUIRE(opened.ok());
  (*opened)->Start();
  std::printf("%d %d\n", ::getpid(), (*opened)->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

}  // namespace
}  // namespace rivermeet::net
