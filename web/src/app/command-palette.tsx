import { useQuery } from "@tanstack/react-query";
import { CircleHelp, Clock, KeyRound, Layers, LogOut, Pause, SunMoon, Telescope, type LucideIcon } from "lucide-react";
import { useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { streams } from "../api/services.js";
import { text } from "../messages/en.js";
import { durationText } from "../ui/format.js";
import { Key } from "../ui/controls.js";
import { usePlace } from "./hooks.js";
import { exploreHref, pageAt, PAGES, streamHref } from "./pages.js";
import { go, setParams } from "./router.js";
import { togglePause, toggleTheme } from "./shortcuts.js";
import { signOut } from "./sign-out.js";
import { LAST_CHOICES, rangeParams } from "./time-range.js";

interface Command {
  readonly id: string;
  readonly group: string;
  readonly label: string;
  readonly icon: LucideIcon;
  readonly keys?: readonly string[];
  readonly run: () => void;
}

function matches(label: string, query: string): boolean {
  const words = label.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((part) => words.includes(part));
}

function useCommands(onHelp: () => void): Command[] {
  const list = useQuery({ queryKey: ["streams"], queryFn: () => streams.listStreams({}) });
  const { path } = usePlace();
  const p = text.palette;
  const ranges: Command[] =
    pageAt(path)?.ranged === true
      ? LAST_CHOICES.map((seconds) => ({
          id: `last-${seconds}`,
          group: p.ranges,
          label: text.range.last(durationText(seconds)),
          icon: Clock,
          run: () => setParams({ ...rangeParams({ kind: "last", seconds }), step: undefined }),
        }))
      : [];
  return [
    ...PAGES.map((page) => ({ id: page.path, group: p.pages, label: page.title, icon: page.icon, keys: ["g", page.key], run: () => go(page.path) })),
    ...(list.data?.streams ?? []).flatMap((stream) => [
      { id: `stream-${stream.name}`, group: p.streams, label: stream.name, icon: Layers, run: () => go(streamHref(stream.name)) },
      { id: `explore-${stream.name}`, group: p.streams, label: p.exploreStream(stream.name), icon: Telescope, run: () => go(exploreHref(stream.name)) },
    ]),
    { id: "key", group: p.actions, label: p.newKey, icon: KeyRound, run: () => go("/keys?new=1") },
    { id: "theme", group: p.actions, label: p.toggleTheme, icon: SunMoon, keys: ["d"], run: toggleTheme },
    { id: "pause", group: p.actions, label: p.pause, icon: Pause, keys: ["p"], run: togglePause },
    { id: "help", group: p.actions, label: p.shortcuts, icon: CircleHelp, keys: ["?"], run: onHelp },
    { id: "out", group: p.actions, label: text.account.signOut, icon: LogOut, run: signOut },
    ...ranges,
  ];
}

/** Finds streams, pages and actions by a few letters. */
export function CommandPalette({ onClose, onHelp }: { readonly onClose: () => void; readonly onHelp: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  // The input takes what is typed at once; the list is drawn right after it.
  const listed = useDeferredValue(true, false);
  const commands = useCommands(onHelp);
  const shown = commands.filter((command) => matches(command.label, query)).slice(0, 40);
  const chosen = shown[Math.min(at, shown.length - 1)];
  useEffect(() => {
    const before = document.activeElement;
    input.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen?.id, listed]);
  const run = (command: Command): void => {
    onClose();
    command.run();
  };
  // Not showModal(): that makes the page inert, which costs its whole style anew before the first letter is drawn.
  return (
    <div
      className="veil"
      onMouseDown={(event) => {
        if (event.target !== event.currentTarget) return;
        event.preventDefault(); // what lies below doesn't take the focus
        onClose();
      }}
    >
      <dialog
        open
        className="palette"
        aria-modal="true"
        aria-label={text.palette.open}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Escape") {
            event.preventDefault();
            onClose();
          } else if (event.key === "Tab") {
            event.preventDefault(); // the input is all that takes the focus
          } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            const step = event.key === "ArrowDown" ? 1 : -1;
            setAt((Math.min(at, shown.length - 1) + step + shown.length) % Math.max(1, shown.length));
          } else if (event.key === "Enter" && chosen !== undefined) {
            event.preventDefault();
            run(chosen);
          }
        }}
      >
        <input
          ref={input}
          className="palette-input"
          placeholder={text.palette.placeholder}
          aria-label={text.palette.placeholder}
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={chosen === undefined || !listed ? undefined : `${id}-${chosen.id}`}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
        />
        <div
          ref={list}
          className="palette-list"
          role="listbox"
          id={id}
          aria-label={text.palette.open}
          tabIndex={-1}
          onMouseDown={(event) => event.preventDefault()} // the focus stays in the input
        >
          {(listed ? shown : []).map((command, i) => (
            <div key={command.id} role="presentation">
              {shown[i - 1]?.group !== command.group && (
                <div className="palette-group faint" role="presentation">
                  {command.group}
                </div>
              )}
              <div
                id={`${id}-${command.id}`}
                role="option"
                aria-selected={command === chosen}
                className="palette-item"
                onPointerMove={() => setAt(i)}
                onClick={() => run(command)}
              >
                <command.icon className="icon muted" aria-hidden="true" />
                <span className="truncate">{command.label}</span>
                <span className="palette-keys">
                  {command.keys?.map((key) => (
                    <Key key={key}>{key}</Key>
                  ))}
                </span>
              </div>
            </div>
          ))}
          {listed && shown.length === 0 && <p className="palette-none muted">{text.palette.none}</p>}
        </div>
      </dialog>
    </div>
  );
}
