#include "catalog/database.h"

#include <thread>

#include "absl/time/clock.h"
#include "base/disk_full.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/internal/result_data.h"
#include "catalog/internal/stall_guard.h"

namespace rivermeet::catalog {
namespace {

// What a failed statement or commit means for the transaction as a whole.
enum class Failure { kNone, kConflict, kBroken, kFinal };

struct Outcome {
  absl::Status status;
  Failure failure = Failure::kNone;
};

// SQLSTATE of a server whose disk has no room.
constexpr std::string_view kDiskFull = "53100";

absl::StatusCode CodeOf(std::string_view sqlstate) {
  const std::string_view group = sqlstate.substr(0, 2);
  if (sqlstate == "23505") return absl::StatusCode::kAlreadyExists;
  if (sqlstate == "57014") return absl::StatusCode::kDeadlineExceeded;
  if (group == "23") return absl::StatusCode::kFailedPrecondition;
  if (group == "22") return absl::StatusCode::kInvalidArgument;
  if (sqlstate == kDiskFull) return absl::StatusCode::kResourceExhausted;
  if (group == "53" || group == "57" || group == "08") return absl::StatusCode::kUnavailable;
  return absl::StatusCode::kInternal;
}

Outcome Failed(absl::StatusCode code, std::string_view message, Failure failure) {
  return {absl::Status(code, ToAbsl(fmt::format("catalog: {}", Trim(message)))), failure};
}

// The exception being handled, as a value.
Outcome FromException() {
  try {
    throw;
  } catch (const pqxx::in_doubt_error& error) {
    return Failed(absl::StatusCode::kUnavailable, error.what(), Failure::kBroken);
  } catch (const pqxx::broken_connection& error) {
    return Failed(absl::StatusCode::kUnavailable, error.what(), Failure::kBroken);
  } catch (const pqxx::transaction_rollback& error) {
    return Failed(absl::StatusCode::kAborted, error.what(), Failure::kConflict);
  } catch (const pqxx::sql_error& error) {
    const absl::StatusCode code = CodeOf(error.sqlstate());
    const bool shut_down = error.sqlstate().substr(0, 3) == "57P";
    Outcome outcome = Failed(code, error.what(), shut_down ? Failure::kBroken : Failure::kFinal);
    if (error.sqlstate() == kDiskFull) outcome.status = WithDiskFull(std::move(outcome.status));
    return outcome;
  } catch (const std::exception& error) {
    return Failed(absl::StatusCode::kInternal, error.what(), Failure::kFinal);
  }
}

struct Session {
  explicit Session(const std::string& options) : connection(options), quiet(connection) {
    // Deprecated because lazy connections go away in pqxx 7, where this is how it behaves. A session must keep its
    // socket: the stall guard knows it by number.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }
  // Before its first use, where the stall guard watches it: throws as pqxx does.
  void Prepare(absl::Duration idle_transaction_timeout) {
    if (prepared) return;
    pqxx::nontransaction(connection)
        .exec(fmt::format("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_min_messages = error; "
                          "SET idle_in_transaction_session_timeout = {}",
                          absl::ToInt64Milliseconds(idle_transaction_timeout)));
    prepared = true;
  }
  pqxx::connection connection;
  // Without it the driver writes server notices to stderr.
  pqxx::quiet_errorhandler quiet;
  bool prepared = false;
};

class PqxxTransaction final : public Transaction {
 public:
  explicit PqxxTransaction(Session& session) : work_(session.connection) {}

  absl::StatusOr<Result> Execute(std::string_view sql, const std::vector<Param>& params) override {
    if (failed_.failure != Failure::kNone) return failed_.status;
    std::vector<const char*> values;
    values.reserve(params.size());
    for (const Param& param : params) {
      values.push_back(param.text() ? param.text()->c_str() : nullptr);
      if (param.text() && param.text()->find('\0') != std::string::npos) {
        failed_ = Failed(absl::StatusCode::kInvalidArgument, "a text holds a zero byte", Failure::kFinal);
        return failed_.status;
      }
    }
    try {
      auto data = std::make_shared<Result::Data>();
      data->rows = params.empty() ? work_.exec(std::string(sql))
                                  : work_.exec_params(std::string(sql), pqxx::prepare::make_dynamic_params(values));
      return Result(std::move(data));
    } catch (...) {
      failed_ = FromException();
      return failed_.status;
    }
  }

