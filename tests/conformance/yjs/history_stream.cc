#include "yjs/history_stream.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "yjs/internal/edit_parser.h"
#include "yjs/internal/record_cursor.h"

namespace rivermeet::yjs {
namespace {

using internal::ParseEdits;
using internal::RecordCursor;

constexpr uint8_t kMagic = 0xf9;
constexpr uint8_t kTrailerMagic = 0xfa;
constexpr uint8_t kAnswersMagic = 0xfb;
constexpr size_t kHeadBytes = 5;
// In the byte of a history's kind.
constexpr uint8_t kDisputed = 128;
// Far longer than any that is written.
constexpr uint32_t kMaxRecordBytes = 1u << 28;

enum Flag : uint32_t { kCausal = 1, kGc = 2, kListener = 4, kBehind = 8, kThrew = 32, kObserves = 64 };

enum Asked : uint64_t {
  kStateV1 = 1,
  kStateV2 = 2,
  kStateVector = 4,
  kSnapshots = 8,
  kEmitted = 32,
  kDiff = 64,
  kJson = 128,
  kStepBehind = 256,
  kStepPending = 512,
  kStepThrew = 1024,
  kPopped = 2048,
  kEvents = 4096,
  kMisplaced = 8192
};

Message ParseMessage(RecordCursor& cursor) {
  const int format = cursor.Byte();
  return {format, cursor.Bytes()};
}

std::vector<std::pair<Root, Digest>> ParseJson(RecordCursor& cursor) {
  return cursor.List<std::pair<Root, Digest>>([](RecordCursor& from) {
    const Root root = from.ReadRoot();
    return std::pair(root, from.ReadDigest());
  });
}

UndoOptions ParseUndoOptions(RecordCursor& cursor) {
  UndoOptions options;
  options.scope = cursor.List<Root>([](RecordCursor& from) { return from.ReadRoot(); });
  options.origins = cursor.List<std::string_view>([](RecordCursor& from) { return from.Bytes(); });
  options.capture_timeout_ms = cursor.VarUint();
  cursor.VarUint();  // the time, which only steps count from
  return options;
}

void ParseInput(RecordCursor& cursor, Step& step) {
  switch (step.kind) {
    case StepKind::kApplyV1:
      step.messages.push_back({1, cursor.Bytes()});
      return;
    case StepKind::kApplyV2:
      step.messages.push_back({2, cursor.Bytes()});
      return;
    case StepKind::kApplyMany:
      step.messages = cursor.List<Message>(ParseMessage);
      return;
    case StepKind::kTypeRoot:
      step.root = cursor.ReadRoot();
      return;
    case StepKind::kTransact:
      step.origin = cursor.Bytes();
      step.edits = ParseEdits(cursor);
      return;
    case StepKind::kStartUndo:
      step.undo = ParseUndoOptions(cursor);
      return;
    case StepKind::kAdvance:
      step.milliseconds = cursor.VarUint();
      return;
    case StepKind::kUndo:
    case StepKind::kRedo:
    case StepKind::kStopCapturing:
    case StepKind::kClearUndo:
      return;
  }
  cursor.Fail();
}

Results ParseResults(RecordCursor& cursor) {
  Results results;
  const uint64_t asked = cursor.VarUint();
  results.told = asked != 0;
  if (asked & kStateV1) results.state_v1 = cursor.ReadDigest();
  if (asked & kStateV2) results.state_v2 = cursor.ReadDigest();
  if (asked & kStateVector) results.state_vector = cursor.Bytes();
  if (asked & kSnapshots) {
    results.snapshot_v1 = cursor.ReadDigest();
    results.snapshot_v2 = cursor.ReadDigest();
  }
  if (asked & kEmitted) {
    results.emitted = cursor.List<std::pair<Digest, Digest>>([](RecordCursor& from) {
      const Digest v1 = from.ReadDigest();
      return std::pair(v1, from.ReadDigest());
    });
  }
  if (asked & kDiff) {
    Results::Diff& diff = results.diff.emplace();
    diff.state_vector = cursor.Bytes();
    diff.v1 = cursor.ReadDigest();
    diff.v2 = cursor.ReadDigest();
  }
  if (asked & kJson) results.json = ParseJson(cursor);
  if (asked & kEvents) results.events = cursor.ReadDigest();
  if (asked & kStepThrew) results.thrown = cursor.Bytes();
  results.behind = (asked & kStepBehind) != 0;
  results.pending = (asked & kStepPending) != 0;
  results.popped = (asked & kPopped) != 0;
  results.misplaced = (asked & kMisplaced) != 0;
  return results;
}

void ParseDocument(RecordCursor& cursor, History& history) {
  const uint32_t flags = cursor.Word();
  history.causal = (flags & kCausal) != 0;
  history.gc = (flags & kGc) != 0;
  history.has_listener = (flags & kListener) != 0;
  history.observes = (flags & kObserves) != 0;
  history.behind = (flags & kBehind) != 0;
  history.threw = (flags & kThrew) != 0;
  history.client = cursor.VarUint();
  for (uint8_t kind = cursor.Byte(); kind != 0; kind = cursor.Byte()) {
    Step& step = history.steps.emplace_back();
    step.kind = static_cast<StepKind>(kind);
    ParseInput(cursor, step);
    step.results = ParseResults(cursor);
  }
  if (history.kind != History::Kind::kApply) return;
  history.roots = cursor.List<Root>([](RecordCursor& from) { return from.ReadRoot(); });
  if (!history.behind) return;
  CausalResult& result = history.causal_result.emplace();
  result.state_v1 = cursor.Bytes();
  result.state_vector = cursor.Bytes();
  result.json = cursor.List<std::pair<Root, std::string_view>>([](RecordCursor& from) {
    const Root root = from.ReadRoot();
    return std::pair(root, from.Bytes());
  });
}

void ParseCalls(RecordCursor& cursor, History& history) {
  for (uint8_t function = cursor.Byte(); function != 0; function = cursor.Byte()) {
    FunctionCall& call = history.calls.emplace_back();
    call.function = static_cast<Function>(function);
    call.inputs = cursor.List<std::string_view>([](RecordCursor& from) { return from.Bytes(); });
    call.threw = cursor.Byte() != 0;
    call.output = cursor.Bytes();
  }
}

YrsAnswer ParseAnswer(RecordCursor& cursor) {
  YrsAnswer answer;
  answer.step = cursor.VarUint();
  if (cursor.Byte() != 0) {
    answer.refused = cursor.Bytes();
    return answer;
  }
  answer.state_vector = cursor.Bytes();
  answer.contents = cursor.List<std::pair<Root, std::string_view>>([](RecordCursor& from) {
    const Root root = from.ReadRoot();
    return std::pair(root, from.Bytes());
  });
  return answer;
}

// Those of yrs come before the history that they are about.
absl::Status ParseAnswers(std::string_view record, History& history) {
  RecordCursor cursor(record);
  const uint64_t low = cursor.Word();
  const uint64_t seed = low | uint64_t{cursor.Word()} << 32;
  history.yrs = cursor.List<YrsAnswer>(ParseAnswer);
  const bool all_inside = std::all_of(history.yrs.begin(), history.yrs.end(),
                                      [&](const YrsAnswer& answer) { return answer.step < history.steps.size(); });
  if (cursor.ok() && cursor.AtEnd() && seed == history.seed && all_inside) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("yrs's answers before seed ", history.seed, " don't belong to it"));
}

absl::Status ParseHistory(std::string_view record, History& history) {
  RecordCursor cursor(record);
  history.seed = cursor.Word();
  history.seed |= uint64_t{cursor.Word()} << 32;
  const uint8_t kind = cursor.Byte();
  history.disputed = (kind & kDisputed) != 0;
  history.kind = static_cast<History::Kind>(kind & ~kDisputed);
  if (history.has_calls()) {
    ParseCalls(cursor, history);
  } else if (history.kind >= History::Kind::kApply && history.kind <= History::Kind::kNeighbours) {
    ParseDocument(cursor, history);
  } else {
    cursor.Fail();
  }
  if (cursor.ok() && cursor.AtEnd()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the record of seed ", history.seed, " isn't what its form asks for"));
}

}  // namespace

uint64_t HashOf(std::string_view bytes) {
  uint32_t high = 0x811c9dc5;
  uint32_t low = 0x9747b28c;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    high = (high ^ byte) * 0x01000193u;
    low = (std::rotl(low, 5) ^ byte) * 0x9e3779b1u;
  }
  return uint64_t{high} << 32 | (low ^ low >> 15);
}

