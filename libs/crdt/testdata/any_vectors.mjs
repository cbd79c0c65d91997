// Writes what lib0 and the JavaScript engine make of values, for internal/wire/any_codec_test.cc to compare with:
//   npm install lib0@0.2.120 && node any_vectors.mjs > any_vectors.txt
//
// Lines:
//   any BYTES CANONICAL JSON   writeAny(readAny(BYTES)), and JSON.stringify of the value; - where there is none
//   json TEXT CANONICAL        writeAny(JSON.parse(TEXT)); - where that throws
//   number FLOAT64 TEXT        String of the number
// All in hexadecimal but JSON, which is the rest of its line, and the text of a number.
import * as decoding from 'lib0/decoding.js'
import * as encoding from 'lib0/encoding.js'

let state = 20260101
const random = () => {  // mulberry32
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]
const hex = bytes => Buffer.from(bytes).toString('hex')

// Forms, canonical or not.
// Of ten bytes at most, which is what the C++ side reads; lib0 has no such limit.
const varUint = (n, padding = 0, limit = 10) => {
  const bytes = []
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128)
  bytes.push(n)
  for (; padding > 0 && bytes.length < limit; --padding) {
    bytes[bytes.length - 1] |= 128
    bytes.push(0)
  }
  return bytes
}
const varInt = (n, padding = 0) => {
  const sign = n < 0 || Object.is(n, -0) ? 64 : 0
  n = Math.abs(n)
  if (n < 64 && padding === 0) return [sign | n]
  return [128 | sign | (n % 64), ...varUint(Math.floor(n / 64), padding - 1, 9)]
}
const padding = () => (random() < 0.1 ? below(4) : 0)
const textForm = s => [...varUint(Buffer.byteLength(s), padding()), ...Buffer.from(s)]
const float32 = n => { const b = Buffer.alloc(4); b.writeFloatBE(n); return [124, ...b] }
const float64 = n => { const b = Buffer.alloc(8); b.writeDoubleBE(n); return [123, ...b] }
const raw = text => [...Buffer.from(text.replace(/ /g, ''), 'hex')]

const integers = [0, -0, 1, -1, 63, 64, -63, -64, 8191, 8192, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 1 - 2 ** 31, -(2 ** 31),
  2 ** 32, 1e10, 1700000000000, 2 ** 53 - 1, 1 - 2 ** 53, 2 ** 52, 2 ** 40 + 1]
const reals = [0.1, 0.5, 1.5, -2.25, 1e21, 1e-7, 123456.789, 5e-324, 1.7976931348623157e308, 3.4028234663852886e38,
  3.402823669209385e38, 1.401298464324817e-45, NaN, Infinity, -Infinity, 2 ** 53, 1e300, Math.PI, 4294967295.5]
const texts = ['', 'a', 'bold', 'naïve', '日本語', '😀', '\ufeffbom', '"quoted\\"', '\u0000\u001f\b\f\n\r\t\u007f', '\u2028',
  'x'.repeat(130), '𝒳é'.repeat(9)]
const keys = ['a', 'b', 'c', 'href', '0', '1', '2', '10', '01', '-1', '4294967294', '4294967295', '4294967296', '1e3',
  '', 'length', 'toJSON', 'constructor', 'é', '😀', '__proto__']

const randomBytes = depth => {
  const kind = below(depth > 0 ? 14 : 10)
  switch (kind) {
    case 0: return [pick([120, 121, 126, 127])]
    case 1: case 2: return [125, ...varInt(pick(integers), padding())]
    case 3: return [125, ...varInt(below(2 ** 31) - 2 ** 30)]
    case 4: return float32(pick([...integers, ...reals]))
    case 5: return float64(pick([...integers, ...reals]))
    case 6: return float64((random() - 0.5) * 10 ** below(40))
    case 7: return [119, ...textForm(pick(texts))]
    case 8: return random() < 0.2 ? [122, ...Array.from({ length: 8 }, () => below(256))] : [119, ...textForm(pick(texts))]
    case 9: {
      const size = below(12)
      return [116, ...varUint(size, padding()), ...Array.from({ length: size }, () => below(256))]
    }
    case 10: {
      const size = random() < 0.02 ? 128 + below(40) : below(6)
      return [117, ...varUint(size, padding()), ...Array.from({ length: size }, () => randomBytes(depth - 1)).flat()]
    }
    default: {
      const size = random() < 0.05 ? 17 + below(20) : below(6)
      const member = () => {
        const key = random() < 0.2 ? String(below(50)) : random() < 0.2 ? 'k' + below(40) : pick(keys)
        // Null and bytes as a prototype change what later keys do; see CopyAny.
        return [...textForm(key), ...(key === '__proto__' ? pick([[125, 1], [120], [117, 0], [118, 1, 1, 97, 125, 1]])
          : randomBytes(depth - 1))]
      }
      return [118, ...varUint(size, padding()), ...Array.from({ length: size }, member).flat()]
    }
  }
}

