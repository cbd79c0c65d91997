/** The range a page shows: the last so many seconds, moving with the time, or a fixed piece of the past. */
export type TimeRange =
  | { readonly kind: "last"; readonly seconds: number }
  | { readonly kind: "fixed"; readonly fromMs: number; readonly toMs: number };

export const LAST_CHOICES = [60, 300, 900, 3_600, 6 * 3_600, 86_400, 7 * 86_400] as const;
export const STEP_CHOICES = [1, 5, 10, 30, 60, 300, 1_800, 3_600] as const;
export const DEFAULT_LAST = 900;
/** More points than this on a line are noise to the eye. */
const MOST_ROWS = 400;
const LONGEST_SECONDS = 400 * 86_400;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** "15m" to 900; undefined for what is no duration. */
export function parseSeconds(text: string | null): number | undefined {
  const match = /^(\d{1,6})([smhd])$/.exec(text ?? "");
  if (match === null) return undefined;
  const seconds = Number(match[1]) * (UNITS[match[2] ?? "s"] ?? 1);
  return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : undefined;
}

/** 900 to "15m": the largest unit that divides it. */
export function formatSeconds(seconds: number): string {
  for (const unit of ["d", "h", "m"]) {
    const size = UNITS[unit] ?? 1;
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

/** Reads `last`, or `from` and `to` (milliseconds since the Unix epoch or ISO 8601). */
export function rangeOf(params: URLSearchParams): TimeRange {
  const from = parseMoment(params.get("from"));
  const to = parseMoment(params.get("to"));
  if (from !== undefined && to !== undefined && to > from) return { kind: "fixed", fromMs: from, toMs: to };
  return { kind: "last", seconds: parseSeconds(params.get("last")) ?? DEFAULT_LAST };
}

function parseMoment(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const ms = /^\d{10,14}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
}

export function rangeParams(range: TimeRange): Record<string, string | undefined> {
  if (range.kind === "last") {
    const last = range.seconds === DEFAULT_LAST ? undefined : formatSeconds(range.seconds);
    return { last, from: undefined, to: undefined };
  }
  return { last: undefined, from: new Date(range.fromMs).toISOString(), to: new Date(range.toMs).toISOString() };
}

export function rangeSeconds(range: TimeRange): number {
  return range.kind === "last" ? range.seconds : (range.toMs - range.fromMs) / 1_000;
}

/** The step of the address, or the smallest choice that gives at most 400 points a line. */
export function stepOf(params: URLSearchParams, range: TimeRange): number {
  const seconds = rangeSeconds(range);
  const chosen = parseSeconds(params.get("step"));
  if (chosen !== undefined && seconds / chosen <= 10_000) return chosen;
  return automaticStep(seconds);
}

export function automaticStep(seconds: number): number {
  const fitting = STEP_CHOICES.find((step) => seconds / step <= MOST_ROWS);
  return fitting ?? Math.ceil(seconds / MOST_ROWS / 3_600) * 3_600;
}
