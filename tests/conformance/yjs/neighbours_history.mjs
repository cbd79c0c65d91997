// Histories of kind "neighbours": updates that no edits of yjs made. Each struct names as neighbours any two units that
// were sent before it or come with it, also in the wrong order, or the same twice.
import * as Y from "yjs";
import * as encoding from "lib0/encoding";
import { kTypes } from "./values.mjs";
import { Witness } from "./witness.mjs";
import { newDocument, randomSetting } from "./writers.mjs";

const kText = 4;
const kHasOrigin = 128;
const kHasRightOrigin = 64;
const kTexts = ["a", "b", "no", "abc", "hello", "é", "Ж", "\u{1f600}", "a\u{1f600}b"];

class Structs {
  constructor(random, clients) {
    this.random = random;
    this.clients = clients;
    this.states = clients.map(() => 0);
  }

  // A unit that there is by now, mostly one of the last of its client; null where its client has none.
  unit() {
    const { random, states } = this;
    const client = random.below(states.length);
    const state = states[client];
    if (state === 0) return null;
    return [client, random.chance(0.5) ? Math.max(0, state - random.between(1, 4)) : random.below(state)];
  }

  // What goes on from its client's last unit, as typing does, or from any.
  origin(client) {
    const { random, states } = this;
    if (random.chance(0.2)) return null;
    return states[client] > 0 && random.chance(0.6) ? [client, states[client] - 1] : this.unit();
  }

  writeUnit(encoder, [client, clock]) {
    encoding.writeVarUint(encoder, this.clients[client]);
    encoding.writeVarUint(encoder, clock);
  }

  writeDeletes(encoder) {
    const { random, states } = this;
    const clients = [...states.keys()].filter((client) => states[client] > 0 && random.chance(0.15));
    encoding.writeVarUint(encoder, clients.length);
    for (const client of clients) {
      const clock = random.below(states[client]);
      encoding.writeVarUint(encoder, this.clients[client]);
      encoding.writeVarUint(encoder, 1);
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, Math.min(states[client] - clock, random.between(1, 4)));
    }
  }

  // An update of `count` structs, in V1.
  update(count) {
    const { random, states } = this;
    const blocks = new Map();
    for (let i = 0; i < count; i++) {
      const client = random.below(states.length);
      const origin = this.origin(client);
      const right = random.chance(0.7) ? this.unit() : null;
      const text = random.of(kTexts);
      if (!blocks.has(client)) blocks.set(client, { clock: states[client], structs: [] });
      blocks.get(client).structs.push({ origin, right, text });
      states[client] += text.length;
    }
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, blocks.size);
    for (const [client, { clock, structs }] of blocks) {
      encoding.writeVarUint(encoder, structs.length);
      this.writeUnit(encoder, [client, clock]);
      for (const { origin, right, text } of structs) {
        encoding.writeUint8(encoder, kText | (origin ? kHasOrigin : 0) | (right ? kHasRightOrigin : 0));
        if (origin) this.writeUnit(encoder, origin);
        if (right) this.writeUnit(encoder, right);
        if (!origin && !right) {
          encoding.writeVarUint(encoder, 1);
          encoding.writeVarString(encoder, "t");
        }
        encoding.writeVarString(encoder, text);
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
