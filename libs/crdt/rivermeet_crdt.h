/* The engine of Yjs documents for C, and for every language that can call C. The library is librivermeet_crdt.so.
 *
 * Errors. What can fail returns an rmcrdt_code, or a pointer that is NULL then; rmcrdt_error_code and
 * rmcrdt_error_message say why, for the last call on this thread that failed. Nothing throws, and after an error
 * everything is as it was. A NULL handle where one is needed is RMCRDT_INVALID_ARGUMENT. When memory runs out in the
 * midst of a change, its document is lost: all but freeing it, which gives nothing back, is RMCRDT_RESOURCE_EXHAUSTED
 * from then on. Where not even a few bytes for a hash table are left the process ends.
 *
 * Memory. Pointers to bytes and texts that are passed in are read during the call only; text is UTF-8, needs no final
 * zero, and may be NULL when its size is 0. What a function returns as a pointer without const belongs to the caller,
 * who frees it with the _free function of its type; these take NULL, too. What is returned as a pointer with const
 * belongs to the handle it was asked of. Handles may be freed in any order, as the finalizers of other languages
 * do: a document's memory goes when it and everything made of it (types, values, events' deltas, subscriptions, undo
 * managers) is freed.
 *
 * Threads. A document and all that was made of it are used by one thread at a time, frees included; they may move
 * between threads. The functions on updates alone may be called from any.
 *
 * Callbacks are called on the thread that made the call that changed something, before it returns. They may read and
 * edit the document, and must come back the ordinary way: no longjmp, no exception.
 *
 * Versions. Functions, codes and members are only ever added while RMCRDT_VERSION_MAJOR stays; so is the library's
 * soname. What is not said here is said of the same function in doc.h, shared_types.h, update.h, snapshot.h,
 * undo_manager.h and relative_position.h. */
#ifndef RIVERMEET_CRDT_RIVERMEET_CRDT_H_
#define RIVERMEET_CRDT_RIVERMEET_CRDT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RMCRDT_API __attribute__((visibility("default")))

/* Enums are 32 bits wide, in C++ too, so that a number that is none of theirs is an error there and nothing worse. */
#ifdef __cplusplus
#define RMCRDT_INT32 : int32_t
#else
#define RMCRDT_INT32
#endif

#define RMCRDT_VERSION_MAJOR 1
#define RMCRDT_VERSION_MINOR 0

/* Of the library that is running: major * 1000 + minor. */
RMCRDT_API uint32_t rmcrdt_version(void);

/* --- errors ------------------------------------------------------------------------------------------------------ */

/* The numbers of gRPC's codes of these names. */
typedef enum RMCRDT_INT32 {
  RMCRDT_OK = 0,
  RMCRDT_INVALID_ARGUMENT = 3,    /* Bytes or a value that can't be; don't retry. */
  RMCRDT_NOT_FOUND = 5,           /* Nothing is there. */
  RMCRDT_RESOURCE_EXHAUSTED = 8,  /* A limit, or memory. */
  RMCRDT_FAILED_PRECONDITION = 9, /* The type is gone from its document, or is of another kind. */
  RMCRDT_OUT_OF_RANGE = 11,       /* Past the end of a list. */
  RMCRDT_INTERNAL = 13            /* A bug in the library. */
} rmcrdt_code;

/* Of the last call on this thread that failed; RMCRDT_OK and "" before. The text ends with a zero and is good until the
 * next call on this thread that fails. */
RMCRDT_API rmcrdt_code rmcrdt_error_code(void);
RMCRDT_API const char* rmcrdt_error_message(void);

/* --- bytes ------------------------------------------------------------------------------------------------------- */

/* Bytes that the library made: an update, a state vector, a text. */
typedef struct rmcrdt_buffer rmcrdt_buffer;

/* Never NULL, whatever the size; a zero follows the last byte. A NULL buffer counts as an empty one. */
RMCRDT_API const uint8_t* rmcrdt_buffer_data(const rmcrdt_buffer* buffer);
RMCRDT_API size_t rmcrdt_buffer_size(const rmcrdt_buffer* buffer);
RMCRDT_API void rmcrdt_buffer_free(rmcrdt_buffer* buffer);

