import { useEffect, useRef } from "react";
import { frameLoop, type Painter } from "../live/frame-loop.js";
import type { LiveChannel } from "../live/live-channel.js";
import { paletteVersion } from "../ui/theme.js";

/**
 * Draws into an element outside React: whenever a channel has data, when colours or the size change, and when `paint`
 * says so itself. `paint` may be a new function on every render; the newest is called.
 */
export function usePainter(
  element: { readonly current: HTMLElement | null },
  channels: readonly (LiveChannel | undefined)[],
  paint: (now: number) => number,
): void {
  const newest = useRef(paint);
  newest.current = paint;
  useEffect(() => {
    const host = element.current;
    if (host === null) return;
    const painter: Painter = { paint: (now) => newest.current(now) };
    const invalidate = (): void => frameLoop.invalidate(painter);
    const stops = [frameLoop.add(painter), paletteVersion.subscribe(invalidate)];
    for (const channel of channels) if (channel !== undefined) stops.push(channel.onData(invalidate));
    const seen = new IntersectionObserver(([entry]) => frameLoop.setVisible(painter, entry?.isIntersecting ?? true), { rootMargin: "300px" });
    const sized = new ResizeObserver(invalidate);
    seen.observe(host);
    sized.observe(host);
    return () => {
      seen.disconnect();
      sized.disconnect();
      for (const stop of stops) stop();
    };
    // The channels' identity is what matters, not the array's.
  }, [element, ...channels]);
}
