// Histories of kind "functions": what yjs makes of updates alone, without a document.
import * as Y from "yjs";
import { randomSetting, Writers } from "./writers.mjs";

export const kFunctions = {
  end: 0,
  mergeV1: 1,
  mergeV2: 2,
  diffV1: 3,
  diffV2: 4,
  convertV1ToV2: 5,
  convertV2ToV1: 6,
  vectorFromV1: 7,
  vectorFromV2: 8,
};

const kCalls = {
  [kFunctions.mergeV1]: (inputs) => Y.mergeUpdates(inputs),
  [kFunctions.mergeV2]: (inputs) => Y.mergeUpdatesV2(inputs),
  [kFunctions.diffV1]: ([update, vector]) => Y.diffUpdate(update, vector),
  [kFunctions.diffV2]: ([update, vector]) => Y.diffUpdateV2(update, vector),
  [kFunctions.convertV1ToV2]: ([update]) => Y.convertUpdateFormatV1ToV2(update),
  [kFunctions.convertV2ToV1]: ([update]) => Y.convertUpdateFormatV2ToV1(update),
  [kFunctions.vectorFromV1]: ([update]) => Y.encodeStateVectorFromUpdate(update),
  [kFunctions.vectorFromV2]: ([update]) => Y.encodeStateVectorFromUpdateV2(update),
};

// [whether it threw, the result or the message].
export const call = (code, inputs) => {
  try {
    return [0, kCalls[code](inputs)];
  } catch (error) {
    return [1, Buffer.from(String(error.message), "utf8")];
  }
};

// Writes a call and its result, and gives that; null where yjs threw.
export const writeCall = (writer, code, inputs) => {
  writer.u8(code);
  writer.varUint(inputs.length);
  for (const input of inputs) writer.bytes(input);
  const [threw, result] = call(code, inputs);
  writer.u8(threw);
  writer.bytes(result);
  return threw ? null : result;
};

const kPoolSize = 24;

class FunctionsHistory {
  constructor(random, writer, options) {
    this.random = random;
    this.writer = writer;
    this.writers = new Writers(random, randomSetting(random, options), 0);
    // Updates that inputs are drawn from, by format: messages, whole and partial states, and results of before.
    this.pools = { 1: [], 2: [] };
    this.steps = 0;
    this.threw = 0;
  }

  keep(format, bytes) {
    // Results feed on results: without a bound they would only grow.
    if (bytes.length > 3000) return;
    const pool = this.pools[format];
    if (pool.length < kPoolSize) pool.push(bytes);
    else pool[this.random.below(kPoolSize)] = bytes;
  }

  step(code, inputs) {
    const result = writeCall(this.writer, code, inputs);
    this.steps++;
    if (result === null) this.threw++;
    return result;
  }

  // New material: what was sent since, and now and then a writer's state.
  gather(from) {
    const { random, writers } = this;
    for (const { format, bytes } of writers.log.slice(from)) if (random.chance(0.7)) this.keep(format, bytes);
    if (!random.chance(0.1)) return;
    const doc = random.of(writers.docs);
    const vector = random.chance(0.5) ? this.vector() : undefined;
    this.keep(1, Y.encodeStateAsUpdate(doc, vector));
    this.keep(2, Y.encodeStateAsUpdateV2(doc, vector));
  }

  vector() {
    const { random, writers } = this;
    const state = Y.decodeStateVector(Y.encodeStateVector(random.of(writers.docs)));
    for (const [client, clock] of state) {
      if (random.chance(0.4)) state.set(client, random.below(clock + 2));
      else if (random.chance(0.1)) state.delete(client);
    }
    if (random.chance(0.1)) state.set(random.word(), random.below(9));
    return Y.encodeStateVector(state);
  }

  merge() {
    const { random } = this;
    const format = random.between(1, 2);
    const pool = this.pools[format];
    if (pool.length === 0) return;
    const inputs = Array.from({ length: random.chance(0.03) ? 1 : random.between(2, 6) }, () => random.of(pool));
    if (random.chance(0.01)) inputs.length = 0;
    const merged = this.step(format === 1 ? kFunctions.mergeV1 : kFunctions.mergeV2, inputs);
    if (merged !== null && random.chance(0.3)) this.keep(format, merged);
  }

  // One of the functions that take one update.
  ask() {
    const { random } = this;
    const format = random.between(1, 2);
    if (this.pools[format].length === 0) return;
    const update = random.of(this.pools[format]);
    const kind = random.below(3);
    if (kind === 0) {
      const diff = this.step(format === 1 ? kFunctions.diffV1 : kFunctions.diffV2, [update, this.vector()]);
      if (diff !== null) this.keep(format, diff);
    } else if (kind === 1) {
      const converted = this.step(format === 1 ? kFunctions.convertV1ToV2 : kFunctions.convertV2ToV1, [update]);
      if (converted !== null) this.keep(3 - format, converted);
    } else {
      this.step(format === 1 ? kFunctions.vectorFromV1 : kFunctions.vectorFromV2, [update]);
    }
  }

  run(edits) {
    const { writers, random } = this;
    while (writers.edits < edits) {
      const from = writers.log.length;
      writers.edit();
      writers.exchange();
      this.gather(from);
      if (random.chance(0.5)) this.merge();
      this.ask();
    }
    this.writer.u8(kFunctions.end);
  }
}

export const writeFunctionsHistory = (random, writer, options) => {
  const history = new FunctionsHistory(random, writer, options);
  history.run(options.ops);
  return { steps: history.steps, edits: history.writers.edits, threw: history.threw };
};
