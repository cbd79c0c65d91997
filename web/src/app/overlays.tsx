import { useEffect } from "react";
import { Observable } from "../live/observable.js";
import { CommandPalette } from "./command-palette.js";
import { useObservable } from "./hooks.js";
import { useShortcuts } from "./shortcuts.js";
import { ShortcutsDialog } from "./shortcuts-dialog.js";

/** What lies over the whole page. */
const overlay = new Observable<"none" | "palette" | "help">("none");

const close = (): void => overlay.set("none");
export const openPalette = (): void => overlay.set("palette");
const openHelp = (): void => overlay.set("help");

/** Drawn apart from the shell, which then isn't drawn anew when one opens. */
export function Overlays() {
  const open = useObservable(overlay);
  useShortcuts({ openPalette, openHelp });
  useEffect(() => close, []);
  return (
    <>
      {open === "palette" && <CommandPalette onClose={close} onHelp={openHelp} />}
      {open === "help" && <ShortcutsDialog onClose={close} />}
    </>
  );
}
