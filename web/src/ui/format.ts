/** A number as text, and its unit; written with a thin space between. */
export interface Formatted {
  readonly value: string;
  readonly unit: string;
}

export const THIN_SPACE = "\u2009";
export const NO_VALUE = "–";
const MINUS = "\u2212";

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const THOUSANDS = ["", "k", "M", "G", "T"];

/** Three significant digits, so that the width stays as the value moves: 7.62, 23.4, 128. */
export function significant(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  const text = size.toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

function scaled(value: number, base: number, names: readonly string[]): Formatted {
  let power = 0;
  let rest = value;
  // 999.5 would be written as 1000: it goes up already.
  while (Math.abs(rest) >= (base === 1000 ? 999.5 : 1023.5) && power < names.length - 1) {
    rest /= base;
    power++;
  }
  const whole = power === 0 && Number.isInteger(value);
  return { value: whole ? String(rest).replace("-", MINUS) : significant(rest), unit: names[power] ?? "" };
}

/** The unit of a measure: what its schema says, else what its name ends in. */
export function unitOf(measure: string, declared: string): string {
  if (declared !== "") return declared;
  if (measure.endsWith("_bytes_per_second")) return "bytes_per_second";
  if (measure.endsWith("_bytes")) return "bytes";
  if (measure.endsWith("_percent")) return "percent";
  if (measure.endsWith("_per_second")) return "per_second";
  if (measure.endsWith("_ms") || measure.endsWith("_milliseconds")) return "ms";
  if (measure.endsWith("_us") || measure.endsWith("_microseconds")) return "us";
  if (measure.endsWith("_seconds")) return "s";
  return "";
}

/** How one value of a unit is written, scaled to what reads best. */
export function formatValue(value: number, unit: string): Formatted {
  if (!Number.isFinite(value)) return { value: NO_VALUE, unit: "" };
  switch (unit) {
    case "percent":
    case "%":
      return { value: value >= 99.95 ? value.toFixed(0) : significantPercent(value), unit: "%" };
    case "bytes":
    case "By":
      return scaled(value, 1024, BINARY);
    case "bytes_per_second":
    case "bytes/s": {
      const size = scaled(value, 1024, BINARY);
      return { value: size.value, unit: `${size.unit}/s` };
    }
    case "per_second":
    case "/s": {
      const size = scaled(value, 1000, THOUSANDS);
      return { value: size.value + (size.unit === "" ? "" : THIN_SPACE + size.unit), unit: "/s" };
    }
    case "us":
      return value >= 1_000 ? formatValue(value / 1_000, "ms") : { value: significant(value), unit: "µs" };
    case "ms":
      return value >= 10_000 ? { value: significant(value / 1_000), unit: "s" } : { value: value < 9.95 ? significantPercent(value) : value.toFixed(0), unit: "ms" };
    case "s":
    case "seconds":
      return Math.abs(value) < 1 && value !== 0 ? formatValue(value * 1_000, "ms") : { value: significant(value), unit: "s" };
    default: {
      const size = scaled(value, 1000, THOUSANDS);
      return { value: size.value, unit: [size.unit, unit].filter((part) => part !== "").join(THIN_SPACE) };
    }
  }
}

/** One decimal below 100: what a percentage or a latency is read to. */
function significantPercent(value: number): string {
  const text = Math.abs(value).toFixed(1);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

export function formatText(value: number, unit: string): string {
  const formatted = formatValue(value, unit);
  return formatted.unit === "" ? formatted.value : formatted.value + THIN_SPACE + formatted.unit;
}

const integers = new Intl.NumberFormat("en-US");

/** 1,234,567: for counts that must be exact. */
export function formatCount(value: bigint | number): string {
  return integers.format(value);
}

/** The words for a unit, for axis captions: "percent", "MiB/s". */
export function unitCaption(unit: string, largest: number): string {
  if (unit === "percent" || unit === "%") return "percent";
  if (unit === "bytes" || unit === "bytes_per_second" || unit === "ms" || unit === "us" || unit === "s") {
    return formatValue(largest, unit).unit;
  }
  if (unit === "per_second" || unit === "/s") return "per second";
  return unit;
}

/** What one divides by to write all ticks of an axis in the same unit. */
export function unitDivisor(unit: string, largest: number): number {
  const size = Math.abs(largest);
  if (unit === "bytes" || unit === "bytes_per_second") {
    let divisor = 1;
    while (size / divisor >= 1023.5 && divisor < 1024 ** 5) divisor *= 1024;
    return divisor;
  }
  return 1;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** 10:42:07 in the person's time zone. */
export function clockTime(ms: number, seconds = true): string {
  const date = new Date(ms);
  const minutes = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  return seconds ? `${minutes}:${pad(date.getSeconds())}` : minutes;
}

/** 2026-05-04 10:42:07. */
export function dateTime(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clockTime(ms)}`;
}

/** "UTC+02:00" of the person's time zone at a moment. */
export function zoneName(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? MINUS : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** "3 min ago", "in 2 d"; the exact time belongs into a title beside it. */
export function relativeTime(ms: number, nowMs: number): string {
  const seconds = Math.round((nowMs - ms) / 1_000);
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const text =
    size < 60
      ? `${size}${THIN_SPACE}s`
      : size < 3_600
        ? `${Math.floor(size / 60)}${THIN_SPACE}min`
        : size < 86_400
          ? `${Math.floor(size / 3_600)}${THIN_SPACE}h`
          : `${Math.floor(size / 86_400)}${THIN_SPACE}d`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

/** 15 min, 6 h, 7 d. */
export function durationText(seconds: number): string {
  if (seconds >= 86_400 && seconds % 86_400 === 0) return `${seconds / 86_400}${THIN_SPACE}d`;
  if (seconds >= 3_600 && seconds % 3_600 === 0) return `${seconds / 3_600}${THIN_SPACE}h`;
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60}${THIN_SPACE}min`;
  return `${seconds}${THIN_SPACE}s`;
}
