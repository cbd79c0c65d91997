/* What the C tests of rivermeet_crdt.h share. */
#ifndef RIVERMEET_CRDT_C_API_C_API_TESTING_H_
#define RIVERMEET_CRDT_C_API_C_API_TESTING_H_

#include <stdbool.h>
#include <stddef.h>

#include "rivermeet_crdt.h"

void note_failure(const char* file, int line, const char* condition);

#define CHECK(condition)                                            \
  do {                                                              \
    if (!(condition)) note_failure(__FILE__, __LINE__, #condition); \
  } while (0)

/* A literal as the two arguments that it is. */
#define TEXT(literal) literal, sizeof(literal) - 1
#define BYTES(literal) (const uint8_t*)literal, sizeof(literal) - 1

/* Makes the last error one of another code. */
void set_error_but(rmcrdt_code code);
/* Whether `answer` is what is given on an error, and that is `code` with a message. */
#define FAILS(answer, code)                                                    \
  do {                                                                         \
    set_error_but(code);                                                       \
    CHECK(answer);                                                             \
    CHECK(rmcrdt_error_code() == (code) && rmcrdt_error_message()[0] != '\0'); \
  } while (0)
/* The same of a function that returns the code. */
#define REFUSES(call, code) FAILS((call) == (code), code)

/* Whether the buffer holds that text. Frees it. */
bool holds(rmcrdt_buffer* buffer, const char* expected);
/* Whether that is the JSON of the value. Frees it. */
bool value_is(rmcrdt_value* value, const char* json);
rmcrdt_value* from_json(const char* json);
rmcrdt_type* root(rmcrdt_doc* doc, rmcrdt_kind kind, const char* name);
/* A document of that client, collecting what is deleted or keeping it; NULL is never returned. */
rmcrdt_doc* doc_of_client(uint64_t client_id);
rmcrdt_doc* keeping_doc_of_client(uint64_t client_id);
/* Gives `to` what `from` has. */
void send_all(const rmcrdt_doc* from, rmcrdt_doc* to);
/* A buffer's bytes, for as long as it is there. */
rmcrdt_view view_of(const rmcrdt_buffer* buffer);
/* Puts the value of `json` at the end of a list. */
void push_json(rmcrdt_type* list, const char* json);

/* Each file's tests. */
void document_tests(void);
void value_tests(void);
void type_tests(void);
void event_tests(void);
void undo_tests(void);
void version_tests(void);
void lifetime_tests(void);
void argument_tests(void);

/* Runs one and says which. */
#define RUN(test) run(#test, test)
void run(const char* name, void (*test)(void));

#endif /* RIVERMEET_CRDT_C_API_C_API_TESTING_H_ */
