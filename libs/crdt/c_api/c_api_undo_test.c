/* Undo managers of rivermeet_crdt.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c_api_testing.h"

static void what_was_done_is_undone_and_done_again(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* list = root(doc, RMCRDT_KIND_ARRAY, "l");
  rmcrdt_type* elsewhere = root(doc, RMCRDT_KIND_ARRAY, "elsewhere");
  rmcrdt_undo* undo = rmcrdt_undo_new(doc, &list, 1, 60000);
  rmcrdt_undo* all = rmcrdt_undo_new(doc, NULL, 0, 0);
  push_json(list, "1");
  push_json(list, "2");
  rmcrdt_undo_stop_capturing(undo);
  push_json(list, "3");
  push_json(elsewhere, "4");
  CHECK(rmcrdt_undo_undo_count(undo) == 2 && rmcrdt_undo_redo_count(undo) == 0);
  CHECK(rmcrdt_undo_undo_count(all) == 4);
  bool done = false;
  CHECK(rmcrdt_undo_undo(undo, &done) == RMCRDT_OK && done);
  CHECK(rmcrdt_undo_undo(undo, NULL) == RMCRDT_OK);
  CHECK(rmcrdt_undo_undo(undo, &done) == RMCRDT_OK && !done);
  CHECK(holds(rmcrdt_doc_to_json(doc), "{\"l\":[],\"elsewhere\":[4]}"));
  CHECK(rmcrdt_undo_redo_count(undo) == 2);
  CHECK(rmcrdt_undo_redo(undo, &done) == RMCRDT_OK && done);
  CHECK(holds(rmcrdt_type_to_json(list), "[1,2]"));
  /* Transactions of an origin are undone when it is tracked. */
  rmcrdt_undo_clear(undo);
  CHECK(rmcrdt_undo_undo_count(undo) == 0 && rmcrdt_undo_redo_count(undo) == 0);
  rmcrdt_doc* other = doc_of_client(2);
  rmcrdt_type* theirs = root(other, RMCRDT_KIND_ARRAY, "l");
  CHECK(rmcrdt_undo_track_origin(undo, TEXT("import")) == RMCRDT_OK);
  for (int i = 0; i < 2; ++i) {
    push_json(theirs, "5");
    rmcrdt_buffer* state = rmcrdt_doc_encode_state(other, RMCRDT_V1, NULL, 0);
    CHECK(rmcrdt_doc_apply(doc, RMCRDT_V1, rmcrdt_buffer_data(state), rmcrdt_buffer_size(state),
                           i == 0 ? "import" : "peer", i == 0 ? 6 : 4) == RMCRDT_OK);
    rmcrdt_buffer_free(state);
    CHECK(rmcrdt_undo_undo_count(undo) == 1);
  }
  FAILS(rmcrdt_undo_new(other, &list, 1, 0) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_undo_free(all);
  rmcrdt_undo_free(undo);
  rmcrdt_type_free(theirs);
  rmcrdt_type_free(list);
  rmcrdt_type_free(elsewhere);
  rmcrdt_doc_free(doc);
  rmcrdt_doc_free(other);
}

struct undoing {
  rmcrdt_undo* undo;
  rmcrdt_type* text;
  rmcrdt_value* cursor; /* to be noted */
  char told[512];
};

