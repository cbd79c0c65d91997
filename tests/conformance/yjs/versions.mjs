// Writes what yjs makes of versions of random documents, one document a line, as JSON: README.md, "Versions".
import { parseArgs } from "node:util";
import { clock } from "./clock.mjs";
import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { pickTarget } from "./edits.mjs";
import { Random } from "./random.mjs";
import { constructorOf } from "./values.mjs";
import { newDocument, randomSetting, receive, Writers } from "./writers.mjs";

// yjs tells here that a restored document drew a new client id.
console.log = () => {};

const { values: given } = parseArgs({
  options: {
    "first-seed": { type: "string", default: "1" },
    count: { type: "string", default: "1" },
    ops: { type: "string", default: "120" },
  },
});

const hex = (bytes) => Buffer.from(bytes).toString("hex");

// A value that stands in a document: types by the id of what holds them.
const describe = (value) => {
  if (value instanceof Y.AbstractType) return { type: value._item.id };
  if (value instanceof Y.Doc) return { guid: value.guid };
  if (typeof value === "string") return { text: value };
  const encoder = encoding.createEncoder();
  encoding.writeAny(encoder, value);
  return { any: hex(encoding.toUint8Array(encoder)) };
};

const describeAny = (value) => {
  const encoder = encoding.createEncoder();
  encoding.writeAny(encoder, value);
  return hex(encoding.toUint8Array(encoder));
};

const describeDelta = (delta) =>
  delta.map(({ insert, attributes }) => [
    describe(insert),
    Object.entries(attributes ?? {}).map(([key, value]) => [key, describeAny(value)]),
  ]);

class VersionHistory {
  constructor(seed) {
    const random = (this.random = new Random(seed));
    clock.now = 1_000_000;
    this.setting = randomSetting(random, { causal: true });
    this.writers = new Writers(random, this.setting, 1);
    this.doc = newDocument(this.setting.clients.at(-1), random.chance(0.2));
    for (const { name, type } of this.setting.roots) this.doc.get(name, constructorOf(type));
    // Cuts what a version ends inside of: toDelta does, of any text in the document.
    this.knife = new Y.Text();
    this.knife._integrate(this.doc, null);
    this.snapshots = [];
    this.positions = [];
    this.steps = [];
    this.written = {
      seed: String(seed),
      client: this.doc.clientID,
      gc: this.doc.gc,
      roots: this.setting.roots.map(({ name, type }) => [name, type]),
      steps: this.steps,
    };
  }

  receive(most) {
    const { writers, doc, steps } = this;
    for (const message of writers.take(writers.docs.length, most)) {
      receive(doc, message);
      steps.push({ do: "apply", format: message.format, update: hex(message.bytes) });
    }
  }

  // A random type, deleted ones too where they are still there.
  target() {
    const { random, doc, setting } = this;
    const { shared, root } = pickTarget(random, doc, setting.roots);
    if (random.chance(0.2)) {
      const held = [];
      for (const structs of doc.store.clients.values())
        for (const struct of structs)
          if (struct instanceof Y.Item && struct.content instanceof Y.ContentType) held.push(struct.content.type);
      if (held.length > 0) {
        const type = random.of(held);
        return { shared: type, told: { id: type._item.id } };
      }
    }
    return { shared, told: shared._item === null ? { root } : { id: shared._item.id } };
  }

  snapshot() {
    const { doc, snapshots, steps } = this;
    snapshots.push(Y.snapshot(doc));
    const snapshot = snapshots.at(-1);
    steps.push({ do: "snapshot", v1: hex(Y.encodeSnapshot(snapshot)), v2: hex(Y.encodeSnapshotV2(snapshot)) });
    // As it comes from somewhere else, now and then: clients are in another order then.
    if (this.random.chance(0.5)) {
      snapshots[snapshots.length - 1] = Y.decodeSnapshot(Y.encodeSnapshot(snapshot));
      steps.at(-1).decoded = true;
    }
  }

  position() {
    const { random, positions, steps } = this;
    const { shared, told } = this.target();
    if (shared._item !== null && shared._item.deleted) return;
    const index = random.below(shared._length + 3);
    const assoc = random.of([0, 0, -1, -1, 1, -5, 70]);
    const position = Y.createRelativePositionFromTypeIndex(shared, index, assoc);
    positions.push(position);
    steps.push({
      do: "position",
      ...told,
      index,
      assoc,
      bytes: hex(Y.encodeRelativePosition(position)),
      json: JSON.stringify(Y.relativePositionToJSON(position)),
    });
  }

