/* Events of rivermeet_crdt.h, and handles that are freed at any time and in any order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "c_api_testing.h"

/* --- events */

static char told[1024];

static void say(const char* text, size_t size) {
  const size_t length = strlen(told);
  if (length + size + 1 > sizeof(told)) abort();
  memcpy(told + length, text, size);
  told[length + size] = '\0';
}

static void say_value(rmcrdt_value* value) {
  rmcrdt_buffer* json = rmcrdt_value_to_json(value);
  say((const char*)rmcrdt_buffer_data(json), rmcrdt_buffer_size(json));
  rmcrdt_buffer_free(json);
  rmcrdt_value_free(value);
}

static void say_delta(rmcrdt_delta* delta) {
  for (size_t step = 0; step < rmcrdt_delta_size(delta); ++step) {
    char number[32];
    static const char kKinds[] = "+=-";
    snprintf(number, sizeof(number), " %c%d", kKinds[rmcrdt_delta_step_kind(delta, step)],
             (int)rmcrdt_delta_step_length(delta, step));
    say(number, strlen(number));
    for (size_t i = 0; i < rmcrdt_delta_step_value_count(delta, step); ++i) {
      say_value(rmcrdt_delta_step_value(delta, step, i));
    }
    rmcrdt_value* attributes = rmcrdt_delta_step_attributes(delta, step);
    if (attributes != NULL) say_value(attributes);
  }
  rmcrdt_delta_free(delta);
}

static void say_events(void* name, const rmcrdt_event* const* events, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    say(name, strlen(name));
    say_value(rmcrdt_event_path(events[i]));
    say(rmcrdt_event_local(events[i]) ? " local" : " remote", rmcrdt_event_local(events[i]) ? 6 : 7);
    say_delta(rmcrdt_event_delta(events[i]));
    for (size_t k = 0; k < rmcrdt_event_key_count(events[i]); ++k) {
      size_t size = 0;
      const char* key = rmcrdt_event_key(events[i], k, &size);
      static const char* const kActions[] = {" added ", " updated ", " deleted "};
      const char* action = kActions[rmcrdt_event_key_action(events[i], k)];
      say(action, strlen(action));
      say(key, size);
      rmcrdt_value* old = rmcrdt_event_key_old_value(events[i], k);
      const rmcrdt_value_kind kind = rmcrdt_value_get_kind(old);
      const bool has_json = kind != RMCRDT_VALUE_UNDEFINED && kind != RMCRDT_VALUE_TYPE;
      has_json ? say_value(old) : rmcrdt_value_free(old);
    }
    size_t none = 0;
    FAILS(rmcrdt_event_key(events[i], 99, &none) == NULL, RMCRDT_OUT_OF_RANGE);
    FAILS(rmcrdt_event_key_action(events[i], 99) == RMCRDT_KEY_ADDED, RMCRDT_OUT_OF_RANGE);
    FAILS(rmcrdt_event_key_old_value(events[i], 99) == NULL, RMCRDT_OUT_OF_RANGE);
    rmcrdt_type* target = rmcrdt_event_target(events[i]);
    CHECK(rmcrdt_type_alive(target));
    rmcrdt_type_free(target);
    say(";", 1);
  }
}

static bool were_told(const char* expected) {
  const bool same = strcmp(told, expected) == 0;
  if (!same) fprintf(stderr, "told %s\n", told);
  told[0] = '\0';
  return same;
}