/* How updates and snapshots are encoded. The bytes don't tell. */
typedef enum RMCRDT_INT32 { RMCRDT_V1 = 1, RMCRDT_V2 = 2 } rmcrdt_format;

/* Bytes of the caller. */
typedef struct {
  const uint8_t* data;
  size_t size;
} rmcrdt_view;

/* --- documents --------------------------------------------------------------------------------------------------- */

typedef struct rmcrdt_doc rmcrdt_doc;

/* rmcrdt_options_init fills it with the defaults, which limits.h explains. Members that a newer library has besides
 * keep their defaults; a struct_size that is 0 or larger than the library's own is RMCRDT_INVALID_ARGUMENT. */
typedef struct {
  size_t struct_size; /* sizeof(rmcrdt_options), by which the library knows which members there are */
  bool has_client_id; /* false: 32 random bits */
  uint64_t client_id; /* at most 2^53 - 1 */
  bool keep_deleted;  /* true: what is deleted isn't collected, so that snapshots can be restored */
  uint64_t max_update_bytes;
  uint64_t max_structs;
  uint64_t max_clients;
  uint32_t max_depth; /* at most 512 */
  uint64_t max_document_bytes;
} rmcrdt_options;

/* `struct_size` is sizeof(rmcrdt_options) as the caller knows it: no more is written. */
RMCRDT_API rmcrdt_code rmcrdt_options_init(rmcrdt_options* options, size_t struct_size);

/* `options` may be NULL. */
RMCRDT_API rmcrdt_doc* rmcrdt_doc_new(const rmcrdt_options* options);
RMCRDT_API void rmcrdt_doc_free(rmcrdt_doc* doc);

RMCRDT_API uint64_t rmcrdt_doc_client_id(const rmcrdt_doc* doc);
RMCRDT_API bool rmcrdt_doc_has_pending(const rmcrdt_doc* doc);
RMCRDT_API uint64_t rmcrdt_doc_memory_bytes(const rmcrdt_doc* doc);
RMCRDT_API uint64_t rmcrdt_doc_struct_count(const rmcrdt_doc* doc);

/* All or nothing. `origin` says whose it is, for undo managers. */
RMCRDT_API rmcrdt_code rmcrdt_doc_apply(rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* update,
                                        size_t update_size, const char* origin, size_t origin_size);
/* Many as one transaction, up to the first that fails: `applied`, which may be NULL, gets how many there were. */
RMCRDT_API rmcrdt_code rmcrdt_doc_apply_all(rmcrdt_doc* doc, rmcrdt_format format, const rmcrdt_view* updates,
                                            size_t count, const char* origin, size_t origin_size, size_t* applied);

/* The whole state as an update, or what somebody lacks who has `state_vector`; that may be NULL, for all. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_state(const rmcrdt_doc* doc, rmcrdt_format format,
                                                  const uint8_t* state_vector, size_t state_vector_size);
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_state_vector(const rmcrdt_doc* doc);
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_snapshot(const rmcrdt_doc* doc, rmcrdt_format format);
/* A new document as this one was at `snapshot`; this one keeps what is deleted. */
RMCRDT_API rmcrdt_doc* rmcrdt_doc_restore_snapshot(rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* snapshot,
                                                   size_t snapshot_size, const rmcrdt_options* options);
/* All structs in the document as JSON, for tests that compare stores: internal/struct_dump.h has the form, which may
 * change with any version. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_dump_structs(const rmcrdt_doc* doc);
/* All roots that are of a kind, as JSON. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_to_json(const rmcrdt_doc* doc);

/* Calls `edit` and makes all it does one transaction. */
typedef void (*rmcrdt_edit_callback)(void* context);
RMCRDT_API rmcrdt_code rmcrdt_doc_transact(rmcrdt_doc* doc, const char* origin, size_t origin_size,
                                           rmcrdt_edit_callback edit, void* context);

/* Tells each transaction's changes as an update, for others, and its origin, so that who sent it doesn't get it back.
 * Ends when the subscription is freed. */
typedef struct rmcrdt_subscription rmcrdt_subscription;
typedef void (*rmcrdt_update_callback)(void* context, const uint8_t* update, size_t update_size, const char* origin,
                                       size_t origin_size);
