// The stream's form: what stream.md says, as a writer and a reader.
import { closeSync, openSync, readSync, writeSync } from "node:fs";

export const kMagic = 0xf9;
export const kTrailerMagic = 0xfa;
export const kAnswersMagic = 0xfb;
// In the byte of a history's kind: it was written with --disputed.
export const kDisputed = 128;
// Longer results are told by length and hash.
export const kWholeBelow = 512;
const kBatchBytes = 1 << 20;

// Two 32-bit hashes side by side, a byte at a time; the first is FNV-1a. Returns them as the words of a pair.
export const hash = (bytes, from = 0, to = bytes.length) => {
  let high = 0x811c9dc5 | 0;
  let low = 0x9747b28c | 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    high = Math.imul(high ^ byte, 0x01000193);
    low = Math.imul(((low << 5) | (low >>> 27)) ^ byte, 0x9e3779b1 | 0);
  }
  return [high >>> 0, (low ^ (low >>> 15)) >>> 0];
};

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

// Writes records to a file descriptor, a batch at a time. A full pipe blocks.
export class StreamWriter {
  constructor(descriptor) {
    this.descriptor = descriptor;
    this.buffer = Buffer.allocUnsafe(4 * kBatchBytes);
    this.at = 0;
    this.recordAt = 0;
  }

  reserve(bytes) {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  u8(value) {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  u32(value) {
    this.reserve(4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
  }

  varUint(value) {
    this.reserve(10);
    while (value > 127) {
      this.buffer[this.at++] = 128 | (value % 128);
      value = Math.floor(value / 128);
    }
    this.buffer[this.at++] = value;
  }

  bytes(value) {
    this.varUint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  // Bytes when short, else length and hash.
  digest(value) {
    if (value.length < kWholeBelow) {
      this.bytes(value);
      return;
    }
    this.varUint(value.length);
    const [high, low] = hash(value);
    this.u32(high);
    this.u32(low);
  }

  string(value) {
    this.bytes(Buffer.from(value, "utf8"));
  }

  begin(magic) {
    this.recordAt = this.at;
    this.u8(magic);
    this.u32(0);
  }

  end() {
    this.buffer.writeUInt32LE(this.at - this.recordAt - 5, this.recordAt + 1);
    if (this.at >= kBatchBytes) this.flush();
  }

  flush() {
    for (let sent = 0; sent < this.at;) {
      try {
        sent += writeSync(this.descriptor, this.buffer, sent, this.at - sent);
      } catch (error) {
        if (error.code === "EPIPE") process.exit(0);
        if (error.code !== "EAGAIN") throw error;
        Atomics.wait(sleepCell, 0, 0, 1);
      }
    }
    this.at = 0;
  }
}

// Reads one record's fields.
export class RecordReader {
  constructor(buffer) {
    this.buffer = buffer;
    this.at = 0;
  }

  u8() {
    return this.buffer[this.at++];
  }

  u32() {
    this.at += 4;
    return this.buffer.readUInt32LE(this.at - 4);
  }

  varUint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.buffer[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  bytes() {
    const length = this.varUint();
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  string() {
    return this.bytes().toString("utf8");
  }

  // Whether the result that comes next is `value`.
  matches(value) {
    const length = this.varUint();
    if (length < kWholeBelow) {
      this.at += length;
      return Buffer.compare(this.buffer.subarray(this.at - length, this.at), value) === 0;
    }
    const [high, low] = hash(value);
    return [this.u32() === high, this.u32() === low, length === value.length].every(Boolean);
  }
}

// Yields [magic, RecordReader] for each record of a file, or of standard input.
export function* records(path = undefined) {
  const descriptor = path === undefined ? 0 : openSync(path);
  const fill = (buffer) => {
    for (let got = 0; got < buffer.length;) {
      let count = 0;
      try {
        count = readSync(descriptor, buffer, got, buffer.length - got, null);
      } catch (error) {
        if (error.code === "EOF") return false;
        if (error.code !== "EAGAIN") throw error;
        Atomics.wait(sleepCell, 0, 0, 1);
        continue;
      }
      if (count === 0) return false;
      got += count;
    }
    return true;
  };
  const head = Buffer.alloc(5);
  while (fill(head)) {
    const body = Buffer.allocUnsafe(head.readUInt32LE(1));
    if (!fill(body)) throw new Error("the stream ends inside a record");
    yield [head[0], new RecordReader(body)];
  }
  if (path !== undefined) closeSync(descriptor);
}