  Outcome Commit() {
    if (failed_.failure != Failure::kNone) return failed_;
    try {
      work_.commit();
      return {};
    } catch (...) {
      Outcome outcome = FromException();
      if (outcome.failure == Failure::kBroken) {
        // Not to be run again: it may have happened.
        outcome = Failed(absl::StatusCode::kUnavailable, "the connection was lost during a commit; outcome unknown",
                         Failure::kFinal);
      }
      return outcome;
    }
  }

  void Rollback() {
    try {
      work_.abort();
    } catch (...) {
      // The server rolls back by itself when the connection ends.
    }
  }

  const Outcome& failed() const { return failed_; }

 private:
  pqxx::work work_;
  Outcome failed_;
};

Outcome RunOnce(Session& session, absl::Duration idle_transaction_timeout, absl::Time deadline,
                const Database::Body& body) {
  try {
    session.Prepare(idle_transaction_timeout);
    PqxxTransaction transaction(session);
    if (deadline != absl::InfiniteFuture()) {
      const int64_t left = std::max<int64_t>(1, absl::ToInt64Milliseconds(deadline - absl::Now()));
      (void)transaction.Execute(fmt::format("SET LOCAL statement_timeout = {}", std::min<int64_t>(left, INT32_MAX)),
                                {});
    }
    absl::Status status = transaction.failed().status;
    if (status.ok()) status = body(transaction);
    if (transaction.failed().failure != Failure::kNone) {
      transaction.Rollback();
      // The body may have said more about it.
      return {status.ok() ? transaction.failed().status : status, transaction.failed().failure};
    }
    if (!status.ok()) {
      transaction.Rollback();
      return {status, Failure::kFinal};
    }
    return transaction.Commit();
  } catch (...) {
    return FromException();
  }
}

std::string WithTimeout(const std::string& connection, absl::Duration timeout) {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(timeout, absl::Seconds(1))));
  if (connection.find("connect_timeout") != std::string::npos) return connection;
  if (connection.find("://") == std::string::npos) return fmt::format("{} connect_timeout={}", connection, seconds);
  return fmt::format("{}{}connect_timeout={}", connection, connection.find('?') == std::string::npos ? '?' : '&',
                     seconds);
}

constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Seconds(1);

// Half to all of `pause`, so that many waiters don't come back together.
absl::Duration Jittered(absl::Duration pause) {
  return pause * (0.5 + 0.5 * static_cast<double>(RandomId() % 1024) / 1024);
}

}  // namespace

class Database::Pool {
 public:
  explicit Pool(DatabaseOptions options)
      : options_(std::move(options)), connection_(WithTimeout(options_.connection, options_.connect_timeout)) {
    RM_CHECK(options_.max_connections > 0);
  }

  ~Pool() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wanted_changed_.NotifyAll();
    connector_.join();
  }

  // Whoever finds none free has one made, and waits for whichever comes first.
  absl::StatusOr<std::unique_ptr<Session>> Take(absl::Time deadline) {
    MutexLock lock(mutex_);
    const uint64_t failures = failures_;
    while (idle_.empty()) {
      if (failures_ != failures) return refused_;
      if (wanted_ <= waiting_ && open_ < options_.max_connections) {
        if (absl::Now() < next_connect_) return refused_;
        ++open_;
        ++wanted_;
        wanted_changed_.NotifyAll();
      }
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) {
        return absl::DeadlineExceededError("catalog: no connection became free in time; nothing was changed");
      }
      ++waiting_;
      freed_.WaitFor(mutex_, left);
      --waiting_;
    }
    std::unique_ptr<Session> session = std::move(idle_.back());
    idle_.pop_back();
    return session;
  }

  // Takes it back; a broken one takes all idle ones with it: they were made to the same server.
  void Return(std::unique_ptr<Session> session, bool broken) {
    std::vector<std::unique_ptr<Session>> dropped;
    {
      MutexLock lock(mutex_);
      if (broken) {
        dropped.swap(idle_);
        dropped.push_back(std::move(session));
        open_ -= static_cast<int>(dropped.size());
      } else {
        idle_.push_back(std::move(session));
      }
    }
    broken ? freed_.NotifyAll() : freed_.NotifyOne();
  }

  StallGuard& guard() { return guard_; }
  const DatabaseOptions& options() const { return options_; }

 private:
  // Connects on a thread of its own: libpq can't be told a deadline in less than whole seconds, nor be called off.
  void ConnectWhatIsWanted() {
    mutex_.Lock();
    while (!stopping_) {
      if (wanted_ == 0) {
        wanted_changed_.Wait(mutex_);
        continue;
      }
      mutex_.Unlock();
      absl::StatusOr<std::unique_ptr<Session>> session = Connect();
      mutex_.Lock();
      if (session.ok()) {
        pause_ = kFirstPause;
        next_connect_ = absl::InfinitePast();
        idle_.push_back(*std::move(session));
        --wanted_;
        freed_.NotifyOne();
        continue;
      }
      // Everybody who waits for one hears of it.
      open_ -= std::exchange(wanted_, 0);
      ++failures_;
      refused_ = session.status();
      next_connect_ = absl::Now() + Jittered(pause_);
      pause_ = std::min(pause_ * 2, kLongestPause);
      freed_.NotifyAll();
    }
    mutex_.Unlock();
  }

  absl::StatusOr<std::unique_ptr<Session>> Connect() const {
    try {
      return std::make_unique<Session>(connection_);
    } catch (...) {
      return absl::UnavailableError(FromException().status.message());
    }
  }

  const DatabaseOptions options_;
  const std::string connection_;
  StallGuard guard_;
  Mutex mutex_;
  CondVar freed_;
  std::vector<std::unique_ptr<Session>> idle_ ABSL_GUARDED_BY(mutex_);
  // Those made, in use or free, and those wanted.
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  CondVar wanted_changed_;
  int wanted_ ABSL_GUARDED_BY(mutex_) = 0;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // While the server can't be reached: when to try again, and what to say until then.
  absl::Time next_connect_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Duration pause_ ABSL_GUARDED_BY(mutex_) = kFirstPause;
  absl::Status refused_ ABSL_GUARDED_BY(mutex_);
  std::thread connector_{[this] { ConnectWhatIsWanted(); }};
};