RMCRDT_API rmcrdt_subscription* rmcrdt_doc_on_update(rmcrdt_doc* doc, rmcrdt_format format,
                                                     rmcrdt_update_callback callback, void* context);
/* Called at the end of each transaction, after all observers. */
typedef void (*rmcrdt_transaction_callback)(void* context, bool local);
RMCRDT_API rmcrdt_subscription* rmcrdt_doc_on_transaction(rmcrdt_doc* doc, rmcrdt_transaction_callback callback,
                                                          void* context);
RMCRDT_API void rmcrdt_subscription_free(rmcrdt_subscription* subscription);

/* --- values ------------------------------------------------------------------------------------------------------ */

/* What stands, or is to be put, in a list, a map or a text: a value as JavaScript has them, or a shared type or
 * document that is there, or a new one. */
typedef struct rmcrdt_value rmcrdt_value;
typedef struct rmcrdt_type rmcrdt_type;

typedef enum RMCRDT_INT32 {
  RMCRDT_UNDEFINED = 0,
  RMCRDT_NULL = 1,
  RMCRDT_BOOL = 2,
  RMCRDT_NUMBER = 3,
  RMCRDT_BIGINT = 4,
  RMCRDT_TEXT_VALUE = 5,
  RMCRDT_BYTES = 6,
  RMCRDT_ARRAY_VALUE = 7,
  RMCRDT_OBJECT = 8,
  RMCRDT_TYPE = 9,         /* a shared type in the document */
  RMCRDT_SUBDOCUMENT = 10, /* a document in the document */
  RMCRDT_NEW_TYPE = 11,    /* to be put in */
  RMCRDT_NEW_SUBDOCUMENT = 12
} rmcrdt_value_kind;

typedef enum RMCRDT_INT32 {
  RMCRDT_KIND_ARRAY = 0,
  RMCRDT_KIND_MAP = 1,
  RMCRDT_KIND_TEXT = 2,
  RMCRDT_KIND_XML_ELEMENT = 3,
  RMCRDT_KIND_XML_FRAGMENT = 4,
  RMCRDT_KIND_XML_HOOK = 5,
  RMCRDT_KIND_XML_TEXT = 6,
  RMCRDT_KIND_UNTYPED = 255 /* a root that nobody asked for as a kind, or a type that is gone */
} rmcrdt_kind;

RMCRDT_API void rmcrdt_value_free(rmcrdt_value* value);
RMCRDT_API rmcrdt_value_kind rmcrdt_value_get_kind(const rmcrdt_value* value);

/* Of JSON, or of the bytes that lib0's writeAny gives, which have undefined, bigints and bytes besides. */
RMCRDT_API rmcrdt_value* rmcrdt_value_from_json(const char* json, size_t json_size);
RMCRDT_API rmcrdt_value* rmcrdt_value_from_any(const uint8_t* any, size_t any_size);
RMCRDT_API rmcrdt_value* rmcrdt_value_from_text(const char* text, size_t text_size);
RMCRDT_API rmcrdt_value* rmcrdt_value_from_bytes(const uint8_t* bytes, size_t bytes_size);
RMCRDT_API rmcrdt_value* rmcrdt_value_from_number(double number);

/* JSON as JSON.stringify gives it: of a type what rmcrdt_type_to_json gives, of a document {}. A bigint, or undefined
 * by itself, is RMCRDT_INVALID_ARGUMENT. */
RMCRDT_API rmcrdt_buffer* rmcrdt_value_to_json(const rmcrdt_value* value);
/* The bytes that lib0's writeAny gives. RMCRDT_INVALID_ARGUMENT for types and documents. */
RMCRDT_API rmcrdt_buffer* rmcrdt_value_to_any(const rmcrdt_value* value);
/* Each RMCRDT_INVALID_ARGUMENT or NULL when it is of another kind. The text or bytes belong to the value. */
RMCRDT_API rmcrdt_code rmcrdt_value_get_bool(const rmcrdt_value* value, bool* boolean);
RMCRDT_API rmcrdt_code rmcrdt_value_get_number(const rmcrdt_value* value, double* number);
RMCRDT_API rmcrdt_code rmcrdt_value_get_bigint(const rmcrdt_value* value, int64_t* bigint);
RMCRDT_API const uint8_t* rmcrdt_value_get_bytes(const rmcrdt_value* value, size_t* size); /* of texts, too */
RMCRDT_API rmcrdt_type* rmcrdt_value_get_type(const rmcrdt_value* value);
RMCRDT_API const char* rmcrdt_value_get_guid(const rmcrdt_value* value, size_t* size); /* of subdocuments */

