#include "cli/upload.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "files/file_system.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace rivermeet::cli {
namespace {

constexpr absl::Duration kRequestTimeout = absl::Seconds(60);
// Requests sent and not yet counted in order; under the 1,024 that the server can tell repeats among.
constexpr uint64_t kMaxOutstanding = 64;

bool IsWorthRetrying(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status WriteUploadState(const std::string& path, const UploadState& state) {
  google::protobuf::Struct json;
  const auto text = [&](const char* name, const std::string& value) {
    (*json.mutable_fields())[name].set_string_value(value);
  };
  text("stream", state.stream);
  text("format", state.format);
  text("csv_header", state.csv_header);
  // As texts: JSON's numbers lose digits above 2^53.
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, uint64_t>>{{"producer", state.producer_id},
                                                               {"next_sequence", state.next_sequence},
                                                               {"offset", state.offset},
                                                               {"max_events", state.max_events},
                                                               {"accepted", state.accepted},
                                                               {"rejected", state.rejected},
                                                               {"head_hash", state.head_hash}}) {
    text(name, std::to_string(value));
  }
  std::string line;
  if (!google::protobuf::util::MessageToJsonString(json, &line).ok()) {
    return absl::InvalidArgumentError("the CSV header is not UTF-8: convert the file first");
  }
  line += '\n';
  return Annotate(files::WriteWholeFile(files::FileSystem::Posix(), path, line), "name another place with --resume");
}

absl::StatusOr<UploadState> ReadUploadState(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(fmt::format("no file {}", path));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  google::protobuf::Struct json;
  const bool parsed = google::protobuf::util::JsonStringToMessage(text, &json).ok();
  const auto field = [&](const char* name) -> std::string {
    const auto found = json.fields().find(name);
    return found == json.fields().end() ? "" : found->second.string_value();
  };
  UploadState state{.stream = field("stream"), .format = field("format")};
  state.csv_header = field("csv_header");
  const bool good = parsed && ParseNumber(field("producer"), state.producer_id) && state.producer_id != 0 &&
                    ParseNumber(field("next_sequence"), state.next_sequence) && state.next_sequence != 0 &&
                    ParseNumber(field("offset"), state.offset) && ParseNumber(field("max_events"), state.max_events) &&
                    state.max_events != 0 && ParseNumber(field("accepted"), state.accepted) &&
                    ParseNumber(field("rejected"), state.rejected) && ParseNumber(field("head_hash"), state.head_hash);
  if (good) return state;
  return absl::InvalidArgumentError(
      fmt::format("{} is not the state of an upload: delete it to start over (events may then count twice)", path));
}

Upload::Upload(client::RivermeetClient& client, UploadState& state, Options options)
    : client_(client), state_(state), options_(std::move(options)) {
  MutexLock lock(mutex_);
  submitted_ = state_.next_sequence - 1;
}

absl::Status Upload::Run() {
  std::vector<std::thread> workers;
  for (int i = 0; i < options_.parallel; ++i) workers.emplace_back([this] { Work(); });
  const absl::Status read = ReadAndCut();
  {
    MutexLock lock(mutex_);
    closed_ = true;
    if (failure_.ok()) failure_ = read;
    changed_.NotifyAll();
  }
  for (std::thread& worker : workers) worker.join();
  MutexLock lock(mutex_);
  return failure_;
}

absl::Status Upload::ReadAndCut() {
  std::string header;
  {
    MutexLock lock(mutex_);
    header = state_.csv_header;
  }
  RecordSplitter splitter(options_.format, {.max_events = state_.max_events}, state_.offset, header);
  while (true) {
    RM_ASSIGN_OR_RETURN(const std::string piece, options_.read());
    if (piece.empty()) splitter.End();
    splitter.Feed(piece);
    while (true) {
      RM_ASSIGN_OR_RETURN(std::optional<EventBody> body, splitter.Next());
      if (!body) break;
      {
        MutexLock lock(mutex_);
        state_.csv_header = splitter.header();
      }
      if (!Submit(*std::move(body))) return absl::OkStatus();
    }
    if (piece.empty()) return absl::OkStatus();
  }
}

bool Upload::Stopped() {
  if (options_.cancelled && options_.cancelled()) {
    MutexLock lock(mutex_);
    if (failure_.ok()) failure_ = absl::CancelledError("interrupted");
    changed_.NotifyAll();
  }
  MutexLock lock(mutex_);
  return !failure_.ok();
}

bool Upload::Submit(EventBody body) {
  while (!Stopped()) {
    MutexLock lock(mutex_);
    // The first request goes alone: it makes a stream that isn't there yet.
    const uint64_t outstanding = submitted_ + 1 - state_.next_sequence;
    const bool first = state_.next_sequence == 1;
    if (outstanding < (first ? 1 : kMaxOutstanding) && waiting_.size() < static_cast<size_t>(options_.parallel)) {
      const uint64_t sequence = ++submitted_;
      waiting_.emplace(sequence, Job{sequence, std::move(body)});
      changed_.NotifyAll();
      return true;
    }
    changed_.WaitFor(mutex_, absl::Milliseconds(200));
  }
  return false;
}

void Upload::Work() {
  while (true) {
    Job job;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !closed_ && failure_.ok()) changed_.Wait(mutex_);
      if (waiting_.empty() || !failure_.ok()) return;
      job = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      changed_.NotifyAll();
    }
    const absl::StatusOr<ingest::v1::Receipt> receipt = SendOne(job);
    Finish(std::move(job), receipt);
  }
}

absl::StatusOr<ingest::v1::Receipt> Upload::SendOne(const Job& job) {
  ingest::v1::IngestRawRequest request;
  request.set_stream(state_.stream);
  request.set_content_type(job.body.content_type);
  request.set_body(job.body.text);
  request.set_producer_id(state_.producer_id);
  request.set_sequence(job.sequence);
  absl::Duration pause = absl::Milliseconds(200);
  const absl::Time give_up = absl::Now() + options_.give_up_after;
  while (true) {
    absl::StatusOr<ingest::v1::Receipt> receipt = client_.IngestRaw(request, absl::Now() + kRequestTimeout);
    if (receipt.ok() || !IsWorthRetrying(receipt.status()) || absl::Now() + pause > give_up) return receipt;
    if (options_.on_retry) options_.on_retry(receipt.status());
    const absl::Time until = absl::Now() + pause;
    while (absl::Now() < until) {
      if (Stopped()) return receipt;
      absl::SleepFor(std::min(absl::Milliseconds(100), until - absl::Now()));
    }
    pause = std::min(pause * 2, absl::Seconds(5));
  }
}

void Upload::Finish(Job job, const absl::StatusOr<ingest::v1::Receipt>& receipt) {
  MutexLock lock(mutex_);
  if (!receipt.ok()) {
    if (failure_.ok()) {
      failure_ = absl::IsInvalidArgument(receipt.status())
                     ? Annotate(receipt.status(), fmt::format("the events before byte {}", job.body.end_offset))
                     : receipt.status();
    }
    changed_.NotifyAll();
    return;
  }
  done_.emplace(job.sequence, Done{std::move(job.body), *receipt});
  while (!done_.empty() && done_.begin()->first == state_.next_sequence && failure_.ok()) {
    const Done done = std::move(done_.begin()->second);
    done_.erase(done_.begin());
    ++state_.next_sequence;
    state_.offset = done.body.end_offset;
    state_.accepted += done.receipt.accepted();
    state_.rejected += done.receipt.rejected();
    if (options_.on_answer) failure_ = options_.on_answer(done.body, done.receipt, state_);
  }
  changed_.NotifyAll();
}

}  // namespace rivermeet::cli
