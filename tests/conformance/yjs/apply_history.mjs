// Histories of kind "apply": a server's document gets the writers' updates, and yjs's state is told after each.
import * as Y from "yjs";
import { constructorOf, kTypes } from "./values.mjs";
import { newDocument, randomSetting, receive, Writers } from "./writers.mjs";

export const kApplyFlags = { causal: 1, gc: 2, listener: 4, behind: 8, pendingAtEnd: 16, threw: 32 };
export const kSteps = { end: 0, applyV1: 1, applyV2: 2, applyMany: 3, typeRoot: 4 };
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
};

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

// Y.encodeStateAsUpdate with one encoder for all.
const stateEncoder = new Y.UpdateEncoderV1();
const encodeState = (doc) => {
  stateEncoder.restEncoder.cpos = 0;
  stateEncoder.restEncoder.bufs = [];
  return Y.encodeStateAsUpdateV2(doc, undefined, stateEncoder);
};

// What the server's document is asked, step by step, and what it answered.
class Server {
  constructor(random, setting, writer, options) {
    this.random = random;
    this.setting = setting;
    this.writer = writer;
    this.full = options.full;
    this.doc = newDocument(setting.clients.at(-1), setting.gc);
    this.flags = (setting.causal ? kApplyFlags.causal : 0) | (setting.gc ? kApplyFlags.gc : 0);
    this.emitted = [];
    this.typed = [];
    this.vectors = [new Uint8Array([0])];
    this.last = false;
    this.steps = 0;
    this.pendingSteps = 0;
    if (random.chance(0.5)) this.listen();
  }

  listen() {
    this.flags |= kApplyFlags.listener;
    this.doc.on("update", (bytes) => this.emitted.push([bytes, null]));
    this.doc.on("updateV2", (bytes) => {
      this.emitted.at(-1)[1] = bytes;
    });
  }

  // Writes a step's head, does it, and writes what came of it.
  step(kind, writeInput, perform) {
    const { writer } = this;
    writer.u8(kind);
    writeInput(writer);
    this.emitted.length = 0;
    let error = null;
    try {
      perform();
    } catch (caught) {
      error = caught;
    }
    this.steps++;
    this.writeResults(error);
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
    this.typed.push(root);
    this.step(
      kSteps.typeRoot,
      (writer) => {
        writer.string(root.name);
        writer.u8(root.type);
      },
      () => this.doc.get(root.name, constructorOf(root.type)),
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
    const first = random.chance(pending ? 0.2 : 0.6);
    const second = random.chance(pending ? 0.1 : 0.15);
    const snapshot = random.chance(0.15);
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
    if (isBehind(doc)) asked |= kResults.behind;
    if (error !== null) asked |= kResults.threw;
    return asked;
  }

  writeResults(error) {
    const { writer, doc } = this;
    const asked = this.chooseResults(error);
    if (asked & kResults.behind) this.flags |= kApplyFlags.behind;
    if (asked & kResults.threw) this.flags |= kApplyFlags.threw;
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
}

export const writeJson = (writer, doc, roots) => {
  writer.varUint(roots.length);
  for (const { name, type } of roots) {
    writer.string(name);
    writer.u8(type);
    writer.digest(Buffer.from(jsonOf(doc.get(name, constructorOf(type))), "utf8"));
  }
};

// Sends the server what waits for it: alone, several in one transaction, or merged.
const deliver = (random, server, messages) => {
  if (messages.length > 1 && random.chance(0.15)) {
    server.applyMany(messages);
  } else if (
    messages.length > 1 &&
    random.chance(0.15) &&
    messages.every(({ format }) => format === messages[0].format)
  ) {
    const { format } = messages[0];
    const merge = format === 1 ? Y.mergeUpdates : Y.mergeUpdatesV2;
    server.apply({ format, bytes: merge(messages.map(({ bytes }) => bytes)) });
  } else {
    messages.forEach((message) => server.apply(message));
  }
};

const kTypesOfRoots = Object.values(kTypes);

const typeSomeRoot = (random, server, roots) => {
  const root = random.of(roots);
  if (server.typedAs(root.name)) return;
  // Rarely as something that the writers don't take it for.
  server.typeRoot({ name: root.name, type: random.chance(0.02) ? random.of(kTypesOfRoots) : root.type });
};

// What yjs has when everything came in the order in which it was sent.
const writeCausalResult = (writer, log, setting) => {
  const doc = newDocument(setting.clients.at(-1), setting.gc);
  for (const { name, type } of setting.roots) doc.get(name, constructorOf(type));
  for (const message of log) receive(doc, message);
  writer.bytes(Y.encodeStateAsUpdate(doc));
  writer.bytes(Y.encodeStateVector(doc));
  writeJson(writer, doc, setting.roots);
};

export const writeApplyHistory = (random, writer, options) => {
  const setting = randomSetting(random, options);
  const writers = new Writers(random, setting, 1);
  const to = writers.docs.length;
  const flagsAt = writer.at;
  writer.u32(0);
  writer.varUint(setting.clients.at(-1));
  const server = new Server(random, setting, writer, options);
  const typing = random.chance(0.4) ? 0.05 : 0;

  while (writers.edits < options.ops) {
    writers.edit();
    writers.exchange();
    if (random.chance(typing)) typeSomeRoot(random, server, setting.roots);
    if (random.chance(setting.loss > 0 ? 0.08 : 0.02)) server.apply(writers.takeState(to, server.doc));
    if (random.chance(0.7)) deliver(random, server, writers.take(to, random.between(1, 5)));
  }
  for (let left = writers.take(to, 8); left.length > 0; left = writers.take(to, 8)) deliver(random, server, left);
  // What was lost on the way.
  if (setting.loss > 0) for (let from = 0; from < to; from++) server.apply(writers.takeState(to, server.doc, from));

  if (random.chance(0.5)) for (const root of setting.roots) if (!server.typedAs(root.name)) server.typeRoot(root);
  // Every result, once.
  server.full = true;
  server.last = true;
  server.apply({ format: 1, bytes: new Uint8Array([0, 0]) });

  writer.u8(kSteps.end);
  if (server.doc.store.pendingStructs !== null) server.flags |= kApplyFlags.pendingAtEnd;
  writer.buffer.writeUInt32LE(server.flags, flagsAt);
  if (server.flags & kApplyFlags.behind) writeCausalResult(writer, writers.log, setting);
  const has = (flag) => (server.flags & flag ? 1 : 0);
  return {
    steps: server.steps,
    edits: writers.edits,
    pendingSteps: server.pendingSteps,
    behind: has(kApplyFlags.behind),
    pendingAtEnd: has(kApplyFlags.pendingAtEnd),
    threw: has(kApplyFlags.threw),
  };
};