static void events_tell_paths_deltas_and_keys(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* new_text = rmcrdt_value_new_type(RMCRDT_KIND_TEXT, NULL, 0);
  rmcrdt_value* new_list = rmcrdt_value_new_type(RMCRDT_KIND_ARRAY, NULL, 0);
  CHECK(rmcrdt_value_push(new_list, new_text) == RMCRDT_OK);
  rmcrdt_subscription* own = rmcrdt_type_observe(map, say_events, "map");
  CHECK(rmcrdt_map_set(map, TEXT("k"), new_list) == RMCRDT_OK);
  CHECK(were_told("map[] local added k;"));
  rmcrdt_value* list_value = rmcrdt_map_get(map, TEXT("k"));
  rmcrdt_type* list = rmcrdt_value_get_type(list_value);
  rmcrdt_value* text_value = rmcrdt_list_get(list, 0);
  rmcrdt_type* text = rmcrdt_value_get_type(text_value);
  rmcrdt_subscription* deep = rmcrdt_type_observe_deep(map, say_events, "deep");
  push_json(list, "7");
  CHECK(were_told("deep[\"k\"] local =1 +17;"));
  rmcrdt_value* bold = from_json("{\"b\":1}");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("\xc3\xa9t\xc3\xa9"), bold) == RMCRDT_OK);
  CHECK(were_told("deep[\"k\",0] local +3\"\xc3\xa9t\xc3\xa9\"{\"b\":1};"));
  CHECK(rmcrdt_text_delete(text, 1, 1) == RMCRDT_OK);
  CHECK(were_told("deep[\"k\",0] local =1 -1;"));
  CHECK(rmcrdt_map_set(map, TEXT("n"), bold) == RMCRDT_OK);
  CHECK(were_told("map[] local added n;deep[] local added n;"));
  rmcrdt_subscription_free(own);
  CHECK(rmcrdt_map_set(map, TEXT("n"), new_text) == RMCRDT_OK);
  CHECK(were_told("deep[] local updated n{\"b\":1};"));
  rmcrdt_doc* other = doc_of_client(2);
  send_all(doc, other);
  rmcrdt_type* theirs = root(other, RMCRDT_KIND_MAP, "m");
  CHECK(rmcrdt_map_delete(theirs, TEXT("n")) == RMCRDT_OK);
  push_json(list, "8");
  told[0] = '\0';
  send_all(other, doc);
  /* What was deleted is a type, which has no JSON any more. */
  CHECK(were_told("deep[] remote deleted n;"));
  rmcrdt_subscription_free(deep);
  push_json(list, "9");
  CHECK(were_told(""));
  rmcrdt_value* values[] = {new_text, new_list, list_value, text_value, bold};
  for (size_t i = 0; i < sizeof(values) / sizeof(*values); ++i) rmcrdt_value_free(values[i]);
  rmcrdt_type* types[] = {map, list, text, theirs};
  for (size_t i = 0; i < sizeof(types) / sizeof(*types); ++i) rmcrdt_type_free(types[i]);
  rmcrdt_doc_free(doc);
  rmcrdt_doc_free(other);
}

static void say_origin(void* context, const rmcrdt_event* const* events, size_t count) {
  (void)context, (void)count;
  size_t size = 0;
  const char* origin = rmcrdt_event_origin(events[0], &size);
  say(origin, size);
  say(" ", 1);
}

static void say_transaction(void* context, const rmcrdt_transaction* transaction) {
  size_t size = 0;
  const char* origin = rmcrdt_transaction_origin(transaction, &size);
  say(origin, size);
  rmcrdt_transaction_local(transaction) ? say(" local", 6) : say(" remote", 7);
  const size_t count = rmcrdt_transaction_changed_count(transaction);
  for (size_t i = 0; i < count; ++i) {
    rmcrdt_type* changed = rmcrdt_transaction_changed(transaction, i);
    rmcrdt_type_same(changed, context) ? say(" the list", 9) : say(" another", 8);
    rmcrdt_type_free(changed);
  }
  FAILS(rmcrdt_transaction_changed(transaction, count) == NULL, RMCRDT_OUT_OF_RANGE);
  say(";", 1);
}

static void push_one(void* list) { push_json(list, "1"); }

