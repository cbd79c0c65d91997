// Any messages on a live socket: each is answered or closes the socket, and whatever was subscribed is left again.
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "gateway/live_hub.h"
#include "gateway/live_session.h"
#include "net/server.h"

namespace {

using namespace rivermeet;

class NoPages final : public net::Handler {
 public:
  net::Task<net::Response> Handle(net::Request&) override { co_return net::Response(); }
};

class NobodyVerifies final : public authn::TokenVerifier {
 public:
  absl::StatusOr<authn::Principal> Verify(std::string_view, absl::Time) override {
    return absl::UnauthenticatedError("nobody");
  }
};

class Socket final : public net::WebSocket {
 public:
  void Send(net::Frame frame) override { RM_CHECK(frame != nullptr); }
  void SendState(uint64_t, net::Frame frame, bool) override { RM_CHECK(frame != nullptr); }
  void Forget(uint64_t) override {}
  void Close(uint16_t code, std::string_view reason) override {
    RM_CHECK(code >= 1000 && reason.size() <= 123);
    closed = true;
  }
  int worker() const override { return 0; }
  const std::string& subprotocol() const override { return name_; }
  bool closed = false;

 private:
  std::string name_;
};

// A hub on a server of one thread, with no query service behind it.
struct World {
  NoPages pages;
  NobodyVerifies verifier;
  prometheus::Registry registry;
  gateway::GatewayMetrics metrics{registry};
  gateway::Upstream upstream{{}, metrics, Clock::System()};
  rpc::BearerVerifier bearers{{}, verifier};
  gateway::Authenticator authenticator{bearers, upstream};
  gateway::LiveHub hub{{.rules = {}, .linger = absl::ZeroDuration()}, upstream, authenticator, metrics};
  std::unique_ptr<net::Server> server = net::Server::Open({}, pages).value();

  World() {
    hub.Attach(*server);
    server->Start();
  }
  // Runs `work` on the server's thread and waits.
  void Do(const std::function<void()>& work) {
    std::promise<void> done;
    RM_CHECK(server->Post(0, [&] {
      work();
      done.set_value();
    }));
    done.get_future().wait();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World& world = *new World;
  const auto caller = std::make_shared<gateway::Session>(
      gateway::Session{std::make_shared<rpc::Credential>(authn::Principal()), "bearer"});
  const auto socket = std::make_shared<Socket>();
  std::shared_ptr<net::WebSocketHandler> session;
  world.Do([&] {
    session = world.hub.NewSession(caller, 0);
    session->OnOpen(socket);
  });
  // A byte says how long the next message is, its highest bit that it is text.
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty() && !socket->closed) {
    const auto head = static_cast<uint8_t>(rest[0]);
    const std::string_view message = rest.substr(1, head & 0x7f);
    rest.remove_prefix(1 + message.size());
    world.Do([&] { session->OnMessage(message, (head & 0x80) != 0); });
  }
  world.Do([&] { session->OnClosed(1000); });
  return 0;
}
