// Opens very many live sockets on one gateway and measures what an idle one costs and how long one update takes to
// reach them all. One thread, one epoll; every frame is parsed.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "fmt/format.h"
#include "http_connection.h"
#include "rivermeet/gateway/v1/live.pb.h"

namespace rivermeet::load {
namespace {

using gateway::v1::LiveClientFrame;
using gateway::v1::LiveServerFrame;

struct Options {
  std::string gateway, key_file, stream = "bench.load";
  int server_pid = 0;
  size_t sockets = 15000;
  size_t subscribers = 10000;  // Of the measured stream; the rest subscribe to another query of it.
  int updates = 60;
};

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "sockets: %s\n", why.c_str());
  std::exit(1);
}

// Anonymous memory of a process in bytes: what it has written, without its program and libraries.
size_t AnonymousBytes(int pid) {
  std::ifstream in(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("Anonymous:")) return std::stoul(line.substr(10)) * 1024;
  }
  Die("the server's memory can't be read");
}

// A client's frame: masked, as RFC 6455 wants.
std::string ClientFrame(const LiveClientFrame& message) {
  const std::string payload = message.SerializeAsString();
  std::string frame("\x82", 1);
  if (payload.size() > 125) Die("a client frame is too long");
  frame.push_back(static_cast<char>(0x80 | payload.size()));
  const char mask[4] = {0x11, 0x22, 0x33, 0x44};
  frame.append(mask, 4);
  for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return frame;
}

class Sockets {
 public:
  explicit Sockets(Options options)
      : options_(std::move(options)), epoll_(::epoll_create1(0)), sockets_(options_.sockets) {
    std::ifstream in(options_.key_file);
    std::getline(in, key_);
    if (const absl::Status status = http_.Connect(options_.gateway); !status.ok()) Die(status.ToString());
  }

  int Run() {
    const size_t before = AnonymousBytes(options_.server_pid);
    const int64_t begin = NowUs();
    for (size_t i = 0; i < sockets_.size(); ++i) {
      Open(i);
      Poll(0);
    }
    while (with_frame_ < sockets_.size()) Poll(100);
    const double open_seconds = static_cast<double>(NowUs() - begin) / 1e6;
    // Memory that was only needed to open them is given back or reused by then.
    Quiet(2'000'000);
    const size_t after = AnonymousBytes(options_.server_pid);
    Broadcast();
    std::sort(latencies_us_.begin(), latencies_us_.end());
    if (latencies_us_.empty()) Die("no update came");
    const auto quantile = [&](double q) {
      return static_cast<double>(
                 latencies_us_[static_cast<size_t>(q * static_cast<double>(latencies_us_.size() - 1))]) /
             1000;
    };
    std::printf(
        "{\"sockets\":%zu,\"subscribers\":%zu,\"open_seconds\":%.2f,\"bytes_per_idle_socket\":%.0f,"
        "\"frames\":%zu,\"broadcasts\":%zu,\"incomplete\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n",
        sockets_.size(), options_.subscribers, open_seconds,
        static_cast<double>(after - before) / static_cast<double>(sockets_.size()), latencies_us_.size(), seen_.size(),
        Incomplete(), quantile(0.5), quantile(0.99), quantile(1));
    return Incomplete() == 0 ? 0 : 1;
  }

 private:
  struct Socket {
    int descriptor = -1;
    bool upgraded = false;
    bool has_frame = false;
    uint64_t channel = 0;
    std::string in;
  };

