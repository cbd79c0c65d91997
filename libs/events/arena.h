// Memory that is given back all at once.
#ifndef RIVERMEET_EVENTS_ARENA_H_
#define RIVERMEET_EVENTS_ARENA_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace rivermeet::events {

// A bump allocator for arrays of trivially destructible values. Reset() keeps the memory, so that a batch like the
// last one costs no allocation. Not thread-safe; what it gave lives until Reset() or its end. Moving it keeps what
// it gave in place.
class Arena {
 public:
  // `count` values, not initialised.
  template <typename T>
  std::span<T> Make(size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 16);
    if (count == 0) return {};
    return {reinterpret_cast<T*>(Bytes(count * sizeof(T))), count};
  }

  template <typename T>
  std::span<T> MakeFilled(size_t count, T value) {
    const std::span<T> made = Make<T>(count);
    std::uninitialized_fill(made.begin(), made.end(), value);
    return made;
  }

  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = Bytes(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  void Reset() {
    // One block as large as all that were needed: the next round fits in it.
    if (blocks_.size() > 1) {
      size_t total = 0;
      for (const Block& block : blocks_) total += block.size;
      blocks_.clear();
      blocks_.push_back({std::make_unique_for_overwrite<char[]>(total), total});
    }
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
  };

  char* Bytes(size_t size) {
    size = (size + 15) & ~size_t{15};
    if (blocks_.empty() || used_ + size > blocks_.back().size) {
      const size_t grown = std::max({size, blocks_.empty() ? size_t{16'384} : blocks_.back().size * 2});
      blocks_.push_back({std::make_unique_for_overwrite<char[]>(grown), grown});
      used_ = 0;
    }
    char* at = blocks_.back().bytes.get() + used_;
    used_ += size;
    return at;
  }

  std::vector<Block> blocks_;
  size_t used_ = 0;
};

}  // namespace rivermeet::events

#endif  // RIVERMEET_EVENTS_ARENA_H_