static void tell(void* context, const rmcrdt_undo_event* event) {
  struct undoing* undoing = context;
  static const char* const kChanges[] = {"added", "updated", "popped", "cleared"};
  size_t size = 0;
  const char* origin = rmcrdt_undo_event_origin(event, &size);
  char line[128];
  snprintf(line, sizeof(line), "%s %s by '%.*s'", kChanges[rmcrdt_undo_event_change(event)],
           rmcrdt_undo_event_stack(event) == RMCRDT_STACK_UNDO ? "undo" : "redo", (int)size, origin);
  if (strlen(undoing->told) + 2 * sizeof(line) > sizeof(undoing->told)) abort();
  strcat(undoing->told, line);
  const size_t count = rmcrdt_undo_event_changed_count(event);
  for (size_t i = 0; i < count; ++i) {
    rmcrdt_type* changed = rmcrdt_undo_event_changed(event, i);
    CHECK(rmcrdt_type_same(changed, undoing->text));
    rmcrdt_type_free(changed);
    strcat(undoing->told, " text");
  }
  FAILS(rmcrdt_undo_event_changed(event, count) == NULL, RMCRDT_OUT_OF_RANGE);
  if (rmcrdt_undo_event_change(event) == RMCRDT_UNDO_STACK_CLEARED) {
    REFUSES(rmcrdt_undo_event_set_note(event, TEXT("cursor"), undoing->cursor), RMCRDT_FAILED_PRECONDITION);
    FAILS(rmcrdt_undo_event_get_note(event, TEXT("cursor")) == NULL, RMCRDT_FAILED_PRECONDITION);
  } else if (rmcrdt_undo_event_change(event) == RMCRDT_UNDO_ITEM_ADDED) {
    FAILS(rmcrdt_undo_event_get_note(event, TEXT("cursor")) == NULL, RMCRDT_NOT_FOUND);
    CHECK(rmcrdt_undo_event_set_note(event, TEXT("cursor"), undoing->cursor) == RMCRDT_OK);
  } else {
    CHECK(value_is(rmcrdt_undo_event_get_note(event, TEXT("cursor")), "7"));
  }
  if (rmcrdt_undo_event_change(event) == RMCRDT_UNDO_ITEM_POPPED) {
    CHECK(value_is(rmcrdt_undo_current_note(undoing->undo, TEXT("cursor")), "7"));
  }
  strcat(undoing->told, ";");
}

static bool were_told(struct undoing* undoing, const char* expected) {
  const bool same = strcmp(undoing->told, expected) == 0;
  if (!same) fprintf(stderr, "told %s\n", undoing->told);
  undoing->told[0] = '\0';
  return same;
}

static void type_y(void* text) { CHECK(rmcrdt_text_insert(text, 0, TEXT("y"), NULL) == RMCRDT_OK); }

static void who_observes_an_undo_manager_keeps_notes_with_its_items(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  struct undoing undoing = {NULL, root(doc, RMCRDT_KIND_TEXT, "t"), rmcrdt_value_from_number(7), ""};
  undoing.undo = rmcrdt_undo_new(doc, &undoing.text, 1, UINT32_MAX);
  CHECK(rmcrdt_undo_track_origin(undoing.undo, TEXT("me")) == RMCRDT_OK);
  rmcrdt_subscription* observing = rmcrdt_undo_observe(undoing.undo, tell, &undoing);
  CHECK(rmcrdt_text_insert(undoing.text, 0, TEXT("x"), NULL) == RMCRDT_OK);
  CHECK(were_told(&undoing, "added undo by '' text;"));
  CHECK(rmcrdt_doc_transact(doc, TEXT("me"), type_y, undoing.text) == RMCRDT_OK);
  CHECK(were_told(&undoing, "updated undo by 'me' text;"));
  FAILS(rmcrdt_undo_current_note(undoing.undo, TEXT("cursor")) == NULL, RMCRDT_FAILED_PRECONDITION);
  CHECK(rmcrdt_undo_undo(undoing.undo, NULL) == RMCRDT_OK);
  CHECK(were_told(&undoing, "added redo by '' text;popped undo by '' text;"));
  CHECK(rmcrdt_undo_redo(undoing.undo, NULL) == RMCRDT_OK);
  CHECK(were_told(&undoing, "added undo by '' text;popped redo by '' text;"));
  rmcrdt_undo_clear(undoing.undo);
  CHECK(were_told(&undoing, "cleared undo by '';cleared redo by '';"));
  rmcrdt_subscription_free(observing);
  CHECK(rmcrdt_text_insert(undoing.text, 0, TEXT("z"), NULL) == RMCRDT_OK);
  CHECK(were_told(&undoing, ""));
  rmcrdt_undo_free(undoing.undo);
  rmcrdt_value_free(undoing.cursor);
  rmcrdt_type_free(undoing.text);
  rmcrdt_doc_free(doc);
}

