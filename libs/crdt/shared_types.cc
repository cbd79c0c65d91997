#include "crdt/shared_types.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "base/status.h"
#include "crdt/internal/edit/edit_cost.h"
#include "crdt/internal/edit/editor.h"
#include "crdt/internal/edit/insertion.h"
#include "crdt/internal/read/reading.h"
#include "crdt/internal/read/xml_reading.h"
#include "crdt/internal/session.h"
#include "crdt/internal/wire/document_options.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt {

using internal::ContentKind;
using internal::EditCost;
using internal::Editor;
using internal::Item;
using internal::ItemRef;
using internal::kNoItem;
using internal::Prepared;
using internal::Session;
using internal::Slot;
using internal::TextBehind;
using internal::Type;
using internal::TypeKind;
using internal::WireContent;

namespace {

// Past the end of every text.
constexpr uint64_t kFar = internal::Document::kMaxClock;

absl::Status Gone() { return absl::FailedPreconditionError("the shared type isn't in the document any more"); }

// Runs `edit`, which adds `cost` at most, if it may in `type`.
absl::Status Edit(Session& session, uint32_t type, const EditCost& cost,
                  absl::FunctionRef<absl::Status(Editor&)> edit) {
  if (session.document.types[type].depth + static_cast<uint64_t>(cost.depth) >
      static_cast<uint64_t>(session.limits.max_depth)) {
    return absl::ResourceExhaustedError("shared types would nest deeper than max_depth");
  }
  if (cost.value_depth > internal::ValueDepth(session.limits)) {
    return absl::ResourceExhaustedError("a value nests deeper than max_depth");
  }
  RM_RETURN_IF_ERROR(session.edit_room.Take(session.document, session.limits, session.transactor.client(),
                                            cost.units + cost.structs, cost));
  absl::Status done;
  session.transactor.Run(/*local=*/true, [&](internal::Transaction& transaction) {
    Editor editor(session.document, transaction, session.transactor.client());
    done = edit(editor);
  });
  return done;
}

// Of something that goes into a list or text, and cuts what stands there.
EditCost CostOf(const Prepared& prepared) {
  EditCost cost = prepared.cost();
  ++cost.structs;
  return cost;
}

// Attributes in JavaScript's order, with what their values view.
class GivenAttributes {
 public:
  // INVALID_ARGUMENT for a value that JSON lacks. `attributes` outlive this.
  static absl::Status Make(const Attributes& attributes, GivenAttributes& out) {
    for (const auto& [name, value] : attributes) {
      RM_RETURN_IF_ERROR(internal::CheckText(name, "the name of an attribute"));
      const std::string& bytes = out.given_.emplace_back(name, value.Encode()).second;
      RM_RETURN_IF_ERROR(internal::CheckContentSize(bytes.size()));
      if (!internal::IsJsonValue(bytes)) {
        return absl::InvalidArgumentError("the value of an attribute is one that JSON has");
      }
      out.cost_.bytes += name.size() + bytes.size();
      out.cost_.AddValue(value, bytes);
    }
    return absl::OkStatus();
  }
  // With the document's keys.
  internal::AttributeObject In(internal::Document& document) const {
    internal::AttributeObject object;
    for (const auto& [name, bytes] : given_) object.Set(document.keys.Add(name), name, bytes);
    return object;
  }
  // Adds the formats that begin and end them, where up to `held` other attributes hold.
  void AddTo(EditCost& cost, uint64_t held) const {
    cost.Add(cost_);
    cost.structs += 2 * (given_.size() + held);
  }

 private:
  std::deque<std::pair<std::string_view, std::string>> given_;
  EditCost cost_;  // of names and values
};

// How many attributes may hold at one place of `text`.
uint64_t AttributesIn(Session& session, uint32_t text) {
  const uint64_t formats = session.document.Index(text).total().formats;
  return formats == 0 ? 0 : std::min<uint64_t>(formats, session.document.keys.size());
}

absl::Status TextContent(std::string_view text, WireContent& content) {
  RM_RETURN_IF_ERROR(internal::CheckText(text, "the text"));
  const internal::TextSize size = internal::Measure(text);
  content.kind = ContentKind::kString;
  content.length = size.utf16;
  content.astral = size.astral;
  content.data = text;
  return absl::OkStatus();
}

}  // namespace

SharedType internal::MakeHandle(Session& session, uint32_t type) { return SharedType(session, type); }

std::optional<uint32_t> internal::NumberOf(const SharedType& handle, const Session& session) {
  if (handle.session_ != &session || session.document.types[handle.type_].generation != handle.generation_)
    return std::nullopt;
  return handle.type_;
}

SharedType::SharedType(Session& session, uint32_t type)
    : session_(&session), type_(type), generation_(session.document.types[type].generation) {}

