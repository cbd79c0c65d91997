// Histories of kind "neighbours": updates that no edits of yjs made. Each struct names as neighbours any two units that
// were sent before it or come with it, also in the wrong order, or the same twice.
import * as Y from "yjs";
import * as encoding from "lib0/encoding";
import { kTypes } from "./values.mjs";
import { Witness } from "./witness.mjs";
import { newDocument, randomSetting } from "./writers.mjs";

const kDeleted = 1;
const kText = 4;
const kEmbed = 5;
const kFormat = 6;
const kAny = 8;
const kHasOrigin = 128;
const kHasRightOrigin = 64;
const kHasKey = 32;
const kTexts = ["a", "b", "no", "abc", "hello", "é", "Ж", "\u{1f600}", "a\u{1f600}b"];

class Structs {
  constructor(random, clients) {
    this.random = random;
    this.clients = clients;
    // Of each client's units: in the list of a root, "t", or under a key of another, "k".
    this.lines = clients.map(() => []);
  }

  // A unit that there is by now, mostly one of the last of its client, in the same list or under the same key as
  // `beside` if that is given; null where none is found.
  unit(beside = null) {
    const { random, lines } = this;
    for (let i = 0; i < 4; i++) {
      const client = random.below(lines.length);
      const state = lines[client].length;
      if (state === 0) continue;
      const clock = random.chance(0.5) ? Math.max(0, state - random.between(1, 4)) : random.below(state);
      if (beside === null || this.lineOf(beside) === lines[client][clock]) return [client, clock];
    }
    return null;
  }

  lineOf([client, clock]) {
    return this.lines[client][clock];
  }

  // What goes on from its client's last unit, as typing does, or from any.
  origin(client) {
    const { random } = this;
    const state = this.lines[client].length;
    if (random.chance(0.2)) return null;
    return state > 0 && random.chance(0.6) ? [client, state - 1] : this.unit();
  }

  writeUnit(encoder, [client, clock]) {
    encoding.writeVarUint(encoder, this.clients[client]);
    encoding.writeVarUint(encoder, clock);
  }

  // [kind, units, writes it].
  content() {
    const { random } = this;
    const kind = random.chance(0.8) ? kText : random.of([kDeleted, kEmbed, kFormat, kAny]);
    const units = random.between(1, 3);
    switch (kind) {
      case kText: {
        const text = random.of(kTexts);
        return [kind, text.length, (encoder) => encoding.writeVarString(encoder, text)];
      }
      case kDeleted:
        return [kind, units, (encoder) => encoding.writeVarUint(encoder, units)];
      case kEmbed:
        return [kind, 1, (encoder) => encoding.writeVarString(encoder, JSON.stringify({ image: units }))];
      case kFormat: {
        const value = random.of(["true", "null"]);
        return [
          kind,
          1,
          (encoder) => {
            encoding.writeVarString(encoder, "bold");
            encoding.writeVarString(encoder, value);
          },
        ];
      }
      default:
        return [
          kind,
          units,
          (encoder) => {
            encoding.writeVarUint(encoder, units);
            for (let i = 0; i < units; i++) encoding.writeAny(encoder, i);
          },
        ];
    }
  }

  writeDeletes(encoder) {
    const { random, lines } = this;
    const clients = [...lines.keys()].filter((client) => lines[client].length > 0 && random.chance(0.15));
    encoding.writeVarUint(encoder, clients.length);
    for (const client of clients) {
      const state = lines[client].length;
      const clock = random.below(state);
      encoding.writeVarUint(encoder, this.clients[client]);
      encoding.writeVarUint(encoder, 1);
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, Math.min(state - clock, random.between(1, 4)));
    }
  }

  // An update of `count` structs, in V1.
  update(count) {
    const { random, lines } = this;
    const blocks = new Map();
    for (let i = 0; i < count; i++) {
      const client = random.below(lines.length);
      const origin = this.origin(client);
      const right = random.chance(0.7) ? this.unit(origin) : null;
      const beside = origin ?? right;
      const line = beside === null ? random.of(["t", "t", "t", "k"]) : this.lineOf(beside);
      const [kind, units, write] = this.content();
      if (!blocks.has(client)) blocks.set(client, { clock: lines[client].length, structs: [] });
      blocks.get(client).structs.push({ kind, origin, right, line, write });
      for (let unit = 0; unit < units; unit++) lines[client].push(line);
    }
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, blocks.size);
    for (const [client, { clock, structs }] of blocks) {
      encoding.writeVarUint(encoder, structs.length);
      this.writeUnit(encoder, [client, clock]);
      for (const { kind, origin, right, line, write } of structs) {
        const neighbours = (origin ? kHasOrigin : 0) | (right ? kHasRightOrigin : 0);
        encoding.writeUint8(encoder, kind | neighbours | (line === "k" ? kHasKey : 0));
        if (origin) this.writeUnit(encoder, origin);
        if (right) this.writeUnit(encoder, right);
        if (!neighbours) {
          encoding.writeVarUint(encoder, 1);
          encoding.writeVarString(encoder, line === "k" ? "m" : "t");
          if (line === "k") encoding.writeVarString(encoder, line);
        }
        write(encoder);
      }
    }
    this.writeDeletes(encoder);
    return encoding.toUint8Array(encoder);
  }
}

export const writeNeighboursHistory = (random, writer, options) => {
  const { clients, gc } = randomSetting(random, { ...options, causal: true });
  const structs = new Structs(random, clients.slice(0, -1));
  const server = new Witness(random, newDocument(clients.at(-1), gc), true, writer, options);
  if (random.chance(0.5)) server.listen();
  if (random.chance(0.5)) server.typeRoot({ name: "t", type: kTypes.text });
  const message = (count) => {
    const bytes = structs.update(count);
    return random.chance(0.7) ? { format: 1, bytes } : { format: 2, bytes: Y.convertUpdateFormatV1ToV2(bytes) };
  };
  let edits = 0;
  while (edits < options.ops) {
    const counts = Array.from({ length: random.chance(0.2) ? random.between(2, 4) : 1 }, () => random.between(1, 8));
    const messages = counts.map(message);
    if (messages.length > 1) server.applyMany(messages);
    else server.apply(messages[0]);
    for (const count of counts) edits += count;
  }
  return { edits, ...server.finish() };
};
