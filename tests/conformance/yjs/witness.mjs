// A document that is told what to do step by step, and what yjs has after each: the steps of the kinds "apply" and
// "local".
import * as Y from "yjs";
import { count } from "./counting.mjs";
import { kEdits } from "./edits.mjs";
import { observe } from "./events.mjs";
import { constructorOf } from "./values.mjs";
import { receive } from "./writers.mjs";

export const kFlags = { causal: 1, gc: 2, listener: 4, behind: 8, pendingAtEnd: 16, threw: 32, observes: 64, misplaced: 128 };
export const kSteps = {
  end: 0,
  applyV1: 1,
  applyV2: 2,
  applyMany: 3,
  typeRoot: 4,
  transact: 5,
  startUndo: 6,
  undo: 7,
  redo: 8,
  stopCapturing: 9,
  clearUndo: 10,
  advance: 11,
};
export const kResults = {
  stateV1: 1,
  stateV2: 2,
  stateVector: 4,
  snapshotV1: 8,
  snapshotV2: 16,
  emitted: 32,
  diff: 64,
  json: 128,
  behind: 256,
  pending: 512,
  threw: 1024,
  popped: 2048,
  events: 4096,
  misplaced: 8192,
};

// What a step that took something from an undo manager's stack gives back.
export const kPopped = {};

// JSON text as JSON.stringify gives it, a bigint as a string of its digits. Empty where yjs throws: at what stands in a
// root that was typed wrongly.
export const jsonOf = (shared) => {
  try {
    return (
      JSON.stringify(shared.toJSON(), (_key, value) => (typeof value === "bigint" ? value.toString() : value)) ?? ""
    );
  } catch {
    return "";
  }
};

// Whether structs that yjs keeps as pending could be integrated: then its retry has missed them (encoding.js keeps only
// the least missing clock of a client, and a gap writes its own).
export const isBehind = ({ store }) => {
  if (store.pendingStructs === null) return false;
  const state = (client) => Y.getState(store, client);
  const here = (id, client) => id === null || id.client === client || id.clock < state(id.client);
  return Y.decodeUpdateV2(store.pendingStructs.update).structs.some((struct) => {
    if (struct instanceof Y.Skip || struct.id.clock > state(struct.id.client)) return false;
    if (struct instanceof Y.GC) return true;
    const { client } = struct.id;
    return (
      here(struct.origin, client) &&
      here(struct.rightOrigin, client) &&
      (!(struct.parent instanceof Y.ID) || here(struct.parent, client))
    );
  });
};

// Whether `edit` deletes in a text without formats that holds values, which others put there: yjs then moves its search
// markers wrongly, and which of them it takes also hangs on marks that earlier edits left on items.
const kForeignToText = [Y.ContentAny, Y.ContentJSON, Y.ContentBinary, Y.ContentDoc];
export const misplacesMarkers = (shared, edit) => {
  if (edit.op !== kEdits.textDelete && edit.op !== kEdits.textDelta) return false;
  if (!(shared instanceof Y.Text) || shared._searchMarker === null) return false;
  for (let item = shared._start; item !== null; item = item.right)
    if (!item.deleted && kForeignToText.includes(item.content.constructor)) return true;
  return false;
};

// Y.encodeStateAsUpdate with one encoder for all.
const stateEncoder = new Y.UpdateEncoderV1();
const encodeState = (doc) => {
  stateEncoder.restEncoder.cpos = 0;
  stateEncoder.restEncoder.bufs = [];
  return Y.encodeStateAsUpdateV2(doc, undefined, stateEncoder);
};

export class Witness {
  constructor(random, doc, causal, writer, { full, stepwise }) {
    this.random = random;
    this.doc = doc;
    this.writer = writer;
    this.full = full;
    this.stepwise = stepwise;
    this.flags = (causal ? kFlags.causal : 0) | (doc.gc ? kFlags.gc : 0);
    // The flags are known at the end.
    this.flagsAt = writer.at;
    writer.u32(0);
    writer.varUint(doc.clientID);
    this.emitted = [];
    this.heard = [];
    this.typed = [];
    this.vectors = [new Uint8Array([0])];
    this.last = false;
    this.steps = 0;
    this.pendingSteps = 0;
  }

  listen() {
    this.flags |= kFlags.listener;
    this.doc.on("update", (bytes) => this.emitted.push([bytes, null]));
    this.doc.on("updateV2", (bytes) => {
      this.emitted.at(-1)[1] = bytes;
    });
  }

  observe() {
    this.flags |= kFlags.observes;
  }

  // Before each edit.
  watch(shared, edit) {
    if (misplacesMarkers(shared, edit)) this.flags |= kFlags.misplaced;
  }

  // A root got its type.
  type(root) {
    this.typed.push(root);
    if (this.flags & kFlags.observes) observe(this.doc, root, this.heard);
  }

  // Writes a step's head, does it, and writes what came of it.
  step(kind, writeInput, perform) {
    const { writer } = this;
    writer.u8(kind);
    writeInput(writer);
    this.emitted.length = 0;
    this.heard.length = 0;
    let error = null;
    let popped = false;
    try {
      popped = count(perform) === kPopped;
    } catch (caught) {
      error = caught;
    }
    this.steps++;
    this.writeResults(error, popped);
  }

  // A step after which the document is as it was.
  quietStep(kind, writeInput, perform) {
    this.writer.u8(kind);
    writeInput(this.writer);
    perform();
    this.writer.varUint(0);
  }