static void only_plain_values_are_notes(void* text, const rmcrdt_undo_event* event) {
  (void)text;
  rmcrdt_value* type = rmcrdt_value_new_type(RMCRDT_KIND_TEXT, NULL, 0);
  REFUSES(rmcrdt_undo_event_set_note(event, TEXT("k"), type), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_undo_event_set_note(event, TEXT("k"), NULL), RMCRDT_INVALID_ARGUMENT);
  REFUSES(rmcrdt_undo_event_set_note(event, TEXT("\xff"), type), RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_undo_event_get_note(event, TEXT("\xff")) == NULL, RMCRDT_INVALID_ARGUMENT);
  FAILS(rmcrdt_undo_event_origin(event, NULL) == NULL, RMCRDT_INVALID_ARGUMENT);
  rmcrdt_value_free(type);
}

static void a_note_that_is_no_plain_value_is_refused(void) {
  rmcrdt_doc* doc = doc_of_client(1);
  rmcrdt_type* text = root(doc, RMCRDT_KIND_TEXT, "t");
  rmcrdt_undo* undo = rmcrdt_undo_new(doc, NULL, 0, 0);
  rmcrdt_subscription* observing = rmcrdt_undo_observe(undo, only_plain_values_are_notes, text);
  type_y(text);
  CHECK(rmcrdt_undo_undo_count(undo) == 1);
  rmcrdt_subscription_free(observing);
  rmcrdt_undo_free(undo);
  rmcrdt_type_free(text);
  rmcrdt_doc_free(doc);
}

struct leaving {
  rmcrdt_doc* doc;
  rmcrdt_type* text;
  rmcrdt_undo* undo;
  rmcrdt_subscription* observing;
  rmcrdt_undo_change at;
};

static void free_all(void* context, const rmcrdt_undo_event* event) {
  struct leaving* leaving = context;
  if (rmcrdt_undo_event_change(event) != leaving->at) return;
  rmcrdt_undo_free(leaving->undo);
  rmcrdt_subscription_free(leaving->observing);
  rmcrdt_type_free(leaving->text);
  rmcrdt_doc_free(leaving->doc);
  leaving->undo = NULL;
  CHECK(rmcrdt_undo_event_change(event) == leaving->at);
}

static void everything_may_be_freed_when_an_undo_manager_tells(void) {
  for (rmcrdt_undo_change at = RMCRDT_UNDO_ITEM_ADDED; at <= RMCRDT_UNDO_STACK_CLEARED; ++at) {
    rmcrdt_doc* doc = doc_of_client(1);
    rmcrdt_undo* undo = rmcrdt_undo_new(doc, NULL, 0, UINT32_MAX);
    struct leaving leaving = {doc, root(doc, RMCRDT_KIND_TEXT, "t"), undo, NULL, at};
    leaving.observing = rmcrdt_undo_observe(leaving.undo, free_all, &leaving);
    type_y(leaving.text);
    if (at == RMCRDT_UNDO_ITEM_UPDATED) type_y(leaving.text);
    if (at == RMCRDT_UNDO_ITEM_POPPED) CHECK(rmcrdt_undo_undo(leaving.undo, NULL) == RMCRDT_OK);
    if (at == RMCRDT_UNDO_STACK_CLEARED) rmcrdt_undo_clear(leaving.undo);
    CHECK(leaving.undo == NULL);
  }
}

void undo_tests(void) {
  RUN(what_was_done_is_undone_and_done_again);
  RUN(who_observes_an_undo_manager_keeps_notes_with_its_items);
  RUN(a_note_that_is_no_plain_value_is_refused);
  RUN(everything_may_be_freed_when_an_undo_manager_tells);
}
