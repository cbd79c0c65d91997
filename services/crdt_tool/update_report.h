// What is in an update, counted while it is read, without a document.
#ifndef RIVERMEET_CRDT_TOOL_UPDATE_REPORT_H_
#define RIVERMEET_CRDT_TOOL_UPDATE_REPORT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/strings.h"
#include "crdt/inspection.h"
#include "crdt_tool/update_file.h"

namespace rivermeet::crdt_tool {

constexpr size_t kShownRoots = 20;  // that a report, or a message, names

class UpdateReport {
 public:
  // Errors: as those of crdt::ReadUpdate, with the file's name.
  static absl::StatusOr<UpdateReport> Of(const UpdateFile& file);

  // Lines for people; of many clients those with the most structs.
  std::string ToText(const UpdateFile& file) const;
  // The members of an object, without its braces; all clients.
  std::string ToJson(const UpdateFile& file) const;

 private:
  struct Count {
    uint64_t structs = 0;
    uint64_t units = 0;
    uint64_t bytes = 0;  // of what is held, without ids
  };
  struct Client {
    uint64_t id = 0;
    uint64_t from = 0;  // of the ids it brings the first, and the one behind the last
    uint64_t to = 0;
    uint64_t structs = 0;
    uint64_t deleted = 0;  // units
  };

  Client& ClientOf(uint64_t id);
  void Add(const crdt::UpdateStruct& one);
  void Add(const crdt::DeletedRange& range);
  std::string ClientsText() const;

  Count all_;  // without what is skipped
  std::array<Count, crdt::kContents> by_content_{};
  std::array<uint64_t, crdt::kSharedKinds> types_{};
  std::vector<std::string> roots_;  // in the order in which they are named
  StringSet known_roots_;
  std::vector<Client> clients_;  // in the order in which they come
  absl::flat_hash_map<uint64_t, size_t> places_;
  uint64_t deleting_clients_ = 0;
  uint64_t deleted_ranges_ = 0;
  uint64_t deleted_units_ = 0;
};

// "2 map, 1 text": how many there are of each kind, those that there are; "none".
std::string TypesText(const std::array<uint64_t, crdt::kSharedKinds>& types);
// {"map":2,"text":1}
std::string TypesJson(const std::array<uint64_t, crdt::kSharedKinds>& types);

}  // namespace rivermeet::crdt_tool

#endif  // RIVERMEET_CRDT_TOOL_UPDATE_REPORT_H_
