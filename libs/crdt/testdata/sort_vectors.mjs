// Writes what V8's Array.prototype.sort makes of comparators that contradict themselves, for internal/v8_sort_test.cc
// to compare with (node of major version 20; see internal/v8_sort.h):
//   node sort_vectors.mjs > sort_vectors.txt
//
// Lines: SEED CALLS HASH, both decimal: how often the comparator was called, and a hash of the order that came out.
// The test makes the array and the comparator of a seed as `vector` does.
const mix = (x, y) => {
  let h = Math.imul(x ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(y + 0x7f4a7c15 | 0, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

const vector = seed => {
  let drawn = 0
  const below = n => mix(seed, drawn++) % n
  const size = 2 + below([8, 40, 70, 300, 1500][below(5)])
  const keys = 1 + below([3, 20, 2000][below(3)])
  const shape = below(4)
  const run = 1 + below(120)
  const items = []
  for (let i = 0; i < size; ++i) {
    // random, ascending runs, descending runs, ascending but for a few
    let key = below(keys)
    if (shape === 1) key = Math.floor((i % run) * keys / run)
    if (shape === 2) key = Math.floor((run - 1 - i % run) * keys / run)
    if (shape === 3 && below(20) > 0) key = Math.floor(i * keys / size)
    items.push({ index: i, key, kind: below(2) })
  }
  // Of items with the same key: as those of mergeUpdates, or anything.
  const kind = below(3)
  let calls = 0
  const compare = (a, b) => {
    ++calls
    if (kind === 2) return mix(mix(seed, a.index), b.index) % 3 - 1
    if (a.key !== b.key) return a.key - b.key
    if (kind === 1) return mix(a.index, b.index) % 3 - 1
    return a.kind === b.kind ? 0 : -1
  }
  items.sort(compare)
  return `${seed} ${calls} ${items.reduce((hash, item) => mix(hash, item.index), 0)}`
}

for (let seed = 0; seed < 2500; ++seed) console.log(vector(seed))
