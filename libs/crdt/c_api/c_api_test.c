/* rivermeet_crdt.h from C, as a program that links the shared library sees it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c_api_testing.h"

static int failures = 0;

void note_failure(const char* file, int line, const char* condition) {
  fprintf(stderr, "%s:%d: failed: %s (last error: %d, %s)\n", file, line, condition, (int)rmcrdt_error_code(),
          rmcrdt_error_message());
  ++failures;
}

void set_error_but(rmcrdt_code code) {
  rmcrdt_delta* delta = rmcrdt_delta_new();
  CHECK(rmcrdt_delta_retain(delta, 1, NULL) == RMCRDT_OK);
  (void)rmcrdt_delta_step_attributes(delta, code == RMCRDT_OUT_OF_RANGE ? 0 : 1);
  CHECK(rmcrdt_error_code() != code);
  rmcrdt_delta_free(delta);
}

void run(const char* name, void (*test)(void)) {
  const int before = failures;
  test();
  if (failures != before) fprintf(stderr, "FAILED: %s\n", name);
}

bool holds(rmcrdt_buffer* buffer, const char* expected) {
  const bool same = buffer != NULL && rmcrdt_buffer_size(buffer) == strlen(expected) &&
                    memcmp(rmcrdt_buffer_data(buffer), expected, strlen(expected) + 1) == 0;
  if (buffer != NULL && !same) fprintf(stderr, "it is %s\n", (const char*)rmcrdt_buffer_data(buffer));
  rmcrdt_buffer_free(buffer);
  return same;
}

bool value_is(rmcrdt_value* value, const char* json) {
  const bool same = value != NULL && holds(rmcrdt_value_to_json(value), json);
  rmcrdt_value_free(value);
  return same;
}

rmcrdt_value* from_json(const char* json) { return rmcrdt_value_from_json(json, strlen(json)); }

rmcrdt_type* root(rmcrdt_doc* doc, rmcrdt_kind kind, const char* name) {
  return rmcrdt_doc_get_root(doc, kind, name, strlen(name));
}

static rmcrdt_doc* make_doc(uint64_t client_id, bool keep_deleted) {
  rmcrdt_options options;
  if (rmcrdt_options_init(&options, sizeof(options)) != RMCRDT_OK) abort();
  options.has_client_id = true;
  options.client_id = client_id;
  options.keep_deleted = keep_deleted;
  rmcrdt_doc* doc = rmcrdt_doc_new(&options);
  if (doc == NULL) abort();
  return doc;
}
rmcrdt_doc* doc_of_client(uint64_t client_id) { return make_doc(client_id, false); }
rmcrdt_doc* keeping_doc_of_client(uint64_t client_id) { return make_doc(client_id, true); }

rmcrdt_view view_of(const rmcrdt_buffer* buffer) {
  const rmcrdt_view view = {rmcrdt_buffer_data(buffer), rmcrdt_buffer_size(buffer)};
  return view;
}

void send_all(const rmcrdt_doc* from, rmcrdt_doc* to) {
  rmcrdt_buffer* state = rmcrdt_doc_encode_state(from, RMCRDT_V2, NULL, 0);
  CHECK(rmcrdt_doc_apply(to, RMCRDT_V2, rmcrdt_buffer_data(state), rmcrdt_buffer_size(state), NULL, 0) == RMCRDT_OK);
  rmcrdt_buffer_free(state);
}

void push_json(rmcrdt_type* list, const char* json) {
  rmcrdt_value* value = from_json(json);
  const rmcrdt_value* const values[] = {value};
  CHECK(rmcrdt_list_push(list, values, 1) == RMCRDT_OK);
  rmcrdt_value_free(value);
}

int main(void) {
  CHECK(rmcrdt_error_code() == RMCRDT_OK && rmcrdt_error_message()[0] == '\0');
  CHECK(rmcrdt_version() == RMCRDT_VERSION_MAJOR * 1000 + RMCRDT_VERSION_MINOR);
  document_tests();
  value_tests();
  type_tests();
  event_tests();
  undo_tests();
  version_tests();
  lifetime_tests();
  argument_tests();
  printf("%d failures\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
