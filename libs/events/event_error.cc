#include "events/event_error.h"

#include <algorithm>

namespace rivermeet::events {

std::string_view ReasonName(Reason reason) {
  static constexpr std::array<std::string_view, kReasonCount> kNames = {
      "malformed",  "bad_time",     "time_in_future", "time_too_old",    "unknown_field",
      "wrong_type", "out_of_range", "non_finite",     "duplicate_field", "bad_name",
      "too_long",   "invalid_utf8", "too_deep",       "bad_index",       "too_many_fields",
  };
  return kNames[static_cast<size_t>(reason)];
}

void ErrorList::Add(EventError error) {
  AddUntold(error.reason);
  Keep(std::move(error));
}

void ErrorList::Keep(EventError error) {
  if (kept_.size() < kMaxDetailedErrors) {
    largest_kept_ = std::max(largest_kept_, error.index);
    kept_.push_back(std::move(error));
    return;
  }
  if (error.index >= largest_kept_) return;
  const auto by_index = [](const EventError& a, const EventError& b) { return a.index < b.index; };
  *std::max_element(kept_.begin(), kept_.end(), by_index) = std::move(error);
  largest_kept_ = std::max_element(kept_.begin(), kept_.end(), by_index)->index;
}

void ErrorList::Merge(const ErrorList& other) {
  for (size_t i = 0; i < kReasonCount; ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  for (const EventError& error : other.kept_) Keep(error);
}

std::vector<EventError> ErrorList::Sorted() const {
  std::vector<EventError> sorted = kept_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const EventError& a, const EventError& b) { return a.index < b.index; });
  return sorted;
}

void Rejections::Reset(size_t events, const std::vector<uint64_t>* source_index) {
  bits_.assign((events + 63) / 64, 0);
  count_ = 0;
  source_index_ = source_index;
  errors_ = {};
}

}  // namespace rivermeet::events
