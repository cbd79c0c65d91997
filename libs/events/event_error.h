// Why an event was not taken, and how many were not.
#ifndef RIVERMEET_EVENTS_EVENT_ERROR_H_
#define RIVERMEET_EVENTS_EVENT_ERROR_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "events/limits.h"

namespace rivermeet::events {

// The kinds of fault; the label `reason` of metrics.
enum class Reason : uint8_t {
  kMalformed,       // not JSON, not CSV, a broken array
  kBadTime,         // no time, or not a time
  kTimeInFuture,    // further ahead of the server's clock than allowed
  kTimeTooOld,      // before 1970
  kUnknownField,    // not in the stream's schema
  kWrongType,       // another type than the schema's
  kOutOfRange,      // a number that the field's type can't hold
  kNonFinite,       // NaN or an infinity where the schema doesn't keep them
  kDuplicateField,  // the same field twice in one event
  kBadName,         // a field name outside [A-Za-z_][A-Za-z0-9_.]{0,62}
  kTooLong,         // a value, id or attributes over its limit
  kInvalidUtf8,     // text that isn't UTF-8
  kTooDeep,         // attributes nested over 32 deep
  kBadIndex,        // an index outside the series table or dictionary
  kTooManyFields,   // more fields than a stream may have
};
inline constexpr size_t kReasonCount = 15;

// "unknown_field" and so on: stable, for metrics.
std::string_view ReasonName(Reason reason);

struct EventError {
  // The event's position in the request, from 0.
  uint64_t index = 0;
  Reason reason = Reason::kMalformed;
  // The field at fault, or empty.
  std::string field;
  // What is wrong and what would be right, for a person.
  std::string message;
  // Where in a text body the fault is, in bytes from 0; -1 for batches.
  int64_t byte_offset = -1;
};

// The errors of one request: all counted by reason, the first 100 by index kept in detail. Not thread-safe.
class ErrorList {
 public:
  // Whether an error of event `index` would be kept in detail: only then its message need be made.
  bool Wants(uint64_t index) const { return kept_.size() < kMaxDetailedErrors || index < largest_kept_; }

  // Counts an event as rejected. One call an event.
  void Add(EventError error);
  // The same for an event that Wants() nothing of.
  void AddUntold(Reason reason) { ++counts_[static_cast<size_t>(reason)], ++total_; }
  // Adds another list of the same request.
  void Merge(const ErrorList& other);

  uint64_t total() const { return total_; }
  uint64_t count(Reason reason) const { return counts_[static_cast<size_t>(reason)]; }
  // The kept ones, by index.
  std::vector<EventError> Sorted() const;

 private:
  void Keep(EventError error);

  std::vector<EventError> kept_;
  uint64_t largest_kept_ = 0;
  std::array<uint64_t, kReasonCount> counts_{};
  uint64_t total_ = 0;
};

// Which events of one batch are rejected, each for its first fault. Not thread-safe.
class Rejections {
 public:
  // For a batch of `events` events. `source_index` maps a position in the batch to one in the request; empty: the
  // same. It is borrowed until the next Reset.
  void Reset(size_t events, const std::vector<uint64_t>* source_index = nullptr);

  bool any() const { return count_ > 0; }
  size_t count() const { return count_; }
  bool Contains(size_t event) const { return any() && ((bits_[event / 64] >> (event % 64)) & 1) != 0; }

  // Rejects `event` unless it already is. `message` is called only when it will be shown.
  template <typename MakeMessage>
  void Add(size_t event, Reason reason, std::string_view field, MakeMessage message) {
    if (Contains(event)) return;
    bits_[event / 64] |= uint64_t{1} << (event % 64);
    ++count_;
    const uint64_t index = source_index_ != nullptr ? (*source_index_)[event] : event;
    if (!errors_.Wants(index)) return errors_.AddUntold(reason);
    errors_.Add({index, reason, std::string(field), message(), -1});
  }

  const ErrorList& errors() const { return errors_; }

 private:
  std::vector<uint64_t> bits_;
  size_t count_ = 0;
  const std::vector<uint64_t>* source_index_ = nullptr;
  ErrorList errors_;
};

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_EVENT_ERROR_H_
