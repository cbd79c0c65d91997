#include "crdt/internal/store/struct_store.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace rivermeet::crdt::internal {

namespace {

// The last of `count` that starts at or before `clock`, as the first of them does; without branches on the data.
template <auto kStart, class T>
const T* LastFrom(const T* base, size_t count, uint32_t clock) {
  while (count > 1) {
    const size_t half = count / 2;
    base = base[half].*kStart <= clock ? base + half : base;
    count -= half;
  }
  return base;
}

}  // namespace

uint32_t StructList::FindChunk(uint32_t clock) const {
  return static_cast<uint32_t>(LastFrom<&Chunk::first_clock>(chunks_.data(), chunks_.size(), clock) - chunks_.data());
}

StructList::Position StructList::Find(uint32_t clock) const {
  if (hint_ >= chunks_.size()) hint_ = 0;
  if (!Holds(hint_, clock)) hint_ = FindChunk(clock);
  const Entry* entries = chunks_[hint_].entries.get();
  const uint32_t count = chunks_[hint_].count;
  if (entries[count - 1].clock <= clock) return {hint_, count - 1};
  // What is found is soon split, deleted, merged: asked for again.
  if (slot_hint_ + 1 < count && entries[slot_hint_].clock <= clock && clock < entries[slot_hint_ + 1].clock)
    return {hint_, slot_hint_};
  slot_hint_ = static_cast<uint32_t>(LastFrom<&Entry::clock>(entries, count, clock) - entries);
  return {hint_, slot_hint_};
}

StructList::Position StructList::FindNear(uint32_t clock) const {
  constexpr uint32_t kSteps = 8;
  if (hint_ >= chunks_.size()) hint_ = 0;
  if (!Holds(hint_, clock)) {
    if (hint_ + 1 < chunks_.size() && Holds(hint_ + 1, clock)) {
      ++hint_;
      slot_hint_ = 0;
    } else if (hint_ > 0 && Holds(hint_ - 1, clock)) {
      --hint_;
      slot_hint_ = chunks_[hint_].count - 1;
    } else {
      hint_ = FindChunk(clock);
    }
  }
  const Entry* entries = chunks_[hint_].entries.get();
  const uint32_t count = chunks_[hint_].count;
  uint32_t slot = std::min(slot_hint_, count - 1);
  if (entries[slot].clock <= clock) {
    const uint32_t end = std::min(count, slot + kSteps);
    while (slot + 1 < end && entries[slot + 1].clock <= clock) ++slot;
    if (slot + 1 == end && end < count)
      slot = static_cast<uint32_t>(LastFrom<&Entry::clock>(entries + slot, count - slot, clock) - entries);
  } else {
    const uint32_t end = slot > kSteps ? slot - kSteps : 0;
    while (slot > end && entries[slot].clock > clock) --slot;
    if (entries[slot].clock > clock)
      slot = static_cast<uint32_t>(LastFrom<&Entry::clock>(entries, slot, clock) - entries);
  }
  slot_hint_ = slot;
  return {hint_, slot};
}

void StructList::MakeRoom(Chunk& chunk) {
  const uint16_t capacity =
      static_cast<uint16_t>(std::min<uint32_t>(kChunk, std::max<uint32_t>(4, chunk.capacity * 2u)));
  std::unique_ptr<Entry[]> entries(new Entry[capacity]);
  std::copy_n(chunk.entries.get(), chunk.count, entries.get());
  chunk.entries = std::move(entries);
  chunk.capacity = capacity;
}

void StructList::Append(Entry entry) {
  if (chunks_.empty() || chunks_.back().count == kChunk) {
    chunks_.emplace_back();
    chunks_.back().first_clock = entry.clock;
  }
  Chunk& chunk = chunks_.back();
  if (chunk.count == chunk.capacity) MakeRoom(chunk);
  chunk.entries[chunk.count++] = entry;
  ++size_;
}

void StructList::Insert(Position at, Entry entry) {
  Chunk& chunk = chunks_[at.chunk];
  if (chunk.count == chunk.capacity) MakeRoom(chunk);
  Entry* place = chunk.entries.get() + at.slot;
  std::memmove(place + 1, place, (chunk.count - at.slot) * sizeof(Entry));
  *place = entry;
  ++chunk.count;
  ++size_;
}

StructList::Position StructList::InsertAfter(Position at, Entry entry) {
  if (chunks_[at.chunk].count == kChunk) {
    SplitChunk(at.chunk);
    const uint32_t count = chunks_[at.chunk].count;
    if (at.slot >= count) at = {at.chunk + 1, at.slot - count};
  }
  at.slot += 1;
  Insert(at, entry);
  return at;
}

