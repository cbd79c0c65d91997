import { currentPalette } from "../ui/theme.js";

/** Draws values as a thin line over the whole canvas, scaled to their own range with air above and below. */
export function drawSparkline(canvas: HTMLCanvasElement, values: Float64Array, slots: number): void {
  const ratio = devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (width === 0 || height === 0) return;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);

  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === Infinity) return;
  // A value that hardly moves is a line that hardly moves.
  const middle = (low + high) / 2;
  const span = Math.max(high - low, Math.abs(middle) * 0.15, 1e-9);
  const bottom = height - 5;
  const yOf = (value: number): number => bottom - ((value - (middle - span / 2)) / span) * (height - 10);
  const step = width / Math.max(1, slots - 1);
  const start = width - (values.length - 1) * step;

  const { accent } = currentPalette();
  context.lineJoin = "round";
  context.beginPath();
  let open = false;
  let firstX = 0;
  let lastX = 0;
  const area = new Path2D();
  values.forEach((value, i) => {
    if (Number.isNaN(value)) {
      if (open) area.lineTo(lastX, height);
      open = false;
      return;
    }
    const x = start + i * step;
    const y = yOf(value);
    if (open) {
      context.lineTo(x, y);
      area.lineTo(x, y);
    } else {
      context.moveTo(x, y);
      area.moveTo(x, height);
      area.lineTo(x, y);
      firstX = x;
    }
    open = true;
    lastX = x;
  });
  if (open) {
    area.lineTo(lastX, height);
    area.lineTo(firstX, height);
  }
  context.strokeStyle = accent;
  context.lineWidth = 1.25;
  context.stroke();
  context.globalAlpha = 0.09;
  context.fillStyle = accent;
  context.fill(area);
  context.globalAlpha = 1;
}

/** The mean of each of `buckets` equal pieces: a line of a few hundred pixels doesn't show more. */
export function bucketMeans(values: Float64Array, buckets: number): Float64Array {
  if (values.length <= buckets) return values;
  const out = new Float64Array(buckets);
  for (let b = 0; b < buckets; b++) {
    const from = Math.floor((b * values.length) / buckets);
    const to = Math.floor(((b + 1) * values.length) / buckets);
    let sum = 0;
    let count = 0;
    for (let i = from; i < to; i++) {
      const value = values[i];
      if (value === undefined || Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    out[b] = count === 0 ? NaN : sum / count;
  }
  return out;
}