bool SharedType::alive() const {
  const Type& type = session_->document.types[type_];
  return type.generation == generation_ && (type.item == kNoItem || !session_->document.items[type.item].deleted());
}

std::optional<SharedKind> SharedType::kind() const {
  const Type& type = session_->document.types[type_];
  if (type.generation != generation_ || type.kind == TypeKind::kUntyped) return std::nullopt;
  return static_cast<SharedKind>(type.kind);
}

std::string SharedType::name() const {
  const Type& type = session_->document.types[type_];
  const bool named = kind() == SharedKind::kXmlElement || kind() == SharedKind::kXmlHook;
  return named && type.item != kNoItem ? std::string(session_->document.keys[type.name]) : std::string();
}

std::optional<SharedType> SharedType::parent() const {
  const ItemRef item = session_->document.types[type_].item;
  if (!alive() || item == kNoItem) return std::nullopt;
  return SharedType(*session_, session_->document.items[item].parent);
}

std::optional<PathStep> SharedType::step() const {
  if (!alive() || session_->document.types[type_].item == kNoItem) return std::nullopt;
  return internal::StepTo(session_->document, type_);
}

absl::StatusOr<List> SharedType::AsList() const {
  const auto is = kind();
  if (is == SharedKind::kArray || is == SharedKind::kXmlElement || is == SharedKind::kXmlFragment) return List(*this);
  return absl::FailedPreconditionError("the shared type is no list");
}

absl::StatusOr<Map> SharedType::AsMap() const {
  const auto is = kind();
  if (is.has_value() && is != SharedKind::kArray && is != SharedKind::kXmlFragment) return Map(*this);
  return absl::FailedPreconditionError("the shared type is no map");
}

absl::StatusOr<Text> SharedType::AsText() const {
  const auto is = kind();
  if (is == SharedKind::kText || is == SharedKind::kXmlText) return Text(*this);
  return absl::FailedPreconditionError("the shared type is no text");
}

absl::Status List::Insert(uint64_t index, absl::Span<const Insertable> values) {
  if (!alive()) return Gone();
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(values, Slot::kList, prepared));
  return Edit(*session_, type_, CostOf(prepared),
              [&](Editor& editor) { return editor.ListInsert(type_, index, prepared); });
}

absl::Status List::Push(absl::Span<const Insertable> values) {
  if (kind() != SharedKind::kArray) return Insert(length(), values);
  if (!alive()) return Gone();
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(values, Slot::kList, prepared));
  return Edit(*session_, type_, CostOf(prepared), [&](Editor& editor) {
    editor.ListPush(type_, prepared);
    return absl::OkStatus();
  });
}

absl::Status List::Delete(uint64_t index, uint64_t length) {
  if (!alive()) return Gone();
  return Edit(*session_, type_, CostOfCuts(session_->document.types[type_], index, length),
              [&](Editor& editor) { return editor.ListDelete(type_, index, length); });
}

absl::Status Map::Set(std::string_view key, const Insertable& value) {
  if (!alive()) return Gone();
  RM_RETURN_IF_ERROR(internal::CheckText(key, "the key"));
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(absl::MakeConstSpan(&value, 1), Slot::kEntry, prepared));
  EditCost cost = prepared.cost();
  cost.bytes += key.size();
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    editor.MapSet(type_, key, prepared);
    return absl::OkStatus();
  });
}

absl::Status Map::Delete(std::string_view key) {
  if (!alive()) return Gone();
  return Edit(*session_, type_, {}, [&](Editor& editor) {
    const internal::KeyIndex number = session_->document.keys.Find(key);
    if (number != 0) editor.MapDelete(type_, number);
    return absl::OkStatus();
  });
}

absl::Status Map::Clear() {
  if (!alive()) return Gone();
  return Edit(*session_, type_, {}, [&](Editor& editor) {
    const Type& type = session_->document.types[type_];
    for (size_t i = 0; type.entries != nullptr && i < type.entries->size(); ++i)
      editor.MapDelete(type_, (*type.entries)[i].first);
    return absl::OkStatus();
  });
}

std::vector<std::string> Map::Keys() const {
  std::vector<std::string> keys;
  if (!alive() || session_->document.types[type_].entries == nullptr) return keys;
  for (const auto& [key, item] : *session_->document.types[type_].entries) {
    if (!session_->document.items[item].deleted()) keys.emplace_back(session_->document.keys[key]);
  }
  return keys;
}

std::optional<Value> SharedType::At(uint64_t index) const {
  if (!alive() || index >= session_->document.types[type_].length) return std::nullopt;
  const internal::PositionIndex::Place place = session_->document.Index(type_).Find(static_cast<uint32_t>(index));
  return internal::ValueIn(*session_, session_->document.items[place.item], index - place.before.units);
}

