// Reads a stream from standard input (or a file), does every history again with yjs from what the stream says alone,
// and compares. Prints each difference; the exit code is 1 when there was one.
import { isDeepStrictEqual } from "node:util";
import { clock } from "./clock.mjs";
import * as Y from "yjs";
import { call, kFunctions } from "./functions_history.mjs";
import { kAnswersMagic, kDisputed, kTrailerMagic, records } from "./stream.mjs";
import { observe } from "./events.mjs";
import { readEdit } from "./edit_stream.mjs";
import { apply } from "./edits.mjs";
import { constructorOf } from "./values.mjs";
import { misplacesMarkers, jsonOf, kFlags, kPopped, kResults, kSteps } from "./witness.mjs";
import { newDocument, receive } from "./writers.mjs";

const compared = {};
const totals = {};
let differences = 0;

const expect = (what, right, where) => {
  compared[what] = (compared[what] ?? 0) + 1;
  if (right) return;
  differences++;
  console.log(`seed ${where.seed} step ${where.step}: ${what} differs`);
};

const json = (doc, reader, where) => {
  for (let left = reader.varUint(); left > 0; left--) {
    const name = reader.string();
    const shared = doc.get(name, constructorOf(reader.u8()));
    expect("json", reader.matches(Buffer.from(jsonOf(shared), "utf8")), where);
  }
};

const readRoots = (reader) =>
  Array.from({ length: reader.varUint() }, () => ({ name: reader.string(), type: reader.u8() }));

const readOrigin = (reader) => {
  const origin = reader.string();
  return origin === "" ? null : origin;
};

const readUndoManager = (reader, doc) => {
  const types = readRoots(reader).map(({ name, type }) => doc.get(name, constructorOf(type)));
  const trackedOrigins = new Set(Array.from({ length: reader.varUint() }, () => readOrigin(reader)));
  const captureTimeout = reader.varUint();
  clock.now = reader.varUint();
  return new Y.UndoManager(types, { captureTimeout, trackedOrigins });
};

const transact = ({ doc, type, watch }, reader) => {
  const origin = readOrigin(reader);
  const edits = () => {
    for (let op = reader.u8(); op !== 0; op = reader.u8()) {
      const [shared, edit] = readEdit(op, reader, doc, type);
      watch(shared, edit);
      apply(edit, shared);
    }
  };
  try {
    doc.transact(edits, origin);
  } catch (error) {
    // The edit that throws is the last.
    reader.u8();
    throw error;
  }
};

// `history` is {doc, undoManager, type, watch}; `type` is called with each root that is about to be used, `watch` before
// each edit.
const kSteppers = {
  [kSteps.applyV1]: ({ doc }, reader) => receive(doc, { format: 1, bytes: reader.bytes() }),
  [kSteps.applyV2]: ({ doc }, reader) => receive(doc, { format: 2, bytes: reader.bytes() }),
  [kSteps.applyMany]: ({ doc }, reader) => {
    const messages = Array.from({ length: reader.varUint() }, () => ({ format: reader.u8(), bytes: reader.bytes() }));
    doc.transact(() => messages.forEach((message) => receive(doc, message)), "outer");
  },
  [kSteps.typeRoot]: ({ doc, type }, reader) => {
    const root = { name: reader.string(), type: reader.u8() };
    doc.get(root.name, constructorOf(root.type));
    type(root);
  },
  [kSteps.transact]: transact,
  [kSteps.startUndo]: (history, reader) => (history.undoManager = readUndoManager(reader, history.doc)),
  [kSteps.undo]: ({ undoManager }) => undoManager.undo() && kPopped,
  [kSteps.redo]: ({ undoManager }) => undoManager.redo() && kPopped,
  [kSteps.stopCapturing]: ({ undoManager }) => undoManager.stopCapturing(),
  [kSteps.clearUndo]: ({ undoManager }) => undoManager.clear(),
  [kSteps.advance]: (_history, reader) => (clock.now += reader.varUint()),
};

