// Any bytes as a history of three honest clients and of how their updates travel: in whatever order, however merged,
// converted and repeated they come, all end with the same document.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "crdt/doc.h"
#include "crdt/internal/wire/struct_writer.h"
#include "crdt/internal/wire/utf.h"
#include "crdt/testing/document_check.h"
#include "crdt/update.h"

using namespace rivermeet::crdt;
using namespace rivermeet::crdt::internal;

namespace {

class Choices {
 public:
  Choices(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}
  bool empty() const { return data_ == end_; }
  // Below `count`; 0 at the end.
  uint32_t Below(uint32_t count) { return empty() || count == 0 ? 0 : *data_++ % count; }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

std::string OfOwn(absl::StatusOr<std::string> result) {
  RM_CHECK_OK(result.status());
  return *std::move(result);
}

void CheckSound(const Doc& doc) {
  const std::string fault = FindFault(DocInside::Of(doc));
  if (!fault.empty()) rivermeet::CheckFailed("document", __FILE__, __LINE__, fault);
}

// Makes the structs that a client's edit gives, as yjs does: beside what it sees.
class Client {
 public:
  using Updates = std::vector<std::string>;

  Client(uint64_t id, bool gc) : id_(id), doc_({.client_id = id, .gc = gc}), told_(std::make_unique<Updates>()) {
    listening_ = doc_.OnUpdate(UpdateFormat::kV1, [told = told_.get()](std::string_view update, std::string_view) {
      told->emplace_back(update);
    });
  }

  Doc& doc() { return doc_; }

  // One edit; its updates, of which there are two when a text is tidied after it, none when there was nothing to do.
  Updates Edit(Choices& choices) {
    WireStruct made;
    WireDeleteSet deletes;
    std::array<std::string, 2> scratch;
    const TypeIndex type = ChooseType(choices);
    const Type& parent = document().types[type];
    made.id = {id_, document().structs.StateOf(id_)};
    made.parent_kind = parent.item == kNoItem ? WireStruct::Parent::kRoot : WireStruct::Parent::kItem;
    if (parent.item == kNoItem) {
      made.root = document().keys[parent.name];
    } else {
      made.parent = WireOf(document().items[parent.item].id);
    }
    bool inserts = false;
    switch (choices.Below(5)) {
      case 0:
      case 1:
        PlaceInList(parent, choices, made);
        inserts = true;
        break;
      case 2:
        PlaceUnderKey(parent, choices, made);
        inserts = true;
        break;
      case 3:
        DeleteFromList(parent, choices, deletes);
        break;
      default:
        DeleteKey(parent, choices, deletes);
    }
    StructWriter<WriterV2> writer;
    if (inserts) {
      ChooseContent(choices, made.has_parent_sub || under_key_, scratch, made.content);
      writer.Write(made, 0);
    } else if (deletes.empty()) {
      return {};
    }
    told_->clear();
    RM_CHECK_OK(doc_.Apply(writer.Finish(deletes), UpdateFormat::kV2));
    return *told_;
  }

 private:
  const Document& document() const { return DocInside::Of(doc_); }
  UnitId WireOf(Id id) const { return {document().structs[id.client].id, id.clock}; }

  // One that nobody has deleted.
  TypeIndex ChooseType(Choices& choices) {
    constexpr std::array<std::string_view, 3> kRoots = {"t", "a", "m"};
    std::vector<TypeIndex> types;
    for (const std::string_view root : kRoots) types.push_back(DocInside::Of(doc_).Root(root));
    for (TypeIndex t = 1; t < document().types.size(); ++t) {
      const Type& type = document().types[t];
      if (!type.free && type.item != kNoItem && !document().items[type.item].deleted()) types.push_back(t);
    }
    return types[choices.Below(static_cast<uint32_t>(types.size()))];
  }

  // A place in an item where no character is cut.
  uint32_t ChooseCut(const Item& item, Choices& choices) const {
    if (!item.visible() || item.length == 1) return item.length;
    uint32_t cut = 1 + choices.Below(item.length);
    if (item.kind == ContentKind::kString && FindUtf16(item.bytes(), cut).inside_pair) ++cut;
    return cut;
  }

  void PlaceInList(const Type& parent, Choices& choices, WireStruct& made) {
    under_key_ = false;
    ItemRef left = kNoItem;
    ItemRef right = parent.start;
    for (uint32_t steps = choices.Below(24); steps > 0 && right != kNoItem; --steps) {
      left = right;
      right = document().items[right].right;
    }
    if (left != kNoItem) {
      const Item& item = document().items[left];
      const uint32_t cut = ChooseCut(item, choices);
      made.has_origin = true;
      made.origin = WireOf({item.id.client, item.id.clock + cut - 1});
      if (cut < item.length) {
        made.has_right_origin = true;
        made.right_origin = WireOf({item.id.client, item.id.clock + cut});
        return;
      }
    }
    made.has_right_origin = right != kNoItem;
    if (right != kNoItem) made.right_origin = WireOf(document().items[right].id);
  }

