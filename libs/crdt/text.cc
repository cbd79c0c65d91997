// Texts; other shared types are in shared_types.cc.
#include <algorithm>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "base/status.h"
#include "crdt/internal/edit/text_editor.h"
#include "crdt/internal/handle_edit.h"
#include "crdt/internal/read/reading.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/utf.h"
#include "crdt/shared_types.h"
#include "crdt/versions.h"

namespace rivermeet::crdt {

using internal::ContentKind;
using internal::CostOf;
using internal::Edit;
using internal::EditCost;
using internal::Editor;
using internal::Gone;
using internal::Item;
using internal::kNoItem;
using internal::Prepared;
using internal::Session;
using internal::Slot;
using internal::TextBehind;
using internal::TextEditor;
using internal::WireContent;

namespace {

// Past the end of every text.
constexpr uint64_t kFar = internal::Document::kMaxClock;

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
      ++out.cost_.names;
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

// The steps of a delta, ready to be applied.
class PreparedDelta {
 public:
  // INVALID_ARGUMENT for what a text doesn't take. `delta` outlives this.
  static absl::Status Make(absl::Span<const DeltaStep> delta, PreparedDelta& out) {
    for (const DeltaStep& given : delta) {
      Step& step = out.steps_.emplace_back();
      step.kind = given.kind;
      step.length = std::min(given.length, kFar);
      RM_RETURN_IF_ERROR(GivenAttributes::Make(given.attributes, step.given));
      for (const auto& [name, value] : given.attributes) out.names_.insert(name);
      if (given.kind != DeltaStep::Kind::kInsert) continue;
      const Any* any = std::get_if<Any>(&given.insert.value);
      if (any != nullptr && any->text() != nullptr) {
        RM_RETURN_IF_ERROR(TextContent(*any->text(), step.text));
      } else {
        RM_RETURN_IF_ERROR(Prepared::Prepare(absl::MakeConstSpan(&given.insert, 1), Slot::kEmbed, step.embed));
      }
    }
    return absl::OkStatus();
  }

  EditCost CostIn(Session& session, uint32_t text) const {
    const uint64_t held = AttributesIn(session, text) + names_.size();
    TextBehind behind(session.document.types[text], 0);
    EditCost cost;
    for (const Step& step : steps_) {
      switch (step.kind) {
        case DeltaStep::Kind::kInsert:
          cost.Add(step.embed.contents().empty() ? CostOf(step.text) : CostOf(step.embed));
          step.given.AddTo(cost, held);
          break;
        case DeltaStep::Kind::kRetain:
          ++cost.structs;
          step.given.AddTo(cost, 0);
          behind.Retain(step.length, cost);
          break;
        case DeltaStep::Kind::kDelete:
          ++cost.structs;
          behind.Delete(step.length);
          break;
      }
    }
    return cost;
  }

  void ApplyTo(TextEditor text) const {
    internal::TextPosition at = text.Start();
    for (const Step& step : steps_) {
      const internal::AttributeObject attributes = step.given.In(text.document());
      switch (step.kind) {
        case DeltaStep::Kind::kInsert:
          if (!step.embed.contents().empty()) {
            text.InsertAt(at, step.embed.contents()[0], attributes, &step.embed);
          } else if (step.text.length > 0) {
            text.InsertAt(at, step.text, attributes);
          }
          break;
        case DeltaStep::Kind::kRetain:
          text.FormatAt(at, step.length, attributes);
          break;
        case DeltaStep::Kind::kDelete:
          text.DeleteAt(at, step.length);
          break;
      }
    }
  }

 private:
  struct Step {
    DeltaStep::Kind kind;
    uint64_t length = 0;
    Prepared embed;
    WireContent text;
    GivenAttributes given;
  };
  std::deque<Step> steps_;
  absl::flat_hash_set<std::string_view> names_;
};

}  // namespace

std::vector<DeltaChange> Text::ToDelta() const {
  std::vector<DeltaChange> delta;
  if (!alive()) return delta;
  for (DeltaInsertion& run : YjsDelta(*this)) {
    delta.push_back({.kind = DeltaChange::Kind::kInsert, .attributes = std::move(run.attributes)});
    delta.back().inserted.push_back(std::move(run.insert));
  }
  return delta;
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
    TextEditor(editor, type_).Insert(index, content, nullptr);
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
    TextEditor(editor, type_).Insert(index, content, &object);
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
    TextEditor(editor, type_).InsertEmbed(index, prepared, attributes == nullptr ? nullptr : &object);
    return absl::OkStatus();
  });
}

absl::Status Text::Delete(uint64_t index, uint64_t length) {
  if (!alive()) return Gone();
  index = std::min(index, kFar);
  return Edit(*session_, type_, CostOfCuts(session_->document.types[type_], index, length), [&](Editor& editor) {
    TextEditor(editor, type_).Delete(index, length);
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
  length = std::min(length, kFar);
  TextBehind(session_->document.types[type_], index).Retain(length, cost);
  return Edit(*session_, type_, cost, [&](Editor& editor) {
    TextEditor(editor, type_).Format(index, length, given.In(session_->document));
    return absl::OkStatus();
  });
}

absl::Status Text::ApplyChanges(absl::Span<const DeltaChange> changes) {
  std::vector<DeltaStep> delta;
  delta.reserve(changes.size());
  for (const DeltaChange& change : changes) {
    DeltaStep& step = delta.emplace_back();
    step.kind = change.kind;
    step.length = change.length;
    step.attributes = change.attributes;
    if (change.kind != DeltaChange::Kind::kInsert) continue;
    if (change.inserted.size() != 1)
      return absl::InvalidArgumentError("a text's change inserts one value, not a list's");
    const Value& value = change.inserted.front();
    if (const Any* any = std::get_if<Any>(&value)) {
      step.insert = *any;
    } else if (const Subdocument* document = std::get_if<Subdocument>(&value)) {
      step.insert = NewSubdocument{document->guid, document->options};
    } else {
      return absl::InvalidArgumentError("a shared type can't be in two places: insert a new one with what it holds");
    }
  }
  return ApplyDelta(delta);
}

absl::Status Text::ApplyDelta(absl::Span<const DeltaStep> delta) {
  if (!alive()) return Gone();
  PreparedDelta prepared;
  RM_RETURN_IF_ERROR(PreparedDelta::Make(delta, prepared));
  return Edit(*session_, type_, prepared.CostIn(*session_, type_), [&](Editor& editor) {
    prepared.ApplyTo(TextEditor(editor, type_));
    return absl::OkStatus();
  });
}

}  // namespace rivermeet::crdt
