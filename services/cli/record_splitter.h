// Cuts a file of events into request bodies at event borders, without looking into the events.
#ifndef RIVERMEET_CLI_RECORD_SPLITTER_H_
#define RIVERMEET_CLI_RECORD_SPLITTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::cli {

enum class InputFormat { kJson, kNdjson, kCsv };

// By name ("json", "ndjson", "csv") or, with an empty name, by the ending of a file's name.
//
// Errors:
//   INVALID_ARGUMENT  Neither says it; the message lists what would.
absl::StatusOr<InputFormat> FormatOfInput(const std::string& name, const std::string& path);

// One request's body.
struct EventBody {
  std::string text;
  std::string content_type;
  uint64_t end_offset = 0;    // in the input, after its last event
  std::vector<size_t> begin;  // of each event, in `text`

  std::string_view Event(size_t index) const;
};

// Where a body is cut depends on the input's bytes and the limits alone, so that an upload that is resumed at the end
// of a body sends the same bodies under the same sequences.
//
// JSON, an array of events or events one after the other, goes out as NDJSON: one that isn't JSON then costs no other.
// NDJSON is cut at line ends, CSV at line ends outside quotes, with its header before each body. Empty lines are left
// out. What is cut off at the end of the input goes out too, for the server to say what is wrong.
//
// Not thread-safe. Memory: the largest event and one body.
class RecordSplitter {
 public:
  struct Limits {
    size_t max_events = 16'384;
    size_t max_body_bytes = size_t{1} << 20;  // more only for a single larger event
    size_t max_event_bytes = size_t{7} << 20;
  };

  // To go on within an input: `offset` is an EventBody's end, `header` what header() was.
  RecordSplitter(InputFormat format, Limits limits, uint64_t offset = 0, std::string header = "");

  void Feed(std::string_view bytes);
  // The input is at its end.
  void End() { ended_ = true; }

  // The next body; nothing when more input is needed, or at the end.
  //
  // Errors:
  //   INVALID_ARGUMENT  An event is over its limit; the message says at which byte.
  absl::StatusOr<std::optional<EventBody>> Next();

  // CSV's first line, once it has been read.
  const std::string& header() const { return header_; }

 private:
  // Finds the end of the event that begins at begin_; false when more input is needed.
  bool FindEnd();
  bool FindLineEnd(bool quotes);
  bool FindJsonEnd();
  std::string_view Found() const;
  bool Fits(std::string_view event) const;
  void Take(std::string_view event);
  EventBody Emit();

  const InputFormat format_;
  const Limits limits_;
  std::string header_;
  std::string buffer_;
  uint64_t buffer_offset_;  // of buffer_'s first byte in the input
  size_t begin_ = 0;        // of the event that is being read
  size_t scan_ = 0;         // how far it has been looked at
  size_t end_ = 0;          // with FindEnd() true: its end, and where the next one begins
  size_t next_ = 0;
  bool quoted_ = false, escaped_ = false, inside_ = false, garbage_ = false;
  int depth_ = 0;
  bool ended_ = false;
  EventBody body_;
};

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_RECORD_SPLITTER_H_