static void a_transaction_tells_its_origin_and_what_it_changed(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_doc* other = doc_of_client(2);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  rmcrdt_type* theirs = root(other, RMCRDT_KIND_ARRAY, "l");
  rmcrdt_subscription* of_type = rmcrdt_type_observe(list, say_origin, NULL);
  rmcrdt_subscription* of_doc = rmcrdt_doc_observe(doc, say_transaction, list);
  CHECK(rmcrdt_doc_transact(doc, TEXT("keyboard"), push_one, list) == RMCRDT_OK);
  CHECK(were_told("keyboard keyboard local the list;"));
  push_json(list, "2");
  CHECK(were_told("  local the list;"));
  push_json(theirs, "3");
  rmcrdt_buffer* state = rmcrdt_doc_encode_state(other, RMCRDT_V1, NULL, 0);
  const rmcrdt_view update = view_of(state);
  CHECK(rmcrdt_doc_apply(doc, RMCRDT_V1, update.data, update.size, TEXT("peer")) == RMCRDT_OK);
  CHECK(were_told("peer peer remote the list;"));
  CHECK(rmcrdt_doc_apply(doc, RMCRDT_V1, update.data, update.size, TEXT("peer")) == RMCRDT_OK);
  CHECK(were_told("peer remote;"));
  rmcrdt_subscription_free(of_doc);
  rmcrdt_subscription_free(of_type);
  push_json(list, "4");
  CHECK(were_told(""));
  rmcrdt_buffer_free(state);
  rmcrdt_type_free(theirs);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(other);
  rmcrdt_doc_free(doc);
}

void event_tests(void) {
  RUN(events_tell_paths_deltas_and_keys);
  RUN(a_transaction_tells_its_origin_and_what_it_changed);
}

/* --- lifetimes */

struct owner {
  rmcrdt_doc* doc;
  rmcrdt_type* list;
  rmcrdt_undo* undo;
  rmcrdt_subscription* subscriptions[4];
  int calls;
};

static void free_all(struct owner* owner) {
  rmcrdt_doc_free(owner->doc);
  rmcrdt_type_free(owner->list);
  rmcrdt_undo_free(owner->undo);
  for (size_t i = 0; i < 4; ++i) rmcrdt_subscription_free(owner->subscriptions[i]);
  const int calls = owner->calls;
  memset(owner, 0, sizeof(*owner));
  owner->calls = calls;
}

static void free_all_at_an_event(void* context, const rmcrdt_event* const* events, size_t count) {
  struct owner* owner = context;
  ++owner->calls;
  free_all(owner);
  CHECK(count == 1 && rmcrdt_event_local(events[0]));
  rmcrdt_delta_free(rmcrdt_event_delta(events[0]));
}

static void free_all_at_an_update(void* context, const uint8_t* update, size_t update_size, const char* origin,
                                  size_t origin_size) {
  ++((struct owner*)context)->calls;
  free_all(context);
  CHECK(rmcrdt_update_check(RMCRDT_V1, update, update_size, NULL) == RMCRDT_OK);
  CHECK(origin != NULL && origin_size == 0);
}

static void free_all_at_a_transaction(void* context, bool local) {
  (void)local;
  ++((struct owner*)context)->calls;
  free_all(context);
}

static void free_all_while_editing(void* context) {
  struct owner* owner = context;
  push_json(owner->list, "1");
  free_all(owner);
}

/* How `owner` hears of the next change. */
static void subscribe(struct owner* owner, int way) {
  owner->doc = doc_of_client(1);
  owner->list = root(owner->doc, RMCRDT_KIND_ARRAY, "l");
  push_json(owner->list, "0");
  owner->undo = rmcrdt_undo_new(owner->doc, NULL, 0, 0);
  push_json(owner->list, "1");
  owner->calls = 0;
  for (int i = 0; i < 2; ++i) { /* the second is gone before its turn */
    owner->subscriptions[i] = way == 0   ? rmcrdt_type_observe(owner->list, free_all_at_an_event, owner)
                              : way == 1 ? rmcrdt_type_observe_deep(owner->list, free_all_at_an_event, owner)
                              : way == 2 ? rmcrdt_doc_on_update(owner->doc, RMCRDT_V1, free_all_at_an_update, owner)
                                         : rmcrdt_doc_on_transaction(owner->doc, free_all_at_a_transaction, owner);
    CHECK(owner->subscriptions[i] != NULL);
  }
}