void StructList::SplitChunk(uint32_t chunk) {
  constexpr uint32_t kHalf = kChunk / 2;
  Chunk right;
  right.capacity = kChunk;
  right.entries.reset(new Entry[kChunk]);
  right.count = kChunk - kHalf;
  std::copy_n(chunks_[chunk].entries.get() + kHalf, right.count, right.entries.get());
  right.first_clock = right.entries[0].clock;
  chunks_[chunk].count = kHalf;
  chunks_.insert(chunks_.begin() + chunk + 1, std::move(right));
}

StructList::Position StructList::Erase(Position from, uint32_t count) {
  const Position before = Previous(from);
  size_ -= count;
  uint32_t at = from.chunk;
  uint32_t slot = from.slot;
  uint32_t empty_from = 0, empty_to = 0;
  while (count > 0) {
    Chunk& chunk = chunks_[at];
    const uint32_t here = std::min<uint32_t>(count, chunk.count - slot);
    Entry* place = chunk.entries.get() + slot;
    std::memmove(place, place + here, (chunk.count - slot - here) * sizeof(Entry));
    chunk.count = static_cast<uint16_t>(chunk.count - here);
    count -= here;
    if (chunk.count == 0) {
      if (empty_to == 0) empty_from = at;
      empty_to = at + 1;
    } else if (slot == 0) {
      chunk.first_clock = chunk.entries[0].clock;
    }
    ++at;
    slot = 0;
  }
  if (empty_to > 0) chunks_.erase(chunks_.begin() + empty_from, chunks_.begin() + empty_to);
  JoinSmall(before.chunk);
  return before;
}

// Takes in the next chunk when both are small, so that many erasures leave few chunks. Positions in `chunk` stay.
void StructList::JoinSmall(uint32_t chunk) {
  if (chunk + 1 >= chunks_.size()) return;
  Chunk& left = chunks_[chunk];
  Chunk& right = chunks_[chunk + 1];
  const uint32_t count = left.count + right.count;
  if (count > kChunk / 2) return;
  if (count > left.capacity) {
    std::unique_ptr<Entry[]> entries(new Entry[kChunk]);
    std::copy_n(left.entries.get(), left.count, entries.get());
    left.entries = std::move(entries);
    left.capacity = kChunk;
  }
  std::copy_n(right.entries.get(), right.count, left.entries.get() + left.count);
  left.count = static_cast<uint16_t>(count);
  chunks_.erase(chunks_.begin() + chunk + 1);
}

uint64_t StructList::bytes() const {
  uint64_t bytes = chunks_.capacity() * sizeof(Chunk);
  for (const Chunk& chunk : chunks_) bytes += chunk.capacity * sizeof(Entry);
  return bytes;
}

ClientIndex StructStore::FindSlow(uint64_t id) const {
  ClientIndex& likely = found_[id % found_.size()];
  if (likely >= clients_.size() || clients_[likely].id != id) {
    const auto found = numbers_.find(id);
    if (found == numbers_.end()) return kNoClient;
    likely = found->second;
  }
  return last_found_ = likely;
}

ClientIndex StructStore::FindOrAdd(uint64_t id) {
  const ClientIndex known = Find(id);
  if (known != kNoClient) return known;
  const ClientIndex client = static_cast<ClientIndex>(clients_.size());
  clients_.emplace_back();
  clients_.back().id = id;
  numbers_.emplace(id, client);
  return last_found_ = client;
}

const std::vector<ClientIndex>& StructStore::Descending() const {
  const auto above = [this](ClientIndex a, ClientIndex b) { return clients_[a].id > clients_[b].id; };
  const size_t sorted = descending_.size();
  if (sorted < clients_.size()) {
    descending_.resize(clients_.size());
    const auto added = descending_.begin() + static_cast<ptrdiff_t>(sorted);
    std::iota(added, descending_.end(), static_cast<ClientIndex>(sorted));
    std::sort(added, descending_.end(), above);
    std::inplace_merge(descending_.begin(), added, descending_.end(), above);
  }
  return descending_;
}

uint64_t StructStore::bytes() const {
  uint64_t bytes = clients_.capacity() * sizeof(Client) + numbers_.capacity() * (sizeof(uint64_t) * 2 + 1) +
                   descending_.capacity() * sizeof(ClientIndex);
  for (const Client& client : clients_) bytes += client.structs.bytes();
  return bytes;
}

}  // namespace rivermeet::crdt::internal
