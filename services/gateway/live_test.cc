#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <catch2/catch.hpp>

#include "gateway/test_world_test.h"
#include "rivermeet/gateway/v1/live.pb.h"
#include "testing/eventually.h"

namespace rivermeet::gateway {
namespace {

namespace beast = boost::beast;
using boost::asio::ip::tcp;

query::v1::SubscribeResponse Update(bool snapshot, uint64_t sequence, int64_t time, double value) {
  query::v1::SubscribeResponse response;
  response.set_snapshot(snapshot);
  response.set_sequence(sequence);
  auto& frame = *response.mutable_frame();
  frame.set_row_count(1);
  auto& times = *frame.add_columns();
  times.set_name("time");
  times.set_type(query::v1::COLUMN_TYPE_TIME);
  times.add_int64_values(time);
  auto& values = *frame.add_columns();
  values.set_name("mean_cpu");
  values.set_type(query::v1::COLUMN_TYPE_FLOAT64);
  values.add_float64_values(value);
  return response;
}

// A live client; Beast is another implementation of the protocol than the server's.
class LiveClient {
 public:
  LiveClient(TestWorld& world, const std::string& ticket) : socket_(context_) {
    socket_.next_layer().connect(
        {boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(world.gateway->port())});
    socket_.handshake(response_, "gate", "/v1/live?ticket=" + ticket, error_);
    socket_.binary(true);
  }
  LiveClient(TestWorld& world, std::string_view token, int)
      : LiveClient(world, world.auth.NewTicket(std::string(token))) {}

  int status() const { return static_cast<int>(response_.result_int()); }

  void Send(const v1::LiveClientFrame& frame) { socket_.write(boost::asio::buffer(frame.SerializeAsString())); }
  void Subscribe(uint32_t id, const std::string& stream = "a") {
    v1::LiveClientFrame frame;
    frame.mutable_subscribe()->set_id(id);
    frame.mutable_subscribe()->mutable_query()->set_stream(stream);
    Send(frame);
  }
  // The next frame; one without content once the server has closed.
  v1::LiveServerFrame Read() {
    beast::flat_buffer buffer;
    v1::LiveServerFrame frame;
    socket_.read(buffer, error_);
    if (!error_) REQUIRE(frame.ParseFromArray(buffer.data().data(), static_cast<int>(buffer.size())));
    return frame;
  }
  uint16_t close_code() const { return socket_.reason().code; }
  beast::websocket::stream<tcp::socket>& socket() { return socket_; }

