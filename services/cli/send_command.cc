#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "base/ids.h"
#include "base/json_string.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/internal/commands.h"
#include "cli/internal/interrupts.h"
#include "cli/progress.h"
#include "cli/text_table.h"
#include "cli/upload.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"

namespace rivermeet::cli {
namespace {

constexpr size_t kHeadBytes = 64 << 10;
// With --rejects, so that every rejected event is told: the server details 100 a request.
constexpr uint64_t kSmallRequest = 100;

struct Flags {
  std::string file;
  std::string stream;
  std::string format;
  std::string rejects;
  std::string resume;
  bool from_start = false;
  bool quiet = false;
  int parallel = 1;
  std::shared_ptr<client::ConnectionFlags> connection;
};

// A file or standard input, and a hash of its beginning.
class Input {
 public:
  ~Input() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }

  absl::Status Open(const std::string& path) {
    path_ = path;
    if (path == "-") {
      fd_ = STDIN_FILENO;
      return absl::OkStatus();
    }
    fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat stat {};
    if (fd_ < 0 || fstat(fd_, &stat) != 0) {
      return absl::NotFoundError(fmt::format("can't read {}: {}", path, std::strerror(errno)));
    }
    if (S_ISDIR(stat.st_mode)) return absl::InvalidArgumentError(fmt::format("{} is a folder", path));
    seekable_ = S_ISREG(stat.st_mode);
    size_ = seekable_ ? static_cast<uint64_t>(stat.st_size) : 0;
    if (!seekable_) return absl::OkStatus();
    head_.resize(kHeadBytes);
    const ssize_t count = pread(fd_, head_.data(), head_.size(), 0);
    head_.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return absl::OkStatus();
  }

  // Goes to `offset` from the start; before the first Read().
  absl::Status Skip(uint64_t offset, Interrupts& interrupts) {
    if (seekable_) {
      if (lseek(fd_, static_cast<off_t>(offset), SEEK_SET) >= 0) return absl::OkStatus();
      return absl::UnavailableError(fmt::format("can't go to byte {} of {}", offset, path_));
    }
    while (offset > 0) {
      RM_ASSIGN_OR_RETURN(const std::string piece, ReadUpTo(std::min<uint64_t>(offset, 256 << 10), interrupts));
      if (piece.empty()) return absl::InvalidArgumentError("the input is shorter than what was sent of it before");
      offset -= piece.size();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Read(Interrupts& interrupts) { return ReadUpTo(256 << 10, interrupts); }

  uint64_t HeadHash(uint64_t offset) const {
    return XXH3_64bits(head_.data(), std::min<uint64_t>(offset, head_.size()));
  }
  uint64_t size() const { return size_; }

 private:
  absl::StatusOr<std::string> ReadUpTo(size_t limit, Interrupts& interrupts) {
    std::string piece(limit, '\0');
    while (true) {
      pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, 200) == 0) {
        if (interrupts.Happened()) return absl::CancelledError("interrupted");
        continue;
      }
      const ssize_t count = read(fd_, piece.data(), piece.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return absl::UnavailableError(fmt::format("can't read {}: {}", path_, std::strerror(errno)));
      piece.resize(static_cast<size_t>(count));
      if (!seekable_ && head_.size() < kHeadBytes) head_.append(piece, 0, kHeadBytes - head_.size());
      return piece;
    }
  }

  std::string path_;
  std::string head_;
  int fd_ = -1;
  bool seekable_ = false;
  uint64_t size_ = 0;
};

// Tells the person at the terminal, keeps the state file, writes rejected events.
class Reporter {
 public:
  Reporter(const Flags& flags, const Input& input, std::string state_path, const UploadState& start)
      : flags_(flags), input_(input), state_path_(std::move(state_path)), start_(start) {
    draws_ = isatty(STDERR_FILENO) != 0 && !flags.quiet;
  }

