/* The C header from C: every function, and what it does with arguments that can't be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rivermeet_crdt.h"

static int failures = 0;

#define CHECK(condition)                                                                      \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      fprintf(stderr, "%s:%d: failed: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
              rmcrdt_error_message());                                                        \
      ++failures;                                                                             \
    }                                                                                         \
  } while (0)

#define TEXT(literal) literal, sizeof(literal) - 1

/* Whether the buffer holds that text; frees it. */
static bool holds(rmcrdt_buffer* buffer, const char* expected) {
  const bool same = buffer != NULL && rmcrdt_buffer_size(buffer) == strlen(expected) &&
                    memcmp(rmcrdt_buffer_data(buffer), expected, strlen(expected)) == 0;
  if (buffer != NULL && !same) fprintf(stderr, "it is %s\n", (const char*)rmcrdt_buffer_data(buffer));
  rmcrdt_buffer_free(buffer);
  return same;
}

static void copy_to_other(void* context, const uint8_t* update, size_t update_size) {
  CHECK(rmcrdt_doc_apply(context, RMCRDT_V1, update, update_size, TEXT("remote")) == RMCRDT_OK);
}

static void two_documents_that_hear_of_each_other_come_out_the_same(void) {
  rmcrdt_doc* ada = rmcrdt_doc_new(NULL);
  rmcrdt_doc* bob = rmcrdt_doc_new(NULL);
  rmcrdt_subscription* told = rmcrdt_doc_on_update(ada, RMCRDT_V1, copy_to_other, bob);
  rmcrdt_type* text = rmcrdt_doc_get_root(ada, RMCRDT_KIND_TEXT, TEXT("notes"));
  CHECK(rmcrdt_text_insert(text, 0, TEXT("hello"), NULL) == RMCRDT_OK);
  rmcrdt_type* list = rmcrdt_doc_get_root(ada, RMCRDT_KIND_ARRAY, TEXT("list"));
  rmcrdt_value* value = rmcrdt_value_from_json(TEXT("{\"a\":[1,null]}"));
  const rmcrdt_value* values[] = {value};
  CHECK(rmcrdt_list_push(list, values, 1) == RMCRDT_OK);
  rmcrdt_value_free(value);
  rmcrdt_subscription_free(told);
  CHECK(rmcrdt_text_insert(text, 0, TEXT("not told: "), NULL) == RMCRDT_OK);
  rmcrdt_type_free(rmcrdt_doc_get_root(bob, RMCRDT_KIND_TEXT, TEXT("notes")));
  rmcrdt_type_free(rmcrdt_doc_get_root(bob, RMCRDT_KIND_ARRAY, TEXT("list")));
  CHECK(holds(rmcrdt_doc_to_json(bob), "{\"notes\":\"hello\",\"list\":[{\"a\":[1,null]}]}"));
  rmcrdt_doc_free(ada);
  CHECK(holds(rmcrdt_type_to_json(text), "\"not told: hello\""));
  rmcrdt_type_free(text);
  rmcrdt_type_free(list);
  rmcrdt_doc_free(bob);
}

int main(void) {
  two_documents_that_hear_of_each_other_come_out_the_same();
  if (failures == 0) puts("passed");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