const compareResults = (doc, reader, { emitted, heard, misplaced }, popped, where) => {
  const asked = reader.varUint();
  if (asked === 0) return;
  expect("popped", ((asked & kResults.popped) !== 0) === popped, where);
  expect("misplaced", ((asked & kResults.misplaced) !== 0) === misplaced, where);
  const bytes = (what, value) => expect(what, reader.matches(value), where);
  if (asked & kResults.stateV1) bytes("state V1", Y.encodeStateAsUpdate(doc));
  if (asked & kResults.stateV2) bytes("state V2", Y.encodeStateAsUpdateV2(doc));
  if (asked & kResults.stateVector)
    expect("state vector", Buffer.compare(reader.bytes(), Y.encodeStateVector(doc)) === 0, where);
  if (asked & kResults.snapshotV1) {
    bytes("snapshot V1", Y.encodeSnapshot(Y.snapshot(doc)));
    bytes("snapshot V2", Y.encodeSnapshotV2(Y.snapshot(doc)));
  }
  expect("number of emitted updates", (asked & kResults.emitted ? reader.varUint() : 0) === emitted.length, where);
  for (const [v1, v2] of emitted) {
    bytes("emitted V1", v1);
    bytes("emitted V2", v2);
  }
  if (asked & kResults.diff) {
    const vector = reader.bytes();
    bytes("diff V1", Y.encodeStateAsUpdate(doc, vector));
    bytes("diff V2", Y.encodeStateAsUpdateV2(doc, vector));
  }
  if (asked & kResults.json) json(doc, reader, where);
  expect("whether there are events", ((asked & kResults.events) !== 0) === heard.length > 0, where);
  if (asked & kResults.events) bytes("events", Buffer.from(heard.join("\n"), "utf8"));
  if (asked & kResults.threw) reader.string();
};

const verifyDocument = (kind) => (reader, where) => {
  const flags = reader.u32();
  const doc = newDocument(reader.varUint(), (flags & kFlags.gc) !== 0);
  const emitted = [];
  const heard = [];
  const typed = new Set();
  const type = (root) => {
    if (flags & kFlags.observes && !typed.has(root.name)) observe(doc, root, heard);
    typed.add(root.name);
  };
  let misplaced = false;
  const watch = (shared, edit) => (misplaced ||= misplacesMarkers(shared, edit));
  const history = { doc, undoManager: null, type, watch };
  if (flags & kFlags.listener) {
    doc.on("update", (bytes) => emitted.push([bytes, null]));
    doc.on("updateV2", (bytes) => {
      emitted.at(-1)[1] = bytes;
    });
  }
  for (let kind = reader.u8(); kind !== kSteps.end; kind = reader.u8()) {
    where.step++;
    emitted.length = 0;
    heard.length = 0;
    let popped = false;
    try {
      popped = kSteppers[kind](history, reader) === kPopped;
    } catch (error) {
      if (!(flags & kFlags.threw)) throw error;
    }
    compareResults(doc, reader, { emitted, heard, misplaced }, popped, where);
  }
  if (kind !== 1) return;
  readRoots(reader);
  if (flags & kFlags.behind) {
    const causal = newDocument(doc.clientID, doc.gc);
    receive(causal, { format: 1, bytes: reader.bytes() });
    expect("causal state vector", Buffer.compare(reader.bytes(), Y.encodeStateVector(causal)) === 0, where);
    for (let left = reader.varUint(); left > 0; left--) {
      const name = reader.string();
      const found = jsonOf(causal.get(name, constructorOf(reader.u8())));
      // The keys of a map stand in the order in which they came.
      expect("causal json", isDeepStrictEqual(JSON.parse(found || "0"), JSON.parse(reader.string() || "0")), where);
    }
  }
};

const verifyFunctions = (reader, where) => {
  for (let code = reader.u8(); code !== kFunctions.end; code = reader.u8()) {
    where.step++;
    const inputs = Array.from({ length: reader.varUint() }, () => reader.bytes());
    const [threw, result] = call(code, inputs);
    expect(`function ${code}`, reader.u8() === threw && Buffer.compare(reader.bytes(), result) === 0, where);
  }
};

const kVerifiers = {
  1: verifyDocument(1),
  2: verifyFunctions,
  3: verifyDocument(3),
  4: verifyFunctions,
  5: verifyDocument(5),
};
for (const [magic, reader] of records(process.argv[2])) {
  if (magic === kTrailerMagic) {
    for (let left = reader.varUint(); left > 0; left--) totals[reader.string()] = reader.varUint();
    continue;
  }
  if (magic === kAnswersMagic) continue;
  const seed = BigInt(reader.u32()) | (BigInt(reader.u32()) << 32n);
  const where = { seed, step: 0 };
  kVerifiers[reader.u8() & ~kDisputed](reader, where);
  expect("end of the record", reader.at === reader.buffer.length, where);
}
console.log(JSON.stringify({ totals, compared, differences }));
process.exit(differences === 0 ? 0 : 1);