std::optional<Value> SharedType::Entry(std::string_view key) const {
  const internal::KeyIndex number = session_->document.keys.Find(key);
  if (number == 0 || !alive()) return std::nullopt;
  const ItemRef ref = session_->document.types[type_].Entry(number);
  if (ref == kNoItem || session_->document.items[ref].deleted()) return std::nullopt;
  const Item& item = session_->document.items[ref];
  return internal::ValueIn(*session_, item, item.length - 1);
}

uint64_t SharedType::length() const { return alive() ? session_->document.types[type_].length : 0; }

std::string SharedType::PlainText() const {
  std::string text;
  text.reserve(length());
  if (alive()) internal::AppendPlainText(session_->document, type_, text);
  return text;
}

absl::StatusOr<std::string> SharedType::ToJson(BigInts bigints) const {
  if (!alive()) return Gone();
  std::string json;
  RM_RETURN_IF_ERROR(internal::AppendTypeJson(session_->document, type_, bigints, json));
  return json;
}

absl::StatusOr<std::string> SharedType::ToXml() const {
  if (!alive()) return Gone();
  std::string xml;
  if (internal::AppendXml(session_->document, type_, xml)) return xml;
  return absl::InvalidArgumentError("something in it can't stand in XML");
}

std::vector<Value> List::ToValues(uint64_t from, uint64_t to) const {
  std::vector<Value> values;
  to = std::min(to, length());
  if (from >= to) return values;
  internal::Document& document = session_->document;
  ItemRef ref = document.types[type_].start;
  if (from > 0) {
    const internal::PositionIndex::Place place = document.Index(type_).Find(static_cast<uint32_t>(from));
    ref = place.item;
    from -= place.before.units;
    to -= place.before.units;
  }
  for (; to > 0; ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    if (!item.visible()) continue;
    const uint64_t end = std::min<uint64_t>(item.length, to);
    internal::AppendValuesIn(*session_, item, from, end, values);
    from = 0;
    to -= end;
  }
  return values;
}

std::vector<DeltaChange> Text::ToDelta() const {
  return alive() ? internal::ReadText(*session_, type_) : std::vector<DeltaChange>();
}

std::optional<char16_t> Text::UnitAt(uint64_t index) const {
  if (index >= length()) return std::nullopt;
  const internal::PositionIndex::Place place = session_->document.Index(type_).Find(static_cast<uint32_t>(index));
  const Item& item = session_->document.items[place.item];
  if (item.kind != ContentKind::kString) return std::nullopt;
  const uint64_t within = index - place.before.units;
  if (item.size == item.length) return static_cast<char16_t>(item.data[within]);
  const internal::TextPlace found = session_->document.contents.Find(item.bytes(), TextUnit::kUtf16, within);
  return internal::UnitAt(item.bytes().substr(found.byte), found.inside_pair ? 1 : 0);
}

uint64_t Text::length(TextUnit unit) const {
  if (unit == TextUnit::kUtf16) return length();
  return alive() ? session_->document.Index(type_).total().In(unit) : 0;
}

uint64_t Text::ConvertPlace(uint64_t place, TextUnit from, TextUnit to) const {
  place = std::min(place, length(from));
  if (from == to && from != TextUnit::kUtf8) return place;
  if (!alive()) return 0;
  const internal::PositionIndex::Place found = session_->document.Index(type_).Find(static_cast<uint32_t>(place), from);
  if (found.item == kNoItem) return found.before.In(to);
  const Item& item = session_->document.items[found.item];
  const uint64_t within = place - found.before.In(from);
  if (item.kind != ContentKind::kString) return found.before.In(to) + (to == TextUnit::kUtf8 ? 0 : within);
  const internal::TextPlace inside = session_->document.contents.Find(item.bytes(), from, within);
  internal::Extent before = found.before;
  before.Add({static_cast<uint32_t>(inside.before.utf16), static_cast<uint32_t>(inside.byte),
              static_cast<uint32_t>(inside.before.astral), 0});
  return before.In(to);
}

absl::Status Text::Insert(uint64_t index, std::string_view text) {
  if (!alive()) return Gone();
  index = std::min(index, kFar);
  if (text.empty()) return absl::OkStatus();
  WireContent content;
  RM_RETURN_IF_ERROR(TextContent(text, content));
  EditCost cost = CostOf(content);
  cost.structs += 2 * AttributesIn(*session_, type_);
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    editor.TextInsert(type_, index, content, nullptr);
    return absl::OkStatus();
  });
}

absl::Status Text::Insert(uint64_t index, std::string_view text, const Attributes& attributes) {
  if (!alive()) return Gone();
  index = std::min(index, kFar);
  if (text.empty()) return absl::OkStatus();
  WireContent content;
  RM_RETURN_IF_ERROR(TextContent(text, content));
  GivenAttributes given;
  RM_RETURN_IF_ERROR(GivenAttributes::Make(attributes, given));
  EditCost cost = CostOf(content);
  given.AddTo(cost, AttributesIn(*session_, type_));
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    const internal::AttributeObject object = given.In(session_->document);
    editor.TextInsert(type_, index, content, &object);
    return absl::OkStatus();
  });
}

