// Histories of kind "neighbours": updates that no edits of yjs made. Each struct names as neighbours any two units that
// were sent before it or come with it, also in the wrong order, or the same twice.
import * as Y from "yjs";
import * as encoding from "lib0/encoding";
import { kTypes } from "./values.mjs";
import { Witness } from "./witness.mjs";
import { newDocument, randomSetting } from "./writers.mjs";

const kTexts = ["a", "b", "no", "abc", "hello", "é", "Ж", "\u{1f600}", "a\u{1f600}b"];
// Where a struct may lie: in the list of one root, or under a key of another.
const kLines = { list: { root: "t", key: null }, entry: { root: "m", key: "k" } };

const randomContent = (random) => {
  const units = random.between(1, 3);
  if (random.chance(0.8)) return new Y.ContentString(random.of(kTexts));
  switch (random.below(4)) {
    case 0:
      return new Y.ContentDeleted(units);
    case 1:
      return new Y.ContentEmbed({ image: units });
    case 2:
      return new Y.ContentFormat("bold", random.of([true, null]));
    default:
      return new Y.ContentAny([...Array(units).keys()]);
  }
};

class Structs {
  constructor(random, clients) {
    this.random = random;
    this.clients = clients;
    // Of each client's units.
    this.lines = new Map(clients.map((client) => [client, []]));
  }

  lineOf({ client, clock }) {
    return this.lines.get(client)[clock];
  }

  // A unit that there is by now, mostly one of the last of its client, in the same line as `beside` if that is given;
  // null where none is found.
  unit(beside = null) {
    const { random } = this;
    for (let i = 0; i < 4; i++) {
      const client = random.of(this.clients);
      const state = this.lines.get(client).length;
      if (state === 0) continue;
      const clock = random.chance(0.5) ? Math.max(0, state - random.between(1, 4)) : random.below(state);
      const unit = Y.createID(client, clock);
      if (beside === null || this.lineOf(beside) === this.lineOf(unit)) return unit;
    }
    return null;
  }

  // What goes on from its client's last unit, as typing does, or from any.
  origin(client) {
    const { random } = this;
    const state = this.lines.get(client).length;
    if (random.chance(0.2)) return null;
    return state > 0 && random.chance(0.6) ? Y.createID(client, state - 1) : this.unit();
  }

  struct() {
    const { random } = this;
    const client = random.of(this.clients);
    const lines = this.lines.get(client);
    const origin = this.origin(client);
    const right = random.chance(0.7) ? this.unit(origin) : null;
    const beside = origin ?? right;
    const drawn = random.chance(0.25) ? kLines.entry : kLines.list;
    const line = beside === null ? drawn : this.lineOf(beside);
    const content = randomContent(random);
    const id = Y.createID(client, lines.length);
    for (let unit = 0; unit < content.getLength(); unit++) lines.push(line);
    return new Y.Item(id, null, origin, null, right, line.root, line.key, content);
  }

  writeDeletes(encoder) {
    const { random } = this;
    const clients = this.clients.filter((client) => this.lines.get(client).length > 0 && random.chance(0.15));
    encoding.writeVarUint(encoder.restEncoder, clients.length);
    for (const client of clients) {
      const state = this.lines.get(client).length;
      const clock = random.below(state);
      encoder.resetDsCurVal();
      encoding.writeVarUint(encoder.restEncoder, client);
      encoding.writeVarUint(encoder.restEncoder, 1);
      encoder.writeDsClock(clock);
      encoder.writeDsLen(Math.min(state - clock, random.between(1, 4)));
    }
  }

  // An update of `count` structs.
  message(count) {
    const format = this.random.chance(0.7) ? 1 : 2;
    const blocks = new Map();
    for (let i = 0; i < count; i++) {
      const struct = this.struct();
      const { client } = struct.id;
      if (!blocks.has(client)) blocks.set(client, []);
      blocks.get(client).push(struct);
    }
    const encoder = format === 1 ? new Y.UpdateEncoderV1() : new Y.UpdateEncoderV2();
    encoding.writeVarUint(encoder.restEncoder, blocks.size);
    for (const [client, structs] of blocks) {
      encoding.writeVarUint(encoder.restEncoder, structs.length);
      encoder.writeClient(client);
      encoding.writeVarUint(encoder.restEncoder, structs[0].id.clock);
      for (const struct of structs) struct.write(encoder, 0);
    }
    this.writeDeletes(encoder);
    return { format, bytes: encoder.toUint8Array() };
  }
}

export const writeNeighboursHistory = (random, writer, options) => {
  const { clients, gc } = randomSetting(random, { ...options, causal: true });
  const structs = new Structs(random, clients.slice(0, -1));
  const server = new Witness(random, newDocument(clients.at(-1), gc), true, writer, options);
  if (random.chance(0.5)) server.listen();
  if (random.chance(0.5)) server.typeRoot({ name: "t", type: kTypes.text });
  let edits = 0;
  while (edits < options.ops) {
    const counts = Array.from({ length: random.chance(0.2) ? random.between(2, 4) : 1 }, () => random.between(1, 8));
    const messages = counts.map((count) => structs.message(count));
    if (messages.length > 1) server.applyMany(messages);
    else server.apply(messages[0]);
    for (const count of counts) edits += count;
  }
  return { edits, ...server.finish() };
};
