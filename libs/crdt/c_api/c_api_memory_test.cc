// rivermeet_crdt.h when memory runs out: at each larger allocation of a program, once. The small ones are hash tables'
// too, and Abseil's break when they get no memory.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <new>
#include <string>
#include <utility>

#include "catch2/catch.hpp"
#include "crdt/c_api/rivermeet_crdt.h"

namespace {

// How many of at least that size succeed before one doesn't; negative: all do.
constexpr size_t kLarge = 1'024;
int64_t allocations_left = -1;

}  // namespace

void* operator new(size_t size) {
  if (size >= kLarge && allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  if (size >= kLarge && allocations_left >= 0 && allocations_left-- == 0) return nullptr;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace {

const std::string kText(20'000, 'x');

// What a program has in hand.
struct Program {
  rmcrdt_doc* doc = nullptr;
  rmcrdt_doc* peer = nullptr;  // is told of each change of `doc`
  rmcrdt_type* text = nullptr;
  rmcrdt_type* list = nullptr;
  rmcrdt_undo* undo = nullptr;
  rmcrdt_subscription* subscriptions[7] = {};
  bool edited_at_end = false;
  bool ran_out = false;

  // Whether the call succeeded. It may only fail for want of memory.
  bool Did(bool succeeded) {
    if (succeeded) return true;
    if (!ran_out) CHECK(rmcrdt_error_code() == RMCRDT_RESOURCE_EXHAUSTED);
    CHECK(rmcrdt_error_message()[0] != '\0');
    ran_out = true;
    return false;
  }
  bool Did(rmcrdt_code code) { return Did(code == RMCRDT_OK); }
};

void CopyToPeer(void* context, const uint8_t* update, size_t size, const char* origin, size_t origin_size) {
  auto& program = *static_cast<Program*>(context);
  program.Did(rmcrdt_doc_apply(program.peer, RMCRDT_V1, update, size, origin, origin_size));
}

void ReadEvents(void* context, const rmcrdt_event* const* events, size_t count) {
  auto& program = *static_cast<Program*>(context);
  for (size_t i = 0; i < count; ++i) {
    rmcrdt_delta* const delta = rmcrdt_event_delta(events[i]);
    if (program.Did(delta != nullptr)) rmcrdt_delta_free(delta);
    rmcrdt_value* const path = rmcrdt_event_path(events[i]);
    if (program.Did(path != nullptr)) rmcrdt_value_free(path);
  }
}

void NoteUndo(void* context, const rmcrdt_undo_event* event) {
  auto& program = *static_cast<Program*>(context);
  const bool has_notes = rmcrdt_undo_event_change(event) != RMCRDT_UNDO_STACK_CLEARED;
  rmcrdt_value* const note = rmcrdt_value_from_text(kText.data(), kText.size());
  if (program.Did(note != nullptr) && has_notes) program.Did(rmcrdt_undo_event_set_note(event, "k", 1, note));
  rmcrdt_value_free(note);
}

void ReadTransaction(void* context, const rmcrdt_transaction* transaction) {
  auto& program = *static_cast<Program*>(context);
  for (size_t i = 0; i < rmcrdt_transaction_changed_count(transaction); ++i) {
    rmcrdt_type* const type = rmcrdt_transaction_changed(transaction, i);
    if (program.Did(type != nullptr)) rmcrdt_type_free(type);
  }
}

void ReadSubdocuments(void* context, const rmcrdt_value* added, const rmcrdt_value*, const rmcrdt_value*) {
  auto& program = *static_cast<Program*>(context);
  rmcrdt_value* const first = rmcrdt_value_get_element(added, 0);
  if (program.Did(first != nullptr)) rmcrdt_value_free(first);
}

void EditAtEnd(void* context, bool local) {
  auto& program = *static_cast<Program*>(context);
  if (!local || std::exchange(program.edited_at_end, true)) return;
  program.Did(rmcrdt_text_insert(program.text, 0, "more", 4, nullptr));
}

void EditTogether(void* context) {
  auto& program = *static_cast<Program*>(context);
  rmcrdt_value* const bold = rmcrdt_value_from_json(R"({"bold":true})", 13);
  if (!program.Did(bold != nullptr)) return;
  program.Did(rmcrdt_text_insert(program.text, 0, kText.data(), kText.size(), nullptr));
  program.Did(rmcrdt_text_format(program.text, 5, 4, bold));
  const rmcrdt_value* values[1'000];
  std::fill(std::begin(values), std::end(values), bold);
  program.Did(rmcrdt_list_push(program.list, values, std::size(values)));
  program.Did(rmcrdt_text_delete(program.text, 2, 5));
  rmcrdt_value* const document = rmcrdt_value_new_subdocument(kText.data(), kText.size(), nullptr);
  values[0] = document;
  if (program.Did(document != nullptr)) program.Did(rmcrdt_list_push(program.list, values, 1));
  rmcrdt_value_free(document);
  rmcrdt_value_free(bold);
}

void Prepare(Program& program) {
  rmcrdt_options options;
  rmcrdt_options_init(&options, sizeof(options));
  options.has_client_id = true;
  options.client_id = 1;
  program.doc = rmcrdt_doc_new(&options);
  program.peer = rmcrdt_doc_new(&options);
  if (!program.Did(program.doc != nullptr && program.peer != nullptr)) return;
  program.text = rmcrdt_doc_get_root(program.doc, RMCRDT_KIND_TEXT, "t", 1);
  program.list = rmcrdt_doc_get_root(program.doc, RMCRDT_KIND_ARRAY, "l", 1);
  program.undo = rmcrdt_undo_new(program.doc, nullptr, 0, 0);
  program.subscriptions[0] = rmcrdt_doc_on_update(program.doc, RMCRDT_V1, CopyToPeer, &program);
  program.subscriptions[1] = rmcrdt_type_observe(program.text, ReadEvents, &program);
  program.subscriptions[2] = rmcrdt_type_observe_deep(program.list, ReadEvents, &program);
  program.subscriptions[3] = rmcrdt_doc_on_transaction(program.doc, EditAtEnd, &program);
  program.subscriptions[4] = rmcrdt_undo_observe(program.undo, NoteUndo, &program);
  program.subscriptions[5] = rmcrdt_doc_observe(program.doc, ReadTransaction, &program);
  program.subscriptions[6] = rmcrdt_doc_on_subdocuments(program.doc, ReadSubdocuments, &program);
  program.Did(rmcrdt_doc_keep_attribution(program.doc, nullptr, 0));
}

std::string TakeBytes(rmcrdt_buffer* buffer) {
  std::string bytes(reinterpret_cast<const char*>(rmcrdt_buffer_data(buffer)), rmcrdt_buffer_size(buffer));
  rmcrdt_buffer_free(buffer);
  return bytes;
}

// Reads all of what the transaction made that can be had in other ways.
void Compare(Program& program) {
  rmcrdt_diff* const diff = rmcrdt_text_diff(program.text, RMCRDT_V1, nullptr, nullptr);
  if (program.Did(diff != nullptr)) rmcrdt_value_free(rmcrdt_diff_value(diff, 0));
  rmcrdt_diff_free(diff);
  rmcrdt_value* const authors = rmcrdt_type_authors(program.text, 0, kText.size());
  if (program.Did(authors != nullptr)) rmcrdt_value_free(authors);
}

// Loads `state` in steps.
void LoadInSteps(Program& program, const std::string& state) {
  rmcrdt_loader* const loader =
      rmcrdt_loader_new(RMCRDT_V1, reinterpret_cast<const uint8_t*>(state.data()), state.size(), nullptr);
  bool done = false;
  if (program.Did(loader != nullptr)) {
    while (!done && program.Did(rmcrdt_loader_step(loader, 1, &done))) continue;
    if (done) rmcrdt_doc_free(rmcrdt_loader_take(loader));
  }
  rmcrdt_loader_free(loader);
}

void Free(Program& program) {
  rmcrdt_doc_free(program.doc);
  rmcrdt_doc_free(program.peer);
  rmcrdt_type_free(program.text);
  rmcrdt_type_free(program.list);
  rmcrdt_undo_free(program.undo);
  for (rmcrdt_subscription* subscription : program.subscriptions) rmcrdt_subscription_free(subscription);
}

TEST_CASE("when memory runs out a call fails and nothing else breaks", "[crdt]") {
  std::string state;
  int64_t tried = 0;
  for (bool ran_out = true; ran_out; ++tried) {
    Program program;
    allocations_left = tried;
    Prepare(program);
    if (!program.ran_out) {
      program.Did(rmcrdt_doc_transact(program.doc, nullptr, 0, EditTogether, &program));
      program.Did(rmcrdt_undo_undo(program.undo, nullptr));
      program.Did(rmcrdt_undo_redo(program.undo, nullptr));
      Compare(program);
    }
    ran_out = allocations_left < 0;
    allocations_left = -1;
    if (!ran_out) state = TakeBytes(rmcrdt_doc_encode_state(program.peer, RMCRDT_V1, nullptr, 0));
    Free(program);
  }
  CHECK(tried > 20);
  rmcrdt_doc* const doc = rmcrdt_doc_new(nullptr);
  CHECK(rmcrdt_doc_apply(doc, RMCRDT_V1, reinterpret_cast<const uint8_t*>(state.data()), state.size(), nullptr, 0) ==
        RMCRDT_OK);
  rmcrdt_doc_free(doc);
}

TEST_CASE("when memory runs out while a document is loaded in steps nothing else breaks", "[crdt]") {
  Program writer;
  Prepare(writer);
  EditTogether(&writer);
  const std::string state = TakeBytes(rmcrdt_doc_encode_state(writer.doc, RMCRDT_V1, nullptr, 0));
  Free(writer);
  int64_t tried = 0;
  for (bool ran_out = true; ran_out; ++tried) {
    Program program;
    allocations_left = tried;
    LoadInSteps(program, state);
    ran_out = allocations_left < 0;
    allocations_left = -1;
    CHECK(ran_out == program.ran_out);
  }
  CHECK(tried > 3);
}

TEST_CASE("a document whose change wasn't finished can only be freed", "[crdt]") {
  Program program;
  Prepare(program);
  EditTogether(&program);
  allocations_left = 0;
  CHECK(rmcrdt_text_insert(program.text, 3, kText.data(), kText.size(), nullptr) == RMCRDT_RESOURCE_EXHAUSTED);
  CHECK(allocations_left == -1);
  CHECK(rmcrdt_doc_encode_state(program.doc, RMCRDT_V2, nullptr, 0) == nullptr);
  CHECK(rmcrdt_error_code() == RMCRDT_RESOURCE_EXHAUSTED);
  CHECK(std::strstr(rmcrdt_error_message(), "free it") != nullptr);
  CHECK(rmcrdt_type_length(program.text) == 0);
  CHECK_FALSE(rmcrdt_doc_has_pending(program.peer));
  CHECK(rmcrdt_doc_struct_count(program.peer) > 0);
  Free(program);
}

// What observes 15 types of a document, the last of which its table of observers has to grow for.
struct Observing {
  rmcrdt_doc* doc = rmcrdt_doc_new(nullptr);
  rmcrdt_undo* undo = rmcrdt_undo_new(doc, nullptr, 0, 0);
  rmcrdt_subscription* sending = nullptr;
  rmcrdt_type* types[15] = {};
  rmcrdt_subscription* subscriptions[15] = {};
  int told = 0;
};

void CountEvents(void* context, const rmcrdt_event* const*, size_t count) {
  static_cast<Observing*>(context)->told += static_cast<int>(count);
}

void CountUpdates(void* context, const uint8_t*, size_t, const char*, size_t) {
  ++static_cast<Observing*>(context)->told;
}

void LoseByObserving(void* context) {
  auto& observing = *static_cast<Observing*>(context);
  CHECK(rmcrdt_text_insert(observing.types[0], 0, "a", 1, nullptr) == RMCRDT_OK);
  allocations_left = 0;
  CHECK(rmcrdt_type_observe(observing.types[14], CountEvents, &observing) == nullptr);
  CHECK(allocations_left == -1);
  CHECK(rmcrdt_error_code() == RMCRDT_RESOURCE_EXHAUSTED);
  rmcrdt_subscription_free(observing.subscriptions[0]);
  rmcrdt_subscription_free(observing.sending);
}

TEST_CASE("nothing touches a document's tables any more once one of them couldn't grow", "[crdt]") {
  Observing observing;
  for (int i = 0; i < 15; ++i) {
    const char name = static_cast<char>('a' + i);
    observing.types[i] = rmcrdt_doc_get_root(observing.doc, RMCRDT_KIND_TEXT, &name, 1);
    if (i < 14) observing.subscriptions[i] = rmcrdt_type_observe(observing.types[i], CountEvents, &observing);
  }
  observing.sending = rmcrdt_doc_on_update(observing.doc, RMCRDT_V1, CountUpdates, &observing);
  CHECK(rmcrdt_doc_transact(observing.doc, nullptr, 0, LoseByObserving, &observing) == RMCRDT_RESOURCE_EXHAUSTED);
  CHECK(observing.told == 0);
  for (int i = 1; i < 14; ++i) rmcrdt_subscription_free(observing.subscriptions[i]);
  rmcrdt_undo_free(observing.undo);
  for (rmcrdt_type* type : observing.types) rmcrdt_type_free(type);
  rmcrdt_doc_free(observing.doc);
}

// A document in which nobody has counted places yet, with long values at the start of its text "t" and its list "l" and
// in its map "m".
rmcrdt_doc* Uncounted() {
  Program writer;
  Prepare(writer);
  EditTogether(&writer);
  rmcrdt_value* const large = rmcrdt_value_from_text(kText.data(), kText.size());
  for (int i = 0; i < 400; ++i) {
    CHECK(rmcrdt_text_insert(writer.text, 0, "x", 1, nullptr) == RMCRDT_OK);
    CHECK(rmcrdt_list_insert(writer.list, 0, &large, 1) == RMCRDT_OK);
  }
  CHECK(rmcrdt_text_insert(writer.text, 0, kText.data(), kText.size(), nullptr) == RMCRDT_OK);
  rmcrdt_type* const map = rmcrdt_doc_get_root(writer.doc, RMCRDT_KIND_MAP, "m", 1);
  CHECK(rmcrdt_map_set(map, kText.data(), kText.size(), large) == RMCRDT_OK);
  rmcrdt_type_free(map);
  rmcrdt_value_free(large);
  const std::string state = TakeBytes(rmcrdt_doc_encode_state(writer.doc, RMCRDT_V1, nullptr, 0));
  Free(writer);
  rmcrdt_doc* const doc = rmcrdt_doc_new(nullptr);
  CHECK(rmcrdt_doc_apply(doc, RMCRDT_V1, reinterpret_cast<const uint8_t*>(state.data()), state.size(), nullptr, 0) ==
        RMCRDT_OK);
  return doc;
}

// Whether it is there. Frees it.
template <class Handle>
bool Gave(Handle* handle, void (*free)(Handle*)) {
  free(handle);
  return handle != nullptr;
}
bool Gave(rmcrdt_value* value) { return Gave(value, rmcrdt_value_free); }

TEST_CASE("a document that was only read goes on when memory runs out", "[crdt]") {
  rmcrdt_doc* const doc = Uncounted();
  rmcrdt_type* const text = rmcrdt_doc_get_root(doc, RMCRDT_KIND_TEXT, "t", 1);
  rmcrdt_type* const list = rmcrdt_doc_get_root(doc, RMCRDT_KIND_ARRAY, "l", 1);
  rmcrdt_type* const map = rmcrdt_doc_get_root(doc, RMCRDT_KIND_MAP, "m", 1);
  rmcrdt_delta* const delta = rmcrdt_text_to_delta(text);
  rmcrdt_diff* const diff = rmcrdt_map_diff(map, RMCRDT_V1, nullptr, nullptr);
  const std::string state = TakeBytes(rmcrdt_doc_encode_state(doc, RMCRDT_V2, nullptr, 0));
  const std::pair<const char*, std::function<bool()>> reads[] = {
      {"the first count of a list", [&] { return Gave(rmcrdt_type_authors(list, 0, 9)); }},
      {"the first count of a text", [&] { return rmcrdt_text_length(text, RMCRDT_UNIT_UTF8) > 0; }},
      {"an element", [&] { return Gave(rmcrdt_list_get(list, 0)); }},
      {"an entry", [&] { return Gave(rmcrdt_map_get(map, kText.data(), kText.size())); }},
      {"keys", [&] { return Gave(rmcrdt_map_keys(map)); }},
      {"subdocuments", [&] { return Gave(rmcrdt_doc_subdocuments(doc)); }},
      {"a text's delta", [&] { return Gave(rmcrdt_text_to_delta(text), rmcrdt_delta_free); }},
      {"a step", [&] { return Gave(rmcrdt_delta_step_value(delta, 0, 0)); }},
      {"a diff", [&] { return Gave(rmcrdt_list_diff(list, RMCRDT_V1, nullptr, nullptr), rmcrdt_diff_free); }},
      {"a run", [&] { return Gave(rmcrdt_diff_value(diff, 0)); }},
      {"all of it", [&] { return Gave(rmcrdt_doc_encode_state(doc, RMCRDT_V2, nullptr, 0), rmcrdt_buffer_free); }},
  };
  for (const auto& [what, read] : reads) {
    INFO(what);
    int64_t tried = 0;
    for (bool ran_out = true; ran_out; ++tried) {
      allocations_left = tried;
      const bool did = read();
      ran_out = allocations_left < 0;
      allocations_left = -1;
      CHECK(did == !ran_out);
      if (ran_out) CHECK(rmcrdt_error_code() == RMCRDT_RESOURCE_EXHAUSTED);
    }
    CHECK(tried > 1);
  }
  CHECK(TakeBytes(rmcrdt_doc_encode_state(doc, RMCRDT_V2, nullptr, 0)) == state);
  CHECK(rmcrdt_text_insert(text, 0, "more", 4, nullptr) == RMCRDT_OK);
  rmcrdt_delta_free(delta);
  rmcrdt_diff_free(diff);
  for (rmcrdt_type* type : {text, list, map}) rmcrdt_type_free(type);
  rmcrdt_doc_free(doc);
}

TEST_CASE("an event whose keys memory was missing for tells all of them when it is asked again", "[crdt]") {
  rmcrdt_doc* const doc = rmcrdt_doc_new(nullptr);
  rmcrdt_type* const map = rmcrdt_doc_get_root(doc, RMCRDT_KIND_MAP, "m", 1);
  rmcrdt_value* const large = rmcrdt_value_from_text(kText.data(), kText.size());
  rmcrdt_value* const small = rmcrdt_value_from_number(1);
  CHECK(rmcrdt_map_set(map, "a", 1, small) == RMCRDT_OK);
  CHECK(rmcrdt_map_set(map, "b", 1, large) == RMCRDT_OK);
  size_t told = 0;
  const auto read = [](void* context, const rmcrdt_event* const* events, size_t) {
    allocations_left = 0;
    CHECK(rmcrdt_event_key_count(events[0]) == 0);
    CHECK(allocations_left == -1);
    CHECK(rmcrdt_error_code() == RMCRDT_RESOURCE_EXHAUSTED);
    *static_cast<size_t*>(context) = rmcrdt_event_key_count(events[0]);
  };
  rmcrdt_subscription* const reading = rmcrdt_type_observe(map, read, &told);
  CHECK(rmcrdt_map_clear(map) == RMCRDT_OK);
  CHECK(told == 2);
  rmcrdt_subscription_free(reading);
  rmcrdt_value_free(large);
  rmcrdt_value_free(small);
  rmcrdt_type_free(map);
  rmcrdt_doc_free(doc);
}

}  // namespace
