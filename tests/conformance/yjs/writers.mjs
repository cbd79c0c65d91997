// Writers that edit documents of their own at the same time, and what they sent: the source of every kind of history.
import { clock } from "./clock.mjs";
import * as Y from "yjs";
import { apply, pickTarget, randomEdit } from "./edits.mjs";
import { constructorOf, kTypes, randomJson, typeOf } from "./values.mjs";

const kRoots = [
  ["t", kTypes.text],
  ["text", kTypes.text],
  ["a", kTypes.array],
  ["m", kTypes.map],
  ["x", kTypes.fragment],
  ["e", kTypes.element],
  ["", kTypes.text],
  ["1", kTypes.map],
  ["ключ", kTypes.array],
  ["\u{1f600}", kTypes.xmlText],
  ["__proto__", kTypes.map],
  ["h", kTypes.hook],
];

const kAllTypes = Object.values(kTypes);

const randomClients = (random, count) => {
  const kind = random.below(8);
  const ids = new Set();
  while (ids.size < count) {
    const big = kind === 7 || (kind === 6 && random.chance(0.3));
    if (kind < 3) ids.add(random.between(1, 12));
    else if (big) ids.add(random.below(1 << 21) * 0x1_0000_0000 + random.word());
    else ids.add(kind === 3 && random.chance(0.5) ? random.below(300) : random.word());
  }
  return random.shuffle([...ids]);
};

const randomRoots = (random) => {
  const profile = random.below(10);
  if (profile < 3) return [{ name: "t", type: kTypes.text }];
  if (profile === 3) return [{ name: "m", type: kTypes.map }];
  if (profile === 4) return [{ name: "a", type: kTypes.array }];
  if (profile === 5) return [{ name: "x", type: kTypes.fragment }];
  return random
    .shuffle([...kRoots])
    .slice(0, random.between(2, 4))
    .map(([name, type]) => ({ name, type }));
};

// A choice of the history's own, so that a flag of the command line can't change the others.
export const randomSetting = (random, options) => {
  const drawn = random.weighted([
    [1, 1],
    [4, 2],
    [6, 3],
    [3, 4],
    [1, 5],
    [1, 6],
  ]);
  const causal = random.chance(0.5);
  const setting = {
    causal: options.causal ?? causal,
    gc: !random.chance(0.12),
    rich: random.chance(0.6),
    roots: randomRoots(random),
    // Writers also insert what only old versions of yjs did.
    legacy: random.chance(0.1) && !random.forYrs,
    // One writer undoes and redoes.
    undoing: random.chance(0.2),
    // The longest transaction, in edits.
    batch: random.of([2, 6, 12]),
    // How many messages a shuffled history loses: only a state mends that.
    loss: !(options.causal ?? causal) && random.chance(0.3) ? 0.04 : 0,
    // How much of what waits is received between two edits: from hardly anything to nearly all.
    traffic: random.of([0.1, 0.3, 0.5, 0.8]),
  };
  setting.clients = randomClients(random, (options.clients ?? drawn) + 1);
  return setting;
};

// A document without random parts. The last of the clients is the receiver's.
export const newDocument = (client, gc = true) => {
  const doc = new Y.Doc({ guid: "history", gc });
  doc.clientID = client;
  return doc;
};

// Who receives messages: which it has, and those that wait for it in any order.
class Inbox {
  constructor(count) {
    // Of each writer: how many of its messages are here, from the first on.
    this.have = new Array(count).fill(0);
    this.waiting = [];
  }
}

// In a list that some take for a text and some for an array yjs counts deleted formats as places, or doesn't count
// values it passes over; its search markers are wrong then. It may look for what is to be deleted behind the end, where
// what it has deleted so far stays deleted, or for a unit of a clock that nothing has, before it changes anything.
function isLostPlace(error) {
  return error.message === "Length exceeded!" || (error instanceof TypeError && error.stack.includes("findIndexSS"));
}

export class Writers {
  // `receivers`: how many more than the writers receive messages.
  constructor(random, setting, receivers) {
    this.random = random;
    this.setting = setting;
    const count = setting.clients.length - 1;
    this.docs = [];
    // Everything that was sent, in the order in which it was: that order is causal.
    this.log = [];
    this.sent = Array.from({ length: count }, () => []);
    this.inboxes = Array.from({ length: count + receivers }, () => new Inbox(count));
    this.edits = 0;
    // Now and then writers don't agree what a root is.
    const agreed = !random.chance(0.03) && !random.disputed;
    this.roots = this.sent.map(() =>
      agreed ? setting.roots : setting.roots.map(({ name }) => ({ name, type: random.of(kAllTypes) })),
    );
    for (let writer = 0; writer < count; writer++) this.docs.push(this.newWriter(writer));
    this.undoManager = null;
    if (setting.undoing) this.startUndo(count - 1);
  }

  newWriter(writer) {
    const { random, setting } = this;
    const doc = newDocument(setting.clients[writer], !random.chance(0.1));
    const format = random.weighted([
      [3, 1],
      [2, 2],
    ]);
    const event = format === 1 ? "update" : "updateV2";
    const send = (bytes, _origin, _doc, { local }) => {
      if (local) this.send(writer, format, bytes);
    };
    // yjs makes an update wherever somebody listens: nobody does to what was received.
    doc.on("beforeTransaction", ({ local }) => (local ? doc.on(event, send) : doc.off(event, send)));
    for (const { name, type } of this.roots[writer]) if (random.chance(0.5)) doc.get(name, constructorOf(type));
    return doc;
  }