const anyLine = bytes => {
  const value = decoding.readAny(decoding.createDecoder(Uint8Array.from(bytes)))
  const canonical = encoding.encode(encoder => encoding.writeAny(encoder, value))
  let json
  try { json = JSON.stringify(value) } catch { json = undefined }
  console.log(`any ${hex(bytes)} ${hex(canonical)} ${json === undefined ? '-' : json}`)
}
const jsonLine = text => {
  let canonical = '-'
  try { canonical = hex(encoding.encode(encoder => encoding.writeAny(encoder, JSON.parse(text)))) } catch { }
  console.log(`json ${hex(Buffer.from(text))} ${canonical}`)
}
const numberLine = n => console.log(`number ${hex(float64(n).slice(1))} ${String(n)}`)

// Every kind of value in every form that means it.
for (const n of integers) {
  for (const pad of [0, 1, 2, 5]) anyLine([125, ...varInt(n, pad)])
}
for (const n of [...integers, ...reals, -0.1, 16777217, 0.10000000149011612]) {
  anyLine(float32(n))
  anyLine(float64(n))
}
for (const nan of ['7b7ff8000000000001', '7b7ff0000000000001', '7bfff8000000000000', '7bffffffffffffffff', '7c7fc00000',
  '7c7f800001', '7cffc00000', '7cffffffff']) {
  anyLine(raw(nan))
  anyLine([118, 1, 1, 97, ...raw(nan)])
}
for (const s of texts) anyLine([119, ...textForm(s)])
for (const tag of [120, 121, 126, 127]) anyLine([tag])
for (const n of ['0000000000000000', 'ffffffffffffffff', '8000000000000000', '7fffffffffffffff']) anyLine(raw('7a' + n))
for (const bytes of ['7400', '740100', '7403ff00fe', '748100 61', '7500', '758000', '7600', '768000', '75037f7e7f', '76 01 0161 7f',
  '76 02 0161 7f 0162 78', '76 03 0161 7d01 0162 7d02 0161 7d03', '76 02 0162 7d01 0130 7d02',
  '76 03 0231307d01 01397d02 0130 7d03', '76 02 09 5f5f70726f746f5f5f 7d01 0161 7d02', '7601 09 5f5f70726f746f5f5f 7600',
  '76 01 09 5f5f70726f746f5f5f 7e', '7502 7a0000000000000001 7d01', '7601 0161 7a0000000000000001', '7501 740101']) {
  anyLine(raw(bytes))
}
anyLine([117, ...varUint(130), ...Array(130).fill(126)])
anyLine([118, ...varUint(40), ...Array.from({ length: 40 }, (_, i) => [...textForm('k' + i % 39), 126]).flat()])
anyLine([118, ...varUint(40), ...Array.from({ length: 40 }, (_, i) => [...textForm('' + (39 - i)), 126]).flat()])
for (let i = 0; i < 640; ++i) anyLine(randomBytes(1 + below(3)))