  absl::Status OpenRejects() {
    if (flags_.rejects.empty()) return absl::OkStatus();
    rejects_.open(flags_.rejects, start_.offset > 0 ? std::ios::app : std::ios::trunc);
    if (!rejects_) return absl::UnavailableError(fmt::format("can't write {}", flags_.rejects));
    return absl::OkStatus();
  }

  absl::Status OnAnswer(const EventBody& body, const ingest::v1::Receipt& receipt, const UploadState& state) {
    ++answers_;
    token_ = receipt.visibility_token();
    for (const ingest::v1::EventError& error : receipt.errors()) WriteReject(body, error);
    const uint64_t untold = receipt.rejected() - std::min<uint64_t>(receipt.rejected(), receipt.errors_size());
    if (untold > 0 && rejects_.is_open()) {
      rejects_ << fmt::format("{{\"reason\":\"{} more of this request, which ends at byte {}, were rejected\"}}\n",
                              untold, body.end_offset);
    }
    if (rejects_.is_open() && !rejects_.flush()) {
      return absl::UnavailableError(fmt::format("can't write {}: is the disk full?", flags_.rejects));
    }
    Draw(state);
    return KeepState(state, false);
  }

  void OnRetry(const absl::Status& status) {
    if (retries_++ > 0) return;
    EndLine();
    fmt::print(stderr, "trying again: {}\n", MessageOf(status));
  }

  // At the end, or from time to time: a lost state costs resends, never events.
  absl::Status KeepState(UploadState state, bool now) {
    if (state_path_.empty()) return absl::OkStatus();
    if (!now && answers_ % 128 != 1 && absl::Now() - kept_ < absl::Milliseconds(500)) return absl::OkStatus();
    kept_ = absl::Now();
    state.head_hash = input_.HeadHash(state.offset);
    return WriteUploadState(state_path_, state);
  }

  void PrintSummary(const UploadState& state) {
    EndLine();
    const double seconds = std::max(absl::ToDoubleSeconds(absl::Now() - started_), 0.001);
    const uint64_t accepted = state.accepted - start_.accepted;
    const uint64_t rejected = state.rejected - start_.rejected;
    fmt::print("accepted {}, rejected {} in {:.1f} s ({} events/s)\n", GroupedNumber(accepted), GroupedNumber(rejected),
               seconds, GroupedNumber(static_cast<uint64_t>(static_cast<double>(accepted + rejected) / seconds)));
    if (answers_ == 1 && !token_.empty()) fmt::print("visibility token: {}\n", token_);
    if (start_.offset > 0) {
      fmt::print("with what was sent before: accepted {}, rejected {}\n", GroupedNumber(state.accepted),
                 GroupedNumber(state.rejected));
    }
    if (rejected > 0 && flags_.rejects.empty()) {
      fmt::print(stderr, "--rejects FILE writes each rejected event with its reason\n");
    }
  }

  void EndLine() {
    if (std::exchange(drawn_, false)) fmt::print(stderr, "\n");
  }

 private:
  void WriteReject(const EventBody& body, const ingest::v1::EventError& error) {
    const std::string_view event = body.Event(error.index());
    if (rejects_.is_open()) {
      rejects_ << fmt::format("{{\"field\":{},\"reason\":{},\"event\":{}}}\n", JsonString(error.field()),
                              JsonString(error.reason()), JsonString(event));
    }
    if (told_ >= 3) return;
    EndLine();
    fmt::print(stderr, "rejected: {}{}{}: {}\n", ForTerminal(error.field()), error.field().empty() ? "" : ": ",
               ForTerminal(error.reason()), ForTerminal(event.substr(0, 100)));
    if (++told_ == 3) fmt::print(stderr, "(further ones are counted)\n");
  }