Database::Database(DatabaseOptions options) : pool_(std::make_unique<Pool>(std::move(options))) {}
Database::~Database() = default;

absl::Status Database::Run(absl::Time deadline, const Body& body) {
  constexpr int kAttemptsAfterConflict = 20;
  constexpr int kAttemptsAfterBreak = 3;
  absl::Duration pause = kFirstPause;
  for (int attempt = 1;; ++attempt) {
    if (absl::Now() >= deadline) return absl::DeadlineExceededError("catalog: too late to start; nothing was changed");
    RM_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, pool_->Take(deadline));
    Outcome outcome;
    bool broken;
    {
      const StallGuard::Watch watch(pool_->guard(), session->connection.sock(), deadline + absl::Milliseconds(500));
      outcome = RunOnce(*session, pool_->options().idle_transaction_timeout, deadline, body);
      broken = outcome.failure == Failure::kBroken || !session->connection.is_open();
    }
    pool_->Return(std::move(session), broken);
    const int attempts = outcome.failure == Failure::kConflict ? kAttemptsAfterConflict
                         : outcome.failure == Failure::kBroken ? kAttemptsAfterBreak
                                                               : 1;
    if (absl::Now() >= deadline && outcome.failure == Failure::kBroken) {
      return absl::DeadlineExceededError("catalog: no answer in time; nothing was changed");
    }
    if (attempt >= attempts || absl::Now() + pause >= deadline) return outcome.status;
    std::this_thread::sleep_for(absl::ToChronoMicroseconds(Jittered(pause)));
    pause = std::min(pause * 2, kLongestPause);
  }
}

absl::StatusOr<Result> Database::Execute(absl::Time deadline, std::string_view sql, const std::vector<Param>& params) {
  absl::StatusOr<Result> result = absl::InternalError("catalog: the statement did not run");
  RM_RETURN_IF_ERROR(Run(deadline, [&](Transaction& transaction) {
    result = transaction.Execute(sql, params);
    return result.status();
  }));
  return result;
}

absl::Status Database::RunAlone(absl::Time deadline, std::string_view sql) {
  RM_ASSIGN_OR_RETURN(std::unique_ptr<Session> session, pool_->Take(deadline));
  Outcome outcome;
  {
    const StallGuard::Watch watch(pool_->guard(), session->connection.sock(), deadline);
    try {
      session->Prepare(pool_->options().idle_transaction_timeout);
      pqxx::nontransaction(session->connection).exec(std::string(sql));
    } catch (...) {
      outcome = FromException();
    }
  }
  pool_->Return(std::move(session), outcome.failure == Failure::kBroken);
  return outcome.status;
}

}  // namespace rivermeet::catalog