  send(writer, format, bytes) {
    const inbox = this.inboxes[writer];
    const message = { writer, index: inbox.have[writer], needs: inbox.have.slice(), format, bytes };
    inbox.have[writer]++;
    this.sent[writer].push(message);
    this.log.push(message);
    for (let to = 0; to < this.inboxes.length; to++) {
      if (to !== writer && !this.ordered(to) && !this.random.chance(this.setting.loss))
        this.inboxes[to].waiting.push(message);
    }
  }

  // Whether receiver `to` gets messages in a causal order. In a shuffled history some writers still do.
  ordered(to) {
    return this.setting.causal || (to < this.docs.length && to % 2 === 0);
  }

  startUndo(at) {
    const types = this.roots[at].map(({ name, type }) => this.docs[at].get(name, constructorOf(type)));
    clock.now = 1_000_000;
    this.undoManager = new Y.UndoManager(types);
  }

  undo() {
    const { random, undoManager } = this;
    clock.now += random.of([0, 200, 600]);
    if (!random.chance(0.1)) return;
    try {
      if (random.chance(0.6)) undoManager.undo();
      else undoManager.redo();
    } catch {
      // yjs throws now and then where what is to be redone has been collected.
      undoManager.destroy();
      this.undoManager = null;
    }
  }

  // One transaction of a writer; without `at` of any.
  edit(at = this.random.below(this.docs.length)) {
    const { random } = this;
    const doc = this.docs[at];
    const count = random.chance(0.4) ? 1 : random.between(2, this.setting.batch);
    doc.transact(() => {
      for (let i = 0; i < count; i++) this.editOnce(doc, this.roots[at]);
    });
    this.edits += count;
    if (this.undoManager !== null) this.undo();
  }

  editOnce(doc, roots) {
    const target = pickTarget(this.random, doc, roots);
    if (this.setting.legacy && typeOf(target.shared) === kTypes.array && this.random.chance(0.3)) {
      insertLegacy(doc, target.shared, randomJson(this.random));
      return;
    }
    try {
      apply(randomEdit(this.random, target, this.setting.rich), target.shared);
    } catch (error) {
      if (!isLostPlace(error)) throw error;
    }
  }

  // The next messages for `to`, perhaps none; at most `most`.
  take(to, most) {
    return this.ordered(to) ? this.takeOrdered(to, most) : this.takeShuffled(to, most);
  }

  takeOrdered(to, most) {
    const { have } = this.inboxes[to];
    const taken = [];
    const first = this.random.below(this.sent.length);
    for (let i = 0; i < this.sent.length && taken.length < most; i++) {
      const writer = (first + i) % this.sent.length;
      const messages = this.sent[writer];
      while (taken.length < most && have[writer] < messages.length) {
        const message = messages[have[writer]];
        if (message.needs.some((count, other) => count > have[other])) break;
        taken.push(message);
        have[writer]++;
      }
    }
    // Twice, now and then.
    if (taken.length > 0 && this.random.chance(0.05)) taken.push(this.random.of(taken));
    return taken;
  }

  takeShuffled(to, most) {
    const { waiting } = this.inboxes[to];
    const taken = [];
    while (taken.length < most && waiting.length > 0) {
      const at = this.random.chance(0.5)
        ? this.random.below(Math.min(4, waiting.length))
        : this.random.below(waiting.length);
      taken.push(waiting[at]);
      if (this.random.chance(0.05)) break;
      waiting[at] = waiting[waiting.length - 1];
      waiting.pop();
    }
    return taken;
  }

  // What a writer's whole document holds and `to` lacks, as one message; for an ordered receiver that mends every loss.
  takeState(to, doc, from = this.random.below(this.docs.length)) {
    const format = this.random.between(1, 2);
    const encode = format === 1 ? Y.encodeStateAsUpdate : Y.encodeStateAsUpdateV2;
    const bytes = encode(this.docs[from], this.random.chance(0.7) ? Y.encodeStateVector(doc) : undefined);
    const { have } = this.inboxes[to];
    if (this.ordered(to) && this.ordered(from))
      this.inboxes[from].have.forEach((count, writer) => {
        have[writer] = Math.max(have[writer], count);
      });
    return { format, bytes };
  }

  // Writers from the `first` on receive from each other.
  exchange(first = 0) {
    const { random, setting } = this;
    for (let to = first; to < this.docs.length; to++) {
      if (!random.chance(setting.traffic)) continue;
      if (random.chance(0.03)) {
        receive(this.docs[to], this.takeState(to, this.docs[to]));
        continue;
      }
      const messages = this.take(to, random.between(1, 8));
      if (messages.length > 1)
        this.docs[to].transact(() => messages.forEach((message) => receive(this.docs[to], message)), "remote");
      else messages.forEach((message) => receive(this.docs[to], message));
    }
  }
}

// JSON content at the start of a list: yjs reads and writes it, but makes none any more.
const insertLegacy = (doc, list, values) =>
  doc.transact((transaction) => {
    const right = list._start;
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID));
    const item = new Y.Item(id, null, null, right, right && right.id, list, null, new Y.ContentJSON(values));
    item.integrate(transaction, 0);
    // They would be one insert behind.
    if (list._searchMarker) list._searchMarker.length = 0;
  });

export const receive = (doc, { format, bytes }) => (format === 1 ? Y.applyUpdate : Y.applyUpdateV2)(doc, bytes);
