#include "net/server.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"
#include "fmt/format.h"
#include "net/internal/connection.h"
#include "net/internal/worker.h"

namespace rivermeet::net {
namespace {

namespace asio = boost::asio;
using internal::Connection;
using internal::Core;
using internal::Worker;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

constexpr std::chrono::milliseconds kAcceptPause(50);
constexpr rlim_t kDescriptorsForOthers = 64;
constexpr size_t kRefusedAtOnce = 32;  // Connections over the limit that are told so; more are just closed.

// What the process may open, less what its other parts need.
size_t BoundedConnections(size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t usable =
      limit.rlim_cur > 2 * kDescriptorsForOthers ? limit.rlim_cur - kDescriptorsForOthers : limit.rlim_cur / 2;
  return std::min<size_t>(wanted, usable);
}

absl::Status BindError(const boost::system::error_code& error, const std::string& where) {
  if (error == asio::error::address_in_use) {
    return absl::AlreadyExistsError(fmt::format("{} is in use: something else listens there", where));
  }
  if (error == asio::error::access_denied) {
    return absl::PermissionDeniedError(fmt::format("not allowed to listen on {}", where));
  }
  return absl::UnavailableError(fmt::format("listen on {}: {}", where, error.message()));
}

class ServerOverWorkers final : public Server {
 public:
  ServerOverWorkers(std::shared_ptr<Core> core, std::vector<std::shared_ptr<Worker>> workers)
      : core_(std::move(core)),
        workers_(std::move(workers)),
        acceptor_(workers_.front()->context()),
        pause_(workers_.front()->context()),
        spare_descriptor_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

  ~ServerOverWorkers() override {
    Stop(absl::InfinitePast());
    if (spare_descriptor_ >= 0) ::close(spare_descriptor_);
  }

  absl::Status Listen(const asio::ip::address& address) {
    const asio::ip::tcp::endpoint endpoint(address, core_->options.port);
    const std::string where = Where(address, core_->options.port);
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (error) return BindError(error, where);
    acceptor_.set_option(Acceptor::reuse_address(true), error);
    acceptor_.bind(endpoint, error);
    if (error) return BindError(error, where);
    acceptor_.listen(4096, error);
    if (error) return BindError(error, where);
    port_ = acceptor_.local_endpoint(error).port();
    url_ = (core_->options.tls ? "https://" : "http://") + Where(address, port_);
    return absl::OkStatus();
  }

  void Start() override {
    if (std::exchange(started_, true)) return;
    for (const auto& worker : workers_) worker->Run();
    asio::post(workers_.front()->context(), [this] { AcceptNext(); });
  }

