// One client's connection while it speaks HTTP.
#ifndef RIVERMEET_NET_INTERNAL_CONNECTION_H_
#define RIVERMEET_NET_INTERNAL_CONNECTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/internal/transport.h"
#include "net/internal/worker.h"

namespace rivermeet::net::internal {

class Connection final : public Member, public std::enable_shared_from_this<Connection> {
 public:
  // Serves a connection on `worker`, on whose thread it is called, until either side ends it. `refuse` answers with
  // 503 and closes.
  static void Serve(std::shared_ptr<Worker> worker, Transport transport, bool refuse);

  Connection(std::shared_ptr<Worker> worker, Transport transport);
  ~Connection() override;

  void OnTick(absl::Duration now) override;
  void OnDrain() override;
  void OnForce() override;

 private:
  friend class ActiveRequest;
  friend class ChunkWriter;

  enum class State { kIdle, kHead, kBody, kHandling, kWriting, kLingering };
  enum class After { kNextRequest, kClose, kUpgraded };
  // Why reading stopped: nothing wrong, the connection ended, or an answer to give.
  struct ReadOutcome {
    bool ended = false;
    std::optional<ParseFailure> failure{};
  };

  Task<void> Run();
  Task<void> Refuse();
  Task<bool> Handshake();
  Task<After> ServeOne();
  Task<ReadOutcome> ReadHead(std::string& bytes);
  Task<ReadOutcome> ReadBody(class ActiveRequest& request, const BodyRules& rules);
  Task<ReadOutcome> ReadSized(std::string& body, uint64_t length);
  Task<ReadOutcome> ReadChunked(std::string& body, size_t max_bytes);
  ReadOutcome InflateBody(class ActiveRequest& request, const BodyRules& rules);
  Task<Response> CallHandler(class ActiveRequest& request);
  Task<bool> WriteResponse(class ActiveRequest& request, Response& response, bool keep_alive);
  Task<bool> WriteStream(class ActiveRequest& request, Response& response, std::string head, bool chunked);
  Task<bool> WriteFailure(const ParseFailure& failure);
  Task<After> Upgrade(class ActiveRequest& request, Response& response);
  Task<bool> Fill(std::string& to, size_t at_most);
  Task<bool> WriteAll(iovec* pieces, size_t count);
  Task<void> Linger();

  std::string HeadOf(const Response& response, std::optional<uint64_t> length, bool chunked, bool keep_alive);
  void MaybeCompress(const class ActiveRequest& request, Response& response);
  bool ChargeBody(size_t bytes);
  void ReleaseBody();
  void Enter(State state, absl::Duration limit);
  void WatchForEnd();
  void CallGone();

  const std::shared_ptr<Worker> worker_;
  Transport transport_;
  std::string in_;  // Read but not used yet.
  State state_ = State::kIdle;
  absl::Duration deadline_ = absl::InfiniteDuration();
  absl::Duration body_start_;
  size_t body_read_ = 0;
  size_t body_charged_ = 0;
  bool watching_ = false;
  bool ended_ = false;  // Closed by a time-out or by force.
  std::function<void()> gone_;
};

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_CONNECTION_H_
