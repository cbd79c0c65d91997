/* Shared types, deltas and positions of rivermeet_crdt.h. */
#include <stdlib.h>
#include <string.h>

#include "c_api_testing.h"

static void never_called(void* context, const rmcrdt_event* const* events, size_t count) {
  (void)context, (void)events, (void)count;
  abort();
}

/* --- shared types */

static void a_list_is_edited_and_read_by_index(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  rmcrdt_value* one = rmcrdt_value_from_number(1);
  rmcrdt_value* two = rmcrdt_value_from_text(TEXT("two"));
  const rmcrdt_value* const values[] = {one, two};
  CHECK(rmcrdt_list_insert(list, 0, values, 2) == RMCRDT_OK);
  CHECK(rmcrdt_list_push(list, values, 2) == RMCRDT_OK);
  CHECK(rmcrdt_list_insert(list, 1, values, 0) == RMCRDT_OK);
  CHECK(rmcrdt_list_delete(list, 1, 2) == RMCRDT_OK);
  CHECK(rmcrdt_type_length(list) == 2);
  CHECK(value_is(rmcrdt_list_get(list, 1), "\"two\""));
  FAILS(rmcrdt_list_get(list, 2) == NULL, RMCRDT_NOT_FOUND);
  REFUSES(rmcrdt_list_insert(list, 3, values, 1), RMCRDT_OUT_OF_RANGE);
  REFUSES(rmcrdt_list_delete(list, 2, 1), RMCRDT_OUT_OF_RANGE);
  REFUSES(rmcrdt_map_set(list, TEXT("k"), one), RMCRDT_FAILED_PRECONDITION);
  REFUSES(rmcrdt_text_insert(list, 0, TEXT("x"), NULL), RMCRDT_FAILED_PRECONDITION);
  CHECK(holds(rmcrdt_type_to_json(list), "[1,\"two\"]"));
  FAILS(rmcrdt_doc_get_root(doc, RMCRDT_KIND_MAP, TEXT("l")) == NULL, RMCRDT_FAILED_PRECONDITION);
  FAILS(rmcrdt_doc_find_root(doc, TEXT("none")) == NULL, RMCRDT_NOT_FOUND);
  CHECK(strstr(rmcrdt_error_message(), "\"none\"") != NULL);
  rmcrdt_value_free(one);
  rmcrdt_value_free(two);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(doc);
}

static void a_map_is_edited_and_read_by_key(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* value = from_json("{\"x\":null}");
  CHECK(rmcrdt_map_set(map, TEXT("b"), value) == RMCRDT_OK);
  CHECK(rmcrdt_map_set(map, TEXT("a"), value) == RMCRDT_OK);
  CHECK(rmcrdt_map_set(map, NULL, 0, value) == RMCRDT_OK);
  CHECK(value_is(rmcrdt_map_keys(map), "[\"b\",\"a\",\"\"]"));
  CHECK(value_is(rmcrdt_map_get(map, TEXT("a")), "{\"x\":null}"));
  CHECK(rmcrdt_map_delete(map, TEXT("a")) == RMCRDT_OK);
  CHECK(rmcrdt_map_delete(map, TEXT("never")) == RMCRDT_OK);
  FAILS(rmcrdt_map_get(map, TEXT("a")) == NULL, RMCRDT_NOT_FOUND);
  CHECK(rmcrdt_map_clear(map) == RMCRDT_OK);
  CHECK(holds(rmcrdt_type_to_json(map), "{}"));
  REFUSES(rmcrdt_list_push(map, NULL, 0), RMCRDT_FAILED_PRECONDITION);
  rmcrdt_value_free(value);
  rmcrdt_type_free(map);
  rmcrdt_doc_free(doc);
}