  void Draw(const UploadState& state) {
    if (!draws_ || absl::Now() - drawn_at_ < absl::Milliseconds(100)) return;
    drawn_at_ = absl::Now();
    drawn_ = true;
    const std::string line =
        ProgressLine({.done_bytes = state.offset,
                      .start_bytes = start_.offset,
                      .total_bytes = input_.size(),
                      .events = state.accepted + state.rejected - start_.accepted - start_.rejected,
                      .rejected = state.rejected,
                      .elapsed = absl::Now() - started_});
    fmt::print(stderr, "\r{}\x1b[K", line);
  }

  const Flags& flags_;
  const Input& input_;
  const std::string state_path_;
  const UploadState start_;
  const absl::Time started_ = absl::Now();
  std::ofstream rejects_;
  std::string token_;
  absl::Time kept_, drawn_at_;
  uint64_t answers_ = 0;
  int retries_ = 0, told_ = 0;
  bool draws_ = false, drawn_ = false;
};

// Where to go on, or the start with a producer of its own.
absl::StatusOr<UploadState> FindState(const Flags& flags, const std::string& path, const Input& input,
                                      const std::string& format, client::RivermeetClient& client) {
  if (!path.empty() && !flags.from_start) {
    absl::StatusOr<UploadState> state = ReadUploadState(path);
    if (state.ok()) {
      if (state->stream != flags.stream || state->format != format) {
        return absl::FailedPreconditionError(
            fmt::format("{} is of an upload to \"{}\" as {}: finish that one, or add "
                        "--from-start",
                        path, state->stream, state->format));
      }
      if (input.size() > 0 && (input.size() < state->offset || input.HeadHash(state->offset) != state->head_hash)) {
        return absl::FailedPreconditionError(
            fmt::format("{} has changed since {} bytes of it were sent: add --from-start to send it anew", flags.file,
                        state->offset));
      }
      return state;
    }
    if (!absl::IsNotFound(state.status())) return state.status();
  }
  UploadState state{.stream = flags.stream, .format = format};
  state.max_events = flags.rejects.empty() ? 16'384 : kSmallRequest;
  RM_ASSIGN_OR_RETURN(state.producer_id, client.OpenProducer(absl::Now() + kAnswerTimeout));
  return state;
}

// How many events of the stream that were appended by now were too late for their windows; nothing where that can't be
// read. Doesn't wait for what others go on sending.
std::optional<uint64_t> TooLate(client::RivermeetClient& client, const std::string& stream) {
  const absl::Time deadline = absl::Now() + kAnswerTimeout;
  std::optional<uint64_t> appended;
  while (true) {
    const auto ledger = client.GetLedger(stream, deadline);
    if (absl::IsNotFound(ledger.status())) return 0;
    if (!ledger.ok()) return std::nullopt;
    const query::v1::LedgerEntry& total = ledger->total();
    if (!appended) appended = total.appended();
    if (total.appended() - total.not_yet_folded() >= *appended || absl::Now() > deadline) return total.too_late();
    absl::SleepFor(absl::Milliseconds(50));
  }
}

// Says so when some of what was sent isn't counted; whether it is.
bool TellTooLate(client::RivermeetClient& client, const std::string& stream, std::optional<uint64_t> before) {
  const std::optional<uint64_t> after = before ? TooLate(client, stream) : std::nullopt;
  if (!after || *after <= *before) return false;
  fmt::print(stderr,
             "{} events came too late for their windows and are not counted: send events in the order of their times, "
             "with --parallel 1, or declare the stream with a longer --lateness\n",
             GroupedNumber(*after - *before));
  return true;
}

absl::Status Send(const Flags& flags, int& exit_code) {
  const absl::StatusOr<InputFormat> format = FormatOfInput(flags.format, flags.file);
  if (!format.ok()) return exit_code = commandline::kUsage, format.status();
  if (!IsStreamName(flags.stream)) {
    exit_code = commandline::kUsage;
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no stream name: lower-case letters, digits, _ and .", flags.stream));
  }
  Interrupts interrupts;
  Input input;
  RM_RETURN_IF_ERROR(input.Open(flags.file));
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(*flags.connection));
  const std::string path = !flags.resume.empty() ? flags.resume
                           : input.size() > 0    ? flags.file + ".rivermeet-upload"
                                                 : "";
  const std::string format_name = *format == InputFormat::kJson  ? "json"
                                  : *format == InputFormat::kCsv ? "csv"
                                                                 : "ndjson";
  RM_ASSIGN_OR_RETURN(UploadState state, FindState(flags, path, input, format_name, *client));
  if (state.offset > 0) fmt::print(stderr, "going on at byte {} of {}\n", GroupedNumber(state.offset), flags.file);
  RM_RETURN_IF_ERROR(input.Skip(state.offset, interrupts));