// Numbers, strings and structure of JSON, right and wrong.
for (const n of [...integers, ...reals]) numberLine(n)
for (const text of ['0', '-0', '-0.0', '0e5', '0.0e-999999999999999999999', '1.0', '1e0', '10e-1', '1E400', '-1e400', '1e-400', '-1e-400',
  '5e-324', '2.4703282292062327e-324', '2.4703282292062328e-324', '1.7976931348623158e308', '1.7976931348623159e308',
  '9007199254740993', '123456789012345678901234567890', '0.1', '0.30000000000000004', '1e99999999999999999999',
  '1e-99999999999999999999', '0.000000000000000000000000000001e400', '1' + '0'.repeat(400), '0.' + '0'.repeat(400) + '1',
  '1' + '0'.repeat(400) + 'e-400', '2147483647', '2147483648', '-2147483648', '16777217', '8.5', '01', '-', '+1', '.5', '1.',
  '1e', '1e+', 'NaN', 'Infinity', '-Infinity', '0x10', '1_000', '00', '-01', '1 2', '--1']) jsonLine(text)
for (const text of ['', ' ', ' 1 ', '\t\n\r 1\t\n\r ', '\v1', '\u00a01', '\ufeff1', 'true', 'false', 'null', 'tru', 'truex', 'True',
  'undefined', '[]', '[ ]', '{}', '{ }', '[1,2]', '[1,]', '[,1]', '[,]', '[1 2]', '[1', ']', '[]]', '{"a":1}', '{"a":1,}', '{,}', '{"a"}',
  '{"a":}', '{a:1}', "{'a':1}", '{"a":1 "b":2}', '{"a":1', '{"a"', '{', '[', '[{}', '[}', '{]', '{"a":[{"b":[]}]}', '/**/1', '1//',
  ' { "a" : [ 1 , 2 ] , "b" : { } } ', '{"b":1,"a":2,"b":3}', '{"2":1,"b":2,"1":3,"a":4,"4294967295":5,"4294967294":6,"01":7}',
  '{"__proto__":{"x":1},"a":1}', '{"a":1,"__proto__":2,"__proto__":3}', '{"toJSON":1}', '{"":0}', '{"\\u0061":1,"a":2}',
  '[[[[1]]]]', '{"a":{"a":{"a":[]}}}']) jsonLine(text)
for (const text of ['""', '"a"', '"\\n\\t\\r\\b\\f\\/\\\\\\""', '"\\u0041\\u00e9\\u65e5\\ud83d\\ude00"', '"\\u0000"', '"\\ud83d\\ude00\\ud83d\\ude00"',
  '"\\uD83D\\uDE00"', '"a\\"', '"', '"a', '"\\', '"\\u', '"\\u00', '"\\u00g0"', '"\\x41"', '"\\a"', '"\n"', '"\t"', '"\u0000"', '"\u001f"',
  '"\u007f"', '"\u2028"', '"é日😀"', '"\\u00e9é"', "'a'", '"a" "b"']) jsonLine(text)
for (const [open, close] of [['[', ']'], ['{"a":', '}']]) jsonLine(open.repeat(100) + '1' + close.repeat(100))
jsonLine(JSON.stringify(Array(127).fill(0)))
jsonLine(JSON.stringify(Array(128).fill(0)))
jsonLine(JSON.stringify([Array(200).fill({ a: Array(130).fill(1) })[0], Array(300).fill(null), 'end']))
jsonLine(JSON.stringify(Object.fromEntries(Array.from({ length: 150 }, (_, i) => ['k' + i, i]))))
for (let i = 0; i < 320; ++i) {
  const value = decoding.readAny(decoding.createDecoder(Uint8Array.from(randomBytes(1 + below(3)))))
  let text
  try { text = JSON.stringify(value, undefined, below(2)) } catch { continue }
  if (text === undefined) continue
  if (random() < 0.3) {  // damage it
    const at = below(text.length + 1)
    text = text.slice(0, at) + pick(['', ',', '"', '}', ']', '0', '\\', ' ']) + text.slice(at + below(2))
    if (!text.isWellFormed()) continue
    try { if (!JSON.stringify(JSON.parse(text)).isWellFormed()) continue } catch { }
  }
  jsonLine(text)
}
const view = new DataView(new ArrayBuffer(8))
for (let i = 0; i < 150; ++i) {
  view.setUint32(0, random() * 2 ** 32)
  view.setUint32(4, random() * 2 ** 32)
  numberLine(view.getFloat64(0))
}
for (let e = -10; e <= 24; ++e) {
  for (const digits of [1, 12, 123456789, 1.2345678901234567]) numberLine((random() < 0.5 ? -1 : 1) * digits * 10 ** e)
}
