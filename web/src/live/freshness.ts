/** How long events took from durable at the server to painted on this screen: the newest samples and their quantiles. */
export class Freshness {
  private readonly samples: Float64Array;
  private count = 0;
  private last = NaN;

  constructor(capacity = 600) {
    this.samples = new Float64Array(capacity);
  }

  add(milliseconds: number): void {
    this.samples[this.count % this.samples.length] = milliseconds;
    this.count++;
    this.last = milliseconds;
  }

  /** The newest sample in milliseconds, or NaN. */
  get newest(): number {
    return this.last;
  }

  get size(): number {
    return Math.min(this.count, this.samples.length);
  }

  /** The samples, oldest first. */
  series(newest = this.size): Float64Array {
    const size = Math.min(newest, this.size);
    const out = new Float64Array(size);
    for (let i = 0; i < size; i++) out[i] = this.samples[(this.count - size + i) % this.samples.length] ?? NaN;
    return out;
  }

  /** The q-quantile of the kept samples (nearest rank), or NaN. */
  quantile(q: number): number {
    if (this.size === 0) return NaN;
    const sorted = this.series().sort();
    return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? NaN;
  }
}
