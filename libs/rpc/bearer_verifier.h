// Who sends a bearer, an access token or an API key, remembered and watched: the one place that asks.
#ifndef RIVERMEET_RPC_BEARER_VERIFIER_H_
#define RIVERMEET_RPC_BEARER_VERIFIER_H_

#include <grpcpp/channel.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "authn/jwt_verifier.h"
#include "authn/principal.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/strings.h"

namespace grpc {
class ClientContext;
}

namespace rivermeet::rpc {

// The auth service's channel. Asked for at each use, so that it may be set once the server runs.
using ChannelSource = std::function<std::shared_ptr<grpc::Channel>()>;

// What the auth service publishes, for a JwtVerifier.
authn::KeySource PublishedBy(ChannelSource auth);

// A bearer that was found good, and is watched as long as somebody keeps this. Thread-safe.
class Credential {
 public:
  explicit Credential(authn::Principal principal) : principal_(std::move(principal)) {}

  // As of when the bearer was first seen. A bearer that comes to mean other rights ends.
  const authn::Principal& principal() const { return principal_; }

  // OK while the bearer is good; then, for good, why it is not:
  //   UNAUTHENTICATED  Revoked, ended or expired. Close what runs for it.
  //   UNAVAILABLE      It could not be checked for too long. Close; the caller may come again.
  absl::Status status() const;

  // Stopped when status() is no longer OK.
  std::stop_token ended() const { return ended_.get_token(); }

 private:
  friend class BearerVerifier;
  void End(const absl::Status& why);

  const authn::Principal principal_;
  mutable Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::stop_source ended_;
};
using CredentialPtr = std::shared_ptr<const Credential>;

// What to do when a credential ends, as long as this exists; at once when it has ended. It must not block: it runs on
// the thread that looks at all of them. A destructor waits for one that runs.
class Ending {
 public:
  Ending(const CredentialPtr& credential, std::function<void()> then)
      : callback_(credential->ended(), std::move(then)) {}

 private:
  std::stop_callback<std::function<void()>> callback_;
};

struct BearerVerifierOptions {
  // Between two looks at everything that is held or in use: with the half second that asking may take, the longest
  // that something revoked goes on.
  absl::Duration recheck = absl::Seconds(1);
  // What is in use is asked about in full again after this, and, while there is no answer, once in `retry`.
  absl::Duration ask_again = absl::Minutes(1);
  absl::Duration retry = absl::Seconds(1);
  // How long what was good goes on to be while it can't be asked about, and is remembered when nobody uses it.
  absl::Duration grace = absl::Minutes(5);
  // Something not used for so long, and held by nobody, is no longer watched.
  absl::Duration idle = absl::Seconds(10);
  // A refused bearer is refused unasked for so long: guessing costs the auth service little.
  absl::Duration refusal = absl::Seconds(1);
  // Of new callers, each of whom may come with a large request: one keeps no other waiting.
  int answering_threads = 2;
  size_t max_remembered = 20'000;
  // Bearers not known yet that are asked about at a time.
  size_t max_asking = 1'000;
};

// Finds out who sends a bearer and remembers it. What somebody uses or holds is watched in the background, so that
// nobody who sends a known bearer waits, whatever the auth service does. Thread-safe.
class BearerVerifier {
 public:
  using Done = std::function<void(absl::StatusOr<CredentialPtr>)>;

  // With `auth`, API keys ("rm_...") are traded for access tokens there; without, `tokens` knows them itself. `tokens`
  // and `clock` outlive this.
  BearerVerifier(BearerVerifierOptions options, authn::TokenVerifier& tokens, ChannelSource auth = nullptr,
                 const Clock& clock = Clock::System());
  ~BearerVerifier();

  // Asks nobody any more: call it before the server of an in-process `auth` ends. Whoever waits for an answer gets it
  // before this returns; from then on only bearers that are watched are known. Idempotent, by one thread.
  void Stop();

  // Calls `done` once: here and now for a bearer that is watched, else later on one of the verifier's few threads,
  // where others wait for their turn. Never blocks.
  //
  // Errors:
  //   UNAUTHENTICATED     Not a token of ours, expired, tampered with or revoked: told alike. Sign in anew.
  //   RESOURCE_EXHAUSTED  Too many that nobody knows are being asked about. Retry.
  //   UNAVAILABLE         It can't be checked right now. Retry.
  void Verify(std::string_view bearer, Done done);

  // The same for a thread that may block, at most until `deadline`; then UNAVAILABLE.
  absl::StatusOr<CredentialPtr> Verify(std::string_view bearer, absl::Time deadline);

  // Whether Verify() would answer with a good one at once.
  bool Knows(std::string_view bearer) const;

  // Looks at everything that is watched. Called each `recheck` while there is something; blocks as `tokens` does.
  void Recheck();

 private:
  struct Known {
    // nullptr until the first good answer.
    std::shared_ptr<Credential> credential;
    // As of the latest good answer.
    authn::Principal principal;
    // Kept while it is watched or asked about.
    std::string bearer;
    absl::Duration checked = -absl::InfiniteDuration();
    absl::Duration asked = -absl::InfiniteDuration();
    absl::Duration used;
    bool watched = false;
    bool asking = false;
    std::vector<Done> waiters;
  };
  // A token to verify for the bearer of that digest; or why there is none.
  struct Exchange;
  struct Work {
    std::string digest;
    absl::StatusOr<std::string> token;
    // What brought it: gRPC 1.51 can't close its last channel on a thread of its own, so the call ends on ours.
    std::shared_ptr<Exchange> exchange;
  };
  // What a look at everything found.
  struct Watched {
    std::string digest;
    authn::Principal principal;
    bool too_old;
  };

  void AnswerAll();
  void Watch();
  absl::StatusOr<Known*> Remember(const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Ask(const std::string& digest, Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answer(const Work& work);
  void StartExchange(const std::string& digest, const std::string& key);
  absl::StatusOr<authn::Principal> Find(const Work& work);
  // Whether what was found earlier still holds while nothing newer can be had.
  bool GoesOn(const std::string& digest);
  std::vector<Watched> LookAround();
  void End(const std::string& digest, const absl::Status& why);

  const BearerVerifierOptions options_;
  authn::TokenVerifier& tokens_;
  const ChannelSource auth_;
  const Clock& clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  // By SHA-256 of the bearer.
  StringMap<Known> known_ ABSL_GUARDED_BY(mutex_);
  // Until when.
  StringMap<absl::Duration> refused_ ABSL_GUARDED_BY(mutex_);
  bool watching_ ABSL_GUARDED_BY(mutex_) = false;
  // Asked about for the first time.
  size_t strangers_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Work> work_ ABSL_GUARDED_BY(mutex_);
  std::map<Exchange*, std::shared_ptr<Exchange>> exchanges_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace rivermeet::rpc

#endif  // RIVERMEET_RPC_BEARER_VERIFIER_H_
