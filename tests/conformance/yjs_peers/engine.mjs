// A peer that is libs/crdt: with the functions of Y.Doc and of the shared types that yjs's testHelper and the random
// edits here call. There is no yjs in it: all it knows it asks of the library.
import * as library from "./library.mjs";

const { c, check, kFormat, kKind, made, plainOf, taken, textArguments, textOf, withValue } = library;

// Free what nobody has a handle of any more.
const types = new FinalizationRegistry((handle) => c.typeFree(handle));

// What is to be put in that is a new shared type: `items`, `entries` or `text` is what it starts with.
export class NewType {
  constructor(kind, { name = "", items = [], entries = {}, text = "" } = {}) {
    Object.assign(this, { kind, name, items, entries, text });
  }
}

// Calls `use` with the library's value of something that is to be put in, and frees it.
const withInsertable = (insertable, use) => {
  if (!(insertable instanceof NewType)) return withAny(insertable, use);
  const value = made(c.valueNewType(insertable.kind, ...textArguments(insertable.name)));
  try {
    for (const item of insertable.items) withInsertable(item, (part) => check(c.valuePush(value, part)));
    for (const [key, entry] of Object.entries(insertable.entries)) {
      withInsertable(entry, (part) => check(c.valueSet(value, ...textArguments(key), part)));
    }
    if (insertable.text !== "") check(c.valueSetText(value, ...textArguments(insertable.text)));
    return use(value);
  } finally {
    c.valueFree(value);
  }
};
// null is a value here.
const withAny = (plain, use) => {
  const value = library.valueOf(plain);
  try {
    return use(value);
  } finally {
    c.valueFree(value);
  }
};

const end = (subscription, callback) => {
  c.subscriptionFree(subscription);
  library.unregister(callback);
};

export class EngineType {
  static of(handle) {
    const kind = c.typeKind(handle);
    if (kind === kKind.array) return new EngineArray(handle);
    if (kind === kKind.map) return new EngineMap(handle);
    if (kind === kKind.text || kind === kKind.xmlText) return new EngineText(handle);
    return new EngineXml(handle);
  }

  constructor(handle) {
    this.handle = made(handle);
    types.register(this, this.handle);
  }

  get length() {
    return Number(c.typeLength(this.handle));
  }
  toJSON() {
    return JSON.parse(textOf(taken(c.typeToJson(this.handle))));
  }
  toString() {
    return textOf(taken(c.typeToXml(this.handle)));
  }
  // Calls `observer` with the delta of each change, until what it returns is called.
  observeDelta(observer) {
    const callback = library.eventsCallback((_, events) => observer(deltaOf(c.eventDelta(library.firstPointer(events)))));
    const subscription = made(c.typeObserve(this.handle, callback, null));
    return () => end(subscription, callback);
  }
}

const wrap = (handle) => EngineType.of(handle);

class EngineList extends EngineType {
  get(index) {
    return plainOf(c.listGet(this.handle, index), wrap);
  }
  toArray() {
    return Array.from({ length: this.length }, (_, index) => this.get(index));
  }
  [Symbol.iterator]() {
    return this.toArray()[Symbol.iterator]();
  }
  // One call for all values, as one insertion is one transaction.
  insert(index, insertables, values = []) {
    if (values.length === insertables.length) return check(c.listInsert(this.handle, index, values, values.length));
    return withInsertable(insertables[values.length], (value) => this.insert(index, insertables, [...values, value]));
  }
  delete(index, length = 1) {
    check(c.listDelete(this.handle, index, length));
  }
}

export class EngineArray extends EngineList {}

export class EngineMap extends EngineType {
  get(key) {
    return plainOf(c.mapGet(this.handle, ...textArguments(key)), wrap);
  }
  set(key, insertable) {
    withInsertable(insertable, (value) => check(c.mapSet(this.handle, ...textArguments(key), value)));
  }
  delete(key) {
    check(c.mapDelete(this.handle, ...textArguments(key)));
  }
  keys() {
    return plainOf(c.mapKeys(this.handle))[Symbol.iterator]();
  }
  *[Symbol.iterator]() {
    for (const key of this.keys()) yield [key, this.get(key)];
  }
}

export class EngineXml extends EngineList {
  setAttribute(key, value) {
    withAny(value, (one) => check(c.mapSet(this.handle, ...textArguments(key), one)));
  }
  removeAttribute(key) {
    check(c.mapDelete(this.handle, ...textArguments(key)));
  }
}

