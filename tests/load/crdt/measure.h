// Times a case as README.md says: repeated in one process, the best counts. Prints a JSON object for it.
#ifndef RIVERMEET_LOAD_CRDT_MEASURE_H_
#define RIVERMEET_LOAD_CRDT_MEASURE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"

namespace rivermeet::load {

class Stopwatch {
 public:
  double Milliseconds() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

struct Sample {
  double ms = 0;
  double core_ms = 0;  // without the readout
  std::string check;
  // Parts of core_ms, where a case has some.
  std::optional<double> load_ms, encode_ms;
};

// Runs `core`, then `readout`, which gives the check, as one timed region.
template <typename Core, typename Readout>
Sample Timed(Core core, Readout readout) {
  Sample sample;
  const Stopwatch watch;
  core();
  sample.core_ms = watch.Milliseconds();
  sample.check = readout();
  sample.ms = watch.Milliseconds();
  return sample;
}

struct Repeated {
  Sample best;
  double median_ms = 0;
  int repeats = 0;
};

// Repeats `run` for at least `seconds` and three times; once when that takes over 3 s.
Repeated Repeat(double seconds, absl::FunctionRef<Sample()> run);

// One JSON object, built field by field and printed as a line. Texts need no escapes.
class JsonLine {
 public:
  explicit JsonLine(std::string_view name);

  JsonLine& Text(std::string_view name, std::string_view value);
  JsonLine& Number(std::string_view name, int64_t value);
  JsonLine& Milliseconds(std::string_view name, double value);
  JsonLine& Times(const Repeated& repeated);
  void Print() const;

 private:
  std::string line_;
};

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_MEASURE_H_
