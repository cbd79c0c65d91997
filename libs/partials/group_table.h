// The groups that rows of partial aggregates belong to, each under a small number.
#ifndef RIVERMEET_PARTIALS_GROUP_TABLE_H_
#define RIVERMEET_PARTIALS_GROUP_TABLE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/strings.h"
#include "rivermeet/aggregation/v1/aggregation.pb.h"

namespace rivermeet::partials {

// Numbers every combination of dimension values it meets, from 0 in the order met. A number stays valid for the
// table's life. Not thread-safe.
class GroupTable {
 public:
  // `dimensions` are the names to group by, in order; none makes the one group 0.
  explicit GroupTable(std::vector<std::string> dimensions);
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  // Writes the group of each row of `partials` to `groups`. Costs a few nanoseconds a row: dictionaries are mapped
  // once a message, and a combination is hashed only when it differs from the row before.
  //
  // Errors:
  //   INTERNAL  The columns are not the dimensions asked for, or an index is outside its dictionary. The sender is
  //             at fault; nothing was added that could be read back.
  absl::Status Map(const aggregation::v1::Partials& partials, std::vector<uint32_t>& groups);

  const std::vector<std::string>& dimensions() const { return dimensions_; }
  size_t size() const { return group_count_; }

  // The group's value of a dimension: 0 when it has none, else 1 + the position in values(dimension).
  uint32_t value_index(uint32_t group, size_t dimension) const {
    return group_values_[group * dimensions_.size() + dimension];
  }
  // The group's value of a dimension; empty when it has none.
  std::string_view value(uint32_t group, size_t dimension) const;
  // All values of a dimension, in the order met.
  const std::deque<std::string>& values(size_t dimension) const { return dictionaries_[dimension]->values; }

  // Orders two groups by their values, dimension by dimension; no value comes first.
  bool Less(uint32_t a, uint32_t b) const;

  // Memory held, in bytes, roughly.
  size_t bytes() const { return bytes_; }

 private:
  struct Dictionary {
    std::deque<std::string> values;  // a deque: `ids` borrows from it
    absl::flat_hash_map<std::string_view, uint32_t, StringHash, StringEqual> ids;
  };
  struct GroupHash {
    using is_transparent = void;
    const GroupTable* table;
    size_t operator()(uint32_t group) const;
    size_t operator()(std::span<const uint32_t> values) const;
  };
  struct GroupEqual {
    using is_transparent = void;
    const GroupTable* table;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(uint32_t a, std::span<const uint32_t> b) const;
    bool operator()(std::span<const uint32_t> a, uint32_t b) const { return (*this)(b, a); }
  };

  absl::Status MapDictionaries(const aggregation::v1::Partials& partials);
  uint32_t Intern(std::span<const uint32_t> values);
  std::span<const uint32_t> ValuesOf(uint32_t group) const;

  const std::vector<std::string> dimensions_;
  std::vector<std::unique_ptr<Dictionary>> dictionaries_;
  std::vector<uint32_t> group_values_;  // dimensions_.size() entries a group
  size_t group_count_ = 0;
  size_t bytes_ = 0;
  absl::flat_hash_set<uint32_t, GroupHash, GroupEqual> groups_;
  // Scratch, kept for its memory: per dimension, the sender's index -> ours.
  std::vector<std::vector<uint32_t>> mapped_;
};

}  // namespace rivermeet::partials

#endif  // RIVERMEET_PARTIALS_GROUP_TABLE_H_