/* A shared type that isn't in a document yet. `name` is that of an XML element or hook, else empty. */
RMCRDT_API rmcrdt_value* rmcrdt_value_new_type(rmcrdt_kind kind, const char* name, size_t name_size);
/* A document to be put in. `options` is an object or NULL. */
RMCRDT_API rmcrdt_value* rmcrdt_value_new_subdocument(const char* guid, size_t guid_size, const rmcrdt_value* options);
/* What a new type starts with; what is added is copied. RMCRDT_INVALID_ARGUMENT when its kind has no such thing. */
RMCRDT_API rmcrdt_code rmcrdt_value_push(rmcrdt_value* new_type, const rmcrdt_value* item);
RMCRDT_API rmcrdt_code rmcrdt_value_set(rmcrdt_value* new_type, const char* key, size_t key_size,
                                        const rmcrdt_value* value);
RMCRDT_API rmcrdt_code rmcrdt_value_set_text(rmcrdt_value* new_type, const char* text, size_t text_size);

/* --- shared types ------------------------------------------------------------------------------------------------ */

/* The root of that name, made when it is new, as that kind. RMCRDT_FAILED_PRECONDITION: it is of another. */
RMCRDT_API rmcrdt_type* rmcrdt_doc_get_root(rmcrdt_doc* doc, rmcrdt_kind kind, const char* name, size_t name_size);
/* The root of that name as it is; NULL and RMCRDT_NOT_FOUND when there is none. */
RMCRDT_API rmcrdt_type* rmcrdt_doc_find_root(const rmcrdt_doc* doc, const char* name, size_t name_size);

RMCRDT_API void rmcrdt_type_free(rmcrdt_type* type);
RMCRDT_API rmcrdt_kind rmcrdt_type_kind(const rmcrdt_type* type);
RMCRDT_API bool rmcrdt_type_alive(const rmcrdt_type* type);
/* Whether both are the same type of the same document. */
RMCRDT_API bool rmcrdt_type_same(const rmcrdt_type* a, const rmcrdt_type* b);
/* The node name of an XML element or hook. */
RMCRDT_API rmcrdt_buffer* rmcrdt_type_name(const rmcrdt_type* type);
/* Elements of a list, UTF-16 units of a text. */
RMCRDT_API uint64_t rmcrdt_type_length(const rmcrdt_type* type);
RMCRDT_API rmcrdt_buffer* rmcrdt_type_to_json(const rmcrdt_type* type);
RMCRDT_API rmcrdt_buffer* rmcrdt_type_to_xml(const rmcrdt_type* type);

/* Lists: arrays, and the children of XML elements and fragments. At an index; RMCRDT_NOT_FOUND past the end. */
RMCRDT_API rmcrdt_value* rmcrdt_list_get(const rmcrdt_type* list, uint64_t index);
RMCRDT_API rmcrdt_code rmcrdt_list_insert(rmcrdt_type* list, uint64_t index, const rmcrdt_value* const* values,
                                          size_t count);
RMCRDT_API rmcrdt_code rmcrdt_list_push(rmcrdt_type* list, const rmcrdt_value* const* values, size_t count);
/* RMCRDT_OUT_OF_RANGE when fewer are there: those are deleted, as in yjs. */
RMCRDT_API rmcrdt_code rmcrdt_list_delete(rmcrdt_type* list, uint64_t index, uint64_t length);

/* Maps: maps and hooks, and the attributes of XML elements and texts. RMCRDT_NOT_FOUND where there is no such key. */
RMCRDT_API rmcrdt_value* rmcrdt_map_get(const rmcrdt_type* map, const char* key, size_t key_size);
RMCRDT_API rmcrdt_code rmcrdt_map_set(rmcrdt_type* map, const char* key, size_t key_size, const rmcrdt_value* value);
RMCRDT_API rmcrdt_code rmcrdt_map_delete(rmcrdt_type* map, const char* key, size_t key_size);
RMCRDT_API rmcrdt_code rmcrdt_map_clear(rmcrdt_type* map);
/* Its keys as a value, an array of texts. */
RMCRDT_API rmcrdt_value* rmcrdt_map_keys(const rmcrdt_type* map);

