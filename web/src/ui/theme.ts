import { Observable } from "../live/observable.js";

export type ThemeChoice = "system" | "dark" | "light";

const KEY = "rivermeet.theme";

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === "dark" || value === "light" ? value : "system";
  } catch {
    return "system";
  }
}

export const themeChoice = new Observable<ThemeChoice>(stored());
/** Changes when colours change, by choice or by the system: canvases draw again. */
export const paletteVersion = new Observable<number>(0);

function bump(): void {
  palette = undefined;
  paletteVersion.set(paletteVersion.get() + 1);
}

if (typeof matchMedia !== "undefined") {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", bump);
}

export function setTheme(choice: ThemeChoice): void {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // It lasts as long as the page, then.
  }
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  themeChoice.set(choice);
  bump();
}

export function isDark(): boolean {
  const choice = themeChoice.get();
  return choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly faint: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
  readonly series: readonly string[];
}

let palette: Palette | undefined;

/** The tokens as colours that a canvas understands, for the theme in force. */
export function currentPalette(): Palette {
  if (palette !== undefined) return palette;
  const probe = document.createElement("span");
  document.body.append(probe);
  const resolve = (token: string): string => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  palette = {
    text: resolve("text"),
    muted: resolve("muted"),
    faint: resolve("faint"),
    line: resolve("line"),
    surface: resolve("surface"),
    accent: resolve("accent"),
    series: [1, 2, 3, 4, 5, 6].map((n) => resolve(`series-${n}`)),
  };
  probe.remove();
  return palette;
}

/** The CSS colour of a series by its ordinal. */
export function seriesColor(ordinal: number): string {
  return `var(--series-${(ordinal % 6) + 1})`;
}