export class EngineText extends EngineType {
  insert(index, text, attributes) {
    withValue(attributes, (value) => check(c.textInsert(this.handle, index, ...textArguments(text), value)));
  }
  insertEmbed(index, embed, attributes) {
    withInsertable(embed, (one) =>
      withValue(attributes, (value) => check(c.textInsertEmbed(this.handle, index, one, value))),
    );
  }
  delete(index, length) {
    check(c.textDelete(this.handle, index, length));
  }
  format(index, length, attributes) {
    withValue(attributes, (value) => check(c.textFormat(this.handle, index, length, value)));
  }
  toDelta() {
    return deltaOf(c.textToDelta(this.handle));
  }
  applyDelta(steps) {
    const delta = made(c.deltaNew());
    try {
      for (const step of steps) {
        withValue(step.attributes, (attributes) => {
          if (step.insert !== undefined) {
            withInsertable(step.insert, (value) => check(c.deltaInsert(delta, value, attributes)));
          } else if (step.retain !== undefined) {
            check(c.deltaRetain(delta, step.retain, attributes));
          } else {
            check(c.deltaDelete(delta, step.delete));
          }
        });
      }
      check(c.textApplyDelta(this.handle, delta));
    } finally {
      c.deltaFree(delta);
    }
  }
}

// As yjs's deltas are; `delta` is freed.
const deltaOf = (delta) => {
  made(delta);
  const steps = [];
  for (let i = 0; i < Number(c.deltaSize(delta)); ++i) {
    const kind = c.deltaStepKind(delta, i);
    const step = {};
    if (kind === 0) step.insert = plainOf(c.deltaStepValue(delta, i, 0), wrap);
    if (kind === 1) step.retain = Number(c.deltaStepLength(delta, i));
    if (kind === 2) step.delete = Number(c.deltaStepLength(delta, i));
    const attributes = c.deltaStepAttributes(delta, i);
    if (attributes !== null) step.attributes = plainOf(attributes);
    steps.push(step);
  }
  c.deltaFree(delta);
  return steps;
};

export class EngineDoc {
  #doc = null;
  #used = false; // since then its client can't be changed
  #listeners = []; // {format, callback, subscription}
  #origins = new Map(); // what the library calls them -> what the caller does

  constructor() {
    this.#open(null);
  }
  #open(client) {
    this.#doc = made(library.newDoc(client));
    for (const listener of this.#listeners) this.#listen(listener);
  }
  #listen(listener) {
    listener.subscription = made(c.docOnUpdate(this.#doc, listener.format, listener.callback, null));
  }
  destroy() {
    for (const { subscription, callback } of this.#listeners) end(subscription, callback);
    c.docFree(this.#doc);
    this.#doc = null;
  }
  // testHelper sets it once the document is there; the library takes it as it makes one.
  set clientID(client) {
    if (this.#used) throw new Error("the client of a document that was used can't be changed");
    for (const { subscription } of this.#listeners) c.subscriptionFree(subscription);
    c.docFree(this.#doc);
    this.#open(client);
  }

  // Calls `listener` with each update and its origin; yjs's names of the events.
  on(event, listener) {
    const format = { update: kFormat.v1, updateV2: kFormat.v2 }[event];
    const callback = library.updateCallback((_, update, size, origin, originSize) => {
      const name = textOf(library.copied(origin, Number(originSize)));
      listener(library.copied(update, Number(size)), name === "" ? null : this.#origins.get(name));
    });
    this.#listeners.push({ format, callback });
    this.#listen(this.#listeners.at(-1));
  }

  getArray(name) {
    return this.#root(kKind.array, name);
  }
  getMap(name) {
    return this.#root(kKind.map, name);
  }
  getText(name) {
    return this.#root(kKind.text, name);
  }
  // The root elements of testHelper have no node name (yjs: doc.get(name, Y.XmlElement)).
  get(name) {
    return this.#root(kKind.element, name);
  }
  #root(kind, name) {
    this.#used = true;
    return EngineType.of(made(c.docGetRoot(this.#doc, kind, ...textArguments(name))));
  }

  transact(edit) {
    const thrown = [];
    const guarded = () => {
      try {
        edit();
      } catch (error) {
        thrown.push(error); // nothing may be thrown through C
      }
    };
    check(c.docTransact(this.#doc, ...textArguments(""), guarded, null));
    if (thrown.length > 0) throw thrown[0];
  }

  applyUpdate(format, update, origin) {
    this.#used = true;
    const name = origin === null || origin === undefined ? "" : `origin ${[...this.#origins.values(), origin].indexOf(origin)}`;
    if (name !== "") this.#origins.set(name, origin);
    check(c.docApply(this.#doc, format, update, update.length, ...textArguments(name)));
  }
  encodeStateAsUpdate(format, since) {
    return taken(c.docEncodeState(this.#doc, format, since ?? null, since?.length ?? 0));
  }
  encodeStateVector() {
    return taken(c.docEncodeStateVector(this.#doc));
  }
  encodeSnapshot(format) {
    return taken(c.docEncodeSnapshot(this.#doc, format));
  }
  // All structs in the document, as rmcrdt_doc_dump_structs says them.
  dumpStructs() {
    return JSON.parse(textOf(taken(c.docDumpStructs(this.#doc))));
  }
  hasPending() {
    return c.docHasPending(this.#doc);
  }
}
