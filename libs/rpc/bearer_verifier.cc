#include "rpc/bearer_verifier.h"

#include <grpcpp/client_context.h>

#include "absl/time/clock.h"
#include "authn/api_key.h"
#include "base/sha256.h"
#include "base/status.h"
#include "rivermeet/auth/v1/auth.grpc.pb.h"
#include "rpc/call.h"
#include "rpc/status.h"

namespace rivermeet::rpc {
namespace {

using auth::v1::AuthService;

constexpr absl::Duration kTimeout = absl::Seconds(5);

absl::Status NotNow() { return absl::UnavailableError("the caller can't be checked right now"); }

// Refusals are told alike: what the auth service says in detail is for its log.
absl::Status Told(const absl::Status& status) {
  if (absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
      absl::IsPermissionDenied(status)) {
    return absl::UnauthenticatedError("the token or API key is not valid");
  }
  return absl::IsResourceExhausted(status) ? status : NotNow();
}

bool HaveSameRights(const authn::Principal& a, const authn::Principal& b) {
  return a.subject == b.subject && a.tenant == b.tenant && a.role == b.role && a.session == b.session &&
         a.must_change_password == b.must_change_password;
}

}  // namespace

authn::KeySource PublishedBy(ChannelSource auth) {
  return [auth = std::move(auth)](absl::Time deadline) -> absl::StatusOr<authn::Published> {
    grpc::ClientContext context;
    PrepareCall(context, {.deadline = deadline}, kTimeout);
    auth::v1::GetJwksResponse response;
    RM_RETURN_IF_ERROR(FromGrpc(AuthService::NewStub(auth())->GetJwks(&context, {}, &response)));
    authn::Published published(std::move(*response.mutable_jwks()));
    published.ended.assign(response.ended().begin(), response.ended().end());
    return published;
  };
}

absl::Status Credential::status() const {
  MutexLock lock(mutex_);
  return status_;
}

void Credential::End(const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    if (status_.ok()) status_ = why;
  }
  ended_.request_stop();
}

struct BearerVerifier::Exchange {
  grpc::ClientContext context;
  auth::v1::ExchangeApiKeyRequest request;
  auth::v1::ExchangeApiKeyResponse response;
  std::unique_ptr<AuthService::Stub> stub;
};

BearerVerifier::BearerVerifier(BearerVerifierOptions options, authn::TokenVerifier& tokens, ChannelSource auth,
                               const Clock& clock)
    : options_(std::move(options)), tokens_(tokens), auth_(std::move(auth)), clock_(clock) {
  for (int i = 0; i < options_.answering_threads; ++i) threads_.emplace_back([this] { AnswerAll(); });
  threads_.emplace_back([this] { Watch(); });
}

BearerVerifier::~BearerVerifier() { Stop(); }

void BearerVerifier::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [exchange, owned] : exchanges_) exchange->context.TryCancel();
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void BearerVerifier::Verify(std::string_view bearer, Done done) {
  const std::string digest = Sha256(bearer);
  absl::StatusOr<CredentialPtr> answer;
  {
    MutexLock lock(mutex_);
    const absl::Duration now = clock_.MonotonicNow();
    absl::StatusOr<Known*> known = Remember(digest);
    if (!known.ok()) {
      answer = known.status();
    } else {
      (*known)->used = now;
      if ((*known)->watched) {
        answer = (*known)->credential;
      } else if (stopping_) {
        answer = NotNow();
      } else {
        (*known)->bearer = bearer;
        (*known)->waiters.push_back(std::move(done));
        if (!(*known)->asking) Ask(digest, **known);
        return;
      }
    }
  }
  done(std::move(answer));
}

absl::StatusOr<CredentialPtr> BearerVerifier::Verify(std::string_view bearer, absl::Time deadline) {
  struct Waiting {
    Mutex mutex;
    CondVar changed;
    std::optional<absl::StatusOr<CredentialPtr>> answer ABSL_GUARDED_BY(mutex);
  };
  const auto waiting = std::make_shared<Waiting>();
  Verify(bearer, [waiting](absl::StatusOr<CredentialPtr> answer) {
    MutexLock lock(waiting->mutex);
    waiting->answer = std::move(answer);
    waiting->changed.NotifyAll();
  });
  MutexLock lock(waiting->mutex);
  while (!waiting->answer) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return NotNow();
    waiting->changed.WaitFor(waiting->mutex, left);
  }
  return *std::move(waiting->answer);
}

