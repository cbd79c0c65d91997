import { useEffect, useRef } from "react";
import { frameLoop, type Painter } from "../live/frame-loop.js";
import type { LiveChannel } from "../live/live-channel.js";
import { paletteVersion } from "../ui/theme.js";

/** Draws while `host` is in the page: whenever a channel has data and when the size changes, which `sized` is told first. */
export function attachPainter(host: HTMLElement, painter: Painter, channels: readonly LiveChannel[], sized?: (width: number, height: number) => void): () => void {
  const invalidate = (): void => frameLoop.invalidate(painter);
  const stops = [frameLoop.add(painter), ...channels.map((channel) => channel.onData(invalidate))];
  const seen = new IntersectionObserver(
    ([entry]) => {
      const visible = entry?.isIntersecting ?? true;
      if (visible) for (const channel of channels) channel.cameIntoView();
      frameLoop.setVisible(painter, visible);
    },
    { rootMargin: "300px" },
  );
  const sizes = new ResizeObserver(([entry]) => {
    if (entry !== undefined) sized?.(entry.contentRect.width, entry.contentRect.height);
    invalidate();
  });
  seen.observe(host);
  sizes.observe(host);
  return () => {
    seen.disconnect();
    sizes.disconnect();
    for (const stop of stops) stop();
  };
}

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
    const detach = attachPainter(host, painter, channels.filter((channel) => channel !== undefined));
    const stop = paletteVersion.subscribe(() => frameLoop.invalidate(painter));
    return () => {
      stop();
      detach();
    };
    // The channels' identity is what matters, not the array's.
  }, [element, ...channels]);
}