/* Texts. Indices and lengths count UTF-16 units. */
typedef struct rmcrdt_delta rmcrdt_delta;

RMCRDT_API rmcrdt_buffer* rmcrdt_text_plain(const rmcrdt_type* text);
/* `attributes` is an object; NULL: those that hold at that place. */
RMCRDT_API rmcrdt_code rmcrdt_text_insert(rmcrdt_type* text, uint64_t index, const char* inserted, size_t inserted_size,
                                          const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_text_insert_embed(rmcrdt_type* text, uint64_t index, const rmcrdt_value* embed,
                                                const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_text_delete(rmcrdt_type* text, uint64_t index, uint64_t length);
RMCRDT_API rmcrdt_code rmcrdt_text_format(rmcrdt_type* text, uint64_t index, uint64_t length,
                                          const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_delta* rmcrdt_text_to_delta(const rmcrdt_type* text);
RMCRDT_API rmcrdt_code rmcrdt_text_apply_delta(rmcrdt_type* text, const rmcrdt_delta* delta);

/* --- deltas ------------------------------------------------------------------------------------------------------ */

/* What a text is or how a list or text changes, step by step, as Quill has it. */
typedef enum RMCRDT_INT32 { RMCRDT_INSERT = 0, RMCRDT_RETAIN = 1, RMCRDT_DELETE = 2 } rmcrdt_step_kind;

RMCRDT_API rmcrdt_delta* rmcrdt_delta_new(void);
RMCRDT_API void rmcrdt_delta_free(rmcrdt_delta* delta);
/* `attributes` is an object or NULL. */
RMCRDT_API rmcrdt_code rmcrdt_delta_insert(rmcrdt_delta* delta, const rmcrdt_value* value,
                                           const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_delta_retain(rmcrdt_delta* delta, uint64_t length, const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_delta_delete(rmcrdt_delta* delta, uint64_t length);

RMCRDT_API size_t rmcrdt_delta_size(const rmcrdt_delta* delta);
/* Of a step past the end: RMCRDT_RETAIN, 0, 0, NULL with RMCRDT_OUT_OF_RANGE. */
RMCRDT_API rmcrdt_step_kind rmcrdt_delta_step_kind(const rmcrdt_delta* delta, size_t step);
/* How many places it goes over, deletes or inserts. */
RMCRDT_API uint64_t rmcrdt_delta_step_length(const rmcrdt_delta* delta, size_t step);
/* Of an insertion: how many values (of a text always 1), and one of them. */
RMCRDT_API size_t rmcrdt_delta_step_value_count(const rmcrdt_delta* delta, size_t step);
RMCRDT_API rmcrdt_value* rmcrdt_delta_step_value(const rmcrdt_delta* delta, size_t step, size_t value);
/* An object; NULL with RMCRDT_NOT_FOUND when there are none. */
RMCRDT_API rmcrdt_value* rmcrdt_delta_step_attributes(const rmcrdt_delta* delta, size_t step);

/* --- events ------------------------------------------------------------------------------------------------------ */

/* What a transaction changed in one shared type; lives as long as the call of the callback. */
typedef struct rmcrdt_event rmcrdt_event;
typedef enum RMCRDT_INT32 { RMCRDT_KEY_ADDED = 0, RMCRDT_KEY_UPDATED = 1, RMCRDT_KEY_DELETED = 2 } rmcrdt_key_action;

typedef void (*rmcrdt_events_callback)(void* context, const rmcrdt_event* const* events, size_t count);
/* The changes of this type itself: one event a call. */
RMCRDT_API rmcrdt_subscription* rmcrdt_type_observe(rmcrdt_type* type, rmcrdt_events_callback callback, void* context);
/* The changes of this type and of those inside it. */
RMCRDT_API rmcrdt_subscription* rmcrdt_type_observe_deep(rmcrdt_type* type, rmcrdt_events_callback callback,
                                                         void* context);

RMCRDT_API rmcrdt_type* rmcrdt_event_target(const rmcrdt_event* event);
RMCRDT_API bool rmcrdt_event_local(const rmcrdt_event* event);
/* From the observed type to the target, as a value: an array of texts (keys) and numbers (indices). */
RMCRDT_API rmcrdt_value* rmcrdt_event_path(const rmcrdt_event* event);
RMCRDT_API rmcrdt_delta* rmcrdt_event_delta(const rmcrdt_event* event);
RMCRDT_API size_t rmcrdt_event_key_count(const rmcrdt_event* event);
/* The text belongs to the event. */
RMCRDT_API const char* rmcrdt_event_key(const rmcrdt_event* event, size_t key, size_t* size);
RMCRDT_API rmcrdt_key_action rmcrdt_event_key_action(const rmcrdt_event* event, size_t key);
RMCRDT_API rmcrdt_value* rmcrdt_event_key_old_value(const rmcrdt_event* event, size_t key);

/* --- undo -------------------------------------------------------------------------------------------------------- */

typedef struct rmcrdt_undo rmcrdt_undo;

/* Undoes changes of these types, or with none anywhere in the document, by transactions without an origin. Changes that
 * follow each other within `capture_timeout_ms` are undone together. */
RMCRDT_API rmcrdt_undo* rmcrdt_undo_new(rmcrdt_doc* doc, rmcrdt_type* const* scope, size_t count,
                                        uint32_t capture_timeout_ms);
RMCRDT_API void rmcrdt_undo_free(rmcrdt_undo* undo);
RMCRDT_API rmcrdt_code rmcrdt_undo_track_origin(rmcrdt_undo* undo, const char* origin, size_t origin_size);
/* `done`, which may be NULL, gets whether there was something to do. */
RMCRDT_API rmcrdt_code rmcrdt_undo_undo(rmcrdt_undo* undo, bool* done);
RMCRDT_API rmcrdt_code rmcrdt_undo_redo(rmcrdt_undo* undo, bool* done);
RMCRDT_API void rmcrdt_undo_stop_capturing(rmcrdt_undo* undo);
RMCRDT_API void rmcrdt_undo_clear(rmcrdt_undo* undo);
RMCRDT_API size_t rmcrdt_undo_undo_count(const rmcrdt_undo* undo);
RMCRDT_API size_t rmcrdt_undo_redo_count(const rmcrdt_undo* undo);

/* --- relative positions ------------------------------------------------------------------------------------------ */

/* The place before `index` as yjs's encodeRelativePosition writes it. `assoc` at least 0: it stays with the unit behind
 * it; less: with the one before. */
RMCRDT_API rmcrdt_buffer* rmcrdt_position_at(const rmcrdt_type* type, uint64_t index, int64_t assoc);
/* Where that is now. NULL with RMCRDT_NOT_FOUND when the document lacks what it was at. `index` may be NULL. */
RMCRDT_API rmcrdt_type* rmcrdt_position_resolve(const rmcrdt_doc* doc, const uint8_t* position, size_t position_size,
                                                uint64_t* index);

/* --- updates without a document ---------------------------------------------------------------------------------- */

/* `limits` is read for its limits alone and may be NULL. */
RMCRDT_API rmcrdt_code rmcrdt_update_check(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                           const rmcrdt_options* limits);
RMCRDT_API rmcrdt_buffer* rmcrdt_update_merge(rmcrdt_format format, const rmcrdt_view* updates, size_t count,
                                              const rmcrdt_options* limits);
RMCRDT_API rmcrdt_buffer* rmcrdt_update_diff(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                             const uint8_t* state_vector, size_t state_vector_size,
                                             const rmcrdt_options* limits);
RMCRDT_API rmcrdt_buffer* rmcrdt_update_convert(rmcrdt_format from, rmcrdt_format to, const uint8_t* update,
                                                size_t update_size, const rmcrdt_options* limits);
RMCRDT_API rmcrdt_buffer* rmcrdt_update_state_vector(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                                     const rmcrdt_options* limits);

#ifdef __cplusplus
}
#endif

#endif /* RIVERMEET_CRDT_RIVERMEET_CRDT_H_ */