  void Stop(absl::Time deadline) override {
    if (stopped_.exchange(true)) return;
    if (!started_) return;
    OnEach([this](Worker& worker) {
      if (worker.index() != 0) return;
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
    OnEach([](Worker& worker) { worker.Drain(); });
    if (!WaitUntilQuiet(deadline)) {
      OnEach([](Worker& worker) { worker.Force(); });
      WaitUntilQuiet(absl::InfiniteFuture());
    }
    for (const auto& worker : workers_) worker->Join();
  }

  uint16_t port() const override { return port_; }
  std::string url() const override { return url_; }
  int threads() const override { return static_cast<int>(workers_.size()); }

  ServerStats Stats() const override {
    const auto& counters = core_->counters;
    return {.connections = counters.connections,
            .websockets = counters.websockets,
            .accepted = counters.accepted,
            .refused = counters.refused,
            .requests = counters.requests,
            .malformed = counters.malformed,
            .timed_out = counters.timed_out,
            .failed = counters.failed,
            .slow_closed = counters.slow_closed,
            .body_bytes = counters.body_bytes};
  }

  bool Post(int worker, std::function<void()> work) override {
    if (stopped_) return false;
    asio::post(workers_[worker]->context(), std::move(work));
    return true;
  }

  asio::any_io_executor executor(int worker) override { return workers_[worker]->context().get_executor(); }

  absl::Status ReloadTls() override {
    if (!core_->options.tls) return absl::OkStatus();
    RM_ASSIGN_OR_RETURN(internal::SslContext context, internal::LoadTls(*core_->options.tls));
    MutexLock lock(tls_mutex_);
    tls_ = std::move(context);
    return absl::OkStatus();
  }

 private:
  static std::string Where(const asio::ip::address& address, uint16_t port) {
    return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                           : fmt::format("{}:{}", address.to_string(), port);
  }

  static size_t Over(size_t count, size_t limit) { return count > limit ? count - limit : 0; }

  // Runs `call` on every worker's thread and waits for all.
  template <typename Call>
  void OnEach(Call call) {
    for (const auto& worker : workers_) {
      std::promise<void> done;
      asio::post(worker->context(), [&] {
        call(*worker);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  bool WaitUntilQuiet(absl::Time deadline) {
    MutexLock lock(core_->mutex);
    while (core_->counters.connections > 0) {
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return false;
      core_->quiet.WaitFor(core_->mutex, std::min(left, absl::Milliseconds(100)));
    }
    return true;
  }

  void AcceptNext() {
    if (!acceptor_.is_open()) return;
    Worker& worker = *workers_[next_worker_];
    acceptor_.async_accept(worker.context(), [this](boost::system::error_code error, internal::Socket socket) {
      if (error) {
        OnAcceptError(error);
        return;
      }
      Admit(std::move(socket));
      AcceptNext();
    });
  }

  void Admit(internal::Socket socket) {
    ++core_->counters.accepted;
    boost::system::error_code gone;
    const auto client = socket.remote_endpoint(gone);
    if (gone) return;
    const size_t open = core_->counters.connections + 1;
    auto [place, of_client] = core_->clients.Take(client.address());
    const size_t over = std::max(Over(open, core_->options.max_connections),
                                 Over(of_client, core_->options.max_connections_per_client));
    if (over > kRefusedAtOnce) {
      ++core_->counters.refused;
      return;
    }
    const std::shared_ptr<Worker>& worker = workers_[next_worker_];
    next_worker_ = (next_worker_ + 1) % workers_.size();
    std::shared_ptr<SSL_CTX> tls;
    {
      MutexLock lock(tls_mutex_);
      tls = tls_;
    }
    auto serve = [worker, refuse = over > 0,
                  transport = internal::Transport(std::move(socket), tls.get(), std::move(place))]() mutable {
      Connection::Serve(worker, std::move(transport), refuse);
    };
    if (worker->index() == 0) {
      serve();
    } else {
      asio::post(worker->context(), std::move(serve));
    }
  }

  void OnAcceptError(const boost::system::error_code& error) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error == asio::error::connection_aborted) {
      AcceptNext();
      return;
    }
    // Out of descriptors or memory. One client is told with the descriptor kept for that, then all wait.
    if (spare_descriptor_ >= 0) {
      ::close(spare_descriptor_);
      static constexpr std::string_view kBusy =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
      const int client = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client >= 0) {
        if (!core_->options.tls) (void)!::send(client, kBusy.data(), kBusy.size(), MSG_NOSIGNAL);
        ::shutdown(client, SHUT_WR);
        ::close(client);
        ++core_->counters.refused;
      }
      spare_descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) AcceptNext();
    });
  }

  const std::shared_ptr<Core> core_;
  const std::vector<std::shared_ptr<Worker>> workers_;
  Acceptor acceptor_;
  asio::steady_timer pause_;
  int spare_descriptor_;
  size_t next_worker_ = 0;
  uint16_t port_ = 0;
  std::string url_;
  bool started_ = false;
  std::atomic<bool> stopped_{false};
  Mutex tls_mutex_;
  std::shared_ptr<SSL_CTX> tls_ ABSL_GUARDED_BY(tls_mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Open(ServerOptions options, Handler& handler) {
  const std::string name = options.address == "localhost" ? "127.0.0.1" : options.address;
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(name, error);
  if (error) return absl::InvalidArgumentError(fmt::format("\"{}\" is not an IP address", options.address));
  if (!address.is_loopback() && !options.tls) {
    return absl::InvalidArgumentError(fmt::format(
        "refusing to listen on {} without TLS: give a certificate and a key, or listen on 127.0.0.1", name));
  }
  options.threads = std::clamp(options.threads, 1, 256);
  options.max_connections = BoundedConnections(options.max_connections);
  auto core = std::make_shared<Core>();
  core->options = std::move(options);
  core->handler = &handler;
  std::vector<std::shared_ptr<Worker>> workers;
  for (int i = 0; i < core->options.threads; ++i) workers.push_back(std::make_shared<Worker>(core, i));
  auto server = std::make_unique<ServerOverWorkers>(core, std::move(workers));
  RM_RETURN_IF_ERROR(server->ReloadTls());
  RM_RETURN_IF_ERROR(server->Listen(address));
  return server;
}

}  // namespace rivermeet::net
