import type { LiveChannel } from "../live/live-channel.js";

/** One kind of line of a chart: an aggregate of a channel, for all its groups or for its only one. */
export interface ChartSource {
  readonly channel: LiveChannel;
  readonly aggregate: number;
  /** Names a group's line. */
  readonly label: (groupLabels: readonly string[]) => string;
  /** The place in the series colours of a group's line; the group's own without it. */
  readonly ordinal?: (groupOrdinal: number) => number;
  /** The newest window is drawn only when it is complete: for counts and rates, which start each window at zero. */
  readonly completeOnly?: boolean;
}

export interface ChartLine {
  readonly source: ChartSource;
  /** Its place among the groups of the channel's grid. */
  readonly group: number;
  readonly label: string;
  readonly ordinal: number;
}

/** The lines there are now, in the order of their colours. */
export function linesOf(sources: readonly ChartSource[]): ChartLine[] {
  const lines = sources.flatMap((source) =>
    source.channel.grid.groups.map((group, index) => ({
      source,
      group: index,
      label: source.label(group.labels),
      ordinal: source.ordinal?.(group.ordinal) ?? group.ordinal,
    })),
  );
  return lines.sort((a, b) => a.ordinal - b.ordinal);
}
