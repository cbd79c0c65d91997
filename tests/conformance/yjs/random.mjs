// Everything random of a history comes from one of these, so the seed alone makes the history again.
const kWords = 0x1_0000_0000;

export class Random {
  // `seed`: a BigInt of 64 bits. The generator is sfc32, its state the two halves of the seed, stirred 15 times.
  constructor(seed) {
    this.a = Number(seed & 0xffffffffn) | 0;
    this.b = Number((seed >> 32n) & 0xffffffffn) | 0;
    this.c = 0x9e3779b9 | 0;
    this.counter = 1;
    // What a history asks of all its values: see randomKey().
    this.plain = false;
    // Whether it goes without what yrs can't read: XML hooks inside of other types, and content of old versions.
    this.forYrs = false;
    this.disputed = false;
    for (let i = 0; i < 15; i++) this.word();
  }

  // A whole number of 32 bits.
  word() {
    const result = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  // In [0, n).
  below(n) {
    return Math.floor((this.word() / kWords) * n);
  }

  // In [low, high].
  between(low, high) {
    return low + this.below(high - low + 1);
  }

  chance(p) {
    return this.word() < p * kWords;
  }

  of(list) {
    return list[this.below(list.length)];
  }

  // Of a list of [weight, value].
  weighted(choices) {
    let sum = 0;
    for (const choice of choices) sum += choice[0];
    let at = this.below(sum);
    for (const choice of choices) {
      at -= choice[0];
      if (at < 0) return choice[1];
    }
    throw new Error("no weight");
  }

  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = list[i];
      list[i] = list[j];
      list[j] = kept;
    }
    return list;
  }
}
