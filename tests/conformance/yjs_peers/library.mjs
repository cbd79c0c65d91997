// librivermeet_crdt.so, called from Node: what rivermeet_crdt.h says, with errors thrown and bytes as Uint8Array.
import koffi from "koffi";
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

const path = process.env.RIVERMEET_CRDT_LIBRARY;
if (!path) throw new Error("RIVERMEET_CRDT_LIBRARY has to name librivermeet_crdt.so; ./run sets it");
const library = koffi.load(path);

export const kFormat = { v1: 1, v2: 2 };
// rmcrdt_kind
export const kKind = { array: 0, map: 1, text: 2, element: 3, fragment: 4, hook: 5, xmlText: 6, untyped: 255 };
const kValueOfType = 9;

const UpdateCallback = koffi.proto(
  "void UpdateCallback(void* context, const uint8_t* update, size_t size, const uint8_t* origin, size_t origin_size)",
);
const EventsCallback = koffi.proto("void EventsCallback(void* context, const void* events, size_t count)");
const EditCallback = koffi.proto("void EditCallback(void* context)");
const View = koffi.struct("rmcrdt_view", { data: "void*", size: "size_t" });

const Options = koffi.struct("rmcrdt_options", {
  struct_size: "size_t",
  has_client_id: "bool",
  client_id: "uint64_t",
  keep_deleted: "bool",
  max_update_bytes: "uint64_t",
  max_structs: "uint64_t",
  max_clients: "uint64_t",
  max_depth: "uint32_t",
  max_document_bytes: "uint64_t",
});

const call = (result, name, ...parameters) => library.func(`rmcrdt_${name}`, result, parameters);
const bytes = ["const uint8_t*", "size_t"];
const text = ["const char*", "size_t"];

const errorMessage = call("const char*", "error_message");
const c = {
  bufferData: call("void*", "buffer_data", "void*"),
  bufferSize: call("size_t", "buffer_size", "void*"),
  bufferFree: call("void", "buffer_free", "void*"),
  optionsInit: call("int", "options_init", koffi.out(koffi.pointer(Options)), "size_t"),
  docNew: call("void*", "doc_new", koffi.pointer(Options)),
  docFree: call("void", "doc_free", "void*"),
  docHasPending: call("bool", "doc_has_pending", "void*"),
  docApply: call("int", "doc_apply", "void*", "int", ...bytes, ...text),
  docEncodeState: call("void*", "doc_encode_state", "void*", "int", ...bytes),
  docEncodeStateVector: call("void*", "doc_encode_state_vector", "void*"),
  docEncodeSnapshot: call("void*", "doc_encode_snapshot", "void*", "int"),
  docDumpStructs: call("void*", "doc_dump_structs", "void*"),
  docTransact: call("int", "doc_transact", "void*", ...text, koffi.pointer(EditCallback), "void*"),
  docOnUpdate: call("void*", "doc_on_update", "void*", "int", koffi.pointer(UpdateCallback), "void*"),
  docGetRoot: call("void*", "doc_get_root", "void*", "int", ...text),
  subscriptionFree: call("void", "subscription_free", "void*"),
  valueFree: call("void", "value_free", "void*"),
  valueKind: call("int", "value_get_kind", "void*"),
  valueFromAny: call("void*", "value_from_any", ...bytes),
  valueToAny: call("void*", "value_to_any", "void*"),
  valueGetType: call("void*", "value_get_type", "void*"),
  valueNewType: call("void*", "value_new_type", "int", ...text),
  valuePush: call("int", "value_push", "void*", "void*"),
  valueSet: call("int", "value_set", "void*", ...text, "void*"),
  valueSetText: call("int", "value_set_text", "void*", ...text),
  typeFree: call("void", "type_free", "void*"),
  typeKind: call("int", "type_kind", "void*"),
  typeLength: call("uint64_t", "type_length", "void*"),
  typeToJson: call("void*", "type_to_json", "void*"),
  typeToXml: call("void*", "type_to_xml", "void*"),
  typeObserve: call("void*", "type_observe", "void*", koffi.pointer(EventsCallback), "void*"),
  listGet: call("void*", "list_get", "void*", "uint64_t"),
  listInsert: call("int", "list_insert", "void*", "uint64_t", "void**", "size_t"),
  listDelete: call("int", "list_delete", "void*", "uint64_t", "uint64_t"),
  mapGet: call("void*", "map_get", "void*", ...text),
  mapSet: call("int", "map_set", "void*", ...text, "void*"),
  mapDelete: call("int", "map_delete", "void*", ...text),
  mapKeys: call("void*", "map_keys", "void*"),
  textInsert: call("int", "text_insert", "void*", "uint64_t", ...text, "void*"),
  textInsertEmbed: call("int", "text_insert_embed", "void*", "uint64_t", "void*", "void*"),
  textDelete: call("int", "text_delete", "void*", "uint64_t", "uint64_t"),
  textFormat: call("int", "text_format", "void*", "uint64_t", "uint64_t", "void*"),
  textToDelta: call("void*", "text_to_delta", "void*"),
  textApplyDelta: call("int", "text_apply_delta", "void*", "void*"),
  deltaNew: call("void*", "delta_new"),
  deltaFree: call("void", "delta_free", "void*"),
  deltaInsert: call("int", "delta_insert", "void*", "void*", "void*"),
  deltaRetain: call("int", "delta_retain", "void*", "uint64_t", "void*"),
  deltaDelete: call("int", "delta_delete", "void*", "uint64_t"),
  deltaSize: call("size_t", "delta_size", "void*"),
  deltaStepKind: call("int", "delta_step_kind", "void*", "size_t"),
  deltaStepLength: call("uint64_t", "delta_step_length", "void*", "size_t"),
  deltaStepValue: call("void*", "delta_step_value", "void*", "size_t", "size_t"),
  deltaStepAttributes: call("void*", "delta_step_attributes", "void*", "size_t"),
  eventDelta: call("void*", "event_delta", "void*"),
  updateMerge: call("void*", "update_merge", "int", koffi.pointer(View), "size_t", "void*"),
};
export { c };

