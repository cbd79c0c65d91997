// Runs testHelper's random tests, or the same in V2, with the engine as some of the five peers. README.md says how.
import { register } from "node:module";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as prng from "lib0/prng";

register("./hooks.mjs", import.meta.url);
const { kEdits } = await import("./edits.mjs");
const { mirrorOf } = await import("./mirror.mjs");
const { testHelperOf } = await import("./test_helper.mjs");
const { V2Network } = await import("./v2_network.mjs");

const kUsers = 5;
const kEngines = { none: [], one: [1], rest: [1, 2, 3, 4], all: [0, 1, 2, 3, 4] };

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    "first-seed": { type: "string", default: "1" },
    engines: { type: "string", default: "one" },
    format: { type: "string", default: "v1" },
  },
});
const rounds = Number(options.rounds);
const first = Number(options["first-seed"]);
const engines = kEngines[options.engines];
if (!Number.isInteger(rounds) || !Number.isInteger(first) || !engines || !["v1", "v2"].includes(options.format)) {
  console.error("usage: run [--rounds N] [--first-seed N] [--engines one|rest|all|none] [--format v1|v2]");
  process.exit(2);
}

const applyRandomTests =
  options.format === "v1" ? (await testHelperOf(engines)).applyRandomTests : new V2Network(engines).applyRandomTests;

// testHelper tells of each network that it falls back to V1, as it is meant to here.
const { error: tell } = console;
console.error = (...told) => String(told[0]).startsWith("sync protocol doesnt support v2") || tell(...told);

const kinds = Object.keys(kEdits);
let edits = 0;
for (let seed = first; seed < first + rounds; ++seed) {
  const gen = prng.create(seed);
  const kind = kinds[seed % kinds.length];
  // Mostly short ones, which find most; some long.
  const iterations = prng.oneOf(gen, [5, 20, 50, 100, 200]);
  try {
    const { testObjects } = applyRandomTests({ prng: gen }, kEdits[kind], iterations, mirrorOf);
    for (const mirror of testObjects) mirror.check();
  } catch (error) {
    console.error(`round ${seed} (${kind}, ${iterations} edits, engines ${options.engines}, ${options.format}) failed:`);
    console.error(error);
    console.error(`again: run --first-seed ${seed} --rounds 1 --engines ${options.engines} --format ${options.format}`);
    process.exit(1);
  }
  edits += iterations;
  const done = seed - first + 1;
  if (done % 1000 === 0 && done < rounds) tell(`${done} of ${rounds} rounds, from seed ${first} on`);
  // The engine's documents go when nobody has a handle of them, which Node finds out only when it has time.
  if (seed % 50 === 0) {
    globalThis.gc();
    await setImmediate();
  }
}
console.log(
  `${rounds} rounds, seeds ${first} to ${first + rounds - 1}, ${edits} edits, engines ${options.engines} of ` +
    `${kUsers} peers, ${options.format}: all peers alike`,
);
