/* Versions, attribution and more of positions of rivermeet_crdt.h. */
#include <stdlib.h>
#include <string.h>

#include "c_api_testing.h"

static rmcrdt_buffer* version_of(const rmcrdt_doc* doc) { return rmcrdt_doc_encode_snapshot(doc, RMCRDT_V2); }

static void a_position_is_written_as_json_and_read_from_it(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("abc"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* position = rmcrdt_position_at(text, 1, -1);
  rmcrdt_buffer* json = rmcrdt_position_to_json(rmcrdt_buffer_data(position), rmcrdt_buffer_size(position));
  rmcrdt_buffer* again =
      rmcrdt_position_from_json((const char*)rmcrdt_buffer_data(json), rmcrdt_buffer_size(json));
  CHECK(rmcrdt_buffer_size(again) == rmcrdt_buffer_size(position));
  CHECK(memcmp(rmcrdt_buffer_data(again), rmcrdt_buffer_data(position), rmcrdt_buffer_size(again)) == 0);
  CHECK(holds(json, "{\"item\":{\"client\":1,\"clock\":0},\"assoc\":-1}"));
  FAILS(rmcrdt_position_to_json(BYTES("\x09")) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_position_from_json(TEXT("{}")) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_buffer_free(again);
  rmcrdt_buffer_free(position);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void what_an_undo_brought_back_is_found_by_those_who_know(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("abc"), NULL) == RMCRDT_OK);
  rmcrdt_undo* undo = rmcrdt_undo_new(doc, &text, 1, 0);
  rmcrdt_buffer* at = rmcrdt_position_at(text, 1, 0);
  CHECK(rmcrdt_text_delete(text, 0, 3) == RMCRDT_OK);
  CHECK(rmcrdt_undo_undo(undo, NULL) == RMCRDT_OK);
  const rmcrdt_view position = view_of(at);
  uint64_t index = 99;
  rmcrdt_type* known = rmcrdt_position_resolve(doc, position.data, position.size, &index);
  CHECK(rmcrdt_type_same(known, text) && index == 1);
  rmcrdt_type* to_others = rmcrdt_position_resolve_as_others(doc, position.data, position.size, &index);
  CHECK(rmcrdt_type_same(to_others, text) && index == 3);
  FAILS(rmcrdt_position_resolve_as_others(doc, BYTES("\x09"), NULL) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_buffer_free(at);
  rmcrdt_undo_free(undo);
  rmcrdt_type_free(known);
  rmcrdt_type_free(to_others);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void snapshots_are_compared_with_each_other_and_with_updates(void) {
  rmcrdt_doc* doc = keeping_doc_of_client(1);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  push_json(list, "1");
  rmcrdt_buffer* first = version_of(doc);
  rmcrdt_buffer* again = version_of(doc);
  rmcrdt_buffer* update = rmcrdt_doc_encode_state(doc, RMCRDT_V2, NULL, 0);
  push_json(list, "2");
  rmcrdt_buffer* second = version_of(doc);
  rmcrdt_buffer* later = rmcrdt_doc_encode_state(doc, RMCRDT_V2, NULL, 0);
  const rmcrdt_view a = view_of(first), b = view_of(again), c = view_of(second), old = view_of(update),
                    new = view_of(later);
  bool equal = false, contains = false;
  CHECK(rmcrdt_snapshot_equal(RMCRDT_V2, a.data, a.size, b.data, b.size, &equal) == RMCRDT_OK && equal);
  CHECK(rmcrdt_snapshot_equal(RMCRDT_V2, a.data, a.size, c.data, c.size, &equal) == RMCRDT_OK && !equal);
  CHECK(rmcrdt_snapshot_contains(RMCRDT_V2, a.data, a.size, old.data, old.size, &contains) == RMCRDT_OK && contains);
  CHECK(rmcrdt_snapshot_contains(RMCRDT_V2, a.data, a.size, new.data, new.size, &contains) == RMCRDT_OK && !contains);
  REFUSES(rmcrdt_snapshot_equal(RMCRDT_V2, a.data, a.size, BYTES("\1"), &equal), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_snapshot_contains(RMCRDT_V2, a.data, a.size, BYTES("\1"), &contains), RMCRDT_INVALID_ARGUMENT);
  rmcrdt_buffer* buffers[] = {first, again, update, second, later};
  for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) rmcrdt_buffer_free(buffers[i]);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(doc);
}

/* Whether that is how the diff's run changed, what it holds and by whom, as JSON. */
static bool run_is(const rmcrdt_diff* diff, size_t run, rmcrdt_change change, const char* value, const char* author) {
  return rmcrdt_diff_change(diff, run) == change && value_is(rmcrdt_diff_value(diff, run), value) &&
         value_is(rmcrdt_diff_author(diff, run), author);
}

static void two_versions_of_a_text_differ_run_by_run(void) {
  rmcrdt_doc* doc = keeping_doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  const uint64_t deleting = 5;
  int64_t time = 1000;
  CHECK(rmcrdt_doc_keep_attribution(doc, NULL, 0) == RMCRDT_OK);
  CHECK(rmcrdt_doc_attribute_to(doc, &deleting, &time) == RMCRDT_OK);
  CHECK(rmcrdt_text_insert(text, 0, TEXT("abcd"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* then = version_of(doc);
  time = 2000;
  CHECK(rmcrdt_doc_attribute_to(doc, &deleting, &time) == RMCRDT_OK);
  CHECK(rmcrdt_text_delete(text, 1, 2) == RMCRDT_OK);
  rmcrdt_value* bold = from_json("{\"bold\":true}");
  CHECK(rmcrdt_doc_attribute_to(doc, NULL, NULL) == RMCRDT_OK);
  CHECK(rmcrdt_text_insert(text, 2, TEXT("E"), bold) == RMCRDT_OK);
  const rmcrdt_view before = view_of(then);
  rmcrdt_diff* diff = rmcrdt_text_diff(text, RMCRDT_V2, &before, NULL);
  CHECK(rmcrdt_diff_size(diff) == 4);
  CHECK(run_is(diff, 0, RMCRDT_CHANGE_SAME, "\"a\"", "{\"client\":1,\"clock\":0,\"written\":1000}"));
  CHECK(run_is(diff, 1, RMCRDT_CHANGE_REMOVED, "\"bc\"",
               "{\"client\":1,\"clock\":1,\"written\":1000,\"removedBy\":5,\"removed\":2000}"));
  CHECK(rmcrdt_diff_length(diff, 1) == 2);
  CHECK(run_is(diff, 3, RMCRDT_CHANGE_ADDED, "\"E\"", "{\"client\":1,\"clock\":5}"));
  CHECK(value_is(rmcrdt_diff_attributes(diff, 3), "{\"bold\":true}"));
  FAILS(rmcrdt_diff_attributes(diff, 0) == NULL, RMCRDT_NOT_FOUND);
  size_t size = 0;
  FAILS(rmcrdt_diff_key(diff, 0, &size) == NULL, RMCRDT_NOT_FOUND);
  FAILS(rmcrdt_diff_change(diff, 4) == RMCRDT_CHANGE_SAME, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_diff_length(diff, 4) == 0, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_diff_value(diff, 4) == NULL, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_diff_key(diff, 4, &size) == NULL, RMCRDT_OUT_OF_RANGE);
  rmcrdt_diff_free(diff);
  diff = rmcrdt_text_diff(text, RMCRDT_V2, NULL, &before);
  CHECK(rmcrdt_diff_size(diff) == 1 && rmcrdt_diff_change(diff, 0) == RMCRDT_CHANGE_ADDED);
  CHECK(value_is(rmcrdt_diff_value(diff, 0), "\"abcd\""));
  rmcrdt_diff_free(diff);
  const rmcrdt_view broken = {BYTES("\1")};
  FAILS(rmcrdt_text_diff(text, RMCRDT_V2, &before, &broken) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_delta* delta = rmcrdt_text_delta_at(text, RMCRDT_V2, &before, NULL);
  CHECK(rmcrdt_delta_size(delta) == 1 && value_is(rmcrdt_delta_step_value(delta, 0, 0), "\"abcd\""));
  rmcrdt_delta_free(delta);
  rmcrdt_buffer* later = version_of(doc);
  const rmcrdt_view after = view_of(later);
  delta = rmcrdt_text_delta_at(text, RMCRDT_V2, &after, &before);
  CHECK(rmcrdt_delta_size(delta) == 4);
  CHECK(rmcrdt_delta_step_length(delta, 1) == 2);
  CHECK(value_is(rmcrdt_delta_step_attributes(delta, 1), "{\"ychange\":{\"type\":\"removed\"}}"));
  rmcrdt_delta_free(delta);
  rmcrdt_buffer_free(later);
  rmcrdt_buffer_free(then);
  rmcrdt_value_free(bold);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void free_handle(void* context, bool local) {
  rmcrdt_type** handle = context;
  CHECK(local);
  rmcrdt_type_free(*handle);
  *handle = NULL;
}

static void a_text_may_be_freed_while_its_delta_is_made(void) {
  rmcrdt_doc* doc = keeping_doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("ab"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* then = version_of(doc);
  CHECK(rmcrdt_text_insert(text, 2, TEXT("c"), NULL) == RMCRDT_OK);
  rmcrdt_subscription* freeing = rmcrdt_doc_on_transaction(doc, free_handle, &text);
  const rmcrdt_view version = view_of(then);
  rmcrdt_delta* delta = rmcrdt_text_delta_at(text, RMCRDT_V2, &version, NULL);
  CHECK(text == NULL);
  CHECK(value_is(rmcrdt_delta_step_value(delta, 0, 0), "\"ab\""));
  rmcrdt_delta_free(delta);
  rmcrdt_subscription_free(freeing);
  rmcrdt_buffer_free(then);
  rmcrdt_doc_free(doc);
}

static void two_versions_of_a_list_or_map_differ_by_elements_and_keys(void) {
  rmcrdt_doc* doc = keeping_doc_of_client(1);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* one = from_json("1");
  rmcrdt_value* text = rmcrdt_value_new_type(RMCRDT_KIND_TEXT, NULL, 0);
  CHECK(rmcrdt_value_set_text(text, TEXT("inside")) == RMCRDT_OK);
  push_json(list, "\"kept\"");
  push_json(list, "\"gone\"");
  CHECK(rmcrdt_map_set(map, TEXT("k"), one) == RMCRDT_OK);
  CHECK(rmcrdt_map_set(map, TEXT("same"), one) == RMCRDT_OK);
  rmcrdt_buffer* then = version_of(doc);
  const rmcrdt_view before = view_of(then);
  CHECK(rmcrdt_list_delete(list, 1, 1) == RMCRDT_OK);
  CHECK(rmcrdt_list_push(list, (const rmcrdt_value* const[]){text}, 1) == RMCRDT_OK);
  CHECK(rmcrdt_map_set(map, TEXT("k"), text) == RMCRDT_OK);
  rmcrdt_diff* diff = rmcrdt_list_diff(list, RMCRDT_V2, &before, NULL);
  CHECK(rmcrdt_diff_size(diff) == 3);
  CHECK(run_is(diff, 0, RMCRDT_CHANGE_SAME, "\"kept\"", "{\"client\":1,\"clock\":0}"));
  CHECK(run_is(diff, 1, RMCRDT_CHANGE_REMOVED, "\"gone\"", "{\"client\":1,\"clock\":1}"));
  rmcrdt_value* added = rmcrdt_diff_value(diff, 2);
  rmcrdt_diff_free(diff);
  rmcrdt_type* inside = rmcrdt_value_get_type(added);
  CHECK(holds(rmcrdt_text_plain(inside), "inside"));
  diff = rmcrdt_map_diff(map, RMCRDT_V2, &before, NULL);
  CHECK(rmcrdt_diff_size(diff) == 2);
  CHECK(run_is(diff, 0, RMCRDT_CHANGE_REMOVED, "1", "{\"client\":1,\"clock\":2}"));
  CHECK(rmcrdt_diff_change(diff, 1) == RMCRDT_CHANGE_ADDED && rmcrdt_diff_length(diff, 1) == 1);
  for (size_t run = 0; run < 2; ++run) {
    size_t size = 0;
    CHECK(strcmp(rmcrdt_diff_key(diff, run, &size), "k") == 0 && size == 1);
  }
  rmcrdt_diff_free(diff);
  diff = rmcrdt_map_diff(map, RMCRDT_V2, NULL, &before);
  CHECK(rmcrdt_diff_size(diff) == 2 && value_is(rmcrdt_diff_value(diff, 0), "1"));
  rmcrdt_diff_free(diff);
  rmcrdt_buffer_free(then);
  rmcrdt_value* values[] = {one, text, added};
  for (size_t i = 0; i < sizeof(values) / sizeof(*values); ++i) rmcrdt_value_free(values[i]);
  rmcrdt_type* types[] = {list, map, inside};
  for (size_t i = 0; i < sizeof(types) / sizeof(*types); ++i) rmcrdt_type_free(types[i]);
  rmcrdt_doc_free(doc);
}

static void who_wrote_what_is_kept_beside_the_document(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  FAILS(rmcrdt_doc_encode_attribution(doc) == NULL, RMCRDT_FAILED_PRECONDITION);
  push_json(list, "1");
  CHECK(rmcrdt_doc_keep_attribution(doc, NULL, 0) == RMCRDT_OK);
  const int64_t time = 77;
  CHECK(rmcrdt_doc_attribute_to(doc, NULL, &time) == RMCRDT_OK);
  push_json(list, "2");
  CHECK(value_is(rmcrdt_type_authors(list, 0, 9),
                 "[{\"length\":1,\"client\":1},{\"length\":1,\"client\":1,\"written\":77}]"));
  rmcrdt_buffer* table = rmcrdt_doc_encode_attribution(doc);
  rmcrdt_doc* again = doc_of_client(2);
  CHECK(rmcrdt_doc_keep_attribution(again, rmcrdt_buffer_data(table), rmcrdt_buffer_size(table)) == RMCRDT_OK);
  send_all(doc, again);
  rmcrdt_type* theirs = root(again, RMCRDT_KIND_ARRAY, "l");
  CHECK(value_is(rmcrdt_type_authors(theirs, 1, 2), "[{\"length\":1,\"client\":1,\"written\":77}]"));
  REFUSES(rmcrdt_doc_keep_attribution(again, BYTES("\x09")), RMCRDT_INVALID_ARGUMENT);
  const uint64_t client = UINT64_C(1) << 53;
  REFUSES(rmcrdt_doc_attribute_to(again, &client, NULL), RMCRDT_INVALID_ARGUMENT);
  rmcrdt_buffer_free(table);
  rmcrdt_type_free(theirs);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(again);
  rmcrdt_doc_free(doc);
}

void version_tests(void) {
  RUN(a_position_is_written_as_json_and_read_from_it);
  RUN(what_an_undo_brought_back_is_found_by_those_who_know);
  RUN(snapshots_are_compared_with_each_other_and_with_updates);
  RUN(two_versions_of_a_text_differ_run_by_run);
  RUN(a_text_may_be_freed_while_its_delta_is_made);
  RUN(two_versions_of_a_list_or_map_differ_by_elements_and_keys);
  RUN(who_wrote_what_is_kept_beside_the_document);
}
