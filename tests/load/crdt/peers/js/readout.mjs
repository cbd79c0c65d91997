// What every timed region ends with, so that no engine can put work off: see ../../README.md.
import { Random } from './inputs.mjs'

const encoder = new TextEncoder()

// FNV-1a of 64 bits as two halves: the prime is 2^40 + 0x1b3.
export class Fnv {
  constructor () {
    this.high = 0xcbf29ce4
    this.low = 0x84222325
  }

  add (bytes) {
    let { high, low } = this
    for (let i = 0; i < bytes.length; i++) {
      low = (low ^ bytes[i]) >>> 0
      const product = low * 0x1b3
      high = (high * 0x1b3 + Math.floor(product / 0x100000000) + low * 0x100) % 0x100000000
      low = product >>> 0
    }
    this.high = high
    this.low = low
    return this
  }

  toString () {
    return this.high.toString(16).padStart(8, '0') + this.low.toString(16).padStart(8, '0')
  }
}

const readCount = 1000
const random = new Random(1)
const draws = Array.from({ length: readCount }, () => random.next())

// The hash of the text, then that of the UTF-16 units at a thousand random indices.
export const readText = text => {
  const whole = new Fnv().add(encoder.encode(text))
  const units = new Uint8Array(text.length === 0 ? 0 : 2 * readCount)
  for (let i = 0; i < units.length / 2; i++) {
    const unit = text.charCodeAt(draws[i] % text.length)
    units[2 * i] = unit & 0xff
    units[2 * i + 1] = unit >>> 8
  }
  return `${whole}-${new Fnv().add(units)}`
}

// The same of an array: its JSON text, then the JSON texts of a thousand elements.
export const readArray = array => {
  const whole = new Fnv().add(encoder.encode(JSON.stringify(array)))
  const elements = new Fnv()
  for (let i = 0; array.length > 0 && i < readCount; i++) {
    elements.add(encoder.encode(JSON.stringify(array[draws[i] % array.length])))
  }
  return `${whole}-${elements}`
}

const sorted = value =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])]))
    : value

// The JSON text of a map, its keys sorted.
export const readMap = map => new Fnv().add(encoder.encode(JSON.stringify(sorted(map)))).toString()