  void PlaceUnderKey(const Type& parent, Choices& choices, WireStruct& made) {
    constexpr std::array<std::string_view, 3> kKeys = {"k", "l", ""};
    const std::string_view key = kKeys[choices.Below(3)];
    under_key_ = true;
    const ItemRef left = EntryOf(parent, key);
    made.has_origin = left != kNoItem;
    made.has_parent_sub = left == kNoItem;
    made.parent_sub = key;
    if (left != kNoItem) made.origin = WireOf(document().items[left].last_id());
  }

  ItemRef EntryOf(const Type& parent, std::string_view key) const {
    const KeyIndex number = document().keys.Find(key);
    return number == 0 ? kNoItem : parent.Entry(number);
  }

  void DeleteFromList(const Type& parent, Choices& choices, WireDeleteSet& deletes) const {
    ItemRef ref = parent.start;
    for (uint32_t steps = choices.Below(16); steps > 0 && ref != kNoItem; --steps) ref = document().items[ref].right;
    for (uint32_t items = 1 + choices.Below(4); items > 0 && ref != kNoItem; --items) {
      const Item& item = document().items[ref];
      uint32_t from = choices.Below(2) == 0 ? 0 : ChooseCut(item, choices);
      if (from == item.length) from = 0;
      if (!item.deleted()) {
        deletes.RangesOf(WireOf(item.id).client).push_back({item.id.clock + from, item.length - from});
      }
      ref = item.right;
    }
    deletes.SortAndMerge();
  }

  void DeleteKey(const Type& parent, Choices& choices, WireDeleteSet& deletes) const {
    if (parent.entries == nullptr) return;
    const Item& item =
        document().items[(*parent.entries)[choices.Below(static_cast<uint32_t>(parent.entries->size()))].second];
    if (!item.deleted()) deletes.RangesOf(WireOf(item.id).client).push_back({item.id.clock, item.length});
  }

  static void ChooseContent(Choices& choices, bool under_key, std::array<std::string, 2>& scratch,
                            WireContent& content) {
    constexpr std::array<std::string_view, 6> kTexts = {
        "a", "bc", "defgh", "\xc3\xa9x", "\xf0\x9f\x98\x80", "y\xf0\x9f\x98\x80z"};
    const auto with = [&](ContentKind kind, std::string data) {
      content.kind = kind;
      scratch[0] = std::move(data);
      content.data = scratch[0];
    };
    content.length = 1;
    switch (under_key ? 3 + choices.Below(5) : choices.Below(9)) {
      case 0:
      case 1: {
        with(ContentKind::kString, std::string(kTexts[choices.Below(6)]));
        const TextSize size = Measure(content.data);
        content.length = size.utf16;
        content.astral = size.astral;
        return;
      }
      case 2:
        content.length = 1 + choices.Below(3);
        with(ContentKind::kAny, "");
        for (uint64_t i = 0; i < content.length; ++i) scratch[0].append(i % 2 == 0 ? "\x78" : "\x7d\x05");
        content.data = scratch[0];
        return;
      case 3:
        return with(ContentKind::kAny, "\x77\x01v");
      case 4:
      case 5:
        content.kind = ContentKind::kType;
        content.type = static_cast<TypeRef>(choices.Below(7));
        content.name = "node";
        return;
      case 6:
        return with(ContentKind::kBinary, "\x01\xff");
      case 7:
        content.name = "guid";
        return with(ContentKind::kDoc, std::string("\x76\x00", 2));
      default:
        content.name = choices.Below(2) == 0 ? "bold" : "em";
        return with(choices.Below(3) == 0 ? ContentKind::kEmbed : ContentKind::kFormat, "\x78");
    }
  }

