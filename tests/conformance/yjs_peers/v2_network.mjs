// What testHelper does, in V2, which its sync protocol lacks: five peers that edit at random, lose their connections and
// receive each other's messages in any order between pairs of them.
import assert from "node:assert/strict";
import * as prng from "lib0/prng";
import { EngineDoc } from "./engine.mjs";
import * as Y from "./shim.mjs";
import { testHelper } from "./test_helper.mjs";

const kUsers = 5;

class Peer {
  constructor(network, number, doc) {
    this.network = network;
    this.doc = doc;
    this.inbox = new Map(); // sender -> messages: functions of the receiver
    this.updates = [];
    doc.on("updateV2", (update, origin) => {
      this.updates.push(update);
      if (origin !== network) network.broadcast(this, update);
    });
    doc.clientID = number;
  }
}

export class V2Network {
  constructor(engines) {
    this.engines = engines;
  }

  broadcast(sender, update) {
    if (!this.online.has(sender)) return;
    for (const peer of this.online) if (peer !== sender) this.send(sender, peer, update);
  }
  send(sender, receiver, update) {
    if (!receiver.inbox.has(sender)) receiver.inbox.set(sender, []);
    receiver.inbox.get(sender).push(update);
  }
  // Both tell the other what he lacks.
  connect(peer) {
    if (this.online.has(peer)) return;
    for (const other of this.online) {
      this.send(peer, other, Y.encodeStateAsUpdateV2(peer.doc, Y.encodeStateVector(other.doc)));
      this.send(other, peer, Y.encodeStateAsUpdateV2(other.doc, Y.encodeStateVector(peer.doc)));
    }
    this.online.add(peer);
  }
  disconnect(peer) {
    this.online.delete(peer);
    peer.inbox.clear();
  }
  deliverOne(gen) {
    const waiting = [...this.online].filter((peer) => peer.inbox.size > 0);
    if (waiting.length === 0) return false;
    const receiver = prng.oneOf(gen, waiting);
    const [sender, updates] = prng.oneOf(gen, [...receiver.inbox]);
    const update = updates.shift();
    if (updates.length === 0) receiver.inbox.delete(sender);
    Y.applyUpdateV2(receiver.doc, update, this);
    return true;
  }
  deliverAll(gen) {
    while (this.deliverOne(gen));
  }

  applyRandomTests = ({ prng: gen }, edits, iterations, initTestObject) => {
    this.online = new Set();
    this.peers = Array.from({ length: kUsers }, (_, number) => {
      return new Peer(this, number, this.engines.includes(number) ? new EngineDoc() : new Y.Doc());
    });
    for (const { doc } of this.peers) {
      doc.getArray("array");
      doc.getMap("map");
      doc.getText("text");
      doc.get("xml", Y.XmlElement);
    }
    this.peers.forEach((peer) => this.connect(peer));
    const testObjects = this.peers.map(({ doc }) => initTestObject(doc));
    for (let i = 0; i < iterations; ++i) {
      const chance = prng.int32(gen, 0, 99);
      const peer = prng.oneOf(gen, this.peers);
      if (chance < 2) this.disconnect(peer);
      else if (chance < 4) this.connect(peer);
      else if (chance < 5) this.deliverAll(gen);
      else if (chance < 55) this.deliverOne(gen);
      prng.oneOf(gen, edits)(prng.oneOf(gen, this.peers).doc, gen);
    }
    this.compare(gen);
    return { testObjects };
  };

  compare(gen) {
    this.peers.forEach((peer) => this.disconnect(peer));
    this.peers.forEach((peer) => this.connect(peer));
    this.deliverAll(gen);
    const docs = this.peers.map(({ doc }) => doc);
    // And what each received and made itself, as one update.
    for (const { updates } of this.peers) {
      const merged = new Y.Doc();
      Y.applyUpdateV2(merged, Y.mergeUpdatesV2(updates));
      docs.push(merged);
    }
    const seen = docs.map((doc) => {
      assert.equal(doc.store.pendingDs, null);
      assert.equal(doc.store.pendingStructs, null);
      return {
        array: doc.getArray("array").toJSON(),
        map: doc.getMap("map").toJSON(),
        xml: doc.get("xml", Y.XmlElement).toString(),
        text: doc.getText("text").toDelta(),
        state: Y.encodeStateAsUpdateV2(doc),
        stateVector: Y.encodeStateVector(doc),
      };
    });
    for (let i = 1; i < docs.length; ++i) {
      assert.deepEqual(seen[i], seen[0]);
      testHelper.compareStructStores(docs[0].store, docs[i].store);
    }
    docs.forEach((doc) => doc.destroy());
  }
}