  absl::StatusOr<std::string> Post(const std::string& path, const std::string& body) {
    const std::string head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n",
        path, options_.gateway, key_, body.size());
    return http_.Exchange(head, body);
  }

  std::string Ticket() {
    while (true) {
      const absl::StatusOr<std::string> answer = Post("/v1/auth/ticket", "{}");
      if (!answer.ok() && answer.status().ToString().find(" 429 ") != std::string::npos) {
        Quiet(20'000);
        continue;
      }
      if (!answer.ok()) Die("no ticket: " + answer.status().ToString());
      const size_t at = answer->find("\"ticket\":\"");
      if (at == std::string::npos) Die("no ticket: " + *answer);
      return answer->substr(at + 10, answer->find('"', at + 10) - at - 10);
    }
  }

  void Open(size_t i) {
    const size_t colon = options_.gateway.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(options_.gateway.substr(colon + 1))));
    ::inet_pton(AF_INET, options_.gateway.substr(0, colon).c_str(), &address.sin_addr);
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    if (descriptor < 0 || ::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      Die(fmt::format("connection {}: {}", i, std::strerror(errno)));
    }
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockets_[i].descriptor = descriptor;
    Write(descriptor, fmt::format("GET /v1/live?ticket={} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n"
                                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                                  Ticket(), options_.gateway));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  static void Write(int descriptor, const std::string& bytes) {
    if (::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
      Die("a socket was closed by the server");
    }
  }

  // Handles what has come; returns how many sockets had something.
  int Poll(int timeout_ms) {
    epoll_event events[512];
    const int count = ::epoll_wait(epoll_, events, 512, timeout_ms);
    for (int k = 0; k < count; ++k) {
      const size_t i = events[k].data.u64;
      char buffer[65536];
      const ssize_t received = ::recv(sockets_[i].descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
      if (received == 0 || (received < 0 && errno != EAGAIN)) Die(fmt::format("socket {} was closed", i));
      if (received > 0) OnBytes(i, {buffer, static_cast<size_t>(received)});
    }
    return count;
  }

  void Quiet(int64_t for_us) {
    for (const int64_t end = NowUs() + for_us; NowUs() < end;) Poll(50);
  }

  void OnBytes(size_t i, std::string_view bytes) {
    Socket& socket = sockets_[i];
    socket.in.append(bytes);
    if (!socket.upgraded) {
      const size_t end = socket.in.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!socket.in.starts_with("HTTP/1.1 101")) Die("refused: " + socket.in.substr(0, 300));
      socket.in.erase(0, end + 4);
      socket.upgraded = true;
      Subscribe(i);
    }
    size_t used = 0;
    while (socket.in.size() - used >= 2) {
      const auto byte = [&](size_t at) { return static_cast<uint8_t>(socket.in[used + at]); };
      size_t header = 2;
      size_t length = byte(1);
      if (length == 126) {
        header = 4;
        if (socket.in.size() - used < header) break;
        length = size_t{byte(2)} << 8 | byte(3);
      } else if (length == 127) {
        header = 10;
        if (socket.in.size() - used < header) break;
        length = 0;
        for (size_t at = 2; at < 10; ++at) length = length << 8 | byte(at);
      }
      if (socket.in.size() - used < header + length) break;
      const int opcode = byte(0) & 15;
      if (opcode == 8) Die(fmt::format("socket {} was closed by a frame", i));
      if (opcode == 2) OnFrame(socket, std::string_view(socket.in).substr(used + header, length));
      used += header + length;
    }
    socket.in.erase(0, used);
    if (socket.in.empty()) socket.in.shrink_to_fit();
  }

  void Subscribe(size_t i) {
    LiveClientFrame frame;
    frame.mutable_subscribe()->set_id(1);
    auto& query = *frame.mutable_subscribe()->mutable_query();
    query.set_stream(options_.stream);
    query.mutable_last()->set_seconds(i < options_.subscribers ? 60 : 61);
    query.mutable_step()->set_seconds(10);
    query.add_aggregates()->set_function(query::v1::AGGREGATE_FUNCTION_COUNT);
    Write(sockets_[i].descriptor, ClientFrame(frame));
  }

  void OnFrame(Socket& socket, std::string_view payload) {
    LiveServerFrame frame;
    if (!frame.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) Die("a frame that is no message");
    if (frame.has_error() && !frame.error().retrying()) Die("refused: " + frame.error().message());
    if (!frame.has_update()) return;
    if (!socket.has_frame) {
      socket.has_frame = true;
      ++with_frame_;
      if (&socket == &sockets_[0]) measured_channel_ = frame.update().channel();
    }
    socket.channel = frame.update().channel();
    if (!measuring_ || socket.channel != measured_channel_) return;
    latencies_us_.push_back(NowUs() - frame.update().response().sent_time_us());
    ++seen_[frame.update().response().sequence()];
  }

  // Sends single events, each of which changes the answer, and waits for what they cause.
  void Broadcast() {
    measuring_ = true;
    for (int i = 0; i < options_.updates; ++i) {
      const absl::StatusOr<std::string> answer =
          Post(fmt::format("/v1/streams/{}/events", options_.stream),
               R"({"host":"sockets","region":"r","service":"s","cpu_percent":1.5,"requests":1})");
      if (!answer.ok()) Die("event: " + answer.status().ToString());
      Quiet(500'000);
    }
    measuring_ = false;
    Quiet(500'000);
  }

  // Updates that did not reach every subscriber.
  size_t Incomplete() const {
    return static_cast<size_t>(std::count_if(
        seen_.begin(), seen_.end(), [&](const auto& update) { return update.second != options_.subscribers; }));
  }

  const Options options_;
  const int epoll_;
  std::string key_;
  std::vector<Socket> sockets_;
  size_t with_frame_ = 0;
  uint64_t measured_channel_ = 0;
  bool measuring_ = false;
  std::vector<int64_t> latencies_us_;
  std::map<uint64_t, size_t> seen_;
  HttpConnection http_;
};

}  // namespace
}  // namespace rivermeet::load

int main(int argc, char** argv) {
  rivermeet::load::Options options;
  CLI::App app("Opens live sockets and prints what they cost as one JSON object.");
  app.add_option("--gateway", options.gateway, "a.b.c.d:port of the gateway")->required();
  app.add_option("--key-file", options.key_file, "file with an API key")->required();
  app.add_option("--stream", options.stream, "stream to subscribe to");
  app.add_option("--server-pid", options.server_pid, "the gateway's process")->required();
  app.add_option("--sockets", options.sockets, "sockets to open");
  app.add_option("--subscribers", options.subscribers, "how many of them share the measured query");
  app.add_option("--updates", options.updates, "events sent, half a second apart");
  CLI11_PARSE(app, argc, argv);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return rivermeet::load::Sockets(options).Run();
}
