// What one measure of one series comes to in one second: the state that every aggregate is made of.
#ifndef RIVERMEET_WINDOWS_CELL_H_
#define RIVERMEET_WINDOWS_CELL_H_

#include <cstdint>
#include <limits>

namespace rivermeet::windows {

// A float64 measure uses `f64`, an int64 measure `i64`; which of the two is the measure's for its life.
union Number {
  double f64;
  int64_t i64;
};

// Built in the order of the log. Times are microseconds since the pane's start. `order` numbers a pane's events in
// the order of the log: it breaks ties of `first` and `last` by (offset, index) as the contract says.
// All zero bytes are the empty state. 72 bytes: a cell of two measures lies in three cache lines.
struct MeasureCell {
  Number sum;  // of an int64 measure: bits 0 to 63 of the exact sum
  Number min;  // NaN counts only when there is nothing else
  Number max;
  Number first;
  Number last;
  // What a counter had reached each time it started over, so that last - first + resets is its increase. An event
  // between `first` and `last` that comes out of order does not change it.
  Number resets;
  int32_t sum_high;  // of an int64 measure: bits 64 to 95 of the exact sum
  uint32_t count;
  uint32_t first_us;
  uint32_t first_order;
  uint32_t last_us;
  uint32_t last_order;

  __int128 Int64Sum() const {
    return (static_cast<__int128>(sum_high) << 64) + static_cast<__int128>(static_cast<uint64_t>(sum.i64));
  }
};
static_assert(sizeof(MeasureCell) == 72);

// Of one series in one second; its measures follow it in the page.
struct CellHeader {
  uint32_t events;
  // The stream's generation when the cell last changed.
  uint32_t generation;
};

// How to do arithmetic on one kind of number.
struct Float64Kind {
  using Value = double;
  static double& Of(Number& number) { return number.f64; }
  static double Of(const Number& number) { return number.f64; }
  static void AddToSum(MeasureCell& cell, double value) { cell.sum.f64 += value; }
};
struct Int64Kind {
  using Value = int64_t;
  static int64_t& Of(Number& number) { return number.i64; }
  static int64_t Of(const Number& number) { return number.i64; }
  static void AddToSum(MeasureCell& cell, int64_t value) {
    const uint64_t before = static_cast<uint64_t>(cell.sum.i64);
    const uint64_t after = before + static_cast<uint64_t>(value);
    cell.sum.i64 = static_cast<int64_t>(after);
    cell.sum_high += static_cast<int32_t>(value >> 63) + (after < before ? 1 : 0);
  }
};

// Wrapping for int64, so that a reset near the type's end is not undefined; plain for float64.
inline double Plus(double a, double b) { return a + b; }
inline double Minus(double a, double b) { return a - b; }
inline int64_t Plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t Minus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// Takes in the next event of the log.
template <typename Kind>
inline void AddValue(MeasureCell& cell, typename Kind::Value value, uint32_t time_us, uint32_t order) {
  if (cell.count++ == 0) {
    Kind::AddToSum(cell, value);
    Kind::Of(cell.min) = Kind::Of(cell.max) = Kind::Of(cell.first) = Kind::Of(cell.last) = value;
    cell.first_us = cell.last_us = time_us;
    cell.first_order = cell.last_order = order;
    return;
  }
  Kind::AddToSum(cell, value);
  auto& min = Kind::Of(cell.min);
  auto& max = Kind::Of(cell.max);
  if (value < min || min != min) min = value;
  if (value > max || max != max) max = value;
  if (time_us >= cell.last_us) {
    auto& last = Kind::Of(cell.last);
    if (value < last) Kind::Of(cell.resets) = Plus(Kind::Of(cell.resets), last);
    last = value;
    cell.last_us = time_us;
    cell.last_order = order;
  } else if (time_us < cell.first_us) {
    auto& first = Kind::Of(cell.first);
    if (first < value) Kind::Of(cell.resets) = Plus(Kind::Of(cell.resets), value);
    first = value;
    cell.first_us = time_us;
    cell.first_order = order;
  }
}

// By how much a counter grew from `from` to a later value `to`: when it fell it started over at 0.
template <typename Value>
inline double IncreaseBetween(Value from, Value to) {
  return to < from ? static_cast<double>(to) : static_cast<double>(Minus(to, from));
}

// By how much it grew within the cell.
template <typename Kind>
inline double IncreaseWithin(const MeasureCell& cell) {
  return static_cast<double>(Plus(Minus(Kind::Of(cell.last), Kind::Of(cell.first)), Kind::Of(cell.resets)));
}

inline int64_t Saturate(__int128 value) {
  if (value > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  if (value < std::numeric_limits<int64_t>::min()) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_CELL_H_
