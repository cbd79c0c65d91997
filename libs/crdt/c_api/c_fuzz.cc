// Any bytes as a program that calls rivermeet_crdt.h: whatever it calls in whatever order, with handles that are NULL
// or of another document, from callbacks too, nothing breaks, and what documents come to can be read by others.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "crdt/c_api/c_program.h"

namespace {

class Program : private rivermeet::crdt::internal::CProgram {
 public:
  Program(const uint8_t* data, size_t size) : CProgram(data, size) {}

  // Runs the rest of the bytes, at most `calls`.
  void Run(int calls) {
    while (calls-- > 0 && !AtEnd()) {
      Call();
      RM_CHECK(rmcrdt_error_code() != RMCRDT_INTERNAL);
    }
  }
  void CheckDocuments() {
    for (size_t i = 0; i < 6; ++i) CheckDocument(docs_[i]);
  }

 private:
  static constexpr int kMaxDepth = 3;

  // --- callbacks

  static void CallBack(void* program, const rmcrdt_event* const* events, size_t count) {
    auto* const self = static_cast<Program*>(program);
    if (self->depth_ == kMaxDepth) return;
    const rmcrdt_event* const* const outer = std::exchange(self->events_, events);
    const size_t outer_count = std::exchange(self->event_count_, count);
    ++self->depth_;
    self->Run(static_cast<int>(self->Below(8)));
    --self->depth_;
    self->events_ = outer;
    self->event_count_ = outer_count;
  }
  static void OnEdit(void* program) { CallBack(program, nullptr, 0); }
  static void OnUpdate(void* program, const uint8_t* update, size_t size, const char* origin, size_t origin_size) {
    const std::string from(origin, origin_size);
    const uint8_t last = update[size - 1];
    CallBack(program, nullptr, 0);
    RM_CHECK(update[size - 1] == last && from == std::string_view(origin, origin_size));
  }
  static void OnTransaction(void* program, bool) { CallBack(program, nullptr, 0); }
  static void OnEnd(void* program, const rmcrdt_transaction* transaction) {
    auto* const self = static_cast<Program*>(program);
    const rmcrdt_transaction* const outer = std::exchange(self->transaction_, transaction);
    CallBack(program, nullptr, 0);
    self->transaction_ = outer;
  }
  static void OnUndoEvent(void* program, const rmcrdt_undo_event* event) {
    auto* const self = static_cast<Program*>(program);
    const rmcrdt_undo_event* const outer = std::exchange(self->undo_event_, event);
    CallBack(program, nullptr, 0);
    self->undo_event_ = outer;
  }
  static void OnSubdocuments(void* program, const rmcrdt_value* added, const rmcrdt_value* removed,
                             const rmcrdt_value* loaded) {
    const size_t count = rmcrdt_value_get_size(added) + rmcrdt_value_get_size(removed) + rmcrdt_value_get_size(loaded);
    RM_CHECK(count > 0);
    CallBack(program, nullptr, 0);
    RM_CHECK(count == rmcrdt_value_get_size(added) + rmcrdt_value_get_size(removed) + rmcrdt_value_get_size(loaded));
  }

  // --- calls

  void Call() {
    const uint8_t what = Byte();
    if (what >= 0xc0) return CallOther();
    switch (what % 8) {
      case 0:
        return CallDocument();
      case 1:
        return ReadDocument();
      case 2:
        return MakeValue();
      case 3:
        return (void)Code(Edit());
      case 4:
        return Read();
      case 5:
        return CallDelta();
      case 6:
        return Listen();
      default:
        return Free();
    }
  }

  void CallOther() {
    const size_t place = Byte();
    switch (Below(4)) {
      case 0:
        return ListenElsewhere(place);
      case 1:
        return ReadUndoEvent(place);
      default:
        return CallForMore(place);
    }
  }