  resolve() {
    const { random, positions, doc, steps } = this;
    if (positions.length === 0) return;
    const number = random.below(positions.length);
    const follow = random.chance(0.5);
    const travelled = random.chance(0.5);
    const position = travelled
      ? Y.decodeRelativePosition(Y.encodeRelativePosition(positions[number]))
      : positions[number];
    const place = Y.createAbsolutePositionFromRelativePosition(position, doc, follow);
    let told = null;
    if (place !== null) {
      const item = place.type._item;
      const at = item === null ? { root: Y.findRootTypeKey(place.type) } : { id: item.id };
      told = { ...at, index: place.index, assoc: place.assoc };
    }
    steps.push({ do: "resolve", number, follow, travelled, place: told });
  }

  restore() {
    const { random, snapshots, doc, steps } = this;
    if (snapshots.length === 0) return;
    const number = random.below(snapshots.length);
    if (doc.gc) return;
    const gc = random.chance(0.5);
    const restored = Y.createDocFromSnapshot(doc, snapshots[number], new Y.Doc({ gc }));
    steps.push({
      do: "restore",
      number,
      gc,
      v1: hex(Y.encodeStateAsUpdate(restored)),
      v2: hex(Y.encodeStateAsUpdateV2(restored)),
      snapshot: hex(Y.encodeSnapshot(Y.snapshot(restored))),
    });
  }

  delta() {
    const { random, snapshots, steps } = this;
    if (snapshots.length === 0) return;
    const { shared, told } = this.target();
    if (!(shared instanceof Y.Text)) return;
    const pick = () => (random.chance(0.8) ? random.below(snapshots.length) : -1);
    const snapshot = pick();
    const previous = pick();
    const users = random.chance(0.5);
    const compute = users ? (type, id) => ({ user: id.client, type, clock: id.clock }) : undefined;
    const delta = shared.toDelta(snapshots[snapshot], snapshots[previous], compute);
    steps.push({ do: "delta", ...told, snapshot, previous, users, delta: describeDelta(delta) });
  }

  values() {
    const { random, snapshots, doc, steps, knife } = this;
    if (snapshots.length === 0) return;
    const { shared, told } = this.target();
    const number = random.below(snapshots.length);
    const snapshot = snapshots[number];
    let list, all;
    const keys = [];
    doc.transact(() => {
      knife.toDelta(snapshot);
      list = Y.typeListToArraySnapshot(shared, snapshot).map(describe);
      all = [];
      shared._map.forEach((_item, key) => {
        const value = Y.typeMapGetSnapshot(shared, key, snapshot);
        keys.push([key, value === undefined ? null : describe(value)]);
      });
      // Under the name __proto__ it sets what it gives the prototype of, which may refuse or swallow others.
      if (keys.some(([key, value]) => key === "__proto__" && value !== null)) return;
      const entries = Y.typeMapGetAllSnapshot(shared, snapshot);
      // Undefined where the value was collected, and where it is just that: not told apart.
      for (const key of Object.keys(entries)) if (entries[key] !== undefined) all.push([key, describe(entries[key])]);
    });
    steps.push({ do: "values", ...told, number, list, keys, all });
  }

  contains() {
    const { random, snapshots, writers, steps } = this;
    if (snapshots.length === 0 || writers.log.length === 0) return;
    const number = random.below(snapshots.length);
    const message = random.of(writers.log);
    let update = message.format === 1 ? message.bytes : Y.convertUpdateFormatV2ToV1(message.bytes);
    if (random.chance(0.1)) update = Y.encodeStateAsUpdate(random.of(writers.docs));
    const contained = Y.snapshotContainsUpdate(snapshots[number], update);
    const other = random.below(snapshots.length);
    const equal = Y.equalSnapshots(snapshots[number], snapshots[other]);
    steps.push({ do: "contains", number, update: hex(update), contained, other, equal });
  }

  run(edits) {
    const { random, writers, doc, steps, setting } = this;
    while (writers.edits < edits) {
      writers.edit();
      writers.exchange(0);
      if (random.chance(setting.traffic)) this.receive(random.between(1, 5));
      if (random.chance(0.12)) this.snapshot();
      if (random.chance(0.2)) this.position();
      if (random.chance(0.3)) this.resolve();
      if (random.chance(0.05)) this.restore();
      if (random.chance(0.12)) this.delta();
      if (random.chance(0.08)) this.values();
      if (random.chance(0.08)) this.contains();
    }
    this.receive(1000);
    for (let i = 0; i < 4; i++) {
      this.restore();
      this.delta();
      this.values();
      this.resolve();
      this.contains();
    }
    steps.push({ do: "end", state: hex(Y.encodeStateAsUpdate(doc)) });
  }
}

const first = BigInt(given["first-seed"]);
for (let seed = first; seed < first + BigInt(given.count); seed++) {
  const history = new VersionHistory(seed);
  history.run(Number(given.ops));
  process.stdout.write(`${JSON.stringify(history.written)}\n`);
}
