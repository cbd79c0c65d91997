#include "crdt/internal/store/content_arena.h"

#include <algorithm>
#include <cstring>
#include <string>

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
    room_ -= right.size();
    return {left.data(), size};
  }
  const uint64_t room = std::min<uint64_t>(size + 16, size * 2);
  char* copy = Take(size + room);
  std::memcpy(copy, left.data(), left.size());
  std::memcpy(copy + left.size(), right.data(), right.size());
  Tail& tail = tails_[next_tail_++ % tails_.size()];
  room_ -= tail.limit - tail.end;
  tail = {copy + size, copy + size + room};
  room_ += room;
  return {copy, size};
}

// Runs that are gone leave theirs behind.
void ContentArena::DropOldMarks() const {
  if (marks_.bytes() > live_ / 2 + kSlack) marks_.Clear();
}

std::string_view ContentArena::Skip(std::string_view values, uint64_t count) const {
  DropOldMarks();
  return marks_.Skip(values, count);
}

TextPlace ContentArena::Find(std::string_view text, TextUnit unit, uint64_t count) const {
  DropOldMarks();
  return marks_.Find(text, unit, count);
}

void ContentArena::Overwrite(const char* at, std::string_view bytes) {
  std::memcpy(const_cast<char*>(at), bytes.data(), bytes.size());
}

// What isn't copied has its U+FFFD written over the characters at the cut. Bytes left over there become one more
// character, so that all behind keeps its place in UTF-16 units.
ContentArena::CutText ContentArena::CutCharacter(std::string_view text, const TextPlace& at) {
  constexpr std::string_view kFillers[] = {"", " ", "\xc2\xa0", kReplacementCharacter};
  const size_t from = at.inside_pair ? at.byte : at.byte - 3;
  const Utf16Position second = FindUtf16(text.substr(from), 2);
  const bool half_stays = second.inside_pair;  // of the character behind a lone surrogate
  const size_t to = from + second.byte + (half_stays ? 4 : 0);
  std::string head(kReplacementCharacter);
  if (half_stays) AppendSlice(text.substr(from), 2, 3, head);
  const std::string_view start = text.substr(0, from);
  const std::string_view middle = text.substr(from, to - from);
  const std::string_view rest = text.substr(to);
  CutText cut;
  cut.lost_astral = at.inside_pair || half_stays;
  Release(text.size());
  if (start.size() < rest.size()) {
    cut.left = Add(std::string(start).append(kReplacementCharacter));
    const std::string_view filler = kFillers[middle.size() - head.size()];
    Overwrite(middle.data(), std::string(filler).append(head));
    cut.right = {middle.data() + filler.size(), head.size() + rest.size()};
    live_ += cut.right.size();
    if (cut.lost_astral) marks_.LoseAstral(middle.data());
  } else {
    cut.right = Add(std::string(head).append(rest));
    Overwrite(middle.data(), std::string(kReplacementCharacter).append(at.inside_pair ? " " : ""));
    cut.left = text.substr(0, from + kReplacementCharacter.size());
    live_ += cut.left.size();
    if (at.inside_pair) marks_.LoseAstral(middle.data());
  }
  return cut;
}

// Three of the character's four bytes stand where the one surrogate did, the last where the other ended.
std::string_view ContentArena::JoinCharacter(std::string_view left, std::string_view right) {
  std::string character(left.substr(left.size() - 3));
  AppendJoined(right.substr(0, 3), character);
  Overwrite(left.data() + left.size() - 3, std::string_view(character).substr(0, 3));
  Overwrite(right.data() + 2, std::string_view(character).substr(3));
  marks_.Forget(left.data() + left.size() - 3);
  marks_.Forget(right.data());
  Release(2);
  return Join(left, right.substr(2));
}

}  // namespace rivermeet::crdt::internal