static void everything_may_be_freed_inside_of_a_callback(void) {
  for (int way = 0; way < 4; ++way) {
    struct owner owner;
    memset(&owner, 0, sizeof(owner));
    subscribe(&owner, way);
    push_json(owner.list, "2");
    CHECK(owner.calls == 1);
    subscribe(&owner, way);
    CHECK(rmcrdt_list_delete(owner.list, 0, 1) == RMCRDT_OK);
    CHECK(owner.calls == 1);
    subscribe(&owner, way);
    bool done = false;
    CHECK(rmcrdt_undo_undo(owner.undo, &done) == RMCRDT_OK && done);
    CHECK(owner.calls == 1);
    subscribe(&owner, way);
    CHECK(rmcrdt_doc_apply(owner.doc, RMCRDT_V1, BYTES("\0\0"), NULL, 0) == RMCRDT_OK);
    CHECK(owner.calls == (way == 3));
    if (way != 3) CHECK(rmcrdt_doc_transact(owner.doc, NULL, 0, free_all_while_editing, &owner) == RMCRDT_OK);
    CHECK(owner.doc == NULL);
  }
}

static void copy_nothing(void* context, const uint8_t* update, size_t update_size, const char* origin,
                         size_t origin_size) {
  (void)context, (void)update, (void)update_size, (void)origin, (void)origin_size;
}

static void see_nothing(void* context, const rmcrdt_event* const* events, size_t count) {
  (void)context, (void)events, (void)count;
}

/* Frees what is in the order of the digits of `order`. */
static void free_in_order(unsigned order) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* new_type = rmcrdt_value_new_type(RMCRDT_KIND_TEXT, NULL, 0);
  CHECK(rmcrdt_map_set(map, TEXT("t"), new_type) == RMCRDT_OK);
  rmcrdt_value* there = rmcrdt_map_get(map, TEXT("t"));
  rmcrdt_type* text = rmcrdt_value_get_type(there);
  rmcrdt_undo* undo = rmcrdt_undo_new(doc, &text, 1, 0);
  CHECK(rmcrdt_text_insert(text, 0, TEXT("x"), NULL) == RMCRDT_OK);
  CHECK(rmcrdt_text_insert_embed(text, 0, new_type, NULL) == RMCRDT_OK);
  rmcrdt_value_free(new_type);
  rmcrdt_delta* delta = rmcrdt_text_to_delta(text);
  rmcrdt_subscription* subscription = rmcrdt_doc_on_update(doc, RMCRDT_V1, copy_nothing, NULL);
  rmcrdt_subscription* observer = rmcrdt_type_observe(text, see_nothing, NULL);
  bool freed[6] = {false};
  for (unsigned left = 6; left > 0; order /= left, --left) {
    unsigned which = order % left, i = 0;
    while (freed[i] || which-- > 0) ++i;
    freed[i] = true;
    if (!freed[2]) CHECK(rmcrdt_text_insert(text, 0, TEXT("y"), NULL) == RMCRDT_OK);
    if (i == 0) rmcrdt_doc_free(doc);
    if (i == 1) rmcrdt_value_free(there);
    if (i == 2) rmcrdt_type_free(text);
    if (i == 3) rmcrdt_undo_free(undo);
    if (i == 4) rmcrdt_delta_free(delta);
    if (i == 5) rmcrdt_subscription_free(subscription);
  }
  rmcrdt_type_free(map);
  rmcrdt_subscription_free(observer);
}

static void handles_may_be_freed_in_any_order(void) {
  for (unsigned order = 0; order < 720; ++order) free_in_order(order);
}

struct chain {
  rmcrdt_doc* doc;
  rmcrdt_subscription* next[8];
  size_t size, calls;
};

