// Histories of kind "merges": what yjs makes of very many updates at once.
import * as Y from "yjs";
import { kFunctions, writeCall } from "./functions_history.mjs";
import { randomSetting, Writers } from "./writers.mjs";

// How many messages are merged. yjs takes seconds for thousands: --updates asks for more.
const randomSize = (random) => (random.chance(0.75) ? random.between(100, 1000) : random.between(1000, 3000));

const convert = ({ format, bytes }, wanted) => {
  if (format === wanted) return bytes;
  return format === 1 ? Y.convertUpdateFormatV1ToV2(bytes) : Y.convertUpdateFormatV2ToV1(bytes);
};

// As they were sent, here and there another before its time, or in any order; in half of it some are missing or twice.
const arrange = (random, messages) => {
  let arranged = [...messages];
  const order = random.below(3);
  if (order === 2) random.shuffle(arranged);
  else if (order === 1)
    for (let i = arranged.length >> 3; i > 0; i--) {
      const at = random.below(arranged.length - 1);
      [arranged[at], arranged[at + 1]] = [arranged[at + 1], arranged[at]];
    }
  if (random.chance(0.5)) {
    arranged = arranged.filter(() => !random.chance(0.01));
    for (let i = arranged.length >> 6; i > 0; i--) arranged.push(random.of(arranged));
  }
  return arranged;
};

export const writeMergesHistory = (random, writer, options) => {
  const writers = new Writers(random, randomSetting(random, options), 0);
  const size = options.updates ?? randomSize(random);
  while (writers.log.length < size) {
    writers.edit();
    writers.exchange();
  }
  const counts = { steps: 0, edits: writers.edits, threw: 0 };
  const call = (code, inputs) => {
    const result = writeCall(writer, code, inputs);
    counts.steps++;
    if (result === null) counts.threw++;
    return result;
  };
  const vector = Y.encodeStateVector(random.of(writers.docs));
  for (const format of [1, 2]) {
    const [merge, diff, state] =
      format === 1
        ? [kFunctions.mergeV1, kFunctions.diffV1, kFunctions.vectorFromV1]
        : [kFunctions.mergeV2, kFunctions.diffV2, kFunctions.vectorFromV2];
    const merged = call(merge, arrange(random, writers.log.slice(0, size)).map((message) => convert(message, format)));
    if (merged === null) continue;
    call(diff, [merged, vector]);
    call(state, [merged]);
  }
  writer.u8(kFunctions.end);
  return counts;
};
