import { Observable } from "../live/observable.js";

/** The address is the state: a path and its parameters. */
export interface Place {
  readonly path: string;
  readonly params: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, params: new URLSearchParams(location.search) };
}

export const place = new Observable<Place>(here());
addEventListener("popstate", () => place.set(here()));

/** Goes to an address of this app; `replace` for a change that Back should not undo. */
export function go(href: string, replace = false): void {
  if (href === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  const before = place.get().path;
  place.set(here());
  if (place.get().path !== before) scrollTo(0, 0);
}

/** Changes parameters of the current address; undefined or "" takes one out. */
export function setParams(changes: Readonly<Record<string, string | undefined>>, replace = false): void {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") params.delete(name);
    else params.set(name, value);
  }
  go(href(location.pathname, params), replace);
}

export function href(path: string, params: URLSearchParams): string {
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}
