#include "crdt/internal/read/struct_dump.h"

#include <iterator>
#include <string_view>
#include <utility>

#include "crdt/any.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {

namespace {

class Dumper {
 public:
  explicit Dumper(const Document& document) : document_(document) {}

  std::string Dump() {
    for (ClientIndex client = 0; client < document_.structs.size(); ++client) {
      Add("{}{{\"client\":{},\"structs\":[", client == 0 ? "" : ",", document_.structs[client].id);
      const StructList& structs = document_.structs[client].structs;
      for (StructList::Position at = structs.first(); structs.Valid(at); at = structs.Next(at)) {
        if (!structs.IsFirst(at)) json_ += ',';
        AddStruct(document_.items[structs.ItemAt(at)]);
      }
      json_ += "]}";
    }
    return "[" + json_ + "]";
  }

 private:
  template <class... T>
  void Add(fmt::format_string<T...> format, T&&... parts) {
    fmt::format_to(std::back_inserter(json_), format, std::forward<T>(parts)...);
  }

  void AddStruct(const Item& item) {
    Add("{{\"clock\":{},\"length\":{},\"kind\":\"{}\"", item.id.clock, item.length, item.is_gc() ? "gc" : "item");
    if (!item.is_gc()) AddItem(item);
    json_ += '}';
  }

  void AddItem(const Item& item) {
    Add(",\"content\":{},\"deleted\":{},\"key\":{}", static_cast<int>(item.kind), item.deleted(),
        item.is_entry() ? *Any(document_.keys[item.place]).ToJson() : "null");
    AddId("left", item.left == kNoItem ? Id() : document_.items[item.left].last_id());
    AddId("right", item.right == kNoItem ? Id() : document_.items[item.right].id);
    AddId("origin", item.origin);
    AddId("right_origin", item.right_origin);
  }

  void AddId(std::string_view name, Id id) {
    if (id.none()) {
      Add(",\"{}\":null", name);
    } else {
      Add(",\"{}\":[{},{}]", name, document_.structs[id.client].id, id.clock);
    }
  }

  const Document& document_;
  std::string json_;
};

}  // namespace

std::string DumpStructs(const Document& document) { return Dumper(document).Dump(); }

}  // namespace rivermeet::crdt::internal
