// One thread of a server, with everything that lives on it.
#ifndef RIVERMEET_NET_INTERNAL_WORKER_H_
#define RIVERMEET_NET_INTERNAL_WORKER_H_

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "base/mutex.h"
#include "net/internal/address_quota.h"
#include "net/internal/transport.h"
#include "net/server.h"

namespace rivermeet::net::internal {

struct Counters {
  std::atomic<size_t> connections{0};
  std::atomic<size_t> websockets{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> malformed{0};
  std::atomic<uint64_t> timed_out{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> slow_closed{0};
  std::atomic<size_t> body_bytes{0};
};

// What all connections of a server share; outlives them.
struct Core {
  ServerOptions options;
  Handler* handler = nullptr;
  Counters counters;
  AddressQuota clients;
  // Signalled when a worker has lost its last connection.
  Mutex mutex;
  CondVar quiet;
};

// A connection as its worker sees it. Calls come on the worker's thread; none destroys the member at once.
class Member : public boost::intrusive::list_base_hook<> {
 public:
  virtual ~Member() = default;
  virtual void OnTick(absl::Duration now) = 0;  // A few times a second: close what is late.
  virtual void OnDrain() = 0;                   // End soon.
  virtual void OnForce() = 0;                   // End now.
};

class Worker {
 public:
  static constexpr size_t kScratchBytes = 64 * 1024;

  Worker(std::shared_ptr<Core> core, int index);
  ~Worker();

  Core& core() { return *core_; }
  Counters& counters() { return core_->counters; }
  const ServerOptions& options() const { return core_->options; }
  boost::asio::io_context& context() { return context_; }
  int index() const { return index_; }
  absl::Duration now() const { return core_->options.clock->MonotonicNow(); }
  bool OnThread() { return context_.get_executor().running_in_this_thread(); }

  void Run();   // Starts the thread.
  void Join();  // Ends the thread once nothing is left to do on it.

  // The rest on the worker's thread only.
  char* scratch() { return scratch_.get(); }  // kScratchBytes, for the duration of one callback.
  void Add(Member& member);
  void Remove(Member& member);
  size_t size() const { return members_.size(); }
  bool draining() const { return draining_; }
  void Drain();
  void Force();
  // The Date field's value for now.
  const std::string& Date();

 private:
  template <typename Call>
  void ForEach(Call call);
  void Tick();

  const std::shared_ptr<Core> core_;
  const int index_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
  std::unique_ptr<char[]> scratch_;
  boost::intrusive::list<Member> members_;
  bool ticking_ = false;
  bool draining_ = false;
  int64_t date_second_ = -1;
  std::string date_;
};

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_WORKER_H_
