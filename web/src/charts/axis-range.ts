/** A value axis: its ends and the distance of its ticks. */
export interface AxisRange {
  readonly min: number;
  readonly max: number;
  readonly tick: number;
}

const DECIMAL = [1, 2, 2.5, 5, 10];
const BINARY = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** The smallest round number not below `value`, in steps of ten or, for bytes, of two. */
function roundUp(value: number, binary: boolean): number {
  if (binary) {
    const power = 1024 ** Math.floor(Math.log(value) / Math.log(1024));
    return (BINARY.find((factor) => factor * power >= value * (1 - 1e-9)) ?? 1024) * power;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  return (DECIMAL.find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10) * power;
}

/** Round ends and at most six ticks for values from `low` to `high`, from zero unless `free`; undefined without values. */
export function niceRange(low: number, high: number, binary: boolean, free = false): AxisRange | undefined {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  let min = free && low > 0 && high - low < high * 0.2 ? low : Math.min(0, low);
  let max = Math.max(high, 0);
  if (max === min) max = min + (binary ? 1024 : 1);
  const tick = roundUp((max - min) / 4, binary && min === 0);
  min = Math.floor(min / tick + 1e-9) * tick;
  max = Math.ceil(max / tick - 1e-9) * tick;
  return { min, max, tick };
}

const CHANGE_MS = 1_000;
export const EMPTY_RANGE: AxisRange = { min: 0, max: 1, tick: 0.5 };

/**
 * The range an axis shows: follows the data, but changes at most once a second, shrinks only when the data needs less
 * than half of it, and never while the pointer is over the chart.
 */
export class CalmRange {
  private shown: AxisRange | undefined;
  private changedAt = -Infinity;

  /** What to show at `now` (milliseconds). Without values nothing is decided: the first ones need not wait a second. */
  next(wanted: AxisRange | undefined, now: number, pointerOver: boolean): AxisRange {
    const shown = this.shown;
    if (wanted === undefined) return shown ?? EMPTY_RANGE;
    if (shown === undefined) return this.show(wanted, now);
    const grows = wanted.max > shown.max || wanted.min < shown.min;
    const shrinks = wanted.max - wanted.min <= (shown.max - shown.min) / 2;
    if (!grows && (!shrinks || pointerOver)) return shown;
    if (now - this.changedAt < CHANGE_MS) return shown;
    if (pointerOver) {
      const max = Math.max(wanted.max, shown.max);
      return this.show({ min: Math.min(wanted.min, shown.min), max, tick: Math.max(wanted.tick, shown.tick) }, now);
    }
    return this.show(wanted, now);
  }

  /** When a change that was put off may happen. */
  get nextChangeAt(): number {
    return this.changedAt + CHANGE_MS;
  }

  reset(): void {
    this.shown = undefined;
  }

  private show(range: AxisRange, now: number): AxisRange {
    this.shown = range;
    this.changedAt = now;
    return range;
  }
}
