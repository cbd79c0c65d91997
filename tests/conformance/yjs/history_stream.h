// Reads the histories that histories.mjs writes: what was done to a document of yjs, and what yjs had after each step.
// README.md says what they hold, stream.md how it is encoded.
#ifndef RIVERMEET_YJS_HISTORY_STREAM_H_
#define RIVERMEET_YJS_HISTORY_STREAM_H_

#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rivermeet::yjs {

// What the stream tells long results by.
uint64_t HashOf(std::string_view bytes);

// A result of yjs: its bytes, or of 512 and more their number and hash.
struct Digest {
  uint64_t size = 0;
  std::string_view bytes;
  uint64_t hash = 0;

  bool whole() const { return bytes.size() == size; }
  bool Matches(std::string_view candidate) const;
};

// An update in yjs's format 1 or 2.
struct Message {
  int format = 1;
  std::string_view bytes;
};

// yjs's numbers of the shared types.
enum class SharedType : uint8_t { kArray, kMap, kText, kXmlElement, kXmlFragment, kXmlHook, kXmlText };

struct Root {
  std::string_view name;
  SharedType type = SharedType::kArray;
};

// A value to insert or set: lib0's encoding of a plain one, a binary, a shared type with what it starts with, or a
// subdocument.
struct Value {
  enum class Kind : uint8_t { kAny, kBinary, kType, kSubdocument };
  Kind kind = Kind::kAny;
  // The encoded value, the binary, or the encoded options of a subdocument.
  std::string_view bytes;
  SharedType type = SharedType::kArray;
  // The name of an XML element or hook, or the guid.
  std::string_view name;
  // What the type starts with, in this order.
  std::string_view text;
  std::vector<Value> items;
  std::vector<std::pair<std::string_view, Value>> entries;
};

// Keys with encoded values, in order. None isn't the same as empty: text without takes over what stands at its place.
using Attributes = std::optional<std::vector<std::pair<std::string_view, std::string_view>>>;

struct DeltaOperation {
  enum class Kind : uint8_t { kInsert, kDelete, kRetain };
  Kind kind = Kind::kInsert;
  uint64_t length = 0;
  Value insert;
  Attributes attributes;
};

enum class EditKind : uint8_t {
  kTextInsert = 1,
  kTextDelete,
  kTextFormat,
  kTextEmbed,
  kTextDelta,
  kListInsert,
  kListPush,
  kListDelete,
  kMapSet,
  kMapDelete
};

// Indexes and lengths of text are UTF-16 units.
struct Edit {
  EditKind kind = EditKind::kTextInsert;
  // The type that is edited: from a root down keys and indexes, and the id of the item that holds it (not of a root).
  Root root;
  struct PathStep {
    bool is_key = false;
    std::string_view key;
    uint64_t index = 0;
  };
  std::vector<PathStep> path;
  uint64_t client = 0;
  uint64_t clock = 0;

  uint64_t index = 0;
  uint64_t length = 0;
  std::string_view text;
  std::string_view key;
  Attributes attributes;
  // One for kTextEmbed and kMapSet.
  std::vector<Value> values;
  std::vector<DeltaOperation> delta;
};

// What an undo manager is made with. An empty origin stands for none.
struct UndoOptions {
  std::vector<Root> scope;
  std::vector<std::string_view> origins;
  uint64_t capture_timeout_ms = 0;
};

// What yjs had after a step; what isn't told is empty.
struct Results {
  bool told = false;
  std::optional<Digest> state_v1, state_v2;
  std::optional<std::string_view> state_vector;
  std::optional<Digest> snapshot_v1, snapshot_v2;
  // What the document's own listener got, one pair (V1, V2) a transaction.
  std::vector<std::pair<Digest, Digest>> emitted;
  struct Diff {
    std::string_view state_vector;
    Digest v1, v2;
  };
  std::optional<Diff> diff;
  // Of typed roots, as JSON.stringify writes them; empty where yjs threw.
  std::vector<std::pair<Root, Digest>> json;
  // What observers of roots heard, a line of JSON a call; stream.md says how.
  std::optional<Digest> events;
  // yjs keeps pending what it could integrate: no measure from here on.
  bool behind = false;
  // A search marker of yjs was beside its item's place, in this or an earlier step: a difference is none from here on.
  bool misplaced = false;
  bool pending = false;
  // An undo or redo did something.
  bool popped = false;
  std::optional<std::string_view> thrown;
};