static void count_calls(void* context, const uint8_t* update, size_t update_size, const char* origin,
                        size_t origin_size) {
  (void)update;
  CHECK(update_size > 0 && origin != NULL && origin_size == 0);
  ++((struct chain*)context)->calls;
}

static void add_another(void* context, const uint8_t* update, size_t update_size, const char* origin,
                        size_t origin_size) {
  struct chain* chain = context;
  count_calls(context, update, update_size, origin, origin_size);
  if (chain->size == 8) return;
  const rmcrdt_format format = chain->size % 2 == 0 ? RMCRDT_V2 : RMCRDT_V1;
  chain->next[chain->size++] = rmcrdt_doc_on_update(chain->doc, format, count_calls, chain);
}

static void a_callback_may_add_others(void) {
  struct chain chain = {doc_of_client(1), {NULL}, 0, 0};
  rmcrdt_subscription* first = rmcrdt_doc_on_update(chain.doc, RMCRDT_V1, add_another, &chain);
  rmcrdt_type* list = root(chain.doc, RMCRDT_KIND_ARRAY, "l");
  for (int i = 0; i < 8; ++i) push_json(list, "1");
  CHECK(chain.size == 8);
  chain.calls = 0;
  push_json(list, "1");
  CHECK(chain.calls == 9);
  rmcrdt_subscription_free(first);
  for (size_t i = 0; i < 8; ++i) rmcrdt_subscription_free(chain.next[i]);
  push_json(list, "1");
  CHECK(chain.calls == 9);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(chain.doc);
}

static void count_and_leave(void* context, const uint8_t* update, size_t update_size, const char* origin,
                            size_t origin_size) {
  struct chain* chain = context;
  count_calls(context, update, update_size, origin, origin_size);
  rmcrdt_subscription_free(chain->next[0]);
  chain->next[0] = NULL;
}

static void who_leaves_inside_of_a_callback_takes_nobodys_turn(void) {
  struct chain chain = {doc_of_client(1), {NULL}, 3, 0};
  rmcrdt_type* list = root(chain.doc, RMCRDT_KIND_ARRAY, "l");
  chain.next[0] = rmcrdt_doc_on_update(chain.doc, RMCRDT_V1, count_and_leave, &chain);
  for (size_t i = 1; i < 3; ++i) chain.next[i] = rmcrdt_doc_on_update(chain.doc, RMCRDT_V1, count_calls, &chain);
  push_json(list, "1");
  CHECK(chain.calls == 3);
  push_json(list, "1");
  CHECK(chain.calls == 5);
  for (size_t i = 0; i < 3; ++i) rmcrdt_subscription_free(chain.next[i]);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(chain.doc);
}

static int see_no_error_and_free(void* buffer) {
  const bool none = rmcrdt_error_code() == RMCRDT_OK && rmcrdt_error_message()[0] == '\0';
  CHECK(none);
  rmcrdt_buffer_free(buffer);
  FAILS(rmcrdt_value_from_json(TEXT("?")) == NULL, RMCRDT_INVALID_ARGUMENT);
  return 0;
}

static void each_thread_has_its_own_last_error(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  FAILS(rmcrdt_doc_find_root(doc, TEXT("none")) == NULL, RMCRDT_NOT_FOUND);
  thrd_t thread;
  CHECK(thrd_create(&thread, see_no_error_and_free, rmcrdt_doc_encode_state_vector(doc)) == thrd_success);
  thrd_join(thread, NULL);
  CHECK(rmcrdt_error_code() == RMCRDT_NOT_FOUND);
  rmcrdt_doc_free(doc);
}

void lifetime_tests(void) {
  RUN(everything_may_be_freed_inside_of_a_callback);
  RUN(handles_may_be_freed_in_any_order);
  RUN(a_callback_may_add_others);
  RUN(who_leaves_inside_of_a_callback_takes_nobodys_turn);
  RUN(each_thread_has_its_own_last_error);
}