  void ListenElsewhere(size_t place) {
    rmcrdt_doc* const doc = docs_[Byte()];
    size_t size = 0;
    switch (Below(5)) {
      case 0:
        return subscriptions_.Put(place, rmcrdt_doc_observe(doc, OnEnd, this));
      case 1:
        return subscriptions_.Put(place, rmcrdt_doc_on_subdocuments(doc, OnSubdocuments, this));
      case 2:
        return subscriptions_.Put(place, rmcrdt_undo_observe(undos_[Byte()], OnUndoEvent, this));
      case 3: {
        const std::string_view guid = Text();
        values_.Put(place, rmcrdt_doc_subdocuments(doc));
        Code(rmcrdt_doc_load_subdocument(doc, guid.data(), guid.size()));
        return;
      }
      default:
        if (transaction_ == nullptr) return;
        RM_CHECK(rmcrdt_transaction_origin(transaction_, &size)[size] == 0);
        types_.Put(place, rmcrdt_transaction_changed(transaction_, Below(3)));
        (void)(rmcrdt_transaction_local(transaction_), rmcrdt_transaction_changed_count(transaction_));
    }
  }

  void ReadUndoEvent(size_t place) {
    const std::string_view key = Text();
    size_t size = 0;
    values_.Put(place, rmcrdt_undo_current_note(undos_[Byte()], key.data(), key.size()));
    if (undo_event_ == nullptr) return;
    switch (Below(4)) {
      case 0:
        Code(rmcrdt_undo_event_set_note(undo_event_, key.data(), key.size(), Value()));
        return;
      case 1:
        return values_.Put(place, rmcrdt_undo_event_get_note(undo_event_, key.data(), key.size()));
      case 2:
        return types_.Put(place, rmcrdt_undo_event_changed(undo_event_, Below(3)));
      default:
        RM_CHECK(rmcrdt_undo_event_origin(undo_event_, &size)[size] == 0);
        RM_CHECK(rmcrdt_undo_event_change(undo_event_) != RMCRDT_UNDO_STACK_CLEARED ||
                 rmcrdt_undo_event_changed_count(undo_event_) == 0);
        (void)rmcrdt_undo_event_stack(undo_event_);
    }
  }

  void CallDocument() {
    const size_t place = Byte();
    rmcrdt_doc* const doc = docs_[Byte()];
    switch (Below(8)) {
      case 0: {
        const rmcrdt_options options = Options();
        return docs_.Put(place, rmcrdt_doc_new(&options));
      }
      case 1:
      case 2: {
        const std::string_view name = Text();
        return types_.Put(place, rmcrdt_doc_get_root(doc, Kind(), name.data(), name.size()));
      }
      case 3:
      case 4: {
        const std::string update = Encoded(), origin(Text());
        Code(rmcrdt_doc_apply(doc, Format(), Bytes(update), update.size(), origin.data(), origin.size()));
        return;
      }
      case 5: {
        const std::string one = Encoded(), other = Encoded();
        const rmcrdt_view views[] = {{Bytes(one), one.size()}, {Bytes(other), other.size()}};
        size_t applied = 0;
        const rmcrdt_code code = Code(rmcrdt_doc_apply_all(doc, Format(), views, 2, nullptr, 0, &applied));
        RM_CHECK((applied == 2) == (code == RMCRDT_OK));
        return;
      }
      case 6: {
        const std::string snapshot = Encoded();
        const rmcrdt_options options = Options();
        return docs_.Put(place, rmcrdt_doc_restore_snapshot(doc, Format(), Bytes(snapshot), snapshot.size(), &options));
      }
      default:
        Code(rmcrdt_doc_transact(doc, "o", Below(2), OnEdit, this));
    }
  }