bool BearerVerifier::Knows(std::string_view bearer) const {
  const std::string digest = Sha256(bearer);
  MutexLock lock(mutex_);
  const auto found = known_.find(digest);
  return found != known_.end() && found->second.watched;
}

// The entry for a bearer, made if need be, or why nobody is asked about it.
absl::StatusOr<BearerVerifier::Known*> BearerVerifier::Remember(const std::string& digest) {
  if (const auto found = known_.find(digest); found != known_.end()) return &found->second;
  const absl::Duration now = clock_.MonotonicNow();
  if (const auto refused = refused_.find(digest); refused != refused_.end()) {
    if (now < refused->second) return Told(absl::UnauthenticatedError(""));
    refused_.erase(refused);
  }
  if (known_.size() >= options_.max_remembered) {
    absl::erase_if(known_, [](const auto& known) {
      return !known.second.asking && known.second.credential.use_count() <= 1;  // Nobody holds it.
    });
  }
  if (strangers_ >= options_.max_asking || known_.size() >= options_.max_remembered) {
    return absl::ResourceExhaustedError("too many new callers at a time: try again in a moment");
  }
  return &known_[digest];
}

void BearerVerifier::Ask(const std::string& digest, Known& known) {
  known.asking = true;
  known.asked = clock_.MonotonicNow();
  if (known.credential == nullptr) ++strangers_;
  work_.push_back({digest, known.bearer, nullptr});
  changed_.NotifyAll();
}

void BearerVerifier::AnswerAll() {
  mutex_.Lock();
  while (!stopping_ || !exchanges_.empty() || !work_.empty()) {
    if (work_.empty()) {
      changed_.Wait(mutex_);
      continue;
    }
    const Work work = std::move(work_.front());
    work_.pop_front();
    mutex_.Unlock();
    Answer(work);
    mutex_.Lock();
  }
  // The others may have seen work or an exchange that is over now.
  changed_.NotifyAll();
  mutex_.Unlock();
}

void BearerVerifier::Watch() {
  const Clock& clock = Clock::System();
  absl::Duration next = clock.MonotonicNow() + options_.recheck;
  mutex_.Lock();
  while (!stopping_) {
    const absl::Duration left = watching_ ? next - clock.MonotonicNow() : absl::InfiniteDuration();
    if (left > absl::ZeroDuration()) {
      changed_.WaitFor(mutex_, left);
      continue;
    }
    mutex_.Unlock();
    Recheck();
    next = clock.MonotonicNow() + options_.recheck;
    mutex_.Lock();
  }
  mutex_.Unlock();
}

void BearerVerifier::StartExchange(const std::string& digest, const std::string& key) {
  const auto exchange = std::make_shared<Exchange>();
  PrepareCall(exchange->context, {}, kTimeout);
  exchange->request.set_api_key(key);
  exchange->stub = AuthService::NewStub(auth_());
  {
    MutexLock lock(mutex_);
    exchanges_.emplace(exchange.get(), exchange);
    if (stopping_) exchange->context.TryCancel();
  }
  exchange->stub->async()->ExchangeApiKey(&exchange->context, &exchange->request, &exchange->response,
                                          [this, digest, exchange = exchange.get()](const grpc::Status& status) {
                                            absl::StatusOr<std::string> token =
                                                std::move(*exchange->response.mutable_access_token());
                                            if (!status.ok()) token = FromGrpc(status);
                                            MutexLock lock(mutex_);
                                            const auto found = exchanges_.find(exchange);
                                            work_.push_back({digest, std::move(token), std::move(found->second)});
                                            exchanges_.erase(found);
                                            changed_.NotifyAll();
                                          });
}

absl::StatusOr<authn::Principal> BearerVerifier::Find(const Work& work) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return absl::UnavailableError("stopping");
  }
  if (!work.token.ok()) return Told(work.token.status());
  absl::StatusOr<authn::Principal> principal = tokens_.Verify(*work.token, absl::Now() + kTimeout);
  if (!principal.ok()) return Told(principal.status());
  return principal;
}