  apply(message) {
    this.step(
      message.format === 1 ? kSteps.applyV1 : kSteps.applyV2,
      (writer) => writer.bytes(message.bytes),
      () => receive(this.doc, message),
    );
  }

  applyMany(messages) {
    this.step(
      kSteps.applyMany,
      (writer) => {
        writer.varUint(messages.length);
        for (const { format, bytes } of messages) {
          writer.u8(format);
          writer.bytes(bytes);
        }
      },
      () => this.doc.transact(() => messages.forEach((message) => receive(this.doc, message)), "outer"),
    );
  }

  typeRoot(root) {
    this.step(
      kSteps.typeRoot,
      (writer) => {
        writer.string(root.name);
        writer.u8(root.type);
      },
      () => {
        this.doc.get(root.name, constructorOf(root.type));
        this.type(root);
      },
    );
  }

  typedAs(name) {
    return this.typed.some((root) => root.name === name);
  }

  chooseResults(error) {
    const { random, doc } = this;
    const { store } = doc;
    const pending = store.pendingStructs !== null || store.pendingDs !== null;
    // Draw the same whether full or not. With something pending yjs merges and converts for every state.
    const first = random.chance(pending ? 0.1 : 0.2) || this.stepwise;
    const second = random.chance(0.05);
    const snapshot = random.chance(0.05);
    const diff = random.chance(pending ? 0.03 : 0.06);
    const json = random.chance(0.08) || this.last;
    let asked = kResults.stateVector;
    if (first || this.full) asked |= kResults.stateV1;
    if (second || this.full) asked |= kResults.stateV2;
    if (snapshot || this.full) asked |= kResults.snapshotV1 | kResults.snapshotV2;
    if (this.emitted.length > 0) asked |= kResults.emitted;
    if (diff) asked |= kResults.diff;
    if (json && this.typed.length > 0) asked |= kResults.json;
    if (pending) asked |= kResults.pending;
    if (this.heard.length > 0) asked |= kResults.events;
    if (isBehind(doc)) asked |= kResults.behind;
    if (error !== null) asked |= kResults.threw;
    if (this.flags & kFlags.misplaced) asked |= kResults.misplaced;
    return asked;
  }

  writeResults(error, popped) {
    const { writer, doc } = this;
    const asked = this.chooseResults(error) | (popped ? kResults.popped : 0);
    if (asked & kResults.behind) this.flags |= kFlags.behind;
    if (asked & kResults.threw) this.flags |= kFlags.threw;
    if (asked & kResults.pending) this.pendingSteps++;
    writer.varUint(asked);
    if (asked & kResults.stateV1) writer.digest(encodeState(doc));
    if (asked & kResults.stateV2) writer.digest(Y.encodeStateAsUpdateV2(doc));
    if (asked & kResults.stateVector) this.writeStateVector();
    if (asked & kResults.snapshotV1) this.writeSnapshots();
    if (asked & kResults.emitted) {
      writer.varUint(this.emitted.length);
      for (const [v1, v2] of this.emitted) {
        writer.digest(v1);
        writer.digest(v2);
      }
    }
    if (asked & kResults.diff) this.writeDiff();
    if (asked & kResults.json) writeJson(writer, doc, this.typed);
    if (asked & kResults.events) writer.digest(Buffer.from(this.heard.join("\n"), "utf8"));
    if (asked & kResults.threw) writer.string(String(error.message));
  }

  writeStateVector() {
    const vector = Y.encodeStateVector(this.doc);
    this.writer.bytes(vector);
    if (this.vectors.length < 8) this.vectors.push(vector);
    else this.vectors[this.random.below(8)] = vector;
  }

  writeSnapshots() {
    const snapshot = Y.snapshot(this.doc);
    this.writer.digest(Y.encodeSnapshot(snapshot));
    this.writer.digest(Y.encodeSnapshotV2(snapshot));
  }

  writeDiff() {
    const { random } = this;
    let vector = random.of(this.vectors);
    if (random.chance(0.3)) {
      const changed = Y.decodeStateVector(vector);
      for (const client of changed.keys()) if (random.chance(0.5)) changed.set(client, random.below(30));
      if (random.chance(0.3)) changed.set(random.word(), random.below(9));
      vector = Y.encodeStateVector(changed);
    }
    this.writer.bytes(vector);
    this.writer.digest(Y.encodeStateAsUpdate(this.doc, vector));
    this.writer.digest(Y.encodeStateAsUpdateV2(this.doc, vector));
  }

  // Ends the steps with every result once, and says how it went.
  finish() {
    this.full = true;
    this.last = true;
    this.apply({ format: 1, bytes: new Uint8Array([0, 0]) });
    this.writer.u8(kSteps.end);
    if (this.doc.store.pendingStructs !== null) this.flags |= kFlags.pendingAtEnd;
    this.writer.buffer.writeUInt32LE(this.flags, this.flagsAt);
    const has = (flag) => (this.flags & flag ? 1 : 0);
    return {
      steps: this.steps,
      pendingSteps: this.pendingSteps,
      behind: has(kFlags.behind),
      pendingAtEnd: has(kFlags.pendingAtEnd),
      threw: has(kFlags.threw),
      misplaced: has(kFlags.misplaced),
    };
  }
}

const writeJson = (writer, doc, roots) => {
  writer.varUint(roots.length);
  for (const { name, type } of roots) {
    writer.string(name);
    writer.u8(type);
    writer.digest(Buffer.from(jsonOf(doc.get(name, constructorOf(type))), "utf8"));
  }
};
