import { useEffect } from "react";
import { live } from "../api/services.js";
import { isDark, setTheme } from "../ui/theme.js";
import { PAGES } from "./pages.js";
import { go, place, setParams } from "./router.js";

interface Openers {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
}

const SEQUENCE_MS = 1_200;

export function togglePause(): void {
  if (live.state.get().kind === "paused") live.resume();
  else live.pause();
}

export function toggleTheme(): void {
  setTheme(isDark() ? "light" : "dark");
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** The panel next to `from` in a direction: the nearest one whose centre lies that way. */
function neighbour(from: HTMLElement, key: string): HTMLElement | undefined {
  const a = from.getBoundingClientRect();
  const horizontal = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  let best: HTMLElement | undefined;
  let bestDistance = Infinity;
  for (const panel of document.querySelectorAll<HTMLElement>("[data-panel]")) {
    if (panel === from) continue;
    const b = panel.getBoundingClientRect();
    const dx = (b.left + b.right - a.left - a.right) / 2;
    const dy = (b.top + b.bottom - a.top - a.bottom) / 2;
    const along = (horizontal ? dx : dy) * sign;
    const across = Math.abs(horizontal ? dy : dx);
    if (along < 8 || (horizontal && across > Math.max(a.height, b.height) / 2)) continue;
    const distance = along + across * 2;
    if (distance < bestDistance) {
      bestDistance = distance;
      best = panel;
    }
  }
  return best;
}

function onPanel(event: KeyboardEvent): boolean {
  const panel = document.activeElement;
  const open = place.get().params.get("panel");
  if (event.key === "Escape" && open !== null) {
    setParams({ panel: undefined });
    document.querySelector<HTMLElement>(`[data-panel="${CSS.escape(open)}"]`)?.focus();
    return true;
  }
  if (!(panel instanceof HTMLElement) || panel.dataset.panel === undefined) {
    if (!event.key.startsWith("Arrow") || panel !== document.body) return false;
    const first = document.querySelector<HTMLElement>("[data-panel]");
    if (first === null || event.key === "ArrowUp" || event.key === "ArrowDown") return false;
    first.focus();
    return true;
  }
  if (event.key === "Enter") {
    setParams({ panel: panel.dataset.panel });
    return true;
  }
  if (event.key === "m") {
    panel.querySelector<HTMLElement>(".panel-menu")?.click();
    return true;
  }
  if (event.key.startsWith("Arrow") && open === null) {
    const next = neighbour(panel, event.key);
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return true;
  }
  return false;
}

/** Everything by keyboard: one listener for the whole page. */
export function useShortcuts({ openPalette, openHelp }: Openers): void {
  useEffect(() => {
    let lastG = 0;
    const onKeyDown = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (document.querySelector("dialog:modal") === null) openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]") !== null) return;
      if (onPanel(event)) {
        event.preventDefault();
        return;
      }
      if (lastG > 0 && performance.now() - lastG < SEQUENCE_MS) {
        lastG = 0;
        const page = PAGES.find(({ key }) => key === event.key || (event.key === "d" && key === "h"));
        if (page !== undefined) {
          event.preventDefault();
          go(page.path);
          return;
        }
      }
      const actions: Readonly<Record<string, () => void>> = {
        g: () => (lastG = performance.now()),
        "/": openPalette,
        "?": openHelp,
        t: () => document.querySelector<HTMLElement>('[data-shortcut="range"]')?.click(),
        p: togglePause,
        d: toggleTheme,
      };
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [openPalette, openHelp]);
}
