import { Activity, KeyRound, Layers, Telescope, type LucideIcon } from "lucide-react";
import { text } from "../messages/en.js";

export interface PageInfo {
  readonly path: string;
  readonly title: string;
  readonly icon: LucideIcon;
  /** The second letter of its `g` shortcut. */
  readonly key: string;
  readonly section: "main" | "data";
  /** Whether the page shows a time range, which the header then offers. */
  readonly ranged: boolean;
}

export const PAGES: readonly PageInfo[] = [
  { path: "/", title: text.nav.home, icon: Activity, key: "h", section: "main", ranged: true },
  { path: "/explore", title: text.nav.explore, icon: Telescope, key: "e", section: "main", ranged: true },
  { path: "/streams", title: text.nav.streams, icon: Layers, key: "s", section: "data", ranged: false },
  { path: "/keys", title: text.nav.keys, icon: KeyRound, key: "k", section: "data", ranged: false },
];

/** The address of a stream's page. The name is a parameter: it has dots, and a path that ends in one looks like a file. */
export function streamHref(name: string): string {
  return `/streams?name=${encodeURIComponent(name)}`;
}

/** The address that explores a stream, or one of its measures. */
export function exploreHref(stream: string, measure = ""): string {
  return `/explore?stream=${encodeURIComponent(stream)}${measure === "" ? "" : `&measure=${encodeURIComponent(measure)}`}`;
}

export function pageAt(path: string): PageInfo | undefined {
  return PAGES.find((page) => page.path === path);
}
