// Writes random histories of yjs, with what yjs answers, to standard output. See README.md.
import { parseArgs } from "node:util";
import "./clock.mjs";
import { writeApplyHistory } from "./apply_history.mjs";
import { counted } from "./counting.mjs";
import { writeFunctionsHistory } from "./functions_history.mjs";
import { writeLocalHistory } from "./local_history.mjs";
import { writeMergesHistory } from "./merges_history.mjs";
import { writeNeighboursHistory } from "./neighbours_history.mjs";
import { Random } from "./random.mjs";
import { kDisputed, kMagic, kTrailerMagic, StreamWriter } from "./stream.mjs";

const kKinds = {
  apply: [1, writeApplyHistory],
  functions: [2, writeFunctionsHistory],
  local: [3, writeLocalHistory],
  merges: [4, writeMergesHistory],
  neighbours: [5, writeNeighboursHistory],
};
// In every so many histories the state is told after each step, in the others after a part of them: that takes time.
const kStepwiseEvery = 8n;

const { values: given } = parseArgs({
  options: {
    kind: { type: "string", default: "apply" },
    "first-seed": { type: "string", default: "1" },
    count: { type: "string", default: "1" },
    ops: { type: "string", default: "200" },
    clients: { type: "string" },
    updates: { type: "string" },
    causal: { type: "boolean" },
    shuffled: { type: "boolean" },
    full: { type: "boolean", default: false },
    observe: { type: "boolean", default: false },
    "no-undo": { type: "boolean", default: false },
    disputed: { type: "boolean", default: false },
    "for-yrs": { type: "boolean", default: false },
  },
});
const [kind, writeHistory] = kKinds[given.kind];
const options = {
  ops: Number(given.ops),
  clients: given.clients === undefined ? undefined : Number(given.clients),
  updates: given.updates === undefined ? undefined : Number(given.updates),
  causal: given.causal ? true : given.shuffled ? false : undefined,
  full: given.full,
  undo: !given["no-undo"],
  observe: given.observe,
};

const writer = new StreamWriter(1);
const first = BigInt(given["first-seed"]);
const totals = { histories: 0, steps: 0, edits: 0, pendingSteps: 0, behind: 0, pendingAtEnd: 0, threw: 0, misplaced: 0 };
for (let seed = first; seed < first + BigInt(given.count); seed++) {
  writer.begin(kMagic);
  writer.u32(Number(seed & 0xffffffffn));
  writer.u32(Number((seed >> 32n) & 0xffffffffn));
  writer.u8(kind | (given.disputed ? kDisputed : 0));
  const random = new Random(seed);
  random.disputed = given.disputed;
  random.forYrs = given["for-yrs"];
  random.plain = random.forYrs;
  const counts = writeHistory(random, writer, { ...options, stepwise: seed % kStepwiseEvery === 0n });
  writer.end();
  totals.histories++;
  for (const name of Object.keys(counts)) totals[name] += counts[name];
}
Object.assign(totals, counted);
writer.begin(kTrailerMagic);
writer.varUint(Object.keys(totals).length);
for (const [name, total] of Object.entries(totals)) {
  writer.string(name);
  writer.varUint(total);
}
writer.end();
writer.flush();
