#include "crdt/internal/store/room.h"

#include <algorithm>
#include <limits>

#include "base/status.h"
#include "crdt/internal/wire/utf.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {

namespace {

// What has come, and what may come of what waits.
struct Use {
  explicit Use(const Document& document)
      : structs(document.items.live()),
        clients(document.structs.size()),
        bytes(document.growing_bytes()),
        contents(document.contents.live()) {
    if (!document.pending.empty()) AddWaiting(document.pending);
  }
  void AddWaiting(const Pending& pending) {
    const Addition waiting{.structs = pending.structs.structs() + pending.deletes.size(),
                           .clients = pending.structs.clients()};
    structs += waiting.structs;
    clients += waiting.clients;
    bytes += waiting.all_bytes();
    contents += pending.bytes();
  }

  uint64_t structs, clients, bytes, contents;
};

// So many units and bytes a list can count. What stands in one is a struct, or a part of a content.
constexpr uint64_t kMostPlaces = std::numeric_limits<uint32_t>::max();

absl::Status Check(const Use& use, const Limits& limits, const Addition& adds) {
  std::string_view passed;
  if (use.contents + use.structs + adds.bytes + adds.structs > kMostPlaces) passed = "4 GiB of texts and values";
  if (use.bytes + adds.all_bytes() > limits.max_document_bytes) passed = "max_document_bytes";
  if (use.clients + adds.clients > limits.max_clients) passed = "max_clients";
  if (use.structs + adds.structs > limits.max_structs) passed = "max_structs";
  if (passed.empty()) return absl::OkStatus();
  return absl::ResourceExhaustedError(fmt::format("with this the document would pass {}", passed));
}

}  // namespace

absl::Status CheckContentSize(uint64_t bytes) {
  if (bytes <= kMaxContentBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError("a text or value takes 4 GiB or more: insert it in parts");
}

absl::Status CheckText(std::string_view text, std::string_view what) {
  RM_RETURN_IF_ERROR(CheckContentSize(text.size()));
  if (IsWtf8(text)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("{} is not UTF-8", what));
}

absl::Status CheckRoom(const Document& document, const Limits& limits, const Addition& adds) {
  return Check(Use(document), limits, adds);
}

absl::Status EditRoom::NoClocks() {
  return absl::ResourceExhaustedError("this client has made as many units as a document takes");
}

absl::Status EditRoom::Look(const Document& document, const Limits& limits, const Addition& cost) {
  Forget();
  const Use use(document);
  RM_RETURN_IF_ERROR(Check(use, limits, cost));
  structs_ = limits.max_structs - use.structs - cost.structs;
  bytes_ = std::min(limits.max_document_bytes - use.bytes - cost.all_bytes(),
                    kMostPlaces - use.contents - use.structs - cost.bytes - cost.structs);
  return absl::OkStatus();
}

}  // namespace rivermeet::crdt::internal
