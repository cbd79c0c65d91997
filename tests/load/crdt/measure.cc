#include "measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace rivermeet::load {

Repeated Repeat(double seconds, absl::FunctionRef<Sample()> run) {
  constexpr double kLongMs = 3'000;
  const Stopwatch watch;
  Repeated repeated;
  std::vector<double> all;
  do {
    Sample sample = run();
    all.push_back(sample.ms);
    if (all.size() == 1 || sample.ms < repeated.best.ms) repeated.best = std::move(sample);
  } while (repeated.best.ms <= kLongMs && (all.size() < 3 || watch.Milliseconds() < 1'000 * seconds));
  std::sort(all.begin(), all.end());
  repeated.median_ms = all[all.size() / 2];
  repeated.repeats = static_cast<int>(all.size());
  return repeated;
}

JsonLine::JsonLine(std::string_view name) : line_(fmt::format(R"({{"case":"{}","engine":"ours")", name)) {}

JsonLine& JsonLine::Text(std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(line_), R"(,"{}":"{}")", name, value);
  return *this;
}

JsonLine& JsonLine::Number(std::string_view name, int64_t value) {
  fmt::format_to(std::back_inserter(line_), R"(,"{}":{})", name, value);
  return *this;
}

JsonLine& JsonLine::Milliseconds(std::string_view name, double value) {
  fmt::format_to(std::back_inserter(line_), R"(,"{}":{:.4f})", name, value);
  return *this;
}

JsonLine& JsonLine::Times(const Repeated& repeated) {
  const Sample& best = repeated.best;
  Milliseconds("ms", best.ms).Milliseconds("core_ms", best.core_ms).Milliseconds("median_ms", repeated.median_ms);
  if (best.load_ms.has_value()) Milliseconds("load_ms", *best.load_ms);
  if (best.encode_ms.has_value()) Milliseconds("encode_ms", *best.encode_ms);
  return Number("repeats", repeated.repeats).Text("check", best.check);
}

void JsonLine::Print() const { fmt::print("{}}}\n", line_); }

}  // namespace rivermeet::load