 private:
  boost::asio::io_context context_;
  beast::websocket::stream<tcp::socket> socket_;
  beast::websocket::response_type response_;
  beast::error_code error_;
};

TEST_CASE("equal subscriptions share one upstream stream, and late joiners get the whole", "[gateway]") {
  TestWorld world;
  LiveClient first(world, "viewer-1", 0);
  REQUIRE(first.status() == 101);
  first.Subscribe(1);
  const auto joined = first.Read();
  CHECK(joined.subscribed().id() == 1);
  const uint64_t channel = joined.subscribed().channel();
  world.query.Push(Update(true, 1, 10, 1.0));
  const auto snapshot = first.Read();
  CHECK(snapshot.update().channel() == channel);
  CHECK(snapshot.update().response().snapshot());
  world.query.Push(Update(false, 2, 20, 2.0));
  CHECK(first.Read().update().response().sequence() == 2);

  LiveClient second(world, "viewer-2", 0);
  second.Subscribe(7);
  CHECK(second.Read().subscribed().channel() == channel);
  const auto whole = second.Read().update();
  CHECK(whole.response().snapshot());
  CHECK(whole.response().sequence() == 2);
  CHECK(whole.response().frame().row_count() == 2);
  CHECK(whole.epoch() == snapshot.update().epoch());
  world.query.Push(Update(false, 3, 20, 3.0));
  CHECK(first.Read().update().SerializeAsString() == second.Read().update().SerializeAsString());
  CHECK(world.query.subscribed == 1);
}

TEST_CASE("other rights and other tenants never share a channel", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient viewer(world, "viewer-1", 0), editor(world, "editor-1", 0), foreign(world, "other-1", 0);
  std::vector<uint64_t> channels;
  for (LiveClient* client : {&viewer, &editor, &foreign}) {
    client->Subscribe(1);
    channels.push_back(client->Read().subscribed().channel());
    CHECK(client->Read().update().channel() == channels.back());
  }
  CHECK(channels[0] != channels[1]);
  CHECK(channels[1] != channels[2]);
  CHECK(world.query.subscribed == 3);
}

TEST_CASE("a ticket works once and no other way in exists", "[gateway]") {
  TestWorld world;
  const std::string ticket = world.auth.NewTicket("viewer-1");
  LiveClient first(world, ticket);
  CHECK(first.status() == 101);
  CHECK(LiveClient(world, ticket).status() == 401);
  CHECK(LiveClient(world, "").status() == 401);
  CHECK(LiveClient(world, world.auth.NewTicket("onetime-1")).status() == 403);
  CHECK(world.Ask("GET", "/v1/live", kViewer).status == 426);
  const auto foreign = world.Ask("GET", "/v1/live?ticket=" + world.auth.NewTicket("viewer-1"),
                                 "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n");
  CHECK(foreign.status == 403);
}

TEST_CASE("a subscription that can't be made says why and the socket lives on", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient client(world, "viewer-1", 0);
  client.Subscribe(1, "missing");
  auto frame = client.Read();
  if (frame.has_subscribed()) frame = client.Read();
  CHECK(frame.error().id() == 1);
  CHECK(frame.error().code() == static_cast<int>(absl::StatusCode::kNotFound));
  CHECK_FALSE(frame.error().retrying());
  client.Subscribe(1);
  CHECK(client.Read().has_subscribed());
  CHECK(client.Read().has_update());
  client.Subscribe(1);
  CHECK(client.Read().error().code() == static_cast<int>(absl::StatusCode::kAlreadyExists));
  v1::LiveClientFrame ping;
  ping.mutable_ping()->set_token(42);
  client.Send(ping);
  const auto pong = client.Read();
  CHECK(pong.pong().token() == 42);
  CHECK(pong.pong().server_time_us() > 0);
}

TEST_CASE("a lost upstream stream is made anew under a new epoch", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient client(world, "viewer-1", 0);
  client.Subscribe(1);
  client.Read();
  const uint64_t epoch = client.Read().update().epoch();
  world.query.Restart({Update(true, 1, 10, 9.0)});
  const auto lost = client.Read();
  CHECK(lost.error().retrying());
  const auto again = client.Read().update();
  CHECK(again.response().snapshot());
  CHECK(again.epoch() != epoch);
  CHECK(world.query.subscribed == 2);
}

TEST_CASE("a channel that nobody has any more is given up", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1, 10, 1.0));
  {
    LiveClient client(world, "viewer-1", 0);
    client.Subscribe(1);
    client.Read();
    client.Read();
    v1::LiveClientFrame leave;
    leave.mutable_unsubscribe()->set_id(1);
    client.Send(leave);
    world.query.Push(Update(false, 2, 20, 2.0));
    v1::LiveClientFrame ping;
    ping.mutable_ping()->set_token(1);
    client.Send(ping);
    CHECK(client.Read().has_pong());
    CHECK(world.query.open == 1);
  }
  REQUIRE(testing::Eventually([&] { return world.query.open == 0; }));
}

TEST_CASE("a session's end is announced, and a fresh ticket goes on", "[gateway]") {
  TestWorld world;
  world.verifier.lifetime = absl::Seconds(3);
  LiveClient lasting(world, "viewer-1", 0), ending(world, "viewer-2", 0), changed(world, "viewer-3", 0);
  for (LiveClient* client : {&lasting, &ending, &changed}) CHECK(client->Read().has_session_ending());
  world.verifier.lifetime = absl::Minutes(10);
  v1::LiveClientFrame fresh;
  fresh.mutable_reauthenticate()->set_ticket(world.auth.NewTicket("viewer-1~2"));
  lasting.Send(fresh);
  fresh.mutable_reauthenticate()->set_ticket(world.auth.NewTicket("admin-3"));
  changed.Send(fresh);
  CHECK_FALSE(changed.Read().has_update());
  CHECK(changed.close_code() == 1008);
  ending.Read();
  CHECK(ending.close_code() == 1008);
  v1::LiveClientFrame ping;
  ping.mutable_ping()->set_token(1);
  lasting.Send(ping);
  CHECK(lasting.Read().has_pong());
}

