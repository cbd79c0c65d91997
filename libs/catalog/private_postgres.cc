#include "catalog/private_postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "absl/time/clock.h"
#include "base/crash_point.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/strings.h"
#include "catalog/internal/child_process.h"
#include "catalog/internal/postgres_folder.h"
#include "catalog/internal/postgres_install.h"

namespace rivermeet::catalog {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(5);

std::vector<std::string> ServerEnvironment() {
  return {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"};
}

// Small in memory and in processes, never in safety.
std::vector<std::string> ServerSettings(const PostgresFolder& folder, const std::string& sockets) {
  return {"listen_addresses=",
          "unix_socket_directories=" + sockets,
          "unix_socket_permissions=0700",
          "hba_file=" + folder.hba,
          "ident_file=" + folder.ident,
          "max_connections=40",
          "shared_buffers=32MB",
          "work_mem=4MB",
          "maintenance_work_mem=16MB",
          "wal_buffers=1MB",
          "huge_pages=off",
          "jit=off",
          "fsync=on",
          "full_page_writes=on",
          "synchronous_commit=on",
          "wal_level=minimal",
          "max_wal_senders=0",
          "max_replication_slots=0",
          "min_wal_size=32MB",
          "max_wal_size=256MB",
          "max_worker_processes=1",
          "max_parallel_workers=0",
          "max_logical_replication_workers=0",
          "autovacuum_max_workers=1",
          "logging_collector=off",
          "log_destination=stderr",
          "log_min_messages=warning",
          "log_timezone=UTC",
          "timezone=UTC",
          "cluster_name=rivermeet"};
}

// As a value of a libpq connection string.
std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "'";
}

class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() { Reset(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void Reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace

class PrivatePostgres::Server {
 public:
  Server(PrivatePostgresOptions options, PostgresFolder folder)
      : options_(std::move(options)), folder_(std::move(folder)) {}

  ~Server() { (void)Stop(absl::Now() + absl::Seconds(10)); }

  absl::Status Start(absl::Time deadline) {
    RM_RETURN_IF_ERROR(Lock());
    absl::Status status = StartLocked(deadline);
    if (!status.ok()) {
      (void)Stop(absl::Now() + absl::Seconds(1));
    }
    return status;
  }

  absl::Status Stop(absl::Time deadline) {
    if (supervisor_.joinable()) {
      End(deadline);
      supervisor_.join();
    }
    lock_.Reset(-1);
    return absl::OkStatus();
  }

  const std::string& connection() const { return connection_; }

  int pid() const {
    MutexLock lock(mutex_);
    return pid_;
  }

 private:
  // Held as long as the server may run; the kernel lets go of it when this process ends in whatever way.
  absl::Status Lock() {
    if (lock_.get() >= 0) return absl::FailedPreconditionError("PostgreSQL is started already");
    lock_.Reset(open(folder_.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock_.get() >= 0 && flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
    const int error = errno;
    lock_.Reset(-1);
    return absl::FailedPreconditionError(ToAbsl(
        error == EWOULDBLOCK
            ? fmt::format("another Rivermeet uses the data folder {}: stop it, or use another folder", folder_.data)
            : fmt::format("can't lock {}: {}", folder_.lock, strerror(error))));
  }

  absl::Status StartLocked(absl::Time deadline) {
    RM_ASSIGN_OR_RETURN(account_, ServerAccount(options_.user));
    if (account_.uid == 0)
      return absl::FailedPreconditionError("PostgreSQL refuses to run as root: name another account");
    RM_RETURN_IF_ERROR(CheckReachable(folder_.data, account_));
    RM_ASSIGN_OR_RETURN(const PostgresInstall install, FindPostgres(ClusterVersion(folder_)));
    RM_RETURN_IF_ERROR(OpenLog());
    if (ClusterVersion(folder_).empty()) RM_RETURN_IF_ERROR(MakeCluster(install, deadline));
    RM_ASSIGN_OR_RETURN(sockets_, SocketFolder(folder_, account_));
    RM_RETURN_IF_ERROR(StopLeftovers(folder_, sockets_, deadline));
    RM_RETURN_IF_ERROR(WriteAccessFiles(folder_, account_));
    connection_ = fmt::format("host={} port=5432 user=rivermeet dbname=postgres", Quoted(sockets_));
    server_.arguments = {install.postgres, "-D", folder_.cluster};
    for (std::string& setting : ServerSettings(folder_, sockets_)) {
      server_.arguments.insert(server_.arguments.end(), {"-c", std::move(setting)});
    }
    server_.environment = ServerEnvironment();
    server_.account = account_;
    server_.log_fd = log_.get();
    server_.death_signal = SIGINT;
    {
      MutexLock lock(mutex_);
      stopping_ = false;
      ended_ = false;
      start_error_ = absl::OkStatus();
    }
    supervisor_ = std::thread([this] { Supervise(); });
    return AwaitReady(deadline);
  }

  absl::Status OpenLog() {
    constexpr off_t kLargestLog = 16 << 20;
    struct stat info = {};
    if (stat(folder_.log.c_str(), &info) == 0 && info.st_size > kLargestLog) {
      rename(folder_.log.c_str(), (folder_.log + ".1").c_str());
    }
    log_.Reset(open(folder_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (log_.get() >= 0) return absl::OkStatus();
    return absl::FailedPreconditionError(ToAbsl(fmt::format("can't write {}: {}", folder_.log, strerror(errno))));
  }

  // Made beside its place and moved there when it is whole, so that a crash leaves no half of it.
  absl::Status MakeCluster(const PostgresInstall& install, absl::Time deadline) {
    const std::string made = folder_.cluster + ".new";
    std::error_code error;
    std::filesystem::remove_all(made, error);
    // Without a PG_VERSION nothing is in it that counts.
    std::filesystem::remove(folder_.cluster, error);
    if (mkdir(made.c_str(), 0700) != 0 || lchown(made.c_str(), account_.uid, account_.gid) != 0) {
      return absl::FailedPreconditionError(ToAbsl(fmt::format("can't make {}: {}", made, strerror(errno))));
    }
    ChildOptions initdb;
    initdb.arguments = {install.initdb,    "--pgdata=" + made, "--username=rivermeet", "--auth=peer",
                        "--encoding=UTF8", "--locale=C",       "--data-checksums",     "--no-instructions"};
    initdb.environment = ServerEnvironment();
    initdb.account = account_;
    initdb.log_fd = log_.get();
    initdb.death_signal = SIGTERM;
    RM_ASSIGN_OR_RETURN(const pid_t pid, StartChild(initdb));
    int result = 0;
    while (waitpid(pid, &result, WNOHANG) == 0) {
      if (absl::Now() >= deadline) {
        kill(-pid, SIGKILL);  // It leads a session of its own.
        waitpid(pid, nullptr, 0);
        return absl::DeadlineExceededError("making the database took too long");
      }
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(kLookEvery));
    }
    if (result != 0) {
      return absl::InternalError(ToAbsl(fmt::format("initdb failed: {}", LogTail(folder_, 4))));
    }
    CrashPoint("postgres.make.before_rename");
    if (rename(made.c_str(), folder_.cluster.c_str()) != 0) {
      return absl::InternalError(ToAbsl(fmt::format("can't rename {}: {}", made, strerror(errno))));
    }
    Descriptor parent;
    parent.Reset(open(folder_.data.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent.get() < 0 || fsync(parent.get()) != 0) {
      return absl::InternalError(ToAbsl(fmt::format("can't sync {}: {}", folder_.data, strerror(errno))));
    }
    return absl::OkStatus();
  }

  absl::Status AwaitReady(absl::Time deadline) {
    MutexLock lock(mutex_);
    for (;;) {
      if (!start_error_.ok()) return start_error_;
      if (pid_ != 0 && ServerIsReady(folder_, pid_)) {
        was_ready_ = true;
        return absl::OkStatus();
      }
      if (absl::Now() >= deadline) {
        return absl::DeadlineExceededError(
            ToAbsl(fmt::format("PostgreSQL was not ready in time: {}", LogTail(folder_, 4))));
      }
      changed_.WaitFor(mutex_, kLookEvery);
    }
  }

  // The thread that the server can't outlive: starts it, waits for its end, starts it again.
  void Supervise() {
    constexpr absl::Duration kLongestPause = absl::Seconds(10);
    absl::Duration pause = absl::Milliseconds(50);
    for (;;) {
      absl::StatusOr<pid_t> child = StartChild(server_);
      const absl::Time started = absl::Now();
      int result = 0;
      if (child.ok()) {
        SetPid(*child);
        while (waitpid(*child, &result, 0) < 0 && errno == EINTR) {
        }
        SetPid(0);
      }
      if (absl::Now() - started > kLongestPause) pause = absl::Milliseconds(50);
      MutexLock lock(mutex_);
      if (stopping_) break;
      const std::string why = child.ok()
                                  ? fmt::format("PostgreSQL ended by itself ({}): {}", result, LogTail(folder_, 4))
                                  : std::string(MessageOf(child.status()));
      if (!was_ready_) {
        start_error_ = absl::InternalError(ToAbsl(why));
        break;
      }
      Recover(why);
      changed_.WaitFor(mutex_, pause);
      pause = std::min(pause * 2, kLongestPause);
      if (stopping_) break;
    }
    MutexLock lock(mutex_);
    ended_ = true;
    changed_.NotifyAll();
  }

  void Recover(const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    mutex_.Unlock();
    if (options_.on_trouble) options_.on_trouble(why);
    // The children of a server that was killed end by themselves, a moment later than it.
    (void)StopLeftovers(folder_, sockets_, absl::Now() + absl::Seconds(10));
    mutex_.Lock();
  }

  void SetPid(pid_t pid) {
    MutexLock lock(mutex_);
    pid_ = pid;
    changed_.NotifyAll();
  }

  // Asks the server to end, then insists.
  void End(absl::Time deadline) {
    MutexLock lock(mutex_);
    stopping_ = true;
    was_ready_ = false;
    changed_.NotifyAll();
    int asked = 0;
    while (!ended_) {
      const absl::Duration over = absl::Now() - deadline;
      const int signals[] = {SIGINT, SIGQUIT, SIGKILL};
      const int due = over < absl::ZeroDuration() ? 1 : over < absl::Seconds(1) ? 2 : 3;
      if (pid_ != 0 && asked < due) kill(pid_, signals[asked++]);
      changed_.WaitFor(mutex_, asked < 3 ? kLookEvery * 4 : absl::Seconds(1));
    }
  }

  const PrivatePostgresOptions options_;
  const PostgresFolder folder_;
  Account account_;
  std::string sockets_;
  std::string connection_;
  ChildOptions server_;
  Descriptor lock_;
  Descriptor log_;
  std::thread supervisor_;
  mutable Mutex mutex_;
  CondVar changed_;
  pid_t pid_ ABSL_GUARDED_BY(mutex_) = 0;
  bool was_ready_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = true;
  absl::Status start_error_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<PrivatePostgres>> PrivatePostgres::Open(PrivatePostgresOptions options) {
  if (options.data.empty()) return absl::InvalidArgumentError("PostgreSQL needs a data folder");
  RM_ASSIGN_OR_RETURN(PostgresFolder folder, PreparePostgresFolder(options.data));
  return std::unique_ptr<PrivatePostgres>(
      new PrivatePostgres(std::make_unique<Server>(std::move(options), std::move(folder))));
}

PrivatePostgres::PrivatePostgres(std::unique_ptr<Server> server) : server_(std::move(server)) {}
PrivatePostgres::~PrivatePostgres() = default;

absl::Status PrivatePostgres::Start(absl::Time deadline) { return server_->Start(deadline); }
absl::Status PrivatePostgres::Stop(absl::Time deadline) { return server_->Stop(deadline); }
const std::string& PrivatePostgres::connection() const { return server_->connection(); }
int PrivatePostgres::pid() const { return server_->pid(); }

}  // namespace rivermeet::catalog
