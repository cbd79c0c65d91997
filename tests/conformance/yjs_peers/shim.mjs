// yjs as testHelper sees it here: its functions take peers that are the engine, too. Imported with "?engine", new
// documents are the engine's.
import * as Y from "yjs/src/index.js";
import { EngineDoc, EngineType } from "./engine.mjs";
import { kFormat, mergeUpdates as mergeByEngine } from "./library.mjs";

export * from "yjs/src/index.js";

const engine = import.meta.url.endsWith("?engine");
export const Doc = engine ? EngineDoc : Y.Doc;

// `instanceof` asks it: types of the engine are shared types, too.
export const AbstractType = class {
  static [Symbol.hasInstance](type) {
    return type instanceof Y.AbstractType || type instanceof EngineType;
  }
};

const isEngine = (doc) => doc instanceof EngineDoc;

export const encodeStateVector = (doc) => (isEngine(doc) ? doc.encodeStateVector() : Y.encodeStateVector(doc));
export const encodeStateAsUpdate = (doc, since) =>
  isEngine(doc) ? doc.encodeStateAsUpdate(kFormat.v1, since) : Y.encodeStateAsUpdate(doc, since);
export const encodeStateAsUpdateV2 = (doc, since) =>
  isEngine(doc) ? doc.encodeStateAsUpdate(kFormat.v2, since) : Y.encodeStateAsUpdateV2(doc, since);
export const applyUpdate = (doc, update, origin) =>
  isEngine(doc) ? doc.applyUpdate(kFormat.v1, update, origin) : Y.applyUpdate(doc, update, origin);
export const applyUpdateV2 = (doc, update, origin) =>
  isEngine(doc) ? doc.applyUpdate(kFormat.v2, update, origin) : Y.applyUpdateV2(doc, update, origin);

// What each peer received is merged by yjs and by the engine in turn.
let merges = 0;
export const mergeUpdates = (updates) =>
  merges++ % 2 === 0 ? Y.mergeUpdates(updates) : mergeByEngine(kFormat.v1, updates);
export const mergeUpdatesV2 = (updates) =>
  merges++ % 2 === 0 ? Y.mergeUpdatesV2(updates) : mergeByEngine(kFormat.v2, updates);

export const snapshot = (doc) => (isEngine(doc) ? doc : Y.snapshot(doc));
export const encodeSnapshot = (of) => (isEngine(of) ? of.encodeSnapshot(kFormat.v1) : Y.encodeSnapshot(of));

// The engine's structs as objects with the fields and the classes of yjs's, for compareStructStores.
const storeOf = (doc) => {
  const clients = new Map();
  const byFirst = new Map();
  const byLast = new Map();
  const idOf = (pair) => pair && Y.createID(pair[0], pair[1]);
  for (const { client, structs } of doc.dumpStructs()) {
    const made = structs.map((struct) => {
      const id = Y.createID(client, struct.clock);
      const fields = { id, length: struct.length };
      if (struct.kind === "gc") return Object.assign(Object.create(Y.GC.prototype), fields);
      const item = Object.create(Y.Item.prototype);
      Object.assign(item, fields, {
        info: struct.deleted ? 4 : 0, // yjs: BIT3, which its getter `deleted` reads
        left: struct.left,
        right: struct.right,
        origin: idOf(struct.origin),
        rightOrigin: idOf(struct.right_origin),
        parentSub: struct.key,
      });
      byFirst.set(`${client}:${struct.clock}`, item);
      byLast.set(`${client}:${struct.clock + struct.length - 1}`, item);
      return item;
    });
    clients.set(client, made);
  }
  for (const item of byFirst.values()) {
    item.left = item.left && byLast.get(item.left.join(":"));
    item.right = item.right && byFirst.get(item.right.join(":"));
    if (item.left === undefined || item.right === undefined) throw new Error("an item's neighbour isn't in the store");
  }
  return { clients, pendingDs: doc.hasPending() || null, pendingStructs: null };
};
Object.defineProperty(EngineDoc.prototype, "store", { configurable: true, get: function () { return storeOf(this); } });