  void ReadDocument() {
    const size_t place = Byte();
    rmcrdt_doc* const doc = docs_[Byte()];
    const rmcrdt_format format = Format();
    switch (Below(10)) {
      case 0:
        return buffers_.Put(place, rmcrdt_doc_encode_state(doc, format, nullptr, 0));
      case 1: {
        const std::string since = Encoded();
        return buffers_.Put(place, rmcrdt_doc_encode_state(doc, format, Bytes(since), since.size()));
      }
      case 2:
        return buffers_.Put(place, rmcrdt_doc_encode_state_vector(doc));
      case 3:
        return buffers_.Put(place, rmcrdt_doc_encode_snapshot(doc, format));
      case 4:
        return rmcrdt_buffer_free(rmcrdt_doc_to_json(doc));
      case 5: {
        const std::string position = Encoded();
        uint64_t index;
        return types_.Put(place, rmcrdt_position_resolve(doc, Bytes(position), position.size(), &index));
      }
      case 6: {
        const std::string_view name = Text();
        return types_.Put(place, rmcrdt_doc_find_root(doc, name.data(), name.size()));
      }
      case 7: {
        const std::string update = Encoded(), other = Encoded();
        const rmcrdt_view views[] = {{Bytes(update), update.size()}, {Bytes(other), other.size()}};
        return buffers_.Put(place, rmcrdt_update_merge(format, views, 2, nullptr));
      }
      case 8: {
        const std::string update = Encoded(), since = Encoded();
        return buffers_.Put(
            place, rmcrdt_update_diff(format, Bytes(update), update.size(), Bytes(since), since.size(), nullptr));
      }
      default: {
        const std::string update = Encoded();
        rmcrdt_buffer_free(rmcrdt_update_state_vector(format, Bytes(update), update.size(), nullptr));
        const rmcrdt_format to = Format();
        return buffers_.Put(place, rmcrdt_update_convert(format, to, Bytes(update), update.size(), nullptr));
      }
    }
  }

  void MakeValue() {
    const size_t place = Byte();
    switch (Below(9)) {
      case 0: {
        const std::string_view json = Json();
        return values_.Put(place, rmcrdt_value_from_json(json.data(), json.size()));
      }
      case 1: {
        const std::string_view any = Raw();
        return values_.Put(place, rmcrdt_value_from_any(Bytes(any), any.size()));
      }
      case 2: {
        const std::string_view text = Text();
        return values_.Put(place, rmcrdt_value_from_text(text.data(), text.size()));
      }
      case 3: {
        const std::string_view bytes = Raw();
        return values_.Put(place, rmcrdt_value_from_bytes(Bytes(bytes), bytes.size()));
      }
      case 4: {
        const std::string_view name = Text();
        return values_.Put(place, rmcrdt_value_new_type(Kind(), name.data(), name.size()));
      }
      case 5:
        return values_.Put(place, rmcrdt_value_new_type(Kind(), nullptr, 0));
      case 6: {
        const std::string_view guid = Text();
        return values_.Put(place, rmcrdt_value_new_subdocument(guid.data(), guid.size(), Value()));
      }
      case 7: {
        const std::string_view text = Text();
        Code(rmcrdt_value_set_text(values_[place], text.data(), text.size()));
        return;
      }
      default: {
        if (++pushes_ > 8) return;  // each may double what is there
        const std::string_view key = Text();
        rmcrdt_value* const type = values_[place];
        Code(Below(2) == 0 ? rmcrdt_value_push(type, Value())
                           : rmcrdt_value_set(type, key.data(), key.size(), Value()));
      }
    }
  }

  rmcrdt_code Edit() {
    rmcrdt_type* const type = types_[Byte()];
    const rmcrdt_value* const values[] = {Value(), Value()};
    const std::string_view key = Text();
    const uint64_t index = Number();
    switch (Below(11)) {
      case 0:
        return rmcrdt_list_insert(type, index, values, Below(3));
      case 1:
        return rmcrdt_list_push(type, values, Below(3));
      case 2:
        return rmcrdt_list_delete(type, index, Number());
      case 3:
        return rmcrdt_map_set(type, key.data(), key.size(), values[0]);
      case 4:
        return rmcrdt_map_delete(type, key.data(), key.size());
      case 5:
        return rmcrdt_map_clear(type);
      case 6:
        return rmcrdt_text_insert(type, index, key.data(), key.size(), values[0]);
      case 7:
        return rmcrdt_text_insert_embed(type, index, values[0], values[1]);
      case 8:
        return rmcrdt_text_delete(type, index, Number());
      case 9:
        return rmcrdt_text_format(type, index, Number(), values[0]);
      default:
        return rmcrdt_text_apply_delta(type, deltas_[Byte()]);
    }
  }

