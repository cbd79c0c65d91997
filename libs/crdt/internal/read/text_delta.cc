// How a transaction changed a text (yjs: YTextEvent.delta).
#include <utility>

#include "crdt/internal/read/event_state.h"
#include "crdt/internal/read/reading.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/wire/object_names.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt::internal {

namespace {

using Kind = DeltaChange::Kind;

class TextDeltaReader {
 public:
  explicit TextDeltaReader(EventState& event) : event_(event), document_(event.session().document) {}

  std::vector<DeltaChange> Read() {
    event_.session().transactor.Run(/*local=*/true, [this](Transaction& cleanup) {
      for (ItemRef ref = document_.types[event_.target()].start; ref != kNoItem; ref = document_.items[ref].right) {
        ReadItem(cleanup, ref);
      }
    });
    EndStep();
    while (!delta_.empty() && delta_.back().kind == Kind::kRetain && delta_.back().attributes.empty()) {
      delta_.pop_back();
    }
    return std::move(delta_);
  }

 private:
  void ReadItem(Transaction& cleanup, ItemRef ref);
  void ReadFormat(Transaction& cleanup, ItemRef ref);
  void ReadNewFormat(Transaction& cleanup, ItemRef ref);
  void ReadOldFormat(Transaction& cleanup, ItemRef ref);
  void Embed(const Item& item);
  void Count(Kind kind, uint64_t units);
  // Goes on with a step of that kind.
  void Begin(Kind kind) {
    if (kind_ == kind) return;
    EndStep();
    kind_ = kind;
  }
  void EndRetain() {
    if (kind_ == Kind::kRetain) EndStep();
  }
  void EndStep();

  EventState& event_;
  Document& document_;
  std::vector<DeltaChange> delta_;
  AttributeMap current_;      // what holds here now
  AttributeMap before_;       // what held here before the transaction, as far as it is known
  AttributeMap changes_;      // what a step over units that stay does to them
  std::optional<Kind> kind_;  // of the step that is being read
  std::string text_;
  uint64_t length_ = 0;
};

void TextDeltaReader::EndStep() {
  if (!kind_.has_value()) return;
  const Kind kind = *std::exchange(kind_, std::nullopt);
  const uint64_t length = std::exchange(length_, 0);
  if (kind == Kind::kInsert) {
    if (text_.empty()) return;
    delta_.push_back({.kind = kind, .attributes = ReadAttributes(document_, current_)});
    delta_.back().inserted.emplace_back(Any(std::exchange(text_, {})));
  } else if (length > 0) {
    delta_.push_back({.kind = kind, .length = length});
    if (kind == Kind::kRetain) delta_.back().attributes = ReadAttributes(document_, changes_);
  }
}

void TextDeltaReader::Count(Kind kind, uint64_t units) {
  Begin(kind);
  length_ += units;
}

void TextDeltaReader::Embed(const Item& item) {
  EndStep();
  Value embed = ValueIn(event_.session(), item, 0);
  // yjs asks what isn't an object for its length.
  if (const Any* any = std::get_if<Any>(&embed)) {
    const bool is_object = any->is_null() || any->array() != nullptr || any->object() != nullptr ||
                           any->bytes() != nullptr || (any->text() != nullptr && !any->text()->empty());
    if (!is_object) return;
  }
  delta_.push_back({.kind = Kind::kInsert, .attributes = ReadAttributes(document_, current_)});
  delta_.back().inserted.push_back(std::move(embed));
}

void TextDeltaReader::ReadItem(Transaction& cleanup, ItemRef ref) {
  const Item& item = document_.items[ref];
  if (item.kind == ContentKind::kFormat) return ReadFormat(cleanup, ref);
  const bool is_text = item.kind == ContentKind::kString;
  if (!is_text && item.kind != ContentKind::kType && item.kind != ContentKind::kEmbed) return;
  if (event_.Adds(item)) {
    if (event_.Deletes(item)) return;
    if (!is_text) return Embed(item);
    Begin(Kind::kInsert);
    AppendJoined(item.bytes(), text_);
  } else if (event_.Deletes(item)) {
    Count(Kind::kDelete, item.length);
  } else if (!item.deleted()) {
    Count(Kind::kRetain, item.length);
  }
}

void TextDeltaReader::ReadFormat(Transaction& cleanup, ItemRef ref) {
  const Item& item = document_.items[ref];
  if (event_.Adds(item)) {
    if (!event_.Deletes(item)) ReadNewFormat(cleanup, ref);
  } else if (event_.Deletes(item)) {
    before_.Set(item.extra, item.bytes());
    const AttributeValue value = current_.GetOrNull(item.extra);
    if (!SameValue(value, item.bytes())) {
      EndRetain();
      changes_.Set(item.extra, value);
    }
  } else if (!item.deleted()) {
    ReadOldFormat(cleanup, ref);
  }
  if (item.deleted()) return;
  if (kind_ == Kind::kInsert) EndStep();
  current_.Apply(item.extra, item.bytes());
}

void TextDeltaReader::ReadNewFormat(Transaction& cleanup, ItemRef ref) {
  const Item& item = document_.items[ref];
  const AttributeValue value = item.bytes();
  if (SameValue(current_.GetOrNull(item.extra), value)) {
    if (value != kNullValue) document_.Delete(cleanup, ref);
    return;
  }
  EndRetain();
  if (SameValue(value, before_.GetOrNull(item.extra))) {
    changes_.Erase(item.extra);
  } else {
    changes_.Set(item.extra, value);
  }
}

void TextDeltaReader::ReadOldFormat(Transaction& cleanup, ItemRef ref) {
  const Item& item = document_.items[ref];
  const AttributeValue value = item.bytes();
  before_.Set(item.extra, value);
  const std::optional<AttributeValue> change = changes_.Get(item.extra);
  // yjs looks changes up in an object, where it finds what that inherits, too.
  if (!change.has_value() && !IsInherited(document_.keys[item.extra])) return;
  if (change.has_value() && SameValue(*change, value)) {
    if (*change != kNullValue) document_.Delete(cleanup, ref);
    return;
  }
  EndRetain();
  changes_.Apply(item.extra, value);
}

}  // namespace

std::vector<DeltaChange> TextDelta(EventState& event) { return TextDeltaReader(event).Read(); }

}  // namespace rivermeet::crdt::internal
