/* Documents, updates and values of rivermeet_crdt.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "c_api_testing.h"

/* --- documents */

static void copy_to_other(void* other, const uint8_t* update, size_t update_size, const char* origin,
                          size_t origin_size) {
  CHECK(origin != NULL && origin_size == 0);
  CHECK(rmcrdt_doc_apply(other, RMCRDT_V1, update, update_size, TEXT("remote")) == RMCRDT_OK);
}

static void copy_v2_to_other(void* other, const uint8_t* update, size_t update_size, const char* origin,
                             size_t origin_size) {
  CHECK(origin != NULL && origin_size == 0);
  CHECK(rmcrdt_doc_apply(other, RMCRDT_V2, update, update_size, TEXT("remote")) == RMCRDT_OK);
}

static void documents_that_hear_of_each_others_updates_come_out_the_same(void) {
  rmcrdt_doc* ada = doc_of_client(1);
  rmcrdt_doc* bob = doc_of_client(2);
  rmcrdt_doc* cleo = doc_of_client(3);
  rmcrdt_subscription* to_bob = rmcrdt_doc_on_update(ada, RMCRDT_V1, copy_to_other, bob);
  rmcrdt_subscription* to_cleo = rmcrdt_doc_on_update(ada, RMCRDT_V2, copy_v2_to_other, cleo);
  rmcrdt_type* text = root(ada, RMCRDT_KIND_TEXT, "notes");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("hello"), NULL) == RMCRDT_OK);
  rmcrdt_subscription_free(to_bob);
  CHECK(rmcrdt_text_insert(text, 5, TEXT(" all"), NULL) == RMCRDT_OK);
  rmcrdt_type_free(root(bob, RMCRDT_KIND_TEXT, "notes"));
  rmcrdt_type_free(root(cleo, RMCRDT_KIND_TEXT, "notes"));
  CHECK(holds(rmcrdt_doc_to_json(bob), "{\"notes\":\"hello\"}"));
  CHECK(holds(rmcrdt_doc_to_json(cleo), "{\"notes\":\"hello all\"}"));
  rmcrdt_subscription_free(to_cleo);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(ada);
  rmcrdt_doc_free(bob);
  rmcrdt_doc_free(cleo);
}

