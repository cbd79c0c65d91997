// A struct that is kept while its reader reads on.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_HELD_STRUCT_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_HELD_STRUCT_H_

#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "crdt/internal/wire/wire.h"

namespace rivermeet::crdt::internal {

class HeldStruct {
 public:
  HeldStruct() = default;
  // What `from` views of `update`, which outlives this, it goes on viewing; the rest is copied.
  HeldStruct(const WireStruct& from, std::string_view update) : item_(from) {
    for (std::string_view* view : {&item_.root, &item_.parent_sub, &item_.content.data, &item_.content.name}) {
      const bool in_update = std::less_equal<>()(update.data(), view->data()) &&
                             std::less_equal<>()(view->data() + view->size(), update.data() + update.size());
      if (in_update || view->empty()) continue;
      copies_.emplace_back(new char[view->size()]);
      std::memcpy(copies_.back().get(), view->data(), view->size());
      *view = {copies_.back().get(), view->size()};
    }
  }
  HeldStruct(HeldStruct&&) = default;
  HeldStruct& operator=(HeldStruct&&) = default;

  WireStruct& operator*() { return item_; }
  const WireStruct& operator*() const { return item_; }
  WireStruct* operator->() { return &item_; }
  const WireStruct* operator->() const { return &item_; }

 private:
  WireStruct item_;
  std::vector<std::unique_ptr<char[]>> copies_;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_HELD_STRUCT_H_