bool BearerVerifier::GoesOn(const std::string& digest) {
  authn::Principal principal;
  {
    MutexLock lock(mutex_);
    const Known& known = known_.find(digest)->second;
    if (known.credential == nullptr || clock_.MonotonicNow() - known.checked >= options_.grace) return false;
    principal = known.principal;
  }
  return tokens_.Recheck(principal, absl::Now() + kTimeout).ok();
}

void BearerVerifier::Answer(const Work& work) {
  if (auth_ != nullptr && work.token.ok() && authn::LooksLikeApiKey(*work.token)) {
    return StartExchange(work.digest, *work.token);
  }
  const absl::StatusOr<authn::Principal> principal = Find(work);
  const bool goes_on = !principal.ok() && !absl::IsUnauthenticated(principal.status()) && GoesOn(work.digest);
  absl::StatusOr<CredentialPtr> answer;
  std::shared_ptr<Credential> ended;
  std::vector<Done> waiters;
  {
    MutexLock lock(mutex_);
    Known& known = known_.find(work.digest)->second;
    waiters.swap(known.waiters);
    known.asking = false;
    if (known.credential == nullptr) --strangers_;
    if (principal.ok()) {
      if (known.credential != nullptr && !HaveSameRights(known.principal, *principal)) {
        ended = std::move(known.credential);
      }
      if (known.credential == nullptr) known.credential = std::make_shared<Credential>(*principal);
      known.principal = *principal;
      known.checked = known.asked;
      known.watched = watching_ = true;
      answer = known.credential;
      changed_.NotifyAll();
    } else if (goes_on && known.credential != nullptr) {
      known.watched = watching_ = true;
      answer = known.credential;
      changed_.NotifyAll();
    } else {
      answer = principal.status();
      ended = std::move(known.credential);
      known_.erase(work.digest);
      if (refused_.size() >= options_.max_remembered) refused_.clear();
      if (absl::IsUnauthenticated(principal.status())) {
        refused_[work.digest] = clock_.MonotonicNow() + options_.refusal;
      }
    }
  }
  if (ended != nullptr) {
    ended->End(principal.ok() ? absl::UnauthenticatedError("the rights have changed: sign in anew")
                              : principal.status());
  }
  for (const Done& waiter : waiters) waiter(answer);
}

// What is watched; what has to be asked about again is, and what nobody wants is forgotten.
std::vector<BearerVerifier::Watched> BearerVerifier::LookAround() {
  std::vector<Watched> watched;
  MutexLock lock(mutex_);
  const absl::Duration now = clock_.MonotonicNow();
  for (auto it = known_.begin(); it != known_.end();) {
    const auto current = it++;
    Known& known = current->second;
    if (known.credential == nullptr) continue;
    if (known.credential.use_count() > 1) known.used = now;  // Somebody holds it.
    const absl::Duration unused = now - known.used;
    if (!known.asking && unused >= options_.grace) {
      known_.erase(current);
      continue;
    }
    if (!known.asking && unused >= options_.idle) {
      known.watched = false;
      known.bearer.clear();
    }
    if (!known.watched) continue;
    if (!known.asking && now - known.checked >= options_.ask_again && now - known.asked >= options_.retry) {
      Ask(current->first, known);
    }
    watched.push_back({current->first, known.principal, now - known.checked >= options_.grace});
  }
  watching_ = !watched.empty();
  return watched;
}

void BearerVerifier::Recheck() {
  // Once one can't be checked, none can: asking on would take as long for each.
  bool away = false;
  for (const Watched& watched : LookAround()) {
    absl::Status status;
    if (!away) status = tokens_.Recheck(watched.principal, absl::Now() + kTimeout);
    if (absl::IsUnauthenticated(status)) {
      End(watched.digest, status);
      continue;
    }
    away = !status.ok() || away;
    if (away || watched.too_old) End(watched.digest, NotNow());
  }
}

void BearerVerifier::End(const std::string& digest, const absl::Status& why) {
  std::shared_ptr<Credential> ended;
  {
    MutexLock lock(mutex_);
    const auto found = known_.find(digest);
    if (found == known_.end() || found->second.credential == nullptr) return;
    Known& known = found->second;
    ended = std::move(known.credential);
    known.watched = false;
    if (known.asking) {
      ++strangers_;
    } else {
      known_.erase(found);
    }
  }
  ended->End(why);
}

}  // namespace rivermeet::rpc