static void state_is_had_whole_or_since_a_state_vector(void) {
  rmcrdt_doc* ada = doc_of_client(7);
  rmcrdt_doc* bob = doc_of_client(8);
  CHECK(rmcrdt_doc_client_id(ada) == 7);
  CHECK(!rmcrdt_doc_has_pending(ada));
  rmcrdt_type* text = root(ada, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("ab"), NULL) == RMCRDT_OK);
  send_all(ada, bob);
  CHECK(rmcrdt_doc_struct_count(bob) == 1);
  CHECK(holds(rmcrdt_doc_dump_structs(bob),
              "[{\"client\":7,\"structs\":[{\"clock\":0,\"length\":2,\"kind\":\"item\",\"content\":4,"
              "\"deleted\":false,\"key\":null,\"left\":null,\"right\":null,\"origin\":null,"
              "\"right_origin\":null}]}]"));
  CHECK(rmcrdt_doc_memory_bytes(bob) > 0);
  CHECK(rmcrdt_text_insert(text, 2, TEXT("cd"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* known = rmcrdt_doc_encode_state_vector(bob);
  CHECK(rmcrdt_buffer_size(known) == 3 && memcmp(rmcrdt_buffer_data(known), "\x01\x07\x02", 3) == 0);
  rmcrdt_buffer* missing =
      rmcrdt_doc_encode_state(ada, RMCRDT_V1, rmcrdt_buffer_data(known), rmcrdt_buffer_size(known));
  rmcrdt_buffer* all = rmcrdt_doc_encode_state(ada, RMCRDT_V1, NULL, 0);
  /* What builds on something unknown waits for it. */
  rmcrdt_doc* cleo = doc_of_client(9);
  CHECK(rmcrdt_doc_apply(cleo, RMCRDT_V1, rmcrdt_buffer_data(missing), rmcrdt_buffer_size(missing), NULL, 0) ==
        RMCRDT_OK);
  CHECK(rmcrdt_doc_has_pending(cleo));
  const rmcrdt_view updates[] = {{rmcrdt_buffer_data(all), rmcrdt_buffer_size(all)}, {BYTES("\xff")}};
  size_t applied = 99;
  REFUSES(rmcrdt_doc_apply_all(cleo, RMCRDT_V1, updates, 2, NULL, 0, &applied), RMCRDT_INVALID_ARGUMENT);
  CHECK(strstr(rmcrdt_error_message(), "update 1") != NULL);
  CHECK(applied == 1 && !rmcrdt_doc_has_pending(cleo));
  CHECK(rmcrdt_doc_apply_all(bob, RMCRDT_V1, updates, 1, TEXT("server"), NULL) == RMCRDT_OK);
  rmcrdt_type* bobs = rmcrdt_doc_find_root(bob, TEXT("t"));
  CHECK(rmcrdt_type_kind(bobs) == RMCRDT_KIND_UNTYPED && rmcrdt_type_length(bobs) == 4);
  rmcrdt_type_free(bobs);
  rmcrdt_buffer_free(all);
  rmcrdt_buffer_free(missing);
  rmcrdt_buffer_free(known);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(ada);
  rmcrdt_doc_free(bob);
  rmcrdt_doc_free(cleo);
}

static void a_snapshot_is_restored_where_what_is_deleted_is_kept(void) {
  rmcrdt_options options;
  CHECK(rmcrdt_options_init(&options, sizeof(options)) == RMCRDT_OK);
  CHECK(!options.has_client_id && !options.keep_deleted && options.max_depth == 512);
  options.keep_deleted = true;
  rmcrdt_doc* doc = rmcrdt_doc_new(&options);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("before"), NULL) == RMCRDT_OK);
  for (rmcrdt_format format = RMCRDT_V1; format <= RMCRDT_V2; ++format) {
    rmcrdt_buffer* snapshot = rmcrdt_doc_encode_snapshot(doc, format);
    CHECK(rmcrdt_text_delete(text, 0, 6) == RMCRDT_OK);
    rmcrdt_doc* was =
        rmcrdt_doc_restore_snapshot(doc, format, rmcrdt_buffer_data(snapshot), rmcrdt_buffer_size(snapshot), NULL);
    rmcrdt_type* then = root(was, RMCRDT_KIND_TEXT, "t");
    CHECK(holds(rmcrdt_text_plain(then), "before"));
    rmcrdt_type_free(then);
    rmcrdt_doc_free(was);
    CHECK(rmcrdt_text_insert(text, 0, TEXT("before"), NULL) == RMCRDT_OK);
    rmcrdt_buffer_free(snapshot);
  }
  rmcrdt_doc* collecting = rmcrdt_doc_new(NULL);
  FAILS(rmcrdt_doc_restore_snapshot(collecting, RMCRDT_V1, BYTES("\0\0"), NULL) == NULL, RMCRDT_FAILED_PRECONDITION);
  rmcrdt_doc_free(collecting);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

struct editing {
  rmcrdt_type* list;
  int updates, transactions, local;
  int mine; /* updates whose origin is "me" */
};

static void edit_twice(void* context) {
  push_json(((struct editing*)context)->list, "1");
  push_json(((struct editing*)context)->list, "2");
}

static void count_update(void* context, const uint8_t* update, size_t update_size, const char* origin,
                         size_t origin_size) {
  CHECK(rmcrdt_update_check(RMCRDT_V1, update, update_size, NULL) == RMCRDT_OK);
  struct editing* editing = context;
  ++editing->updates;
  editing->mine += origin_size == 2 && memcmp(origin, "me", 2) == 0;
}

static void count_transaction(void* context, bool local) {
  struct editing* editing = context;
  ++editing->transactions;
  editing->local += local;
}

static void edits_inside_of_transact_are_one_transaction(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  struct editing editing = {root(doc, RMCRDT_KIND_ARRAY, "l"), 0, 0, 0, 0};
  rmcrdt_subscription* updates = rmcrdt_doc_on_update(doc, RMCRDT_V1, count_update, &editing);
  rmcrdt_subscription* transactions = rmcrdt_doc_on_transaction(doc, count_transaction, &editing);
  CHECK(rmcrdt_doc_transact(doc, TEXT("me"), edit_twice, &editing) == RMCRDT_OK);
  CHECK(editing.updates == 1 && editing.mine == 1 && editing.transactions == 1 && editing.local == 1);
  edit_twice(&editing);
  CHECK(editing.updates == 3 && editing.mine == 1 && editing.transactions == 3);
  CHECK(rmcrdt_doc_apply(doc, RMCRDT_V1, BYTES("\0\0"), NULL, 0) == RMCRDT_OK);
  CHECK(editing.updates == 3 && editing.transactions == 4 && editing.local == 3);
  CHECK(holds(rmcrdt_type_to_json(editing.list), "[1,2,1,2]"));
  rmcrdt_subscription_free(transactions);
  rmcrdt_subscription_free(updates);
  rmcrdt_type_free(editing.list);
  rmcrdt_doc_free(doc);
}

static void updates_are_merged_cut_and_converted_without_a_document(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("ab"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* first = rmcrdt_doc_encode_state(doc, RMCRDT_V1, NULL, 0);
  rmcrdt_buffer* state_vector = rmcrdt_doc_encode_state_vector(doc);
  CHECK(rmcrdt_text_insert(text, 2, TEXT("c"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* both = rmcrdt_doc_encode_state(doc, RMCRDT_V1, NULL, 0);
  rmcrdt_buffer* second = rmcrdt_update_diff(RMCRDT_V1, rmcrdt_buffer_data(both), rmcrdt_buffer_size(both),
                                             rmcrdt_buffer_data(state_vector), rmcrdt_buffer_size(state_vector), NULL);
  const rmcrdt_view views[] = {{rmcrdt_buffer_data(second), rmcrdt_buffer_size(second)},
                               {rmcrdt_buffer_data(first), rmcrdt_buffer_size(first)}};
  rmcrdt_buffer* merged = rmcrdt_update_merge(RMCRDT_V1, views, 2, NULL);
  rmcrdt_buffer* v2 =
      rmcrdt_update_convert(RMCRDT_V1, RMCRDT_V2, rmcrdt_buffer_data(merged), rmcrdt_buffer_size(merged), NULL);
  CHECK(rmcrdt_update_check(RMCRDT_V2, rmcrdt_buffer_data(v2), rmcrdt_buffer_size(v2), NULL) == RMCRDT_OK);
  rmcrdt_buffer* reached = rmcrdt_update_state_vector(RMCRDT_V2, rmcrdt_buffer_data(v2), rmcrdt_buffer_size(v2), NULL);
  CHECK(rmcrdt_buffer_size(reached) == 3 && memcmp(rmcrdt_buffer_data(reached), "\x01\x01\x03", 3) == 0);
  rmcrdt_options limits;
  CHECK(rmcrdt_options_init(&limits, sizeof(limits)) == RMCRDT_OK);
  limits.max_update_bytes = 4;
  REFUSES(rmcrdt_update_check(RMCRDT_V2, rmcrdt_buffer_data(v2), rmcrdt_buffer_size(v2), &limits),
          RMCRDT_RESOURCE_EXHAUSTED);
  REFUSES(rmcrdt_update_check(RMCRDT_V1, BYTES("\x01"), NULL), RMCRDT_INVALID_ARGUMENT);
  CHECK(strstr(rmcrdt_error_message(), "byte 1") != NULL);
  rmcrdt_doc* other = rmcrdt_doc_new(NULL);
  CHECK(rmcrdt_doc_apply(other, RMCRDT_V2, rmcrdt_buffer_data(v2), rmcrdt_buffer_size(v2), NULL, 0) == RMCRDT_OK);
  rmcrdt_type* theirs = root(other, RMCRDT_KIND_TEXT, "t");
  CHECK(holds(rmcrdt_text_plain(theirs), "abc"));
  rmcrdt_type_free(theirs);
  rmcrdt_doc_free(other);
  rmcrdt_buffer* buffers[] = {first, state_vector, both, second, merged, v2, reached};
  for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) rmcrdt_buffer_free(buffers[i]);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void an_update_says_whose_structs_it_has_and_may_be_shown_without_what_it_says(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("secret"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* update = rmcrdt_doc_encode_state(doc, RMCRDT_V2, NULL, 0);
  const rmcrdt_view of = view_of(update);
  rmcrdt_value* clients = rmcrdt_update_clients(RMCRDT_V2, of.data, of.size, NULL);
  CHECK(rmcrdt_value_get_size(clients) == 1);
  rmcrdt_value* client = rmcrdt_value_get_element(clients, 0);
  CHECK(value_is(rmcrdt_value_get_member(client, TEXT("to")), "6"));
  CHECK(value_is(client, "{\"client\":1,\"from\":0,\"to\":6}"));
  rmcrdt_buffer* shown = rmcrdt_update_obfuscate(RMCRDT_V2, of.data, of.size, NULL);
  rmcrdt_doc* other = doc_of_client(2);
  CHECK(rmcrdt_doc_apply(other, RMCRDT_V2, rmcrdt_buffer_data(shown), rmcrdt_buffer_size(shown), NULL, 0) == RMCRDT_OK);
  rmcrdt_type* theirs = root(other, RMCRDT_KIND_TEXT, "t");
  rmcrdt_buffer* plain = rmcrdt_text_plain(theirs);
  CHECK(rmcrdt_buffer_size(plain) == 6 && strcmp((const char*)rmcrdt_buffer_data(plain), "secret") != 0);
  FAILS(rmcrdt_update_clients(RMCRDT_V2, BYTES("\1"), NULL) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_update_obfuscate(RMCRDT_V1, of.data, of.size, NULL) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_options limits;
  CHECK(rmcrdt_options_init(&limits, sizeof(limits)) == RMCRDT_OK && limits.max_repeats == 1 << 18);
  limits.max_update_bytes = 4;
  FAILS(rmcrdt_update_clients(RMCRDT_V2, of.data, of.size, &limits) == NULL, RMCRDT_RESOURCE_EXHAUSTED);
  rmcrdt_buffer_free(plain);
  rmcrdt_buffer_free(shown);
  rmcrdt_buffer_free(update);
  rmcrdt_value_free(clients);
  rmcrdt_type_free(theirs);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(other);
  rmcrdt_doc_free(doc);
}

static void a_document_is_loaded_in_steps(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  for (int i = 0; i < 100; ++i) CHECK(rmcrdt_text_insert(text, 0, TEXT("x"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* state = rmcrdt_doc_encode_state(doc, RMCRDT_V1, NULL, 0);
  rmcrdt_loader* loader = rmcrdt_loader_new(RMCRDT_V1, rmcrdt_buffer_data(state), rmcrdt_buffer_size(state), NULL);
  FAILS(rmcrdt_loader_take(loader) == NULL, RMCRDT_FAILED_PRECONDITION);
  int steps = 0;
  for (bool done = false; !done; ++steps) CHECK(rmcrdt_loader_step(loader, 10, &done) == RMCRDT_OK);
  CHECK(steps > 5);
  rmcrdt_doc* loaded = rmcrdt_loader_take(loader);
  FAILS(rmcrdt_loader_take(loader) == NULL, RMCRDT_FAILED_PRECONDITION);
  bool done = false;
  REFUSES(rmcrdt_loader_step(loader, 0, &done), RMCRDT_FAILED_PRECONDITION);
  rmcrdt_loader_free(loader);
  rmcrdt_type* there = root(loaded, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_type_length(there) == 100);
  CHECK(rmcrdt_text_insert(there, 0, TEXT("y"), NULL) == RMCRDT_OK);
  rmcrdt_loader* broken = rmcrdt_loader_new(RMCRDT_V1, rmcrdt_buffer_data(state), 20, NULL);
  for (int i = 0; i < 2; ++i) REFUSES(rmcrdt_loader_step(broken, 0, &done), RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_loader_take(broken) == NULL, RMCRDT_FAILED_PRECONDITION);
  rmcrdt_loader_free(broken);
  rmcrdt_loader_free(rmcrdt_loader_new(RMCRDT_V1, rmcrdt_buffer_data(state), rmcrdt_buffer_size(state), NULL));
  rmcrdt_buffer_free(state);
  rmcrdt_type_free(there);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(loaded);
  rmcrdt_doc_free(doc);
}

struct heard {
  char text[256];
};

static void hear(struct heard* heard, const rmcrdt_value* documents) {
  for (size_t i = 0; i < rmcrdt_value_get_size(documents); ++i) {
    rmcrdt_value* document = rmcrdt_value_get_element(documents, i);
    rmcrdt_value* guid = rmcrdt_value_get_member(document, TEXT("guid"));
    size_t size = 0;
    const uint8_t* name = rmcrdt_value_get_bytes(guid, &size);
    if (name == NULL || strlen(heard->text) + size + 2 > sizeof(heard->text)) abort();
    strncat(heard->text, (const char*)name, size);
    rmcrdt_value_free(guid);
    rmcrdt_value_free(document);
  }
  strcat(heard->text, "|");
}

static void hear_of_subdocuments(void* context, const rmcrdt_value* added, const rmcrdt_value* removed,
                                 const rmcrdt_value* loaded) {
  hear(context, added);
  hear(context, removed);
  hear(context, loaded);
}

static void subdocuments_are_told_as_they_come_go_and_are_wanted(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_doc* other = doc_of_client(2);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* options = from_json("{\"meta\":[1]}");
  rmcrdt_value* a = rmcrdt_value_new_subdocument(TEXT("a"), options);
  CHECK(rmcrdt_map_set(map, TEXT("k"), a) == RMCRDT_OK);
  struct heard heard = {""};
  rmcrdt_subscription* hearing = rmcrdt_doc_on_subdocuments(other, hear_of_subdocuments, &heard);
  send_all(doc, other);
  CHECK(strcmp(heard.text, "a|||") == 0);
  heard.text[0] = '\0';
  CHECK(rmcrdt_doc_load_subdocument(other, TEXT("a")) == RMCRDT_OK);
  CHECK(rmcrdt_doc_load_subdocument(other, TEXT("never")) == RMCRDT_OK);
  CHECK(strcmp(heard.text, "||a|") == 0);
  CHECK(value_is(rmcrdt_doc_subdocuments(other), "[{\"guid\":\"a\",\"options\":{\"meta\":[1]}}]"));
  rmcrdt_value* there = rmcrdt_map_get(map, TEXT("k"));
  CHECK(value_is(rmcrdt_value_get_options(there), "{\"meta\":[1]}"));
  CHECK(value_is(rmcrdt_value_get_options(a), "{\"meta\":[1]}"));
  FAILS(rmcrdt_value_get_options(options) == NULL, RMCRDT_INVALID_ARGUMENT);
  CHECK(rmcrdt_map_delete(map, TEXT("k")) == RMCRDT_OK);
  heard.text[0] = '\0';
  send_all(doc, other);
  CHECK(strcmp(heard.text, "|a|||a||") == 0); /* twice, as in yjs */
  CHECK(value_is(rmcrdt_doc_subdocuments(other), "[]"));
  rmcrdt_subscription_free(hearing);
  CHECK(rmcrdt_map_set(map, TEXT("k"), a) == RMCRDT_OK);
  send_all(doc, other);
  CHECK(strcmp(heard.text, "|a|||a||") == 0);
  rmcrdt_value* values[] = {options, a, there};
  for (size_t i = 0; i < sizeof(values) / sizeof(*values); ++i) rmcrdt_value_free(values[i]);
  rmcrdt_type_free(map);
  rmcrdt_doc_free(other);
  rmcrdt_doc_free(doc);
}

void document_tests(void) {
  RUN(documents_that_hear_of_each_others_updates_come_out_the_same);
  RUN(state_is_had_whole_or_since_a_state_vector);
  RUN(a_snapshot_is_restored_where_what_is_deleted_is_kept);
  RUN(edits_inside_of_transact_are_one_transaction);
  RUN(updates_are_merged_cut_and_converted_without_a_document);
  RUN(an_update_says_whose_structs_it_has_and_may_be_shown_without_what_it_says);
  RUN(a_document_is_loaded_in_steps);
  RUN(subdocuments_are_told_as_they_come_go_and_are_wanted);
}

/* --- values */

static void values_have_their_kind_and_come_back_as_they_were(void) {
  static const struct {
    const char* any; /* as lib0's writeAny gives it */
    size_t size;
    rmcrdt_value_kind kind;
    const char* json;
  } kValues[] = {{"\x7e", 1, RMCRDT_VALUE_NULL, "null"},
                 {"\x78", 1, RMCRDT_VALUE_BOOL, "true"},
                 {"\x7d\x05", 2, RMCRDT_VALUE_NUMBER, "5"},
                 {"\x77\x01x", 3, RMCRDT_VALUE_TEXT, "\"x\""},
                 {"\x74\x01\x09", 3, RMCRDT_VALUE_BYTES, "{\"0\":9}"},
                 {"\x75\x01\x79", 3, RMCRDT_VALUE_ARRAY, "[false]"},
                 {"\x76\x01\x01k\x7f", 5, RMCRDT_VALUE_OBJECT, "{}"}};
  for (size_t i = 0; i < sizeof(kValues) / sizeof(*kValues); ++i) {
    rmcrdt_value* value = rmcrdt_value_from_any((const uint8_t*)kValues[i].any, kValues[i].size);
    CHECK(rmcrdt_value_get_kind(value) == kValues[i].kind);
    rmcrdt_buffer* any = rmcrdt_value_to_any(value);
    CHECK(rmcrdt_buffer_size(any) == kValues[i].size);
    CHECK(memcmp(rmcrdt_buffer_data(any), kValues[i].any, kValues[i].size) == 0);
    rmcrdt_buffer_free(any);
    CHECK(value_is(value, kValues[i].json));
  }
  rmcrdt_value* undefined = rmcrdt_value_from_any(BYTES("\x7f"));
  CHECK(rmcrdt_value_get_kind(undefined) == RMCRDT_VALUE_UNDEFINED);
  FAILS(rmcrdt_value_to_json(undefined) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value_free(undefined);
  FAILS(rmcrdt_value_from_json(TEXT("[1")) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_from_any(BYTES("\x77\x05")) == NULL, RMCRDT_INVALID_ARGUMENT);
}

static void what_a_value_holds_is_had_as_its_kind_only(void) {
  rmcrdt_value* number = rmcrdt_value_from_number(2.5);
  rmcrdt_value* boolean = from_json("true");
  rmcrdt_value* bigint = rmcrdt_value_from_any(BYTES("\x7a\xff\xff\xff\xff\xff\xff\xff\xfe"));
  rmcrdt_value* text = rmcrdt_value_from_text(TEXT("text\0"));
  rmcrdt_value* bytes = rmcrdt_value_from_bytes(BYTES("\0\xff"));
  double d = 0;
  CHECK(rmcrdt_value_get_number(number, &d) == RMCRDT_OK && d == 2.5);
  REFUSES(rmcrdt_value_get_number(bigint, &d), RMCRDT_INVALID_ARGUMENT);
  bool b = false;
  CHECK(rmcrdt_value_get_bool(boolean, &b) == RMCRDT_OK && b);
  REFUSES(rmcrdt_value_get_bool(number, &b), RMCRDT_INVALID_ARGUMENT);
  int64_t i = 0;
  CHECK(rmcrdt_value_get_bigint(bigint, &i) == RMCRDT_OK && i == -2);
  REFUSES(rmcrdt_value_get_bigint(number, &i), RMCRDT_INVALID_ARGUMENT);
  size_t size = 0;
  const uint8_t* held = rmcrdt_value_get_bytes(text, &size);
  CHECK(held != NULL && size == 5 && memcmp(held, "text\0", 5) == 0);
  held = rmcrdt_value_get_bytes(bytes, &size);
  CHECK(held != NULL && size == 2 && memcmp(held, "\0\xff", 2) == 0);
  FAILS(rmcrdt_value_get_bytes(number, &size) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_get_type(number) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_get_guid(number, &size) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_to_json(bigint) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value_free(number);
  rmcrdt_value_free(boolean);
  rmcrdt_value_free(bigint);
  rmcrdt_value_free(text);
  rmcrdt_value_free(bytes);
}

static void new_types_and_documents_are_put_in_with_what_they_start_with(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* array = rmcrdt_value_new_type(RMCRDT_KIND_ARRAY, NULL, 0);
  rmcrdt_value* text = rmcrdt_value_new_type(RMCRDT_KIND_TEXT, NULL, 0);
  rmcrdt_value* element = rmcrdt_value_new_type(RMCRDT_KIND_XML_ELEMENT, TEXT("p"));
  rmcrdt_value* one = rmcrdt_value_from_number(1);
  CHECK(rmcrdt_value_get_kind(array) == RMCRDT_VALUE_NEW_TYPE);
  CHECK(rmcrdt_value_set_text(text, TEXT("words")) == RMCRDT_OK);
  CHECK(rmcrdt_value_set(element, TEXT("class"), one) == RMCRDT_OK);
  CHECK(rmcrdt_value_push(array, text) == RMCRDT_OK);
  CHECK(rmcrdt_value_push(array, one) == RMCRDT_OK);
  CHECK(rmcrdt_value_push(array, element) == RMCRDT_OK);
  CHECK(rmcrdt_value_push(array, array) == RMCRDT_OK); /* a copy of what it is so far */
  REFUSES(rmcrdt_value_push(text, one), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_value_push(one, one), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_value_set(array, TEXT("k"), one), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_value_set_text(array, TEXT("t")), RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_to_json(array) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_to_any(array) == NULL, RMCRDT_INVALID_ARGUMENT);
  CHECK(rmcrdt_map_set(map, TEXT("a"), array) == RMCRDT_OK);
  CHECK(holds(rmcrdt_type_to_json(map),
              "{\"a\":[\"words\",1,\"<p class=\\\"1\\\"></p>\",[\"words\",1,\"<p class=\\\"1\\\"></p>\"]]}"));
  rmcrdt_value* options = from_json("{\"meta\":1}");
  rmcrdt_value* document = rmcrdt_value_new_subdocument(TEXT("guid-1"), options);
  CHECK(rmcrdt_value_get_kind(document) == RMCRDT_VALUE_NEW_SUBDOCUMENT);
  CHECK(rmcrdt_map_set(map, TEXT("d"), document) == RMCRDT_OK);
  rmcrdt_value* there = rmcrdt_map_get(map, TEXT("d"));
  CHECK(rmcrdt_value_get_kind(there) == RMCRDT_VALUE_SUBDOCUMENT);
  size_t size = 0;
  CHECK(memcmp(rmcrdt_value_get_guid(there, &size), TEXT("guid-1")) == 0 && size == 6);
  CHECK(holds(rmcrdt_value_to_json(there), "{}"));
  REFUSES(rmcrdt_map_set(map, TEXT("again"), there), RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_value_new_subdocument(TEXT("guid-2"), one) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value* values[] = {array, text, element, one, options, document, there};
  for (size_t i = 0; i < sizeof(values) / sizeof(*values); ++i) rmcrdt_value_free(values[i]);
  rmcrdt_type_free(map);
  rmcrdt_doc_free(doc);
}

static void arrays_and_objects_are_read_element_by_element(void) {
  rmcrdt_value* array = from_json("[1,{\"k\":[2],\"l\":null}]");
  CHECK(rmcrdt_value_get_size(array) == 2);
  CHECK(value_is(rmcrdt_value_get_element(array, 0), "1"));
  rmcrdt_value* object = rmcrdt_value_get_element(array, 1);
  rmcrdt_value_free(array);
  CHECK(rmcrdt_value_get_size(object) == 2);
  CHECK(value_is(rmcrdt_value_get_member(object, TEXT("k")), "[2]"));
  FAILS(rmcrdt_value_get_member(object, TEXT("never")) == NULL, RMCRDT_NOT_FOUND);
  FAILS(rmcrdt_value_get_element(object, 0) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value* list = rmcrdt_value_get_member(object, TEXT("k"));
  FAILS(rmcrdt_value_get_element(list, 1) == NULL, RMCRDT_NOT_FOUND);
  FAILS(rmcrdt_value_get_member(list, TEXT("k")) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value* number = rmcrdt_value_get_element(list, 0);
  FAILS(rmcrdt_value_get_size(number) == 0, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value_free(number);
  rmcrdt_value_free(list);
  rmcrdt_value_free(object);
}

static void new_types_nest_512_deep_at_most(void) {
  rmcrdt_value* inner = rmcrdt_value_new_type(RMCRDT_KIND_ARRAY, NULL, 0);
  for (int depth = 2; depth <= 512; ++depth) {
    rmcrdt_value* outer = rmcrdt_value_new_type(RMCRDT_KIND_ARRAY, NULL, 0);
    CHECK(rmcrdt_value_push(outer, inner) == RMCRDT_OK);
    rmcrdt_value_free(inner);
    inner = outer;
  }
  rmcrdt_value* outer = rmcrdt_value_new_type(RMCRDT_KIND_MAP, NULL, 0);
  REFUSES(rmcrdt_value_set(outer, TEXT("k"), inner), RMCRDT_RESOURCE_EXHAUSTED);
  rmcrdt_value_free(outer);
  rmcrdt_value_free(inner);
}

void value_tests(void) {
  RUN(values_have_their_kind_and_come_back_as_they_were);
  RUN(what_a_value_holds_is_had_as_its_kind_only);
  RUN(new_types_and_documents_are_put_in_with_what_they_start_with);
  RUN(arrays_and_objects_are_read_element_by_element);
  RUN(new_types_nest_512_deep_at_most);
}