TEST_CASE("a socket closes when its session is revoked, and the others of its channel go on", "[gateway]") {
  TestWorld world({}, Clock::System(), kLooksWhenTold);
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient ended(world, "viewer-1", 0), lasting(world, "viewer-2", 0);
  for (LiveClient* client : {&ended, &lasting}) {
    client->Subscribe(1);
    CHECK(client->Read().has_subscribed());
    CHECK(client->Read().has_update());
  }
  world.verifier.revoked = "viewer-1";
  world.bearers->Recheck();
  CHECK(ended.Read().frame_case() == v1::LiveServerFrame::FRAME_NOT_SET);
  CHECK(ended.close_code() == 1008);
  world.query.Push(Update(false, 2, 20, 2.0));
  CHECK(lasting.Read().update().response().sequence() == 2);
}

TEST_CASE("frames that are no messages of ours close the socket, and only that one", "[gateway]") {
  TestWorld world;
  LiveClient good(world, "viewer-1", 0);
  for (const std::string& bytes : {std::string("\xff\xff\xff"), std::string(), std::string("\x0a\x7f")}) {
    LiveClient bad(world, "viewer-1", 0);
    bad.socket().write(boost::asio::buffer(bytes));
    bad.Read();
    CHECK(bad.close_code() == 1007);
  }
  LiveClient text(world, "viewer-1", 0);
  text.socket().text(true);
  text.socket().write(boost::asio::buffer(std::string("hello")));
  text.Read();
  CHECK(text.close_code() == 1003);
  v1::LiveClientFrame ping;
  ping.mutable_ping()->set_token(1);
  good.Send(ping);
  CHECK(good.Read().has_pong());
}

TEST_CASE("many subscriptions on one socket are bounded", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient client(world, "viewer-1", 0);
  int refused = 0;
  for (uint32_t id = 1; id <= 300; ++id) client.Subscribe(id);
  int answers = 0;
  bool updated = false;
  while (answers < 300 || !updated) {
    const auto frame = client.Read();
    answers += frame.has_subscribed() || frame.has_error();
    refused += frame.has_error();
    updated = updated || frame.has_update();
  }
  CHECK(refused == 300 - static_cast<int>(256));
  CHECK(world.query.subscribed == 1);
}

TEST_CASE("one tenant's live queries leave room for another's", "[gateway]") {
  config::v1::GatewayConfig config;
  config.set_max_live_queries(3);
  TestWorld world(config);
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient greedy(world, "viewer-1", 0), same(world, "viewer-2", 0), foreign(world, "other-1", 0);
  const auto answer = [](LiveClient& client, uint32_t id, const std::string& stream) {
    client.Subscribe(id, stream);
    v1::LiveServerFrame frame;
    do frame = client.Read();
    while (!frame.has_subscribed() && !frame.has_error());
    return frame;
  };
  for (uint32_t id = 1; id <= 3; ++id) CHECK(answer(greedy, id, fmt::format("s{}", id)).has_subscribed());
  const auto refused = answer(greedy, 4, "s4");
  CHECK(refused.error().code() == static_cast<int>(absl::StatusCode::kResourceExhausted));
  CHECK(refused.error().message().find("gateway.max_live_queries") != std::string::npos);
  CHECK(answer(same, 1, "s1").has_subscribed());
  CHECK(answer(foreign, 1, "s4").has_subscribed());
}

TEST_CASE("stopping closes sockets with 1001 and gives up the upstream streams", "[gateway]") {
  TestWorld world;
  world.query.Push(Update(true, 1, 10, 1.0));
  LiveClient client(world, "viewer-1", 0);
  client.Subscribe(1);
  client.Read();
  client.Read();
  std::thread stop([&] { world.gateway->Stop(absl::Now() + absl::Seconds(20)); });
  while (client.Read().frame_case() != v1::LiveServerFrame::FRAME_NOT_SET) {
  }
  CHECK(client.close_code() == 1001);
  stop.join();
  REQUIRE(testing::Eventually([&] { return world.query.open == 0; }));
}

// Not a test: a gateway for tests/load's rivermeet_sockets to measure without the rest of a suite. Each event that is
// sent to it makes an update. Runs until its standard input ends.
TEST_CASE("serves live sockets to a load", "[.serve]") {
  config::v1::GatewayConfig config;
  config.set_requests_per_second(1'000'000);
  TestWorld world(config);
  uint64_t sequence = 1;
  const auto push = [&] {
    auto update = Update(sequence == 1, sequence, 10, static_cast<double>(sequence));
    update.set_sent_time_us(absl::ToUnixMicros(absl::Now()));
    world.query.Push(update);
    ++sequence;
  };
  push();
  world.ingest.on_event = push;
  std::printf("%d %d\n", ::getpid(), world.gateway->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

}  // namespace
}  // namespace rivermeet::gateway