static void xml_has_names_attributes_and_children(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* fragment = root(doc, RMCRDT_KIND_XML_FRAGMENT, "x");
  rmcrdt_value* element = rmcrdt_value_new_type(RMCRDT_KIND_XML_ELEMENT, TEXT("p"));
  const rmcrdt_value* const children[] = {element};
  CHECK(rmcrdt_list_push(fragment, children, 1) == RMCRDT_OK);
  rmcrdt_value* first = rmcrdt_list_get(fragment, 0);
  CHECK(rmcrdt_value_get_kind(first) == RMCRDT_VALUE_TYPE);
  rmcrdt_type* p = rmcrdt_value_get_type(first);
  rmcrdt_value* red = rmcrdt_value_from_text(TEXT("red"));
  CHECK(rmcrdt_map_set(p, TEXT("color"), red) == RMCRDT_OK);
  CHECK(rmcrdt_type_kind(p) == RMCRDT_KIND_XML_ELEMENT);
  CHECK(holds(rmcrdt_type_name(p), "p"));
  CHECK(holds(rmcrdt_type_name(fragment), ""));
  CHECK(holds(rmcrdt_type_to_xml(fragment), "<p color=\"red\"></p>"));
  CHECK(holds(rmcrdt_value_to_json(first), "\"<p color=\\\"red\\\"></p>\""));
  rmcrdt_type* same = rmcrdt_value_get_type(first);
  CHECK(rmcrdt_type_same(p, same) && !rmcrdt_type_same(p, fragment));
  CHECK(rmcrdt_list_push(p, children, 1) == RMCRDT_OK);
  CHECK(rmcrdt_type_alive(p) && rmcrdt_type_length(p) == 1);
  CHECK(rmcrdt_list_delete(fragment, 0, 1) == RMCRDT_OK);
  CHECK(!rmcrdt_type_alive(p) && rmcrdt_type_same(p, same));
  CHECK(rmcrdt_type_kind(p) == RMCRDT_KIND_UNTYPED && rmcrdt_type_length(p) == 0);
  REFUSES(rmcrdt_map_set(p, TEXT("color"), red), RMCRDT_FAILED_PRECONDITION);
  FAILS(rmcrdt_type_to_xml(p) == NULL, RMCRDT_FAILED_PRECONDITION);
  FAILS(rmcrdt_type_to_json(p) == NULL, RMCRDT_FAILED_PRECONDITION);
  FAILS(rmcrdt_value_to_json(first) == NULL, RMCRDT_FAILED_PRECONDITION);
  FAILS(rmcrdt_type_observe(p, never_called, NULL) == NULL, RMCRDT_FAILED_PRECONDITION);
  REFUSES(rmcrdt_list_push(fragment, (const rmcrdt_value* const[]){first}, 1), RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value_free(element);
  rmcrdt_value_free(first);
  rmcrdt_value_free(red);
  rmcrdt_type_free(p);
  rmcrdt_type_free(same);
  rmcrdt_type_free(fragment);
  rmcrdt_doc_free(doc);
}

static void a_text_is_edited_by_utf16_units_and_told_as_a_delta(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  rmcrdt_value* bold = from_json("{\"bold\":true}");
  rmcrdt_value* plain = from_json("{\"bold\":null}");
  rmcrdt_value* image = from_json("{\"image\":\"a.png\"}");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("\xf0\x9f\x98\x80 world"), NULL) == RMCRDT_OK);
  CHECK(rmcrdt_type_length(text) == 8);
  CHECK(rmcrdt_text_insert(text, 2, TEXT(" big"), bold) == RMCRDT_OK);
  CHECK(rmcrdt_text_insert_embed(text, 12, image, NULL) == RMCRDT_OK);
  CHECK(rmcrdt_text_insert_embed(text, 13, image, bold) == RMCRDT_OK);
  CHECK(rmcrdt_text_format(text, 7, 2, bold) == RMCRDT_OK);
  CHECK(rmcrdt_text_format(text, 2, 1, plain) == RMCRDT_OK);
  CHECK(rmcrdt_text_delete(text, 0, 2) == RMCRDT_OK);
  REFUSES(rmcrdt_text_insert(text, 0, TEXT("\xff"), NULL), RMCRDT_INVALID_ARGUMENT);
  CHECK(rmcrdt_text_insert(text, 0, TEXT("x"), NULL) == RMCRDT_OK);
  CHECK(holds(rmcrdt_text_plain(text), "x big world"));
  rmcrdt_delta* delta = rmcrdt_text_to_delta(text);
  static const struct {
    const char* inserted;
    uint64_t length;
    bool bold;
  } kSteps[] = {{"\"x \"", 2, false},
                {"\"big\"", 3, true},
                {"\" \"", 1, false},
                {"\"wo\"", 2, true},
                {"\"rld\"", 3, false},
                {"{\"image\":\"a.png\"}", 1, false},
                {"{\"image\":\"a.png\"}", 1, true}};
  CHECK(rmcrdt_delta_size(delta) == sizeof(kSteps) / sizeof(*kSteps));
  for (size_t i = 0; i < sizeof(kSteps) / sizeof(*kSteps); ++i) {
    CHECK(rmcrdt_delta_step_kind(delta, i) == RMCRDT_STEP_INSERT);
    CHECK(rmcrdt_delta_step_length(delta, i) == kSteps[i].length);
    CHECK(rmcrdt_delta_step_value_count(delta, i) == 1);
    CHECK(value_is(rmcrdt_delta_step_value(delta, i, 0), kSteps[i].inserted));
    if (kSteps[i].bold) {
      CHECK(value_is(rmcrdt_delta_step_attributes(delta, i), "{\"bold\":true}"));
    } else {
      FAILS(rmcrdt_delta_step_attributes(delta, i) == NULL, RMCRDT_NOT_FOUND);
    }
  }
  /* The delta of one text makes another the same. */
  rmcrdt_type* other = root(doc, RMCRDT_KIND_TEXT, "other");
  CHECK(rmcrdt_text_apply_delta(other, delta) == RMCRDT_OK);
  CHECK(holds(rmcrdt_text_plain(other), "x big world") && rmcrdt_type_length(other) == 13);
  rmcrdt_delta_free(delta);
  rmcrdt_value_free(bold);
  rmcrdt_value_free(plain);
  rmcrdt_value_free(image);
  rmcrdt_type_free(other);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void a_type_knows_where_it_is(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* map = root(doc, RMCRDT_KIND_MAP, "m");
  rmcrdt_value* new_text = rmcrdt_value_new_type(RMCRDT_KIND_TEXT, NULL, 0);
  rmcrdt_value* new_list = rmcrdt_value_new_type(RMCRDT_KIND_ARRAY, NULL, 0);
  CHECK(rmcrdt_value_push(new_list, new_text) == RMCRDT_OK && rmcrdt_value_push(new_list, new_text) == RMCRDT_OK);
  CHECK(rmcrdt_map_set(map, TEXT("k"), new_list) == RMCRDT_OK);
  rmcrdt_value* list_value = rmcrdt_map_get(map, TEXT("k"));
  rmcrdt_type* list = rmcrdt_value_get_type(list_value);
  rmcrdt_value* text_value = rmcrdt_list_get(list, 1);
  rmcrdt_type* text = rmcrdt_value_get_type(text_value);
  rmcrdt_type* above = rmcrdt_type_parent(text);
  CHECK(rmcrdt_type_same(above, list));
  CHECK(value_is(rmcrdt_type_step(text), "1"));
  CHECK(value_is(rmcrdt_type_step(list), "\"k\""));
  FAILS(rmcrdt_type_parent(map) == NULL, RMCRDT_NOT_FOUND);
  FAILS(rmcrdt_type_step(map) == NULL, RMCRDT_NOT_FOUND);
  CHECK(rmcrdt_map_clear(map) == RMCRDT_OK);
  FAILS(rmcrdt_type_parent(text) == NULL, RMCRDT_NOT_FOUND);
  rmcrdt_value* values[] = {new_text, new_list, list_value, text_value};
  for (size_t i = 0; i < sizeof(values) / sizeof(*values); ++i) rmcrdt_value_free(values[i]);
  rmcrdt_type* types[] = {map, list, text, above};
  for (size_t i = 0; i < sizeof(types) / sizeof(*types); ++i) rmcrdt_type_free(types[i]);
  rmcrdt_doc_free(doc);
}

