import type { LiveChannel } from "./live-channel.js";

/** How many columns of a channel's grid are complete: their window ended before the watermark. */
export function completeColumns(channel: LiveChannel): number {
  const { grid, watermarkUs } = channel;
  return grid.indexOf(Math.floor(watermarkUs / grid.stepUs) * grid.stepUs);
}