  void Read() {
    const size_t place = Byte();
    rmcrdt_type* const type = types_[Byte()];
    const std::string_view key = Text();
    const uint64_t index = Number();
    switch (Below(13)) {
      case 0:
        return values_.Put(place, rmcrdt_list_get(type, index));
      case 1:
        return values_.Put(place, rmcrdt_map_get(type, key.data(), key.size()));
      case 2:
        return values_.Put(place, rmcrdt_map_keys(type));
      case 3:
        return deltas_.Put(place, rmcrdt_text_to_delta(type));
      case 4:
        return buffers_.Put(place, rmcrdt_position_at(type, index, static_cast<int64_t>(index) - 1));
      case 5:
        return rmcrdt_buffer_free(rmcrdt_type_to_json(type));
      case 6:
        return rmcrdt_buffer_free(rmcrdt_type_to_xml(type));
      case 7:
        return rmcrdt_buffer_free(rmcrdt_text_plain(type));
      case 8:
        return rmcrdt_buffer_free(rmcrdt_type_name(type));
      case 9:
        (void)(rmcrdt_type_length(type), rmcrdt_type_kind(type), rmcrdt_type_same(type, types_[Byte()]));
        return;
      case 10:
      case 11:
        return types_.Put(place, rmcrdt_value_get_type(Value()));
      default:
        return ReadValue(Value());
    }
  }

  void ReadValue(const rmcrdt_value* value) {
    size_t size = 0;
    const uint8_t* const bytes = rmcrdt_value_get_bytes(value, &size);
    if (bytes != nullptr) RM_CHECK(bytes[size] == 0);
    const char* const guid = rmcrdt_value_get_guid(value, &size);
    if (guid != nullptr) RM_CHECK(guid[size] == 0);
    rmcrdt_buffer_free(rmcrdt_value_to_json(value));
    rmcrdt_buffer* const any = rmcrdt_value_to_any(value);
    if (any == nullptr) return;
    rmcrdt_value* const again = rmcrdt_value_from_any(rmcrdt_buffer_data(any), rmcrdt_buffer_size(any));
    RM_CHECK(rmcrdt_value_get_kind(again) == rmcrdt_value_get_kind(value));
    rmcrdt_value_free(again);
    rmcrdt_buffer_free(any);
  }

  void CallDelta() {
    const size_t place = Byte();
    rmcrdt_delta* const delta = deltas_[Byte()];
    const size_t step = Below(4);
    const rmcrdt_value* const values[] = {Value(), Value()};
    switch (Below(7)) {
      case 0:
        return deltas_.Put(place, rmcrdt_delta_new());
      case 1:
        Code(rmcrdt_delta_insert(delta, values[0], values[1]));
        return;
      case 2:
        Code(rmcrdt_delta_retain(delta, Number(), values[0]));
        return;
      case 3:
        Code(rmcrdt_delta_delete(delta, Number()));
        return;
      case 4:
        return values_.Put(place, rmcrdt_delta_step_value(delta, step, Below(3)));
      case 5:
        return values_.Put(place, rmcrdt_delta_step_attributes(delta, step));
      default:
        (void)rmcrdt_delta_step_kind(delta, step);
        (void)rmcrdt_delta_step_length(delta, step);
        RM_CHECK(rmcrdt_delta_step_value_count(delta, step) == 0 || step < rmcrdt_delta_size(delta));
    }
  }