static void places_in_a_text_are_counted_in_three_units(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("a\xc3\xa9\xf0\x9f\x98\x80z"), NULL) == RMCRDT_OK);
  CHECK(rmcrdt_text_length(text, RMCRDT_UNIT_UTF16) == 5);
  CHECK(rmcrdt_text_length(text, RMCRDT_UNIT_UTF8) == 8);
  CHECK(rmcrdt_text_length(text, RMCRDT_UNIT_CODE_POINTS) == 4);
  CHECK(rmcrdt_text_convert_place(text, 4, RMCRDT_UNIT_UTF16, RMCRDT_UNIT_UTF8) == 7);
  CHECK(rmcrdt_text_convert_place(text, 7, RMCRDT_UNIT_UTF8, RMCRDT_UNIT_CODE_POINTS) == 3);
  CHECK(rmcrdt_text_convert_place(text, 3, RMCRDT_UNIT_CODE_POINTS, RMCRDT_UNIT_UTF16) == 4);
  FAILS(rmcrdt_text_length(list, RMCRDT_UNIT_UTF8) == 0, RMCRDT_FAILED_PRECONDITION);
  FAILS(rmcrdt_text_convert_place(list, 0, RMCRDT_UNIT_UTF8, RMCRDT_UNIT_UTF16) == 0, RMCRDT_FAILED_PRECONDITION);
  rmcrdt_type_free(list);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void a_delta_is_put_together_and_applied(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("abcdef"), NULL) == RMCRDT_OK);
  rmcrdt_value* bold = from_json("{\"bold\":true}");
  rmcrdt_value* word = rmcrdt_value_from_text(TEXT("XY"));
  rmcrdt_value* inside = rmcrdt_value_new_type(RMCRDT_KIND_MAP, NULL, 0);
  rmcrdt_delta* delta = rmcrdt_delta_new();
  CHECK(rmcrdt_delta_retain(delta, 2, bold) == RMCRDT_OK);
  CHECK(rmcrdt_delta_delete(delta, 2) == RMCRDT_OK);
  CHECK(rmcrdt_delta_insert(delta, word, NULL) == RMCRDT_OK);
  CHECK(rmcrdt_delta_insert(delta, inside, bold) == RMCRDT_OK);
  CHECK(rmcrdt_delta_retain(delta, 1, NULL) == RMCRDT_OK);
  CHECK(rmcrdt_delta_step_kind(delta, 1) == RMCRDT_STEP_DELETE && rmcrdt_delta_step_length(delta, 1) == 2);
  CHECK(rmcrdt_delta_step_kind(delta, 4) == RMCRDT_STEP_RETAIN && rmcrdt_delta_step_length(delta, 4) == 1);
  CHECK(rmcrdt_delta_step_length(delta, 2) == 2 && rmcrdt_delta_step_length(delta, 3) == 1);
  CHECK(rmcrdt_delta_step_value_count(delta, 1) == 0);
  CHECK(rmcrdt_text_apply_delta(text, delta) == RMCRDT_OK);
  CHECK(holds(rmcrdt_text_plain(text), "abXYef") && rmcrdt_type_length(text) == 7);
  FAILS(rmcrdt_delta_step_kind(delta, 5) == RMCRDT_STEP_RETAIN, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_delta_step_length(delta, 5) == 0, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_delta_step_value_count(delta, 5) == 0, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_delta_step_value(delta, 5, 0) == NULL, RMCRDT_OUT_OF_RANGE);
  FAILS(rmcrdt_delta_step_value(delta, 2, 1) == NULL, RMCRDT_OUT_OF_RANGE);
  /* What is in a document already can't be put in once more. */
  rmcrdt_delta* whole = rmcrdt_text_to_delta(text);
  REFUSES(rmcrdt_text_apply_delta(text, whole), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_delta_insert(delta, NULL, NULL), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_delta_retain(delta, 1, word), RMCRDT_INVALID_ARGUMENT);
  rmcrdt_delta* endless = rmcrdt_delta_new();
  CHECK(rmcrdt_delta_retain(endless, UINT64_MAX, NULL) == RMCRDT_OK);
  CHECK(rmcrdt_delta_retain(endless, 2, NULL) == RMCRDT_OK);
  REFUSES(rmcrdt_text_apply_delta(text, endless), RMCRDT_RESOURCE_EXHAUSTED);
  rmcrdt_delta_free(endless);
  rmcrdt_delta_free(whole);
  rmcrdt_delta_free(delta);
  rmcrdt_value_free(bold);
  rmcrdt_value_free(word);
  rmcrdt_value_free(inside);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

