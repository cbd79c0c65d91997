import { createContext, use, useEffect, useState, useSyncExternalStore } from "react";
import type { Observable } from "../live/observable.js";
import { place, type Place } from "./router.js";

export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get);
}

/** The place that a part of the page shows: the newest one for the frame around it, the content follows a little later. */
export const PlaceContext = createContext<Place>(place.get());

export function usePlace(): Place {
  return use(PlaceContext);
}

/** Renders again every `intervalMs`, for what shows the passing of time. */
export function useTick(intervalMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = (): void => setMatches(list.matches);
    changed();
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, [query]);
  return matches;
}
