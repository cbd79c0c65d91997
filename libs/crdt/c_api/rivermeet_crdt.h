/* The engine of Yjs documents for C, and for every language that can call C. The library is librivermeet_crdt.so.
 *
 * Errors. Every function below those of buffers may fail, but those that free: it gives a code then, NULL, false, 0, or
 * of an enum the member 0, RMCRDT_KIND_UNTYPED or RMCRDT_STEP_RETAIN. rmcrdt_error_code and rmcrdt_error_message say
 * why, for the last call on this thread that failed; one that succeeds leaves them as they are. Nothing throws, and
 * after an error everything is as it was, but for what rmcrdt_list_delete and rmcrdt_doc_apply_all had done. Of every
 * function, and not said again, it is RMCRDT_INVALID_ARGUMENT when a handle or callback is NULL where one is needed, a
 * text isn't UTF-8, a number is none of its enum's, or bytes (an update, a snapshot, JSON) aren't what they should be:
 * the message says where; and RMCRDT_RESOURCE_EXHAUSTED when a limit would be passed, or memory runs out. If it does so
 * in a call that changes or observes a document, that is lost: all but freeing it, which gives nothing back, is
 * RMCRDT_RESOURCE_EXHAUSTED from then on. Where not even a few bytes for a hash table are left the process ends.
 *
 * Memory. Pointers to bytes and texts that are passed in are read during the call only; text is UTF-8, needs no final
 * zero, and may be NULL when its size is 0. What a function returns as a pointer without const belongs to the caller,
 * who frees it with the _free function of its type; these take NULL, too. What is returned as a pointer with const
 * belongs to the handle it was asked of, as what a callback gets as one belongs to the call of it. Handles may be freed
 * in any order, as the finalizers of other languages do: a document's memory goes when it and everything made of it
 * (types, values, events' deltas, subscriptions, undo managers) is freed.
 *
 * Threads. A document and all that was made of it are used by one thread at a time, frees included; they may move
 * between threads. The functions on updates alone may be called from any.
 *
 * Callbacks are called on the thread that made the call that changed something, before it returns. They may read and
 * edit the document, and must come back the ordinary way: no longjmp, no exception.
 *
 * Versions. Functions, codes and members are only ever added while RMCRDT_VERSION_MAJOR stays; so is the library's
 * soname. What 1.0 lacks says since when it is there.
 */
#ifndef RIVERMEET_CRDT_C_API_RIVERMEET_CRDT_H_
#define RIVERMEET_CRDT_C_API_RIVERMEET_CRDT_H_

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
#define RMCRDT_VERSION_MINOR 1
/* Of the library that is running: major * 1000 + minor. */
RMCRDT_API uint32_t rmcrdt_version(void);