absl::Status Text::InsertEmbed(uint64_t index, const Insertable& embed, const Attributes* attributes) {
  if (!alive()) return Gone();
  index = std::min(index, kFar);
  Prepared prepared;
  RM_RETURN_IF_ERROR(Prepared::Prepare(absl::MakeConstSpan(&embed, 1), Slot::kEmbed, prepared));
  GivenAttributes given;
  if (attributes != nullptr) RM_RETURN_IF_ERROR(GivenAttributes::Make(*attributes, given));
  EditCost cost = CostOf(prepared);
  given.AddTo(cost, AttributesIn(*session_, type_));
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    const internal::AttributeObject object = given.In(session_->document);
    editor.TextInsertEmbed(type_, index, prepared, attributes == nullptr ? nullptr : &object);
    return absl::OkStatus();
  });
}

absl::Status Text::Delete(uint64_t index, uint64_t length) {
  if (!alive()) return Gone();
  index = std::min(index, kFar);
  return Edit(*session_, type_, CostOfCuts(session_->document.types[type_], index, length), [&](Editor& editor) {
    editor.TextDelete(type_, index, length);
    return absl::OkStatus();
  });
}

absl::Status Text::Format(uint64_t index, uint64_t length, const Attributes& attributes) {
  if (!alive()) return Gone();
  GivenAttributes given;
  RM_RETURN_IF_ERROR(GivenAttributes::Make(attributes, given));
  index = std::min(index, kFar);
  EditCost cost = CostOfCuts(session_->document.types[type_], index, length);
  given.AddTo(cost, 0);
  TextBehind(session_->document.types[type_], index).Retain(std::min(length, kFar), cost);
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    editor.TextFormat(type_, index, length, given.In(session_->document));
    return absl::OkStatus();
  });
}

absl::Status Text::ApplyDelta(absl::Span<const DeltaStep> delta) {
  if (!alive()) return Gone();
  struct Step {
    Prepared embed;
    WireContent text;
    GivenAttributes given;
  };
  std::deque<Step> steps;
  absl::flat_hash_set<std::string_view> names;
  for (const DeltaStep& given : delta) {
    Step& step = steps.emplace_back();
    RM_RETURN_IF_ERROR(GivenAttributes::Make(given.attributes, step.given));
    for (const auto& [name, value] : given.attributes) names.insert(name);
    if (given.kind != DeltaStep::Kind::kInsert) continue;
    const Any* any = std::get_if<Any>(&given.insert.value);
    if (any != nullptr && any->text() != nullptr) {
      RM_RETURN_IF_ERROR(TextContent(*any->text(), step.text));
    } else {
      RM_RETURN_IF_ERROR(Prepared::Prepare(absl::MakeConstSpan(&given.insert, 1), Slot::kEmbed, step.embed));
    }
  }
  const uint64_t held = AttributesIn(*session_, type_) + names.size();
  TextBehind behind(session_->document.types[type_], 0);
  EditCost cost;
  for (size_t i = 0; i < delta.size(); ++i) {
    const Step& step = steps[i];
    const uint64_t length = std::min(delta[i].length, kFar);
    switch (delta[i].kind) {
      case DeltaStep::Kind::kInsert:
        cost.Add(step.embed.contents().empty() ? CostOf(step.text) : CostOf(step.embed));
        step.given.AddTo(cost, held);
        break;
      case DeltaStep::Kind::kRetain:
        ++cost.structs;
        step.given.AddTo(cost, 0);
        behind.Retain(length, cost);
        break;
      case DeltaStep::Kind::kDelete:
        ++cost.structs;
        behind.Delete(length);
        break;
    }
  }
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    internal::TextPosition at = editor.TextStart(type_);
    for (size_t i = 0; i < delta.size(); ++i) {
      const Step& step = steps[i];
      const internal::AttributeObject attributes = step.given.In(session_->document);
      switch (delta[i].kind) {
        case DeltaStep::Kind::kInsert:
          if (!step.embed.contents().empty()) {
            editor.InsertAt(type_, at, step.embed.contents()[0], attributes, &step.embed);
          } else if (step.text.length > 0) {
            editor.InsertAt(type_, at, step.text, attributes);
          }
          break;
        case DeltaStep::Kind::kRetain:
          editor.FormatAt(type_, at, delta[i].length, attributes);
          break;
        case DeltaStep::Kind::kDelete:
          editor.DeleteAt(type_, at, delta[i].length);
          break;
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace rivermeet::crdt
