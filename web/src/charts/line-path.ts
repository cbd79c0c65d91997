import uPlot from "uplot";

/**
 * A path through the values of a typed array, with gaps where there is no value (NaN).
 *
 * Where several values fall on one pixel column it draws their first, smallest, largest and last, so that a path costs
 * by pixels, not by values.
 */
export const linePath =
  (filled: boolean): uPlot.Series.PathBuilder =>
  (u, seriesIndex, first, last) => {
    const xs = u.data[0];
    const ys = u.data[seriesIndex] as unknown as Float64Array;
    const stroke = new Path2D();
    const fill = filled ? new Path2D() : null;
    const xScale = u.scales["x"];
    const yScale = u.scales["y"];
    if (xScale?.min == null || xScale.max == null || yScale?.min == null || yScale.max == null) return null;
    const { left, top, width, height } = u.bbox;
    const xFactor = width / (xScale.max - xScale.min);
    const yFactor = height / (yScale.max - yScale.min);
    const bottom = Math.min(top + height, top + height - (0 - yScale.min) * yFactor);
    const yOf = (value: number): number => top + height - (value - yScale.min!) * yFactor;

    let open = false;
    let startX = 0;
    let pixel = NaN;
    let low = 0;
    let high = 0;
    let end = 0;
    const flush = (): void => {
      if (!open || Number.isNaN(pixel)) return;
      if (low !== high) {
        stroke.lineTo(pixel, low);
        stroke.lineTo(pixel, high);
        fill?.lineTo(pixel, low);
        fill?.lineTo(pixel, high);
      }
      stroke.lineTo(pixel, end);
      fill?.lineTo(pixel, end);
    };
    const close = (): void => {
      flush();
      if (open && fill !== null) {
        fill.lineTo(pixel, bottom);
        fill.lineTo(startX, bottom);
        fill.closePath();
      }
      if (open && pixel === startX) stroke.lineTo(startX + 0.5, end);
      open = false;
      pixel = NaN;
    };
    for (let i = first; i <= last; i++) {
      const value = ys[i];
      if (value === undefined || Number.isNaN(value)) {
        close();
        continue;
      }
      const x = Math.round(left + ((xs[i] ?? 0) - xScale.min) * xFactor);
      const y = yOf(value);
      if (!open) {
        open = true;
        startX = x;
        stroke.moveTo(x, y);
        fill?.moveTo(x, bottom);
        fill?.lineTo(x, y);
        pixel = x;
        low = high = end = y;
      } else if (x === pixel) {
        low = Math.min(low, y);
        high = Math.max(high, y);
        end = y;
      } else {
        flush();
        stroke.lineTo(x, y);
        fill?.lineTo(x, y);
        pixel = x;
        low = high = end = y;
      }
    }
    close();
    return { stroke, fill, clip: null, band: null, flags: 1 };
  };