  const uint64_t id_;
  Doc doc_;
  std::unique_ptr<Updates> told_;  // since somebody last cleared it
  Subscription listening_;
  bool under_key_ = false;
};

void Deliver(Doc& doc, std::string_view update, Choices& choices) {
  if (choices.Below(2) == 0) {
    RM_CHECK_OK(doc.Apply(update, UpdateFormat::kV1));
  } else {
    RM_CHECK_OK(doc.Apply(OfOwn(ConvertUpdate(update, UpdateFormat::kV1, UpdateFormat::kV2)), UpdateFormat::kV2));
  }
}

// What a document comes to once it has been written, read and collected.
std::string Form(const Doc& doc) {
  RM_CHECK(!doc.HasPending());
  Doc fresh({.client_id = 1});
  RM_CHECK_OK(fresh.Apply(doc.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2));
  CheckSound(fresh);
  RM_CHECK(fresh.EncodeStateVector() == doc.EncodeStateVector());
  RM_CHECK(fresh.EncodeSnapshot(UpdateFormat::kV1) == doc.EncodeSnapshot(UpdateFormat::kV1));
  RM_CHECK(DocInside::Text(fresh, "t") == DocInside::Text(doc, "t"));
  return fresh.EncodeState(UpdateFormat::kV1);
}

// The formats that hold. When others come into a text some may be deleted that say nothing more, as in yjs: which ones
// is up to the order in which updates come.
std::vector<std::pair<uint64_t, uint64_t>> FormatsOf(const Doc& doc) {
  std::vector<std::pair<uint64_t, uint64_t>> formats;
  const Document& document = DocInside::Of(doc);
  for (const ClientIndex client : document.structs.Descending()) {
    const StructList& structs = document.structs[client].structs;
    for (StructList::Position at = structs.first(); structs.Valid(at); at = structs.Next(at)) {
      const Item& item = document.items[structs.ItemAt(at)];
      if (item.kind != ContentKind::kFormat || item.deleted()) continue;
      formats.emplace_back(document.structs[client].id, item.id.clock);
    }
  }
  return formats;
}

void CheckSame(const Doc& doc, const Doc& other, const std::string& form) {
  CheckSound(doc);
  RM_CHECK(doc.EncodeStateVector() == other.EncodeStateVector());
  RM_CHECK(DocInside::Text(doc, "t") == DocInside::Text(other, "t"));
  RM_CHECK(DocInside::Length(doc, "a") == DocInside::Length(other, "a"));
  if (FormatsOf(doc) != FormatsOf(other)) return;
  RM_CHECK(doc.EncodeSnapshot(UpdateFormat::kV2) == other.EncodeSnapshot(UpdateFormat::kV2));
  RM_CHECK(Form(doc) == form);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMaxEdits = 60;
  Choices choices(data, size);
  const bool gc = choices.Below(2) == 0;
  std::array<Client, 3> clients = {Client(2, gc), Client(300, gc), Client(70000, gc)};
  std::vector<std::string> log;
  while (!choices.empty() && log.size() < kMaxEdits) {
    Client& client = clients[choices.Below(3)];
    Doc& doc = client.doc();
    switch (choices.Below(6)) {
      case 0:  // perhaps too early, perhaps again
        if (!log.empty()) Deliver(doc, log[choices.Below(static_cast<uint32_t>(log.size()))], choices);
        break;
      case 1: {  // some, merged
        std::vector<std::string_view> some;
        for (uint32_t i = choices.Below(5); i > 0 && !log.empty(); --i) {
          some.push_back(log[choices.Below(static_cast<uint32_t>(log.size()))]);
        }
        Deliver(doc, OfOwn(MergeUpdates(some, UpdateFormat::kV1)), choices);
        break;
      }
      case 2: {  // what another knows
        const Doc& other = clients[choices.Below(3)].doc();
        Deliver(doc, OfOwn(other.EncodeStateSince(UpdateFormat::kV1, doc.EncodeStateVector())), choices);
        break;
      }
      default: {
        for (std::string& update : client.Edit(choices)) log.push_back(std::move(update));
      }
    }
  }
  for (Client& client : clients) CheckSound(client.doc());
  const std::vector<std::string_view> all(log.begin(), log.end());
  Doc causal({.client_id = 1, .gc = gc});
  for (const std::string_view update : all) RM_CHECK_OK(causal.Apply(update, UpdateFormat::kV1));
  Doc reversed({.client_id = 1, .gc = gc});
  DocInside::UnitAt(reversed, "t", 0);
  for (size_t i = all.size(); i-- > 0;) RM_CHECK_OK(reversed.Apply(all[i], UpdateFormat::kV1));
  Doc batched({.client_id = 1, .gc = gc});
  std::vector<EncodedUpdate> batch;
  for (const std::string_view update : all) batch.push_back({update, UpdateFormat::kV1});
  RM_CHECK_OK(batched.ApplyAll(batch));
  Doc merged({.client_id = 1, .gc = gc});
  RM_CHECK_OK(merged.Apply(OfOwn(MergeUpdates(all, UpdateFormat::kV1)), UpdateFormat::kV1));
  const std::string form = Form(causal);
  for (const Doc* other : {&reversed, &batched, &merged}) CheckSame(*other, causal, form);
  for (size_t c = 0; c < clients.size(); ++c) {
    Doc& doc = clients[c].doc();
    for (size_t i = 0; i < all.size(); ++i)
      RM_CHECK_OK(doc.Apply(all[(i * (2 * c + 1)) % all.size()], UpdateFormat::kV1));
    for (const std::string_view update : all) RM_CHECK_OK(doc.Apply(update, UpdateFormat::kV1));
    CheckSame(doc, causal, form);
  }
  return 0;
}
