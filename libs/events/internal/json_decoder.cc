#include "events/internal/json_decoder.h"

#include <cstring>

#include "base/status.h"
#include "simdjson.h"

namespace rivermeet::events::internal {
namespace {

using Role = FieldSlot::Role;

class JsonEvents {
 public:
  JsonEvents(std::string_view body, EventAssembler& assembler)
      : body_(body),
        // One fast look at the whole body; only where it fails are strings looked at one by one.
        reader_(body, simdjson::validate_utf8(body.data(), body.size())),
        assembler_(assembler) {}

  absl::StatusOr<uint64_t> Document() {
    if (reader_.Peek() != '[') {
      RM_RETURN_IF_ERROR(Event(0));
      if (reader_.failed() || reader_.AtEnd()) return uint64_t{1};
      RM_RETURN_IF_ERROR(Broken(1, "something follows the event; events one a line are application/x-ndjson"));
      return uint64_t{2};
    }
    reader_.Consume('[');
    uint64_t events = 0;
    if (!reader_.TryConsume(']')) {
      do {
        RM_RETURN_IF_ERROR(Event(events++));
        if (reader_.failed()) return events;
      } while (reader_.TryConsume(','));
      if (!reader_.Consume(']')) {
        RM_RETURN_IF_ERROR(Broken(events, reader_.error()));
        return events + 1;
      }
    }
    if (reader_.AtEnd()) return events;
    RM_RETURN_IF_ERROR(Broken(events, "something follows the array"));
    return events + 1;
  }

  absl::StatusOr<uint64_t> Lines() {
    uint64_t events = 0;
    for (size_t from = 0; from < body_.size();) {
      const void* newline = std::memchr(body_.data() + from, '\n', body_.size() - from);
      const size_t to = newline == nullptr ? body_.size() : static_cast<const char*>(newline) - body_.data();
      reader_.Restrict(from, to);
      from = to + 1;
      if (reader_.AtEnd()) continue;
      RM_RETURN_IF_ERROR(Line(events++));
    }
    return events;
  }

 private:
  absl::Status Line(uint64_t index) {
    Start(index);
    Value();
    if (!reader_.failed() && !reader_.AtEnd()) reader_.Fail("something follows the event on its line");
    return Finish();
  }

  absl::Status Event(uint64_t index) {
    Start(index);
    Value();
    return Finish();
  }

  void Start(uint64_t index) {
    reader_.Peek();
    start_ = reader_.offset();
    assembler_.Begin(index, start_);
  }

  void Value() {
    if (reader_.Peek() == '{') return Object(Place::kFlat);
    std::string_view raw;
    size_t depth = 0;
    if (!reader_.SkipValue(raw, depth)) return;
    assembler_.Fail(Reason::kWrongType, "", start_, [] { return "an event must be an object"; });
  }

  absl::Status Finish() {
    size_t bad_utf8 = 0;
    if (reader_.failed()) {
      assembler_.Fail(Reason::kMalformed, "", reader_.offset(), [&] {
        return fmt::format("not JSON at byte {}: {}; what follows in it was not read", reader_.offset(),
                           reader_.error());
      });
    }
    if (reader_.TakeBadUtf8(bad_utf8)) {
      assembler_.Fail(Reason::kInvalidUtf8, "", bad_utf8,
                      [&] { return fmt::format("the string at byte {} is not UTF-8", bad_utf8); });
    }
    return assembler_.End();
  }

  // An event that isn't there to be read.
  absl::Status Broken(uint64_t index, std::string_view why) {
    assembler_.Begin(index, reader_.offset());
    assembler_.Fail(Reason::kMalformed, "", reader_.offset(),
                    [&] { return fmt::format("not JSON at byte {}: {}", reader_.offset(), why); });
    return assembler_.End();
  }

  // The members of the event, or of one of the long form's objects.
  void Object(Place place) {
    reader_.Consume('{');
    if (reader_.TryConsume('}')) return;
    FieldSlot* slot = nullptr;
    do {
      reader_.Peek();
      const size_t offset = reader_.offset();
      std::string_view name;
      if (!reader_.ReadString(name, assembler_.scratch()) || !reader_.Consume(':')) return;
      // The long form's fields are looked for where they were last time: after their own kind.
      FieldSlot* after = slot != nullptr ? slot : place == Place::kFlat ? nullptr : container_;
      slot = assembler_.Find(name, after, offset);
      if (slot == nullptr) {
        std::string_view raw;
        size_t depth = 0;
        if (!reader_.SkipValue(raw, depth)) return;
      } else {
        Member(*slot, place);
      }
    } while (!reader_.failed() && reader_.TryConsume(','));
    reader_.Consume('}');
  }

  void Member(FieldSlot& slot, Place place) {
    const char c = reader_.Peek();
    const size_t offset = reader_.offset();
    std::string_view text;
    switch (c) {
      case '"':
        if (reader_.ReadString(text, assembler_.scratch())) assembler_.Text(slot, text, place, offset);
        return;
      case '{':
        if (place == Place::kFlat && slot.role != Role::kField && Part(slot, offset)) return;
        [[fallthrough]];
      case '[': {
        size_t depth = 0;
        if (reader_.SkipValue(text, depth)) assembler_.Json(slot, text, depth, place, offset);
        return;
      }
      case 't':
      case 'f': {
        bool value = false;
        if (reader_.ReadBool(value)) assembler_.Bool(slot, value, place, offset);
        return;
      }
      case 'n':
        if (reader_.ReadNull()) assembler_.Null(slot, place, offset);
        return;
      default: {
        JsonNumber number;
        if (reader_.ReadNumber(number)) assembler_.Number(slot, number, place, offset);
      }
    }
  }

  // One of the long form's objects; false when `slot` isn't one.
  bool Part(FieldSlot& slot, size_t offset) {
    if (slot.role == Role::kDimensions || slot.role == Role::kMeasures) {
      assembler_.EnterObject(slot, offset);
      container_ = &slot;
      Object(slot.role == Role::kDimensions ? Place::kDimensions : Place::kMeasures);
      return true;
    }
    if (slot.role != Role::kAttributes) return false;
    assembler_.EnterObject(slot, offset);
    Attributes();
    return true;
  }

  void Attributes() {
    reader_.Consume('{');
    if (reader_.TryConsume('}')) return;
    do {
      reader_.Peek();
      const size_t offset = reader_.offset();
      std::string_view name, raw;
      size_t depth = 0;
      if (!reader_.ReadString(name, assembler_.scratch()) || !reader_.Consume(':')) return;
      if (!reader_.SkipValue(raw, depth)) return;
      assembler_.Attribute(name, raw, depth, offset);
    } while (!reader_.failed() && reader_.TryConsume(','));
    reader_.Consume('}');
  }

  std::string_view body_;
  JsonReader reader_;
  EventAssembler& assembler_;
  FieldSlot* container_ = nullptr;
  size_t start_ = 0;
};

}  // namespace

absl::StatusOr<uint64_t> DecodeJson(std::string_view body, EventAssembler& assembler) {
  return JsonEvents(body, assembler).Document();
}

absl::StatusOr<uint64_t> DecodeNdjson(std::string_view body, EventAssembler& assembler) {
  return JsonEvents(body, assembler).Lines();
}

}  // namespace rivermeet::events::internal
