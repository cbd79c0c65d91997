// How edits stand in a stream: what stream.md says of them, written and read.
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { kEdits } from "./edits.mjs";
import { constructorOf, kTypes } from "./values.mjs";

const kValues = { any: 0, binary: 1, type: 2, subdocument: 3 };

const writeAny = (writer, value) => writer.bytes(encoding.encode((encoder) => encoding.writeAny(encoder, value)));
const readAny = (reader) => decoding.readAny(decoding.createDecoder(reader.bytes()));

const writeList = (writer, list, write) => {
  writer.varUint(list.length);
  for (const element of list) write(element);
};
const readList = (reader, read) => Array.from({ length: reader.varUint() }, () => read());

const isNamed = (type) => type === kTypes.element || type === kTypes.hook;

const writeEntry = (writer, [key, value]) => {
  writer.string(key);
  writeValue(writer, value);
};

export const writeValue = (writer, value) => {
  if (value.type !== undefined) {
    writer.u8(kValues.type);
    writer.u8(value.type);
    if (isNamed(value.type)) writer.string(value.name);
    writer.string(value.text);
    writeList(writer, value.items, (item) => writeValue(writer, item));
    writeList(writer, [...new Map(value.entries)], (entry) => writeEntry(writer, entry));
  } else if (value.guid !== undefined) {
    writer.u8(kValues.subdocument);
    writer.string(value.guid);
    writeAny(writer, value.options);
  } else if (value.binary !== undefined) {
    writer.u8(kValues.binary);
    writer.bytes(value.binary);
  } else {
    writer.u8(kValues.any);
    writeAny(writer, value.any);
  }
};

export const readValue = (reader) => {
  const kind = reader.u8();
  if (kind === kValues.any) return { any: readAny(reader) };
  if (kind === kValues.binary) return { binary: Uint8Array.from(reader.bytes()) };
  if (kind === kValues.subdocument) return { guid: reader.string(), options: readAny(reader) };
  const type = reader.u8();
  return {
    type,
    name: isNamed(type) ? reader.string() : "",
    text: reader.string(),
    items: readList(reader, () => readValue(reader)),
    entries: readList(reader, () => [reader.string(), readValue(reader)]),
  };
};

const writeAttributes = (writer, attributes) => {
  writer.u8(attributes === null ? 0 : 1);
  if (attributes === null) return;
  writeList(writer, Object.entries(attributes), ([key, value]) => {
    writer.string(key);
    writeAny(writer, value);
  });
};

const readAttributes = (reader) =>
  reader.u8() === 0 ? null : Object.fromEntries(readList(reader, () => [reader.string(), readAny(reader)]));

const writeOperation = (writer, operation) => {
  if (operation.insert !== undefined) {
    writer.u8(0);
    writeValue(writer, operation.insert);
  } else {
    writer.u8(operation.delete !== undefined ? 1 : 2);
    writer.varUint(operation.delete ?? operation.retain);
  }
  writeAttributes(writer, operation.attributes);
};

const readOperation = (reader) => {
  const kind = reader.u8();
  const operation =
    kind === 0 ? { insert: readValue(reader) } : { [kind === 1 ? "delete" : "retain"]: reader.varUint() };
  return { ...operation, attributes: readAttributes(reader) };
};

const writeTarget = (writer, { root, type, path, shared }) => {
  writer.string(root);
  writer.u8(type);
  writeList(writer, path, (step) => {
    writer.u8(typeof step === "string" ? 0 : 1);
    if (typeof step === "string") writer.string(step);
    else writer.varUint(step);
  });
  if (path.length === 0) return;
  writer.varUint(shared._item.id.client);
  writer.varUint(shared._item.id.clock);
};

// The shared type that a target names in `doc`, or undefined when its id isn't the one of the stream.
const readTarget = (reader, doc, type) => {
  const root = { name: reader.string(), type: reader.u8() };
  let shared = doc.get(root.name, constructorOf(root.type));
  const path = readList(reader, () => (reader.u8() === 0 ? reader.string() : reader.varUint()));
  for (const step of path)
    shared = typeof step === "string" ? shared._map.get(step).content.type : childAt(shared, step);
  if (path.length === 0) {
    type(root);
    return shared;
  }
  const { client, clock } = shared._item.id;
  return [reader.varUint() === client, reader.varUint() === clock].every(Boolean) ? shared : undefined;
};

// Without get(), which would leave a search marker.
const childAt = (shared, index) => {
  for (let item = shared._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue;
    if (index < item.length) return item.content.type;
    index -= item.length;
  }
  throw new Error("no such child");
};

export const writeEdit = (writer, target, edit) => {
  writer.u8(edit.op);
  writeTarget(writer, target);
  switch (edit.op) {
    case kEdits.textInsert:
      writer.varUint(edit.index);
      writer.string(edit.text);
      return writeAttributes(writer, edit.attributes);
    case kEdits.textFormat:
      writer.varUint(edit.index);
      writer.varUint(edit.length);
      return writeAttributes(writer, edit.attributes);
    case kEdits.textEmbed:
      writer.varUint(edit.index);
      writeValue(writer, edit.value);
      return writeAttributes(writer, edit.attributes);
    case kEdits.textDelta:
      return writeList(writer, edit.delta, (operation) => writeOperation(writer, operation));
    case kEdits.listInsert:
      writer.varUint(edit.index);
      return writeList(writer, edit.values, (value) => writeValue(writer, value));
    case kEdits.listPush:
      return writeList(writer, edit.values, (value) => writeValue(writer, value));
    case kEdits.textDelete:
    case kEdits.listDelete:
      writer.varUint(edit.index);
      return writer.varUint(edit.length);
    case kEdits.mapSet:
      return writeEntry(writer, [edit.key, edit.value]);
    case kEdits.mapDelete:
      return writer.string(edit.key);
    default:
      throw new Error(`no edit ${edit.op}`);
  }
};

// [the shared type, the edit]; its op has been read.
// Calls `type` with a root that is edited.
export const readEdit = (op, reader, doc, type) => {
  const shared = readTarget(reader, doc, type);
  const edit = { op };
  if (op !== kEdits.textDelta && op !== kEdits.listPush && op < kEdits.mapSet) edit.index = reader.varUint();
  switch (op) {
    case kEdits.textInsert:
      edit.text = reader.string();
      edit.attributes = readAttributes(reader);
      break;
    case kEdits.textFormat:
      edit.length = reader.varUint();
      edit.attributes = readAttributes(reader);
      break;
    case kEdits.textEmbed:
      edit.value = readValue(reader);
      edit.attributes = readAttributes(reader);
      break;
    case kEdits.textDelta:
      edit.delta = readList(reader, () => readOperation(reader));
      break;
    case kEdits.listInsert:
    case kEdits.listPush:
      edit.values = readList(reader, () => readValue(reader));
      break;
    case kEdits.textDelete:
    case kEdits.listDelete:
      edit.length = reader.varUint();
      break;
    default:
      edit.key = reader.string();
      if (op === kEdits.mapSet) edit.value = readValue(reader);
  }
  return [shared, edit];
};
