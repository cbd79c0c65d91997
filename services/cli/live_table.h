// What a subscription has said so far, and how the terminal shows it.
#ifndef RIVERMEET_CLI_LIVE_TABLE_H_
#define RIVERMEET_CLI_LIVE_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rivermeet/query/v1/query.pb.h"

namespace rivermeet::cli {

// The newest windows of each group. Bounded: at most kMaxWindows a group and kMaxGroups groups. Not thread-safe.
class LiveTable {
 public:
  static constexpr size_t kMaxWindows = 60;
  static constexpr size_t kMaxGroups = 1'000;

  // Takes an update: a snapshot replaces everything, other cells replace those of the same time and group.
  //
  // Errors:
  //   INTERNAL  The frame is damaged; nothing of it was taken.
  absl::Status Apply(const query::v1::SubscribeResponse& update);

  // One row a group: its dimensions, the newest value of each aggregate, and the course of the first one as bars.
  // The window still being filled is included. At most `rows` groups, those with the largest newest value first;
  // lines are at most `columns` wide.
  std::string Draw(size_t rows, size_t columns) const;

  // "2026-11-21T10:42:10Z  core=0 mean_cpu_percent=12.5  core=1 ...": the cells of an update on one line.
  static std::string Line(const query::v1::SubscribeResponse& update);

  size_t groups() const { return groups_.size(); }
  int64_t newest_us() const { return newest_us_; }

 private:
  using Values = std::vector<std::optional<double>>;  // by aggregate
  using Group = std::map<int64_t, Values>;            // by window start

  std::vector<std::string> dimensions_;
  std::vector<std::string> aggregates_;  // with units
  std::map<std::vector<std::string>, Group> groups_;
  int64_t newest_us_ = 0;
};

// Values from the smallest to the largest as eight heights; a blank for none.
std::string Bars(const std::vector<std::optional<double>>& values);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_LIVE_TABLE_H_
