// How much work a step may still do.
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_BUDGET_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_BUDGET_H_

#include <cstdint>

namespace rivermeet::crdt::internal {

// What takes long is a function that is given a budget, stops when that is used up, and goes on where it stopped when
// it is called again. The unit is what one struct costs: some hundred nanoseconds, or a kilobyte that is copied.
class Budget {
 public:
  static constexpr uint64_t kUnlimited = ~uint64_t{0};

  explicit Budget(uint64_t work) : left_(work) {}
  static Budget Unlimited() { return Budget(kUnlimited); }

  // Uses up `work`, of the last as much as is left. False when nothing was left.
  bool Take(uint64_t work = 1) {
    if (left_ == 0) return false;
    left_ -= work < left_ ? work : left_;
    return true;
  }
  bool TakeBytes(uint64_t bytes) { return Take(1 + bytes / 1024); }

 private:
  uint64_t left_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_BUDGET_H_
