#include "crdt/internal/content_arena.h"

#include <algorithm>
#include <cstring>

#include "crdt/internal/any_walk.h"

namespace rivermeet::crdt::internal {

char* ContentArena::Take(uint64_t size) {
  if (static_cast<uint64_t>(limit_ - next_) < size) {
    const uint64_t block = std::max(size, next_block_);
    next_block_ = std::min(kLargestBlock, next_block_ * 2);
    blocks_.emplace_back(new char[block]);
    allocated_ += block;
    // A run larger than a block gets one to itself; the block begun before goes on.
    if (block == size && size > kLargestBlock / 4) return blocks_.back().get();
    next_ = blocks_.back().get();
    limit_ = next_ + block;
  }
  char* taken = next_;
  next_ += size;
  return taken;
}

std::string_view ContentArena::Add(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* copy = Take(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  live_ += bytes.size();
  return {copy, bytes.size()};
}

std::string_view ContentArena::Join(std::string_view left, std::string_view right) {
  if (right.empty()) return left;
  if (left.empty()) return right;
  const char* end = left.data() + left.size();
  const uint64_t size = left.size() + right.size();
  if (end == right.data()) return {left.data(), size};
  if (end == next_ && static_cast<uint64_t>(limit_ - next_) >= right.size()) {
    std::memmove(next_, right.data(), right.size());
    next_ += right.size();
    return {left.data(), size};
  }
  for (Tail& tail : tails_) {
    if (tail.end != end || static_cast<uint64_t>(tail.limit - tail.end) < right.size()) continue;
    std::memmove(const_cast<char*>(tail.end), right.data(), right.size());
    tail.end += right.size();
    return {left.data(), size};
  }
  const uint64_t room = std::min<uint64_t>(size + 16, size * 2);
  char* copy = Take(size + room);
  std::memcpy(copy, left.data(), left.size());
  std::memcpy(copy + left.size(), right.data(), right.size());
  tails_[next_tail_++ % tails_.size()] = {copy + size, copy + size + room};
  return {copy, size};
}

std::string_view ContentArena::Skip(std::string_view values, uint64_t count) const {
  if (count < kMarked) return SkipValues(values, count);
  if (marks_bytes_ > live_ / 2 + kSlack) {  // runs that were cut since left theirs behind
    marks_.clear();
    marks_bytes_ = 0;
  }
  const auto [run, made] = marks_.try_emplace(values.data());
  if (made) marks_bytes_ += sizeof(*run);
  std::vector<uint32_t>& marks = run->second;
  while (marks.size() < count / kMarked) {
    const uint32_t last = marks.empty() ? 0 : marks.back();
    marks.push_back(static_cast<uint32_t>(values.size() - SkipValues(values.substr(last), kMarked).size()));
    marks_bytes_ += sizeof(uint32_t);
  }
  return SkipValues(values.substr(marks[count / kMarked - 1]), count % kMarked);
}

}  // namespace rivermeet::crdt::internal