/* --- errors ------------------------------------------------------------------------------------------------------ */
/* The numbers of gRPC's codes of these names. */
typedef enum RMCRDT_INT32 {
  RMCRDT_OK = 0,
  RMCRDT_INVALID_ARGUMENT = 3,    /* Bytes or a value that can't be; don't retry. */
  RMCRDT_NOT_FOUND = 5,           /* Nothing is there, such as past the end of a list that is read. */
  RMCRDT_RESOURCE_EXHAUSTED = 8,  /* A limit, or memory. */
  RMCRDT_FAILED_PRECONDITION = 9, /* A type is gone or of another kind; a document or loader isn't ready for that. */
  RMCRDT_OUT_OF_RANGE = 11,       /* Past the end of a list that is edited, or of what an event, delta or diff tells. */
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
/* rmcrdt_options_init fills it with the defaults. Members that a newer library has besides keep theirs; a struct_size
 * that is 0 or larger than the library's own, or a member over its bound, is RMCRDT_INVALID_ARGUMENT. */
typedef struct {
  size_t struct_size; /* sizeof(rmcrdt_options), by which the library knows which members there are */
  bool has_client_id; /* false: 32 random bits */
  uint64_t client_id; /* at most 2^53 - 1 */
  bool keep_deleted;  /* true: what is deleted isn't collected, so that snapshots can be restored */
  uint64_t max_update_bytes;
  uint64_t max_structs; /* of an update and of a document: runs of text or elements that were made together */
  uint64_t max_clients; /* of an update and of a document */
  uint32_t max_depth;   /* of values, and of types in each other; at most 512 */
  uint64_t max_document_bytes;
  uint64_t max_repeats; /* since 1.1; of an update in V2: structs beyond one a byte, bytes of keys that come again */
} rmcrdt_options;

/* `struct_size` is sizeof(rmcrdt_options) as the caller knows it: no more is written. */
RMCRDT_API rmcrdt_code rmcrdt_options_init(rmcrdt_options* options, size_t struct_size);
/* `options` may be NULL. */
RMCRDT_API rmcrdt_doc* rmcrdt_doc_new(const rmcrdt_options* options);
RMCRDT_API void rmcrdt_doc_free(rmcrdt_doc* doc);
RMCRDT_API uint64_t rmcrdt_doc_client_id(const rmcrdt_doc* doc); /* of local edits; another once others use it */
RMCRDT_API bool rmcrdt_doc_has_pending(const rmcrdt_doc* doc);   /* updates that wait for others */
RMCRDT_API uint64_t rmcrdt_doc_memory_bytes(const rmcrdt_doc* doc);
RMCRDT_API uint64_t rmcrdt_doc_struct_count(const rmcrdt_doc* doc);

/* All or nothing, in whatever order updates come and however often. `origin` says whose it is, for undo managers. */
RMCRDT_API rmcrdt_code rmcrdt_doc_apply(rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* update,
                                        size_t update_size, const char* origin, size_t origin_size);
/* Many as one transaction, up to the first that fails: `applied`, which may be NULL, gets how many were before it. */
RMCRDT_API rmcrdt_code rmcrdt_doc_apply_all(rmcrdt_doc* doc, rmcrdt_format format, const rmcrdt_view* updates,
                                            size_t count, const char* origin, size_t origin_size, size_t* applied);

/* The whole state as an update, or what somebody lacks who has `state_vector`; that may be NULL, for all. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_state(const rmcrdt_doc* doc, rmcrdt_format format,
                                                  const uint8_t* state_vector, size_t state_vector_size);
/* How far each client is known; what is visible now, as a version. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_state_vector(const rmcrdt_doc* doc);
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_snapshot(const rmcrdt_doc* doc, rmcrdt_format format);
/* A new document as this one was at `snapshot`. RMCRDT_FAILED_PRECONDITION: this one was made without keep_deleted.
 * RMCRDT_INVALID_ARGUMENT, too: it can't have been like that. */
RMCRDT_API rmcrdt_doc* rmcrdt_doc_restore_snapshot(rmcrdt_doc* doc, rmcrdt_format format, const uint8_t* snapshot,
                                                   size_t snapshot_size, const rmcrdt_options* options);
/* All structs in the document as JSON, for tests that compare stores. The form may change with any version. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_dump_structs(const rmcrdt_doc* doc);
/* All roots that are of a kind, as JSON; errors as of rmcrdt_type_to_json. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_to_json(const rmcrdt_doc* doc);

/* Since 1.1. A large document, loaded in steps: from one update, as rmcrdt_doc_apply on a new document would. Here the
 * bytes of `update` have to stay as they are until the loader is freed or its document taken. */
typedef struct rmcrdt_loader rmcrdt_loader;
RMCRDT_API rmcrdt_loader* rmcrdt_loader_new(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                            const rmcrdt_options* options);
RMCRDT_API void rmcrdt_loader_free(rmcrdt_loader* loader);
/* Goes on for about `work`, some hundred nanoseconds each; 0: for a few milliseconds. `done` gets whether the document
 * can be taken. After an error, one of rmcrdt_doc_apply, it never can. */
RMCRDT_API rmcrdt_code rmcrdt_loader_step(rmcrdt_loader* loader, uint64_t work, bool* done);
/* The document, once. RMCRDT_FAILED_PRECONDITION: it isn't done, or was taken. */
RMCRDT_API rmcrdt_doc* rmcrdt_loader_take(rmcrdt_loader* loader);

/* Calls `edit` and makes all it does one transaction; inside of another it is part of that. */
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
/* Called at the end of each transaction, after all observers; rmcrdt_doc_observe tells more of it. */
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
  RMCRDT_VALUE_UNDEFINED = 0,
  RMCRDT_VALUE_NULL = 1,
  RMCRDT_VALUE_BOOL = 2,
  RMCRDT_VALUE_NUMBER = 3,
  RMCRDT_VALUE_BIGINT = 4,
  RMCRDT_VALUE_TEXT = 5,
  RMCRDT_VALUE_BYTES = 6,
  RMCRDT_VALUE_ARRAY = 7,
  RMCRDT_VALUE_OBJECT = 8,
  RMCRDT_VALUE_TYPE = 9,         /* a shared type in the document */
  RMCRDT_VALUE_SUBDOCUMENT = 10, /* a document in the document */
  RMCRDT_VALUE_NEW_TYPE = 11,    /* to be put in */
  RMCRDT_VALUE_NEW_SUBDOCUMENT = 12
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
/* JSON as JSON.stringify gives it: of a type what rmcrdt_type_to_json gives, of a document {}. A bigint, undefined by
 * itself, or what is yet to be put in is RMCRDT_INVALID_ARGUMENT. */
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
/* Since 1.1. The options of a subdocument, as a value; how many elements an array or members an object has; one of
 * them, copied: RMCRDT_NOT_FOUND past the end, or where there is no such key. */
RMCRDT_API rmcrdt_value* rmcrdt_value_get_options(const rmcrdt_value* value);
RMCRDT_API size_t rmcrdt_value_get_size(const rmcrdt_value* value);
RMCRDT_API rmcrdt_value* rmcrdt_value_get_element(const rmcrdt_value* array, size_t index);
RMCRDT_API rmcrdt_value* rmcrdt_value_get_member(const rmcrdt_value* object, const char* key, size_t key_size);

/* A shared type that isn't in a document yet. `name` is that of an XML element or hook, else it must be empty. */
RMCRDT_API rmcrdt_value* rmcrdt_value_new_type(rmcrdt_kind kind, const char* name, size_t name_size);
/* A document to be put in. `options` is an object or NULL. */
RMCRDT_API rmcrdt_value* rmcrdt_value_new_subdocument(const char* guid, size_t guid_size, const rmcrdt_value* options);
/* What a new type starts with; what is added is copied. RMCRDT_INVALID_ARGUMENT when its kind has no such thing. */
RMCRDT_API rmcrdt_code rmcrdt_value_push(rmcrdt_value* new_type, const rmcrdt_value* item);
RMCRDT_API rmcrdt_code rmcrdt_value_set(rmcrdt_value* new_type, const char* key, size_t key_size,
                                        const rmcrdt_value* value);
RMCRDT_API rmcrdt_code rmcrdt_value_set_text(rmcrdt_value* new_type, const char* text, size_t text_size);

/* --- shared types ------------------------------------------------------------------------------------------------ */
/* Of a function of lists, maps or texts RMCRDT_FAILED_PRECONDITION: the type is none. Of an edit, too: it is gone; and
 * RMCRDT_INVALID_ARGUMENT: that can't be put in. What is gone reads as if empty, or is RMCRDT_FAILED_PRECONDITION. */

/* The root of that name, made when it is new, as that kind. RMCRDT_FAILED_PRECONDITION: it is of another. */
RMCRDT_API rmcrdt_type* rmcrdt_doc_get_root(rmcrdt_doc* doc, rmcrdt_kind kind, const char* name, size_t name_size);
/* The root of that name as it is; NULL and RMCRDT_NOT_FOUND when there is none. */
RMCRDT_API rmcrdt_type* rmcrdt_doc_find_root(const rmcrdt_doc* doc, const char* name, size_t name_size);

RMCRDT_API void rmcrdt_type_free(rmcrdt_type* type);
RMCRDT_API rmcrdt_kind rmcrdt_type_kind(const rmcrdt_type* type);
RMCRDT_API bool rmcrdt_type_alive(const rmcrdt_type* type); /* it isn't gone from its document */
/* Whether both are the same type of the same document. */
RMCRDT_API bool rmcrdt_type_same(const rmcrdt_type* a, const rmcrdt_type* b);
/* The node name of an XML element or hook; else nothing. */
RMCRDT_API rmcrdt_buffer* rmcrdt_type_name(const rmcrdt_type* type);
/* Since 1.1. The type that it is in, and the step from there: a text (a key) or a number (an index). NULL with
 * RMCRDT_NOT_FOUND of a root, or when it is gone. */
RMCRDT_API rmcrdt_type* rmcrdt_type_parent(const rmcrdt_type* type);
RMCRDT_API rmcrdt_value* rmcrdt_type_step(const rmcrdt_type* type);
/* Elements of a list, UTF-16 units of a text. */
RMCRDT_API uint64_t rmcrdt_type_length(const rmcrdt_type* type);
/* As yjs's toJSON() and toString(). RMCRDT_INVALID_ARGUMENT where those throw: at bigints, and in XML at null, too. */
RMCRDT_API rmcrdt_buffer* rmcrdt_type_to_json(const rmcrdt_type* type);
RMCRDT_API rmcrdt_buffer* rmcrdt_type_to_xml(const rmcrdt_type* type);

/* Lists: arrays, and the children of XML elements and fragments. At an index; RMCRDT_NOT_FOUND when it has no such. */
RMCRDT_API rmcrdt_value* rmcrdt_list_get(const rmcrdt_type* list, uint64_t index);
/* At an index, or at the end; RMCRDT_OUT_OF_RANGE past that. A list takes neither undefined nor a bigint. */
RMCRDT_API rmcrdt_code rmcrdt_list_insert(rmcrdt_type* list, uint64_t index, const rmcrdt_value* const* values,
                                          size_t count);
RMCRDT_API rmcrdt_code rmcrdt_list_push(rmcrdt_type* list, const rmcrdt_value* const* values, size_t count);
/* RMCRDT_OUT_OF_RANGE when fewer are there: those are deleted, as in yjs. */
RMCRDT_API rmcrdt_code rmcrdt_list_delete(rmcrdt_type* list, uint64_t index, uint64_t length);

/* Maps: maps and hooks, and the attributes of XML elements and texts. RMCRDT_NOT_FOUND where there is no such key. */
RMCRDT_API rmcrdt_value* rmcrdt_map_get(const rmcrdt_type* map, const char* key, size_t key_size);
/* In place of what the key had, if anything. To delete what isn't there is RMCRDT_OK. */
RMCRDT_API rmcrdt_code rmcrdt_map_set(rmcrdt_type* map, const char* key, size_t key_size, const rmcrdt_value* value);
RMCRDT_API rmcrdt_code rmcrdt_map_delete(rmcrdt_type* map, const char* key, size_t key_size);
RMCRDT_API rmcrdt_code rmcrdt_map_clear(rmcrdt_type* map);
/* Its keys as a value, an array of texts. */
RMCRDT_API rmcrdt_value* rmcrdt_map_keys(const rmcrdt_type* map);

/* Texts. Indices and lengths count UTF-16 units; past the end counts as the end. */
typedef struct rmcrdt_delta rmcrdt_delta;
/* Since 1.1. For programs whose strings are UTF-8, or arrays of code points: how long the text is in these units, and
 * which place in one is the place in another. */
typedef enum RMCRDT_INT32 { RMCRDT_UNIT_UTF16 = 0, RMCRDT_UNIT_UTF8 = 1, RMCRDT_UNIT_CODE_POINTS = 2 } rmcrdt_text_unit;
RMCRDT_API uint64_t rmcrdt_text_length(const rmcrdt_type* text, rmcrdt_text_unit unit);
RMCRDT_API uint64_t rmcrdt_text_convert_place(const rmcrdt_type* text, uint64_t place, rmcrdt_text_unit from,
                                              rmcrdt_text_unit to);
RMCRDT_API rmcrdt_buffer* rmcrdt_text_plain(const rmcrdt_type* text); /* without embeds and attributes */
/* `attributes` is an object, NULL: those that hold at that place. They and plain embeds are values that JSON has. */
RMCRDT_API rmcrdt_code rmcrdt_text_insert(rmcrdt_type* text, uint64_t index, const char* inserted, size_t inserted_size,
                                          const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_text_insert_embed(rmcrdt_type* text, uint64_t index, const rmcrdt_value* embed,
                                                const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_text_delete(rmcrdt_type* text, uint64_t index, uint64_t length);
/* Null takes an attribute away. What of a range that begins in the text is past its end becomes new lines. */
RMCRDT_API rmcrdt_code rmcrdt_text_format(rmcrdt_type* text, uint64_t index, uint64_t length,
                                          const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_delta* rmcrdt_text_to_delta(const rmcrdt_type* text); /* all of it, inserted */
RMCRDT_API rmcrdt_code rmcrdt_text_apply_delta(rmcrdt_type* text, const rmcrdt_delta* delta);

/* --- deltas ------------------------------------------------------------------------------------------------------ */
/* What a text is or how a list or text changes, step by step, as Quill has it. */
typedef enum RMCRDT_INT32 { RMCRDT_STEP_INSERT = 0, RMCRDT_STEP_RETAIN = 1, RMCRDT_STEP_DELETE = 2 } rmcrdt_step_kind;
RMCRDT_API rmcrdt_delta* rmcrdt_delta_new(void);
RMCRDT_API void rmcrdt_delta_free(rmcrdt_delta* delta);
/* Adds a step. `attributes` is an object or NULL. A text is inserted as such, anything else as one embed. */
RMCRDT_API rmcrdt_code rmcrdt_delta_insert(rmcrdt_delta* delta, const rmcrdt_value* value,
                                           const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_delta_retain(rmcrdt_delta* delta, uint64_t length, const rmcrdt_value* attributes);
RMCRDT_API rmcrdt_code rmcrdt_delta_delete(rmcrdt_delta* delta, uint64_t length);
RMCRDT_API size_t rmcrdt_delta_size(const rmcrdt_delta* delta); /* in steps */
/* Of a step past the end: RMCRDT_STEP_RETAIN, 0, 0, NULL with RMCRDT_OUT_OF_RANGE. */
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
/* The changes of this type itself: one event a call. Of both RMCRDT_FAILED_PRECONDITION: the type is gone. */
RMCRDT_API rmcrdt_subscription* rmcrdt_type_observe(rmcrdt_type* type, rmcrdt_events_callback callback, void* context);
/* The changes of this type and of those inside it. */
RMCRDT_API rmcrdt_subscription* rmcrdt_type_observe_deep(rmcrdt_type* type, rmcrdt_events_callback callback,
                                                         void* context);
RMCRDT_API rmcrdt_type* rmcrdt_event_target(const rmcrdt_event* event);
RMCRDT_API bool rmcrdt_event_local(const rmcrdt_event* event);
RMCRDT_API const char* rmcrdt_event_origin(const rmcrdt_event* event, size_t* size); /* since 1.1 */
/* From the observed type to the target, as a value: an array of texts (keys) and numbers (indices). */
RMCRDT_API rmcrdt_value* rmcrdt_event_path(const rmcrdt_event* event);
/* Of the list or text. To ask for a text's is a transaction, too, which deletes formats that say nothing more. */
RMCRDT_API rmcrdt_delta* rmcrdt_event_delta(const rmcrdt_event* event);
RMCRDT_API size_t rmcrdt_event_key_count(const rmcrdt_event* event); /* of those that changed */
RMCRDT_API const char* rmcrdt_event_key(const rmcrdt_event* event, size_t key, size_t* size);
RMCRDT_API rmcrdt_key_action rmcrdt_event_key_action(const rmcrdt_event* event, size_t key);
RMCRDT_API rmcrdt_value* rmcrdt_event_key_old_value(const rmcrdt_event* event, size_t key); /* undefined: added */

/* Since 1.1. A transaction, at its end and after all observers: its origin, and the types that it changed itself. */
typedef struct rmcrdt_transaction rmcrdt_transaction;
typedef void (*rmcrdt_end_callback)(void* context, const rmcrdt_transaction* transaction);
RMCRDT_API rmcrdt_subscription* rmcrdt_doc_observe(rmcrdt_doc* doc, rmcrdt_end_callback callback, void* context);
RMCRDT_API bool rmcrdt_transaction_local(const rmcrdt_transaction* transaction);
RMCRDT_API const char* rmcrdt_transaction_origin(const rmcrdt_transaction* transaction, size_t* size);
RMCRDT_API size_t rmcrdt_transaction_changed_count(const rmcrdt_transaction* transaction);
RMCRDT_API rmcrdt_type* rmcrdt_transaction_changed(const rmcrdt_transaction* transaction, size_t type);

/* --- subdocuments, since 1.1 ------------------------------------------------------------------------------------- */
/* Those in the document as a value: an array of objects with `guid`, a text, and `options`. */
RMCRDT_API rmcrdt_value* rmcrdt_doc_subdocuments(const rmcrdt_doc* doc);
/* Says that the content of all with that guid, if any, is wanted. */
RMCRDT_API rmcrdt_code rmcrdt_doc_load_subdocument(rmcrdt_doc* doc, const char* guid, size_t guid_size);
/* Called at the end of each transaction that brought some, took some away or asked for the content of some, with arrays
 * such as rmcrdt_doc_subdocuments gives. */
typedef void (*rmcrdt_subdocuments_callback)(void* context, const rmcrdt_value* added, const rmcrdt_value* removed,
                                             const rmcrdt_value* loaded);
RMCRDT_API rmcrdt_subscription* rmcrdt_doc_on_subdocuments(rmcrdt_doc* doc, rmcrdt_subdocuments_callback callback,
                                                           void* context);

/* --- undo -------------------------------------------------------------------------------------------------------- */
typedef struct rmcrdt_undo rmcrdt_undo;
/* Undoes changes of these types, or with none anywhere in the document, by transactions without or of a tracked origin;
 * those within `capture_timeout_ms` together. RMCRDT_INVALID_ARGUMENT: a type is of another document. */
RMCRDT_API rmcrdt_undo* rmcrdt_undo_new(rmcrdt_doc* doc, rmcrdt_type* const* scope, size_t count,
                                        uint32_t capture_timeout_ms);
RMCRDT_API void rmcrdt_undo_free(rmcrdt_undo* undo);
RMCRDT_API rmcrdt_code rmcrdt_undo_track_origin(rmcrdt_undo* undo, const char* origin, size_t origin_size);
/* `done`, which may be NULL, gets whether there was something to do. */
RMCRDT_API rmcrdt_code rmcrdt_undo_undo(rmcrdt_undo* undo, bool* done);
RMCRDT_API rmcrdt_code rmcrdt_undo_redo(rmcrdt_undo* undo, bool* done);
RMCRDT_API void rmcrdt_undo_stop_capturing(rmcrdt_undo* undo); /* the next change is undone by itself */
RMCRDT_API void rmcrdt_undo_clear(rmcrdt_undo* undo);          /* forgets what can be undone and redone */
RMCRDT_API size_t rmcrdt_undo_undo_count(const rmcrdt_undo* undo);
RMCRDT_API size_t rmcrdt_undo_redo_count(const rmcrdt_undo* undo);

/* Since 1.1. An item came onto a stack, a change joined the last one, one was undone or redone, a stack was cleared. */
typedef struct rmcrdt_undo_event rmcrdt_undo_event;
typedef enum RMCRDT_INT32 {
  RMCRDT_UNDO_ITEM_ADDED = 0,
  RMCRDT_UNDO_ITEM_UPDATED = 1,
  RMCRDT_UNDO_ITEM_POPPED = 2,
  RMCRDT_UNDO_STACK_CLEARED = 3
} rmcrdt_undo_change;
typedef enum RMCRDT_INT32 { RMCRDT_STACK_UNDO = 0, RMCRDT_STACK_REDO = 1 } rmcrdt_undo_stack;
typedef void (*rmcrdt_undo_callback)(void* context, const rmcrdt_undo_event* event);
RMCRDT_API rmcrdt_subscription* rmcrdt_undo_observe(rmcrdt_undo* undo, rmcrdt_undo_callback callback, void* context);
RMCRDT_API rmcrdt_undo_change rmcrdt_undo_event_change(const rmcrdt_undo_event* event);
RMCRDT_API rmcrdt_undo_stack rmcrdt_undo_event_stack(const rmcrdt_undo_event* event);
/* Of the transaction: its origin, and the types in which something changed, at whatever depth. */
RMCRDT_API const char* rmcrdt_undo_event_origin(const rmcrdt_undo_event* event, size_t* size);
RMCRDT_API size_t rmcrdt_undo_event_changed_count(const rmcrdt_undo_event* event);
RMCRDT_API rmcrdt_type* rmcrdt_undo_event_changed(const rmcrdt_undo_event* event, size_t type);
/* What the program remembers with the item, such as where the cursor was: plain values by key. RMCRDT_NOT_FOUND where
 * there is none, RMCRDT_FAILED_PRECONDITION of a cleared stack. */
RMCRDT_API rmcrdt_code rmcrdt_undo_event_set_note(const rmcrdt_undo_event* event, const char* key, size_t key_size,
                                                  const rmcrdt_value* note);
RMCRDT_API rmcrdt_value* rmcrdt_undo_event_get_note(const rmcrdt_undo_event* event, const char* key, size_t key_size);
/* The same of what is being undone or redone, for other callbacks. RMCRDT_FAILED_PRECONDITION: nothing is. */
RMCRDT_API rmcrdt_value* rmcrdt_undo_current_note(const rmcrdt_undo* undo, const char* key, size_t key_size);

/* --- relative positions ------------------------------------------------------------------------------------------ */
/* The place before `index`, or the end, as yjs's encodeRelativePosition writes it. `assoc` at least 0: it stays with
 * the unit behind it; less: with the one before. RMCRDT_FAILED_PRECONDITION: the type is gone. */
RMCRDT_API rmcrdt_buffer* rmcrdt_position_at(const rmcrdt_type* type, uint64_t index, int64_t assoc);
/* Where that is now. NULL with RMCRDT_NOT_FOUND when the document lacks what it was at. `index` may be NULL. */
RMCRDT_API rmcrdt_type* rmcrdt_position_resolve(const rmcrdt_doc* doc, const uint8_t* position, size_t position_size,
                                                uint64_t* index);
/* Since 1.1. The same as others find it, who don't know what an undo here brought back. */
RMCRDT_API rmcrdt_type* rmcrdt_position_resolve_as_others(const rmcrdt_doc* doc, const uint8_t* position,
                                                          size_t position_size, uint64_t* index);
/* Since 1.1. yjs's JSON of it, and back. */
RMCRDT_API rmcrdt_buffer* rmcrdt_position_to_json(const uint8_t* position, size_t position_size);
RMCRDT_API rmcrdt_buffer* rmcrdt_position_from_json(const char* json, size_t json_size);

/* --- versions, since 1.1 ----------------------------------------------------------------------------------------- */
/* A version is a snapshot, which rmcrdt_doc_encode_snapshot gives. */
RMCRDT_API rmcrdt_code rmcrdt_snapshot_equal(rmcrdt_format format, const uint8_t* a, size_t a_size, const uint8_t* b,
                                             size_t b_size, bool* equal);
/* Whether whoever has that version learns nothing from `update`; both are of that format. */
RMCRDT_API rmcrdt_code rmcrdt_snapshot_contains(rmcrdt_format format, const uint8_t* snapshot, size_t snapshot_size,
                                                const uint8_t* update, size_t update_size, bool* contains);

/* How two versions of a text, a list or the keys of a map differ, run by run. `before` NULL: from nothing, so that the
 * result is all that stood there; `after` NULL: to what is there now. The type may be deleted, but not collected. */
typedef struct rmcrdt_diff rmcrdt_diff;
RMCRDT_API rmcrdt_diff* rmcrdt_text_diff(const rmcrdt_type* text, rmcrdt_format format, const rmcrdt_view* before,
                                         const rmcrdt_view* after);
RMCRDT_API rmcrdt_diff* rmcrdt_list_diff(const rmcrdt_type* list, rmcrdt_format format, const rmcrdt_view* before,
                                         const rmcrdt_view* after);
/* A value that was replaced is a removal of the one and an addition of the other; what stayed isn't told. */
RMCRDT_API rmcrdt_diff* rmcrdt_map_diff(const rmcrdt_type* map, rmcrdt_format format, const rmcrdt_view* before,
                                        const rmcrdt_view* after);
RMCRDT_API void rmcrdt_diff_free(rmcrdt_diff* diff);
typedef enum RMCRDT_INT32 { RMCRDT_CHANGE_SAME = 0, RMCRDT_CHANGE_ADDED = 1, RMCRDT_CHANGE_REMOVED = 2 } rmcrdt_change;
RMCRDT_API size_t rmcrdt_diff_size(const rmcrdt_diff* diff);
/* Of a run past the end: RMCRDT_CHANGE_SAME, 0, NULL with RMCRDT_OUT_OF_RANGE. */
RMCRDT_API rmcrdt_change rmcrdt_diff_change(const rmcrdt_diff* diff, size_t run);
/* In UTF-16 units of a text; else 1. */
RMCRDT_API uint64_t rmcrdt_diff_length(const rmcrdt_diff* diff, size_t run);
RMCRDT_API rmcrdt_value* rmcrdt_diff_value(const rmcrdt_diff* diff, size_t run);
/* An object, where text has attributes. The key, of a map. Else NULL with RMCRDT_NOT_FOUND. */
RMCRDT_API rmcrdt_value* rmcrdt_diff_attributes(const rmcrdt_diff* diff, size_t run);
RMCRDT_API const char* rmcrdt_diff_key(const rmcrdt_diff* diff, size_t run, size_t* size);
/* An object of numbers: the `client` that wrote it and the `clock` of its first unit; where it was noted, the time when
 * (`written`); of what was removed the client that did (`removedBy`) and when (`removed`). */
RMCRDT_API rmcrdt_value* rmcrdt_diff_author(const rmcrdt_diff* diff, size_t run);

/* Exactly yjs's toDelta(snapshot, prevSnapshot), each NULL when it isn't given: what was added or removed since
 * `before` has the attribute `ychange`. It may cut structs of the document, as there. */
RMCRDT_API rmcrdt_delta* rmcrdt_text_delta_at(const rmcrdt_type* text, rmcrdt_format format, const rmcrdt_view* version,
                                              const rmcrdt_view* before);

/* --- attribution, since 1.1 -------------------------------------------------------------------------------------- */
/* Times are milliseconds since 1970. From here on the document notes who wrote and deleted what, and when. `known` is
 * what rmcrdt_doc_encode_attribution gave of the same history, NULL if nothing is. */
RMCRDT_API rmcrdt_code rmcrdt_doc_keep_attribution(rmcrdt_doc* doc, const uint8_t* known, size_t known_size);
/* Who it is that deletes in transactions that end from here on, and their time; each NULL when it isn't known. */
RMCRDT_API rmcrdt_code rmcrdt_doc_attribute_to(rmcrdt_doc* doc, const uint64_t* client, const int64_t* time_ms);
/* RMCRDT_FAILED_PRECONDITION: it isn't kept. */
RMCRDT_API rmcrdt_buffer* rmcrdt_doc_encode_attribution(const rmcrdt_doc* doc);
/* Who wrote what stands at [`from`, `to`) of its list or text, as a value: an array of objects with `length`, `client`
 * and, where it was noted, `written`. Past the end is nobody. */
RMCRDT_API rmcrdt_value* rmcrdt_type_authors(const rmcrdt_type* type, uint64_t from, uint64_t to);

/* --- updates without a document ---------------------------------------------------------------------------------- */
/* `limits` is read for its limits alone and may be NULL. Whether the update can be read, to its last byte. */
RMCRDT_API rmcrdt_code rmcrdt_update_check(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                           const rmcrdt_options* limits);
/* One with the effect of all. One alone is given back unread; of none it is one without effect. */
RMCRDT_API rmcrdt_buffer* rmcrdt_update_merge(rmcrdt_format format, const rmcrdt_view* updates, size_t count,
                                              const rmcrdt_options* limits);
/* What of it somebody lacks who has `state_vector`; all that it deletes. */
RMCRDT_API rmcrdt_buffer* rmcrdt_update_diff(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                             const uint8_t* state_vector, size_t state_vector_size,
                                             const rmcrdt_options* limits);
/* The same in the other format. The state vector of who has just this update. */
RMCRDT_API rmcrdt_buffer* rmcrdt_update_convert(rmcrdt_format from, rmcrdt_format to, const uint8_t* update,
                                                size_t update_size, const rmcrdt_options* limits);
RMCRDT_API rmcrdt_buffer* rmcrdt_update_state_vector(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                                     const rmcrdt_options* limits);
/* Since 1.1. The same update without what it says: texts, values, keys and names are replaced. */
RMCRDT_API rmcrdt_buffer* rmcrdt_update_obfuscate(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                                  const rmcrdt_options* limits);
/* Since 1.1. Whose structs it has, as a value: an array of objects with `client` and the clocks `from` and, behind the
 * last, `to`. */
RMCRDT_API rmcrdt_value* rmcrdt_update_clients(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                               const rmcrdt_options* limits);

#ifdef __cplusplus
}
#endif

#endif /* RIVERMEET_CRDT_C_API_RIVERMEET_CRDT_H_ */