bool Digest::Matches(std::string_view candidate) const {
  if (candidate.size() != size) return false;
  return whole() ? candidate == bytes : HashOf(candidate) == hash;
}

absl::StatusOr<bool> HistoryStream::Next() {
  uint8_t magic = 0;
  answers_.clear();
  while (true) {
    RM_ASSIGN_OR_RETURN(const bool found, ReadRecord(magic));
    if (!found) {
      if (open_ || !answers_.empty())
        return absl::DataLossError("the stream ends without a trailer: whoever wrote it has stopped early");
      return false;
    }
    if (magic == kAnswersMagic) {
      answers_.swap(record_);
      continue;
    }
    open_ = magic == kMagic;
    if (open_) break;
    RM_RETURN_IF_ERROR(ParseTrailer());
  }
  history_ = History();
  RM_RETURN_IF_ERROR(ParseHistory(record_, history_));
  if (!answers_.empty()) RM_RETURN_IF_ERROR(ParseAnswers(answers_, history_));
  return true;
}

// Into record_; false at the end of the file.
absl::StatusOr<bool> HistoryStream::ReadRecord(uint8_t& magic) {
  char head[kHeadBytes];
  const size_t got = std::fread(head, 1, kHeadBytes, file_);
  if (got == 0) return false;
  RecordCursor cursor(std::string_view(head, got));
  magic = cursor.Byte();
  if (magic != kMagic && magic != kTrailerMagic && magic != kAnswersMagic) {
    return absl::DataLossError(absl::StrCat("no record starts with byte ", magic));
  }
  const uint32_t size = cursor.Word();
  if (size > kMaxRecordBytes) return absl::DataLossError(absl::StrCat("a record of ", size, " bytes"));
  record_.resize(size);
  if (!cursor.ok() || std::fread(record_.data(), 1, record_.size(), file_) != record_.size()) {
    return absl::DataLossError("the stream ends inside a record");
  }
  return true;
}

absl::Status HistoryStream::ParseTrailer() {
  RecordCursor cursor(record_);
  for (uint64_t left = cursor.VarUint(); left > 0 && cursor.ok(); --left) {
    const std::string_view name = cursor.Bytes();
    totals_[std::string(name)] += cursor.VarUint();
  }
  if (cursor.ok() && cursor.AtEnd()) return absl::OkStatus();
  return absl::DataLossError("the trailer isn't what its form asks for");
}

}  // namespace rivermeet::yjs