static void a_position_stays_with_what_stands_there(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  CHECK(rmcrdt_text_insert(text, 0, TEXT("ab"), NULL) == RMCRDT_OK);
  rmcrdt_buffer* after = rmcrdt_position_at(text, 1, 0);
  rmcrdt_buffer* before = rmcrdt_position_at(text, 1, -1);
  CHECK(rmcrdt_text_insert(text, 1, TEXT("--"), NULL) == RMCRDT_OK);
  uint64_t index = 0;
  rmcrdt_type* at = rmcrdt_position_resolve(doc, rmcrdt_buffer_data(after), rmcrdt_buffer_size(after), &index);
  CHECK(index == 3 && rmcrdt_type_same(at, text));
  rmcrdt_type_free(at);
  rmcrdt_type_free(rmcrdt_position_resolve(doc, rmcrdt_buffer_data(before), rmcrdt_buffer_size(before), &index));
  CHECK(index == 1);
  rmcrdt_type_free(rmcrdt_position_resolve(doc, rmcrdt_buffer_data(before), rmcrdt_buffer_size(before), NULL));
  rmcrdt_doc* other = doc_of_client(2);
  FAILS(rmcrdt_position_resolve(other, rmcrdt_buffer_data(after), rmcrdt_buffer_size(after), &index) == NULL,
        RMCRDT_NOT_FOUND);
  FAILS(rmcrdt_position_resolve(other, BYTES("\xff"), &index) == NULL, RMCRDT_INVALID_ARGUMENT);
  CHECK(index == 1);
  rmcrdt_buffer_free(after);
  rmcrdt_buffer_free(before);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
  rmcrdt_doc_free(other);
}

void type_tests(void) {
  RUN(a_list_is_edited_and_read_by_index);
  RUN(a_map_is_edited_and_read_by_key);
  RUN(xml_has_names_attributes_and_children);
  RUN(a_text_is_edited_by_utf16_units_and_told_as_a_delta);
  RUN(a_type_knows_where_it_is);
  RUN(places_in_a_text_are_counted_in_three_units);
  RUN(a_delta_is_put_together_and_applied);
  RUN(a_position_stays_with_what_stands_there);
}
