// Any bytes after a WebSocket handshake mean the same, whether they come at once or in pieces.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "net/internal/websocket_connection.h"
#include "net/internal/worker.h"

namespace {

using namespace rivermeet;
using net::internal::Core;
using net::internal::Socket;
using net::internal::Transport;
using net::internal::WebSocketConnection;
using net::internal::Worker;

class Recorder final : public net::WebSocketHandler {
 public:
  void OnOpen(const std::shared_ptr<net::WebSocket>&) override {}
  void OnMessage(std::string_view payload, bool text) override {
    RM_CHECK(!text || IsUtf8(payload));
    heard.push_back((text ? "t" : "b") + std::string(payload));
  }
  net::Frame OnStateWanted(uint64_t) override { return nullptr; }
  void OnClosed(uint16_t) override { closed = true; }

  std::vector<std::string> heard;
  bool closed = false;
};

// What a socket hears of `bytes` when `first` of them come with the handshake and the rest in pieces of `piece`.
std::vector<std::string> Hear(Worker& worker, std::string_view bytes, size_t first, size_t piece) {
  int ends[2];
  RM_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  static const auto kRules = std::make_shared<net::WebSocketRules>(net::WebSocketRules{.max_message_bytes = 4096});
  const auto recorder = std::make_shared<Recorder>();
  const auto poll = [&] {
    worker.context().restart();
    worker.context().poll();
  };
  boost::asio::post(worker.context(), [&] {
    Socket socket(worker.context().get_executor());
    socket.assign(boost::asio::ip::tcp::v4(), ends[0]);
    WebSocketConnection::Open({std::shared_ptr<Worker>(), &worker}, Transport(std::move(socket), nullptr, {}), recorder,
                              kRules, "", std::string(bytes.substr(0, first)));
  });
  poll();
  char answer[4096];
  for (size_t at = std::min(first, bytes.size()); at < bytes.size() && !recorder->closed; at += piece) {
    const std::string_view part = bytes.substr(at, piece);
    if (send(ends[1], part.data(), part.size(), MSG_NOSIGNAL) < 0) break;
    poll();
    // Room for what it answers.
    while (recv(ends[1], answer, sizeof answer, MSG_DONTWAIT) > 0) {
    }
  }
  close(ends[1]);
  while (!recorder->closed) poll();
  return recorder->heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto core = std::make_shared<Core>();
  static auto& worker = *new Worker(core, 0);
  // The first byte says how the rest is cut.
  if (size == 0 || size > 16 << 10) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<std::string> whole = Hear(worker, bytes, bytes.size(), 1);
  const std::vector<std::string> pieces =
      Hear(worker, bytes, data[0] % 8, std::max<size_t>(1 + data[0] / 8, size / 64));
  RM_CHECK(whole == pieces);
  return 0;
}