  void Listen() {
    const size_t place = Byte(), of = Byte();
    rmcrdt_doc* const doc = docs_[of];
    rmcrdt_type* const type = types_[of];
    rmcrdt_undo* const undo = undos_[of];
    switch (Below(10)) {
      case 0:
        return subscriptions_.Put(place, rmcrdt_doc_on_update(doc, Format(), OnUpdate, this));
      case 1:
        return subscriptions_.Put(place, rmcrdt_doc_on_transaction(doc, OnTransaction, this));
      case 2:
        return subscriptions_.Put(place, rmcrdt_type_observe(type, CallBack, this));
      case 3:
        return subscriptions_.Put(place, rmcrdt_type_observe_deep(type, CallBack, this));
      case 4: {
        rmcrdt_type* const scope[] = {type, types_[Byte()]};
        const uint32_t timeout = Below(2) == 0 ? 0 : ~uint32_t{0};
        return undos_.Put(place, rmcrdt_undo_new(doc, scope, Below(3), timeout));
      }
      case 5:
        Code(rmcrdt_undo_track_origin(undo, "o", 1));
        return;
      case 6:
        Code(rmcrdt_undo_undo(undo, nullptr));
        return;
      case 7:
        Code(rmcrdt_undo_redo(undo, nullptr));
        return;
      case 8:
        return Below(4) == 0 ? rmcrdt_undo_clear(undo) : rmcrdt_undo_stop_capturing(undo);
      default:
        if (event_count_ > 0) ReadEvent(events_[Below(event_count_)]);
    }
  }

  void ReadEvent(const rmcrdt_event* event) {
    const size_t place = Byte();
    const size_t key = Below(3);
    size_t size = 0;
    switch (Below(5)) {
      case 0:
        return types_.Put(place, rmcrdt_event_target(event));
      case 1:
        return rmcrdt_value_free(rmcrdt_event_path(event));
      case 2:
        return deltas_.Put(place, rmcrdt_event_delta(event));
      case 3:
        return values_.Put(place, rmcrdt_event_key_old_value(event, key));
      default:
        RM_CHECK((rmcrdt_event_key(event, key, &size) != nullptr) == (key < rmcrdt_event_key_count(event)));
        (void)rmcrdt_event_key_action(event, key);
        (void)rmcrdt_event_local(event);
    }
  }

  void Free() {
    const size_t place = Byte();
    switch (Below(9)) {
      case 0:
        return docs_.Put(place, nullptr);
      case 1:
        return types_.Put(place, nullptr);
      case 2:
        return values_.Put(place, nullptr);
      case 3:
        return deltas_.Put(place, nullptr);
      case 4:
        return undos_.Put(place, nullptr);
      case 5:
        return buffers_.Put(place, nullptr);
      case 6:
        return diffs_.Put(place, nullptr);
      case 7:
        return loaders_.Put(place, nullptr);
      default:
        return subscriptions_.Put(place, nullptr);
    }
  }

  // Another document takes what it has, all of it.
  static void CheckDocument(rmcrdt_doc* doc) {
    if (doc == nullptr) return;
    rmcrdt_doc* const other = rmcrdt_doc_new(nullptr);
    rmcrdt_buffer* const state = rmcrdt_doc_encode_state(doc, RMCRDT_V2, nullptr, 0);
    const rmcrdt_code applied =
        rmcrdt_doc_apply(other, RMCRDT_V2, rmcrdt_buffer_data(state), rmcrdt_buffer_size(state), nullptr, 0);
    if (applied != RMCRDT_OK) rivermeet::CheckFailed("applied", __FILE__, __LINE__, rmcrdt_error_message());
    rmcrdt_buffer* const theirs = rmcrdt_doc_encode_state_vector(other);
    rmcrdt_buffer* const ours = rmcrdt_doc_encode_state_vector(doc);
    if (!rmcrdt_doc_has_pending(doc)) RM_CHECK(Copy(ours) == Copy(theirs));
    for (rmcrdt_buffer* buffer : {state, theirs, ours}) rmcrdt_buffer_free(buffer);
    rmcrdt_doc_free(other);
  }

  int depth_ = 0;
  int pushes_ = 0;
  const rmcrdt_event* const* events_ = nullptr;  // of the callback that runs
  size_t event_count_ = 0;
  const rmcrdt_undo_event* undo_event_ = nullptr;
  const rmcrdt_transaction* transaction_ = nullptr;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Program program(data, size);
  program.Run(500);
  program.CheckDocuments();
  return 0;
}