  Reporter reporter(flags, input, path, state);
  RM_RETURN_IF_ERROR(reporter.OpenRejects());
  // Before anything is sent: a producer that is forgotten can't tell what it sent.
  RM_RETURN_IF_ERROR(reporter.KeepState(state, true));
  const std::optional<uint64_t> too_late = TooLate(*client, flags.stream);
  Upload upload(*client, state,
                {.format = *format,
                 .parallel = flags.parallel,
                 .read = [&] { return input.Read(interrupts); },
                 .on_answer = [&](const auto& body, const auto& receipt,
                                  const auto& now) { return reporter.OnAnswer(body, receipt, now); },
                 .on_retry = [&](const absl::Status& status) { reporter.OnRetry(status); },
                 .cancelled = [&] { return interrupts.Happened(); }});
  const absl::Status sent = upload.Run();
  reporter.PrintSummary(state);
  if (!sent.ok()) {
    const absl::Status kept = reporter.KeepState(state, true);
    const std::string hint = path.empty() ? "" : kept.ok() ? "; the same command goes on from here" : "";
    return absl::Status(sent.code(), ToAbsl(fmt::format("{}{}", MessageOf(sent), hint)));
  }
  if (!path.empty()) unlink(path.c_str());
  if (TellTooLate(*client, flags.stream, too_late) || state.rejected > 0) exit_code = commandline::kPartlyRejected;
  return absl::OkStatus();
}

}  // namespace

void AddSend(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = *app.add_subcommand("send", "Send a file of events (JSON, NDJSON or CSV)");
  command.add_option("file", flags->file, "The file, or - for standard input")->required()->type_name("FILE");
  command.add_option("-s,--stream", flags->stream, "The stream's name; the first events make it")
      ->required()
      ->type_name("STREAM");
  command.add_option("--format", flags->format, "json, ndjson or csv; else by the file's name")->type_name("FORMAT");
  command
      .add_option("--rejects", flags->rejects,
                  "Write each rejected event with its reason here, as NDJSON; sends 100 events a request")
      ->type_name("FILE");
  command
      .add_option("--resume", flags->resume,
                  "Where to keep how far it is, to go on after a break; else beside the file, and nowhere for -")
      ->type_name("FILE");
  command.add_flag("--from-start", flags->from_start, "Don't go on where a broken upload ended");
  command
      .add_option("--parallel", flags->parallel, "Requests at a time, 1 to 32, which may overtake one another; else 1")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 32));
  command.add_flag("-q,--quiet", flags->quiet, "No progress");
  flags->connection = client::AddConnectionFlags(command);
  command.footer(
      "Interrupted, or when the suite goes away for long, the same command goes on where it was, and nothing counts\n"
      "twice. Exit code 3 when some events were rejected, or came too late to be counted: events are to come in the\n"
      "order of their times, give or take the stream's allowed lateness.\n\n"
      "Examples:\n"
      "  rivermeet send orders.ndjson --stream orders --rejects rejected.ndjson\n"
      "  zcat big.csv.gz | rivermeet send - --format csv --stream sensors --resume sensors.state");
  SetForegroundAction(command, [flags](int& exit_code) { return Send(*flags, exit_code); });
}

}  // namespace rivermeet::cli
