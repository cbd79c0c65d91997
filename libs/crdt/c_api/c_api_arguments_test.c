/* What rivermeet_crdt.h does with arguments that can't be: an error, whichever function it is. */
#include <stdlib.h>
#include <string.h>

#include "c_api_testing.h"

#define BAD RMCRDT_INVALID_ARGUMENT

static void a_null_document_is_refused(void) {
  FAILS(rmcrdt_doc_client_id(NULL) == 0, BAD);
  FAILS(!rmcrdt_doc_has_pending(NULL), BAD);
  FAILS(rmcrdt_doc_memory_bytes(NULL) == 0, BAD);
  FAILS(rmcrdt_doc_struct_count(NULL) == 0, BAD);
  REFUSES(rmcrdt_doc_apply(NULL, RMCRDT_V1, BYTES("\0\0"), NULL, 0), BAD);
  REFUSES(rmcrdt_doc_apply_all(NULL, RMCRDT_V1, NULL, 0, NULL, 0, NULL), BAD);
  FAILS(rmcrdt_doc_encode_state(NULL, RMCRDT_V1, NULL, 0) == NULL, BAD);
  FAILS(rmcrdt_doc_encode_state_vector(NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_encode_snapshot(NULL, RMCRDT_V1) == NULL, BAD);
  FAILS(rmcrdt_doc_dump_structs(NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_restore_snapshot(NULL, RMCRDT_V1, BYTES("\0\0"), NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_to_json(NULL) == NULL, BAD);
  REFUSES(rmcrdt_doc_transact(NULL, NULL, 0, NULL, NULL), BAD);
  FAILS(rmcrdt_doc_on_update(NULL, RMCRDT_V1, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_on_transaction(NULL, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_get_root(NULL, RMCRDT_KIND_MAP, TEXT("m")) == NULL, BAD);
  FAILS(rmcrdt_doc_find_root(NULL, TEXT("m")) == NULL, BAD);
  FAILS(rmcrdt_doc_observe(NULL, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_subdocuments(NULL) == NULL, BAD);
  REFUSES(rmcrdt_doc_load_subdocument(NULL, TEXT("g")), BAD);
  FAILS(rmcrdt_doc_on_subdocuments(NULL, NULL, NULL) == NULL, BAD);
  REFUSES(rmcrdt_doc_keep_attribution(NULL, NULL, 0), BAD);
  REFUSES(rmcrdt_doc_attribute_to(NULL, NULL, NULL), BAD);
  FAILS(rmcrdt_doc_encode_attribution(NULL) == NULL, BAD);
  FAILS(rmcrdt_position_resolve_as_others(NULL, BYTES("\0"), NULL) == NULL, BAD);
  FAILS(rmcrdt_undo_new(NULL, NULL, 0, 0) == NULL, BAD);
  FAILS(rmcrdt_position_resolve(NULL, BYTES("\0"), NULL) == NULL, BAD);
  REFUSES(rmcrdt_options_init(NULL, sizeof(rmcrdt_options)), BAD);
}

static void a_null_type_is_refused(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  FAILS(rmcrdt_type_kind(NULL) == RMCRDT_KIND_UNTYPED, BAD);
  FAILS(!rmcrdt_type_alive(NULL), BAD);
  FAILS(!rmcrdt_type_same(NULL, map), BAD);
  FAILS(!rmcrdt_type_same(map, NULL), BAD);
  FAILS(rmcrdt_type_name(NULL) == NULL, BAD);
  FAILS(rmcrdt_type_length(NULL) == 0, BAD);
  FAILS(rmcrdt_type_to_json(NULL) == NULL, BAD);
  FAILS(rmcrdt_type_to_xml(NULL) == NULL, BAD);
  FAILS(rmcrdt_type_observe(NULL, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_type_observe_deep(NULL, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_list_get(NULL, 0) == NULL, BAD);
  REFUSES(rmcrdt_list_insert(NULL, 0, NULL, 0), BAD);
  REFUSES(rmcrdt_list_push(NULL, NULL, 0), BAD);
  REFUSES(rmcrdt_list_delete(NULL, 0, 0), BAD);
  FAILS(rmcrdt_map_get(NULL, TEXT("k")) == NULL, BAD);
  REFUSES(rmcrdt_map_set(NULL, TEXT("k"), NULL), BAD);
  REFUSES(rmcrdt_map_set(map, TEXT("k"), NULL), BAD);
  REFUSES(rmcrdt_map_delete(NULL, TEXT("k")), BAD);
  REFUSES(rmcrdt_map_clear(NULL), BAD);
  FAILS(rmcrdt_map_keys(NULL) == NULL, BAD);
  FAILS(rmcrdt_text_plain(NULL) == NULL, BAD);
  REFUSES(rmcrdt_text_insert(NULL, 0, TEXT("x"), NULL), BAD);
  REFUSES(rmcrdt_text_insert_embed(NULL, 0, NULL, NULL), BAD);
  REFUSES(rmcrdt_text_delete(NULL, 0, 0), BAD);
  REFUSES(rmcrdt_text_format(NULL, 0, 0, NULL), BAD);
  FAILS(rmcrdt_text_to_delta(NULL) == NULL, BAD);
  REFUSES(rmcrdt_text_apply_delta(NULL, NULL), BAD);
  FAILS(rmcrdt_position_at(NULL, 0, 0) == NULL, BAD);
  FAILS(rmcrdt_type_parent(NULL) == NULL, BAD);
  FAILS(rmcrdt_type_step(NULL) == NULL, BAD);
  FAILS(rmcrdt_type_authors(NULL, 0, 1) == NULL, BAD);
  FAILS(rmcrdt_text_length(NULL, RMCRDT_UNIT_UTF8) == 0, BAD);
  FAILS(rmcrdt_text_convert_place(NULL, 1, RMCRDT_UNIT_UTF8, RMCRDT_UNIT_UTF16) == 0, BAD);
  FAILS(rmcrdt_text_delta_at(NULL, RMCRDT_V1, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_text_diff(NULL, RMCRDT_V1, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_list_diff(NULL, RMCRDT_V1, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_map_diff(NULL, RMCRDT_V1, NULL, NULL) == NULL, BAD);
  rmcrdt_type_free(map);
  rmcrdt_doc_free(doc);
}

static void any_other_null_is_refused(void) {
  size_t size = 0;
  bool boolean = false;
  double number = 0;
  int64_t bigint = 0;
  FAILS(rmcrdt_value_get_kind(NULL) == RMCRDT_VALUE_UNDEFINED, BAD);
  FAILS(rmcrdt_value_to_json(NULL) == NULL, BAD);
  FAILS(rmcrdt_value_to_any(NULL) == NULL, BAD);
  REFUSES(rmcrdt_value_get_bool(NULL, &boolean), BAD);
  REFUSES(rmcrdt_value_get_number(NULL, &number), BAD);
  REFUSES(rmcrdt_value_get_bigint(NULL, &bigint), BAD);
  FAILS(rmcrdt_value_get_bytes(NULL, &size) == NULL, BAD);
  FAILS(rmcrdt_value_get_type(NULL) == NULL, BAD);
  FAILS(rmcrdt_value_get_guid(NULL, &size) == NULL, BAD);
  rmcrdt_value* value = from_json("true");
  REFUSES(rmcrdt_value_get_bool(value, NULL), BAD);
  REFUSES(rmcrdt_value_get_number(value, NULL), BAD);
  REFUSES(rmcrdt_value_get_bigint(value, NULL), BAD);
  FAILS(rmcrdt_value_get_bytes(value, NULL) == NULL, BAD);
  FAILS(rmcrdt_value_get_guid(value, NULL) == NULL, BAD);
  REFUSES(rmcrdt_value_push(NULL, value), BAD);
  REFUSES(rmcrdt_value_set(NULL, TEXT("k"), value), BAD);
  REFUSES(rmcrdt_value_set_text(NULL, TEXT("k")), BAD);
  rmcrdt_value_free(value);
  REFUSES(rmcrdt_delta_insert(NULL, NULL, NULL), BAD);
  REFUSES(rmcrdt_delta_retain(NULL, 1, NULL), BAD);
  REFUSES(rmcrdt_delta_delete(NULL, 1), BAD);
  FAILS(rmcrdt_delta_size(NULL) == 0, BAD);
  FAILS(rmcrdt_delta_step_kind(NULL, 0) == RMCRDT_STEP_RETAIN, BAD);
  FAILS(rmcrdt_delta_step_length(NULL, 0) == 0, BAD);
  FAILS(rmcrdt_delta_step_value_count(NULL, 0) == 0, BAD);
  FAILS(rmcrdt_delta_step_value(NULL, 0, 0) == NULL, BAD);
  FAILS(rmcrdt_delta_step_attributes(NULL, 0) == NULL, BAD);
  FAILS(rmcrdt_event_target(NULL) == NULL, BAD);
  FAILS(!rmcrdt_event_local(NULL), BAD);
  FAILS(rmcrdt_event_path(NULL) == NULL, BAD);
  FAILS(rmcrdt_event_delta(NULL) == NULL, BAD);
  FAILS(rmcrdt_event_key_count(NULL) == 0, BAD);
  FAILS(rmcrdt_event_key(NULL, 0, &size) == NULL, BAD);
  FAILS(rmcrdt_event_key_action(NULL, 0) == RMCRDT_KEY_ADDED, BAD);
  FAILS(rmcrdt_event_key_old_value(NULL, 0) == NULL, BAD);
  REFUSES(rmcrdt_undo_track_origin(NULL, TEXT("o")), BAD);
  REFUSES(rmcrdt_undo_undo(NULL, NULL), BAD);
  REFUSES(rmcrdt_undo_redo(NULL, NULL), BAD);
  FAILS((rmcrdt_undo_stop_capturing(NULL), true), BAD);
  FAILS((rmcrdt_undo_clear(NULL), true), BAD);
  FAILS(rmcrdt_undo_undo_count(NULL) == 0, BAD);
  FAILS(rmcrdt_undo_redo_count(NULL) == 0, BAD);
}

static void a_null_of_1_1_is_refused(void) {
  size_t size = 0;
  bool answer = false;
  FAILS(rmcrdt_value_get_options(NULL) == NULL, BAD);
  FAILS(rmcrdt_value_get_size(NULL) == 0, BAD);
  FAILS(rmcrdt_value_get_element(NULL, 0) == NULL, BAD);
  FAILS(rmcrdt_value_get_member(NULL, TEXT("k")) == NULL, BAD);
  FAILS(rmcrdt_event_origin(NULL, &size) == NULL, BAD);
  FAILS(!rmcrdt_transaction_local(NULL), BAD);
  FAILS(rmcrdt_transaction_origin(NULL, &size) == NULL, BAD);
  FAILS(rmcrdt_transaction_changed_count(NULL) == 0, BAD);
  FAILS(rmcrdt_transaction_changed(NULL, 0) == NULL, BAD);
  REFUSES(rmcrdt_loader_step(NULL, 0, &answer), BAD);
  FAILS(rmcrdt_loader_take(NULL) == NULL, BAD);
  rmcrdt_loader* loader = rmcrdt_loader_new(RMCRDT_V1, BYTES("\0\0"), NULL);
  REFUSES(rmcrdt_loader_step(loader, 0, NULL), BAD);
  rmcrdt_loader_free(loader);
  FAILS(rmcrdt_undo_observe(NULL, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_undo_event_change(NULL) == RMCRDT_UNDO_ITEM_ADDED, BAD);
  FAILS(rmcrdt_undo_event_stack(NULL) == RMCRDT_STACK_UNDO, BAD);
  FAILS(rmcrdt_undo_event_origin(NULL, &size) == NULL, BAD);
  FAILS(rmcrdt_undo_event_changed_count(NULL) == 0, BAD);
  FAILS(rmcrdt_undo_event_changed(NULL, 0) == NULL, BAD);
  REFUSES(rmcrdt_undo_event_set_note(NULL, TEXT("k"), NULL), BAD);
  FAILS(rmcrdt_undo_event_get_note(NULL, TEXT("k")) == NULL, BAD);
  FAILS(rmcrdt_undo_current_note(NULL, TEXT("k")) == NULL, BAD);
  REFUSES(rmcrdt_snapshot_equal(RMCRDT_V1, BYTES("\0\0"), BYTES("\0\0"), NULL), BAD);
  REFUSES(rmcrdt_snapshot_contains(RMCRDT_V1, BYTES("\0\0"), BYTES("\0\0"), NULL), BAD);
  FAILS(rmcrdt_diff_size(NULL) == 0, BAD);
  FAILS(rmcrdt_diff_change(NULL, 0) == RMCRDT_CHANGE_SAME, BAD);
  FAILS(rmcrdt_diff_length(NULL, 0) == 0, BAD);
  FAILS(rmcrdt_diff_value(NULL, 0) == NULL, BAD);
  FAILS(rmcrdt_diff_attributes(NULL, 0) == NULL, BAD);
  FAILS(rmcrdt_diff_key(NULL, 0, &size) == NULL, BAD);
  FAILS(rmcrdt_diff_author(NULL, 0) == NULL, BAD);
}

static void null_is_freed_and_is_an_empty_buffer(void) {
  set_error_but(RMCRDT_OK);
  const rmcrdt_code before = rmcrdt_error_code();
  rmcrdt_buffer_free(NULL);
  rmcrdt_doc_free(NULL);
  rmcrdt_subscription_free(NULL);
  rmcrdt_value_free(NULL);
  rmcrdt_type_free(NULL);
  rmcrdt_delta_free(NULL);
  rmcrdt_undo_free(NULL);
  rmcrdt_loader_free(NULL);
  rmcrdt_diff_free(NULL);
  CHECK(rmcrdt_buffer_size(NULL) == 0 && rmcrdt_buffer_data(NULL)[0] == 0);
  CHECK(rmcrdt_error_code() == before);
}

static void bytes_that_are_null_but_have_a_size_are_refused(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  const rmcrdt_view view = {NULL, 1};
  REFUSES(rmcrdt_doc_apply(doc, RMCRDT_V1, NULL, 1, NULL, 0), BAD);
  REFUSES(rmcrdt_doc_apply(doc, RMCRDT_V1, BYTES("\0\0"), NULL, 1), BAD);
  REFUSES(rmcrdt_doc_apply_all(doc, RMCRDT_V1, NULL, 1, NULL, 0, NULL), BAD);
  REFUSES(rmcrdt_doc_apply_all(doc, RMCRDT_V1, &view, 1, NULL, 0, NULL), BAD);
  FAILS(rmcrdt_update_merge(RMCRDT_V1, NULL, 1, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_encode_state(doc, RMCRDT_V1, NULL, 1) == NULL, BAD);
  FAILS(rmcrdt_loader_new(RMCRDT_V1, NULL, 1, NULL) == NULL, BAD);
  FAILS(rmcrdt_text_diff(list, RMCRDT_V1, &view, NULL) == NULL, BAD);
  FAILS(rmcrdt_position_to_json(NULL, 1) == NULL, BAD);
  FAILS(rmcrdt_position_from_json(NULL, 1) == NULL, BAD);
  REFUSES(rmcrdt_doc_keep_attribution(doc, NULL, 1), BAD);
  FAILS(rmcrdt_value_from_json(NULL, 1) == NULL, BAD);
  REFUSES(rmcrdt_list_push(list, NULL, 1), BAD);
  const rmcrdt_value* const values[] = {NULL};
  REFUSES(rmcrdt_list_push(list, values, 1), BAD);
  FAILS(rmcrdt_undo_new(doc, NULL, 1, 0) == NULL, BAD);
  rmcrdt_type* scope = NULL;
  FAILS(rmcrdt_undo_new(doc, &scope, 1, 0) == NULL, BAD);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(doc);
}

static void numbers_that_are_none_of_an_enums_are_refused(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  const rmcrdt_format none = (rmcrdt_format)3;
  REFUSES(rmcrdt_doc_apply(doc, none, BYTES("\0\0"), NULL, 0), BAD);
  CHECK(strstr(rmcrdt_error_message(), "3") != NULL);
  REFUSES(rmcrdt_doc_apply(doc, (rmcrdt_format)-1, BYTES("\0\0"), NULL, 0), BAD);
  FAILS(rmcrdt_doc_encode_state(doc, none, NULL, 0) == NULL, BAD);
  FAILS(rmcrdt_doc_on_update(doc, none, (rmcrdt_update_callback)abort, NULL) == NULL, BAD);
  FAILS(rmcrdt_update_convert(RMCRDT_V1, none, BYTES("\0\0"), NULL) == NULL, BAD);
  REFUSES(rmcrdt_update_check(none, BYTES("\0\0"), NULL), BAD);
  FAILS(rmcrdt_loader_new(none, BYTES("\0\0"), NULL) == NULL, BAD);
  FAILS(rmcrdt_update_clients(none, BYTES("\0\0"), NULL) == NULL, BAD);
  REFUSES(rmcrdt_snapshot_equal(none, BYTES("\0\0"), BYTES("\0\0"), &(bool){false}), BAD);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  FAILS(rmcrdt_map_diff(text, none, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_text_length(text, (rmcrdt_text_unit)3) == 0, BAD);
  FAILS(rmcrdt_text_length(text, (rmcrdt_text_unit)-1) == 0, BAD);
  FAILS(rmcrdt_text_convert_place(text, 1, RMCRDT_UNIT_UTF16, (rmcrdt_text_unit)3) == 0, BAD);
  rmcrdt_type_free(text);
  FAILS(rmcrdt_doc_get_root(doc, RMCRDT_KIND_UNTYPED, TEXT("m")) == NULL, BAD);
  FAILS(rmcrdt_doc_get_root(doc, (rmcrdt_kind)7, TEXT("m")) == NULL, BAD);
  FAILS(rmcrdt_value_new_type((rmcrdt_kind)-1, NULL, 0) == NULL, BAD);
  rmcrdt_doc_free(doc);
}

static void what_is_no_text_is_refused_where_text_is_needed(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* value = rmcrdt_value_new_type(RMCRDT_KIND_XML_TEXT, NULL, 0);
  FAILS(rmcrdt_doc_get_root(doc, RMCRDT_KIND_MAP, TEXT("\xff")) == NULL, BAD);
  FAILS(rmcrdt_doc_find_root(doc, TEXT("\xff")) == NULL, BAD);
  REFUSES(rmcrdt_map_set(map, TEXT("\xc3"), value), BAD);
  FAILS(rmcrdt_map_get(map, TEXT("\xc3")) == NULL, BAD);
  REFUSES(rmcrdt_map_delete(map, TEXT("\xc3")), BAD);
  FAILS(rmcrdt_value_from_text(TEXT("\xe2\x82")) == NULL, BAD);
  FAILS(rmcrdt_value_new_type(RMCRDT_KIND_XML_ELEMENT, TEXT("\xff")) == NULL, BAD);
  FAILS(rmcrdt_value_new_type(RMCRDT_KIND_MAP, TEXT("named")) == NULL, BAD);
  FAILS(rmcrdt_value_new_subdocument(TEXT("\xff"), NULL) == NULL, BAD);
  REFUSES(rmcrdt_doc_load_subdocument(doc, TEXT("\xff")), BAD);
  REFUSES(rmcrdt_value_set(value, TEXT("\xff"), value), BAD);
  REFUSES(rmcrdt_value_set_text(value, TEXT("\xff")), BAD);
  FAILS(rmcrdt_value_from_json(TEXT("\"\xff\"")) == NULL, BAD);
  rmcrdt_value_free(value);
  rmcrdt_type_free(map);
  rmcrdt_doc_free(doc);
}

static void options_are_read_as_far_as_they_go(void) {
  rmcrdt_options options;
  REFUSES(rmcrdt_options_init(&options, 0), BAD);
  REFUSES(rmcrdt_options_init(&options, sizeof(options) + 1), BAD);
  CHECK(rmcrdt_options_init(&options, sizeof(options)) == RMCRDT_OK);
  options.struct_size = sizeof(options) + 1;
  FAILS(rmcrdt_doc_new(&options) == NULL, BAD);
  options.struct_size = 0;
  FAILS(rmcrdt_doc_new(&options) == NULL, BAD);
  options.struct_size = sizeof(options);
  options.max_depth = 513;
  FAILS(rmcrdt_doc_new(&options) == NULL, BAD);
  FAILS(rmcrdt_update_merge(RMCRDT_V1, NULL, 0, &options) == NULL, BAD);
  options.max_depth = 1;
  options.has_client_id = true;
  options.client_id = UINT64_C(1) << 53;
  FAILS(rmcrdt_doc_new(&options) == NULL, BAD);
  /* A program that knew of nothing behind the client id: what is behind it isn't read. */
  options.client_id = 77;
  options.struct_size = offsetof(rmcrdt_options, keep_deleted);
  rmcrdt_doc* doc = rmcrdt_doc_new(&options);
  CHECK(rmcrdt_doc_client_id(doc) == 77);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  rmcrdt_value* nested = rmcrdt_value_new_type(RMCRDT_KIND_ARRAY, NULL, 0);
  CHECK(rmcrdt_value_push(nested, nested) == RMCRDT_OK);
  CHECK(rmcrdt_list_push(list, (const rmcrdt_value* const[]){nested}, 1) == RMCRDT_OK);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(doc);
  /* With all of it, the limit holds. */
  options.struct_size = sizeof(options);
  doc = rmcrdt_doc_new(&options);
  list = root(doc, RMCRDT_KIND_ARRAY, "l");
  REFUSES(rmcrdt_list_push(list, (const rmcrdt_value* const[]){nested}, 1), RMCRDT_RESOURCE_EXHAUSTED);
  rmcrdt_value_free(nested);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(doc);
  /* Of a smaller struct no more than it has is written. */
  memset(&options, 0x5a, sizeof(options));
  CHECK(rmcrdt_options_init(&options, offsetof(rmcrdt_options, max_structs)) == RMCRDT_OK);
  CHECK(options.max_update_bytes == UINT64_C(1) << 30);
  CHECK(options.max_structs == UINT64_C(0x5a5a5a5a5a5a5a5a));
}

static void what_needs_a_callback_or_an_object_refuses_none(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  rmcrdt_value* number = rmcrdt_value_from_number(1);
  REFUSES(rmcrdt_doc_transact(doc, NULL, 0, NULL, NULL), BAD);
  FAILS(rmcrdt_doc_on_update(doc, RMCRDT_V1, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_on_transaction(doc, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_observe(doc, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_doc_on_subdocuments(doc, NULL, NULL) == NULL, BAD);
  rmcrdt_undo* undo = rmcrdt_undo_new(doc, NULL, 0, 0);
  FAILS(rmcrdt_undo_observe(undo, NULL, NULL) == NULL, BAD);
  rmcrdt_undo_free(undo);
  FAILS(rmcrdt_type_observe(text, NULL, NULL) == NULL, BAD);
  FAILS(rmcrdt_type_observe_deep(text, NULL, NULL) == NULL, BAD);
  REFUSES(rmcrdt_text_insert(text, 0, TEXT("x"), number), BAD);
  REFUSES(rmcrdt_text_insert_embed(text, 0, number, number), BAD);
  REFUSES(rmcrdt_text_format(text, 0, 1, NULL), BAD);
  REFUSES(rmcrdt_text_format(text, 0, 1, number), BAD);
  CHECK(rmcrdt_type_length(text) == 0);
  rmcrdt_value_free(number);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

void argument_tests(void) {
  RUN(a_null_document_is_refused);
  RUN(a_null_type_is_refused);
  RUN(any_other_null_is_refused);
  RUN(a_null_of_1_1_is_refused);
  RUN(null_is_freed_and_is_an_empty_buffer);
  RUN(bytes_that_are_null_but_have_a_size_are_refused);
  RUN(numbers_that_are_none_of_an_enums_are_refused);
  RUN(what_is_no_text_is_refused_where_text_is_needed);
  RUN(options_are_read_as_far_as_they_go);
  RUN(what_needs_a_callback_or_an_object_refuses_none);
}