enum class StepKind : uint8_t {
  kApplyV1 = 1,
  kApplyV2,
  kApplyMany,
  kTypeRoot,
  kTransact,
  kStartUndo,
  kUndo,
  kRedo,
  kStopCapturing,
  kClearUndo,
  kAdvance
};

struct Step {
  StepKind kind = StepKind::kApplyV1;
  // One for kApplyV1 and kApplyV2; for kApplyMany those of one transaction.
  std::vector<Message> messages;
  Root root;
  std::string_view origin;
  std::vector<Edit> edits;
  UndoOptions undo;
  uint64_t milliseconds = 0;
  Results results;
};

enum class Function : uint8_t {
  kMergeV1 = 1,
  kMergeV2,
  kDiffV1,
  kDiffV2,
  kConvertV1ToV2,
  kConvertV2ToV1,
  kVectorFromV1,
  kVectorFromV2
};

struct FunctionCall {
  Function function = Function::kMergeV1;
  // Updates; a diff's second input is the state vector.
  std::vector<std::string_view> inputs;
  bool threw = false;
  // What yjs gave, or the message of what it threw.
  std::string_view output;
};

// What yjs has when a history that it fell behind in comes in the order in which it was written.
struct CausalResult {
  std::string_view state_v1;
  std::string_view state_vector;
  // Whole: yjs writes a map's keys in the order in which they came, so only an unordered comparison says something.
  std::vector<std::pair<Root, std::string_view>> json;
};

// What yrs has after a step.
struct YrsAnswer {
  uint64_t step = 0;
  // Why it could not do the step; then there is nothing else.
  std::optional<std::string_view> refused;
  // As yjs writes it, clients descending.
  std::string_view state_vector;
  // In the form of content_text.h.
  std::vector<std::pair<Root, std::string_view>> contents;
};

struct History {
  enum class Kind : uint8_t { kApply = 1, kFunctions, kLocal, kMerges, kNeighbours };
  uint64_t seed = 0;
  Kind kind = Kind::kApply;
  // Writers were made not to agree what the roots are; some don't anyway.
  bool disputed = false;
  bool causal = false;
  bool gc = false;
  bool has_listener = false;
  // Each root is observed from its step kTypeRoot on, or its first edit.
  bool observes = false;
  bool behind = false;
  bool threw = false;
  // Of the document.
  uint64_t client = 0;
  std::vector<Step> steps;
  std::vector<FunctionCall> calls;
  // Of kApply: what the writers use, in the end.
  std::vector<Root> roots;
  std::optional<CausalResult> causal_result;
  // What yrs has, where a program was asked that writes it into the stream. The last may say that it gave up.
  std::vector<YrsAnswer> yrs;

  // Whether it is one of calls, without a document.
  bool has_calls() const { return kind == Kind::kFunctions || kind == Kind::kMerges; }
};

// A stream, or several one after another. For one thread.
class HistoryStream {
 public:
  // `file` is borrowed.
  explicit HistoryStream(std::FILE* file) : file_(file) {}

  // Reads the next history, false at the end of the file. Blocks while the file does.
  //
  // Errors:
  //   DATA_LOSS  The file ends inside a record or before its trailer, or isn't such a stream. Don't retry.
  absl::StatusOr<bool> Next();

  // The history read last; what it views lives until the next call of Next().
  const History& history() const { return history_; }
  // What the trailers so far counted, by name: "histories", "steps", "edits", "behind" and so on.
  const std::map<std::string, uint64_t>& totals() const { return totals_; }

 private:
  absl::StatusOr<bool> ReadRecord(uint8_t& magic);
  absl::Status ParseTrailer();

  std::FILE* file_;
  bool open_ = false;
  std::string record_;
  std::string answers_;
  History history_;
  std::map<std::string, uint64_t> totals_;
};

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_HISTORY_STREAM_H_