const failed = () => new Error(errorMessage());
export const check = (code) => {
  if (code !== 0) throw failed();
};
export const made = (pointer) => {
  if (pointer === null) throw failed();
  return pointer;
};

// The bytes of a buffer, which is freed.
export const taken = (buffer) => {
  made(buffer);
  const size = Number(c.bufferSize(buffer));
  const copy = copied(c.bufferData(buffer), size);
  c.bufferFree(buffer);
  return copy;
};
export const copied = (pointer, size) =>
  size === 0 ? new Uint8Array() : new Uint8Array(koffi.view(pointer, size)).slice();

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
export const textOf = (utf8) => decoder.decode(utf8);
export const utf8 = (string) => Buffer.from(string, "utf8");
export const textArguments = (string) => {
  const encoded = utf8(string);
  return [encoded, encoded.length];
};

// A document that edits as `client`, or as one that the library draws.
export const newDoc = (client) => {
  if (client === null) return c.docNew(null);
  const options = {};
  check(c.optionsInit(options, koffi.sizeof(Options)));
  return c.docNew({ ...options, has_client_id: true, client_id: client });
};

// A value of the library for a plain one of JavaScript. The caller frees it.
export const valueOf = (plain) => {
  const encoded = encoding.encode((encoder) => encoding.writeAny(encoder, plain));
  return made(c.valueFromAny(encoded, encoded.length));
};
// The plain value, or what `wrap` makes of a shared type's handle. `value` is freed.
export const plainOf = (value, wrap) => {
  made(value);
  try {
    if (c.valueKind(value) === kValueOfType) return wrap(made(c.valueGetType(value)));
    return decoding.readAny(decoding.createDecoder(taken(c.valueToAny(value))));
  } finally {
    c.valueFree(value);
  }
};

// Calls `use` with a value for `plain`, NULL for null or undefined, and frees it.
export const withValue = (plain, use) => {
  if (plain === null || plain === undefined) return use(null);
  const value = valueOf(plain);
  try {
    return use(value);
  } finally {
    c.valueFree(value);
  }
};

export const mergeUpdates = (format, updates) =>
  taken(
    c.updateMerge(
      format,
      updates.map((update) => ({ data: Buffer.from(update), size: update.length })),
      updates.length,
      null,
    ),
  );

const registered = (callback, proto) => koffi.register(callback, koffi.pointer(proto));
export const updateCallback = (callback) => registered(callback, UpdateCallback);
export const eventsCallback = (callback) => registered(callback, EventsCallback);
export const unregister = (callback) => koffi.unregister(callback);
export const firstPointer = (pointers) => koffi.decode(pointers, "void*");
