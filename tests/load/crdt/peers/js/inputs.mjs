// The inputs of the B1, B2 and B3 tables: what ../../table_inputs.h specifies, draw for draw.

export const operations = 6000
export const clients = Math.floor(Math.sqrt(operations)) * 20

// Draws a number below `bound` from a xorshift32 whose state is `seed` times 0x9E3779B1.
export class Random {
  constructor (seed) {
    this.state = Math.imul(seed, 0x9E3779B1) >>> 0
  }

  next () {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x >>> 0
    return this.state
  }

  below (bound) {
    return this.next() % bound
  }

  between (low, high) {
    return low + this.below(high - low + 1)
  }

  word (low, high) {
    const length = this.between(low, high)
    let word = ''
    for (let i = 0; i < length; i++) word += String.fromCharCode(97 + this.below(26))
    return word
  }

  number () {
    return this.next() >>> 1
  }
}

// The client id of document `i`: 32 bits, as random ones are.
export const clientId = i => Math.imul(0x9E3779B1, i + 1) >>> 0

const insert = (index, text) => ({ index, text })
const remove = (index, length) => ({ index, length })
const insertNumbers = (index, numbers) => ({ index, numbers })

// Makes `operations` steps with `step(random, length)`, which gives what it does to a text of that length.
const steps = (random, length, step) => {
  const made = []
  for (let i = 0; i < operations; i++) {
    for (const operation of step(random, length)) {
      made.push(operation)
      length += operation.text !== undefined ? operation.text.length : -operation.length
    }
  }
  return made
}

const insertOrDelete = (random, index, length) =>
  index === length || random.below(2) === 0
    ? insert(index, random.word(2, 10))
    : remove(index, random.between(1, Math.min(9, length - index)))

const times = (n, make) => Array.from({ length: n }, (_, i) => make(i))

const b1 = {
  'B1.1': r => [...r.word(operations, operations)].map((letter, i) => insert(i, letter)),
  'B1.2': r => [insert(0, r.word(operations, operations))],
  'B1.3': r => [...r.word(operations, operations)].reverse().map(letter => insert(0, letter)),
  'B1.4': r => steps(r, 0, (r, length) => [insert(r.below(length + 1), r.word(1, 1))]),
  'B1.5': r => steps(r, 0, (r, length) => [insert(r.below(length + 1), r.word(2, 10))]),
  'B1.6': r => [insert(0, r.word(operations, operations)), remove(0, operations)],
  'B1.7': r => steps(r, 0, (r, length) => [insertOrDelete(r, r.below(length + 1), length)]),
  'B1.8': r => times(operations, i => insertNumbers(i, [r.number()])),
  'B1.9': r => [insertNumbers(0, times(operations, () => r.number()))],
  'B1.10': r => times(operations, () => insertNumbers(0, [r.number()])),
  'B1.11': r => times(operations, i => insertNumbers(r.below(i + 1), [r.number()]))
}

const b2 = {
  'B2.1': r => [insert(0, r.word(operations, operations))],
  'B2.2': r => steps(r, 100, (r, length) => [insert(r.below(length + 1), r.word(1, 1))]),
  'B2.3': r => steps(r, 100, (r, length) => [insert(r.below(length + 1), r.word(3, 9))]),
  'B2.4': r => steps(r, 100, (r, length) => {
    const first = insert(r.below(length + 1), r.word(3, 9))
    return [first, insertOrDelete(r, first.index, length + first.text.length)]
  })
}

const seedOf = line => 100 * Number(line[1]) + Number(line.slice(3))

// {operations} of a line of B1.
export const oneUser = line => ({ operations: b1[line](new Random(seedOf(line))) })

// {start, first, second} of a line of B2: the text both have, then what each does to it.
export const twoUsers = line => {
  const random = new Random(seedOf(line))
  const start = random.word(100, 100)
  const first = b2[line](random)
  return { start, first, second: b2[line](random) }
}

// What client `i` does in a line of B3: {key, value} to set, {element} to put first into the array, {text} to insert.
const b3 = {
  'B3.1': i => ({ key: 'v', value: i }),
  'B3.2': i => ({ key: 'v', value: { address: 'here', name: String(i) } }),
  'B3.3': i => ({ key: 'v', value: String(i).repeat(clients) }),
  'B3.4': i => ({ element: String(i) }),
  'B3.5': i => ({ text: String(i) })
}
export const manyUsers = line => times(clients, b3[line])

export const lines = { b1: Object.keys(b1), b2: Object.keys(b2), b3: Object.keys(b3) }
