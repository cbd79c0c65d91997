#include "windows/producer_table.h"

#include <algorithm>

namespace rivermeet::windows {

SequenceCheck ProducerTable::Check(uint64_t producer, uint64_t sequence, int64_t now_us) {
  if (producer == 0) return SequenceCheck::kNew;
  auto [found, made] = producers_.try_emplace(producer);
  Producer& entry = found->second;
  if (!made && entry.seen_us < now_us - kForgetAfterUs) {
    entry = Producer();
    made = true;
  }
  entry.seen_us = std::max(entry.seen_us, now_us);
  const auto word = [&](uint64_t number) -> uint64_t& { return entry.seen[(number % kWindow) / 64]; };
  const auto bit = [](uint64_t number) { return uint64_t{1} << (number % 64); };

  if (made || sequence > entry.highest) {
    if (made || sequence - entry.highest >= kWindow) {
      entry.seen.fill(0);
    } else {
      for (uint64_t skipped = entry.highest + 1; skipped < sequence; ++skipped) word(skipped) &= ~bit(skipped);
    }
    entry.highest = sequence;
    word(sequence) |= bit(sequence);
    return SequenceCheck::kNew;
  }
  if (entry.highest - sequence >= kWindow) return SequenceCheck::kStale;
  if ((word(sequence) & bit(sequence)) != 0) return SequenceCheck::kRepeat;
  word(sequence) |= bit(sequence);
  return SequenceCheck::kNew;
}

std::vector<std::pair<uint64_t, ProducerTable::Producer>> ProducerTable::Sorted(int64_t now_us) const {
  std::vector<std::pair<uint64_t, Producer>> sorted;
  for (const auto& [id, producer] : producers_) {
    if (producer.seen_us >= now_us - kForgetAfterUs) sorted.emplace_back(id, producer);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return sorted;
}

void ProducerTable::Purge(int64_t now_us) {
  absl::erase_if(producers_, [&](const auto& entry) { return entry.second.seen_us < now_us - kForgetAfterUs; });
}

}  // namespace rivermeet::windows
