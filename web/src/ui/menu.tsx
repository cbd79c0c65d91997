import { Check, ChevronDown } from "lucide-react";
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { text } from "../messages/en.js";

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly hint?: string;
  /** For choices: whether it is the one, or one of those, in force. */
  readonly checked?: boolean;
  readonly danger?: boolean;
  readonly onSelect: () => void;
}

interface MenuProps {
  readonly trigger: (props: {
    readonly ref: (element: HTMLButtonElement | null) => void;
    readonly "aria-haspopup": "menu";
    readonly "aria-expanded": boolean;
    readonly onClick: () => void;
  }) => ReactNode;
  readonly items: readonly MenuItem[];
  readonly label: string;
  /** Stays open after a choice, for several choices at once. */
  readonly several?: boolean;
  readonly search?: string;
  readonly header?: ReactNode;
  readonly footer?: ReactNode;
  readonly align?: "start" | "end";
}

/** A menu under its button; arrows move, letters jump, Enter chooses, Escape closes and gives the focus back. */
export function Menu({ trigger, items, label, several = false, search, header, footer, align = "start" }: MenuProps) {
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const button = useRef<HTMLButtonElement>(null);
  const popup = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    const element = popup.current;
    if (!open || element === null || button.current === null) return;
    const box = button.current.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = align === "end" ? box.right - width : box.left;
    element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    const below = box.bottom + 4;
    element.style.top = `${below + height > innerHeight - 8 ? Math.max(8, box.top - 4 - height) : below}px`;
  }, [open, align, items.length, query]);

  useEffect(() => {
    if (!open) return;
    const find = (selector: string): HTMLElement | null => popup.current?.querySelector<HTMLElement>(selector) ?? null;
    (find(".menu-search") ?? find("[role=menuitemradio][aria-checked=true]") ?? find("[role^=menuitem]"))?.focus();
    const outside = (event: PointerEvent): void => {
      const target = event.target as Node;
      if (popup.current?.contains(target) !== true && button.current?.contains(target) !== true) setOpen(false);
    };
    const leave = (): void => setOpen(false);
    document.addEventListener("pointerdown", outside);
    addEventListener("resize", leave);
    return () => {
      document.removeEventListener("pointerdown", outside);
      removeEventListener("resize", leave);
    };
  }, [open]);

  const close = (): void => {
    setOpen(false);
    setQuery("");
    button.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const entries = [...(popup.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const typing = document.activeElement instanceof HTMLInputElement;
    event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    else if (event.key === "ArrowDown") entries[(at + 1) % entries.length]?.focus();
    else if (event.key === "ArrowUp") entries[(at - 1 + entries.length) % entries.length]?.focus();
    else if (event.key === "Home" && !typing) entries[0]?.focus();
    else if (event.key === "End" && !typing) entries.at(-1)?.focus();
    else if (event.key === "Enter" && typing) entries[0]?.click();
    else if (!typing && event.key.length === 1 && /\S/.test(event.key)) {
      const letter = event.key.toLowerCase();
      const rest = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
      rest.find((entry) => entry.textContent?.trim().toLowerCase().startsWith(letter))?.focus();
      return;
    } else return;
    if (event.key !== "Tab") event.preventDefault();
  };

  const shown = query === "" ? items : items.filter((item) => item.label.toLowerCase().includes(query.toLowerCase()));
  const choices = items.some((item) => item.checked !== undefined);
  const container = typeof document === "undefined" ? null : (button.current?.closest("dialog, .top, .nav, main") ?? document.body);
  return (
    <>
      {trigger({
        ref: (element) => {
          button.current = element;
        },
        "aria-haspopup": "menu",
        "aria-expanded": open,
        onClick: () => setOpen(!open),
      })}
      {open &&
        container !== null &&
        createPortal(
          <div ref={popup} className="menu" onKeyDown={onKeyDown} id={id}>
            {search !== undefined && (
              <input
                className="menu-search"
                placeholder={search}
                aria-label={search}
                value={query}
                onChange={(event) => setQuery(event.target.value)}
              />
            )}
            {header}
            <div role="menu" aria-label={label} className="menu-items" tabIndex={-1}>
              {shown.map((item) => (
                <button
                  key={item.id}
                  type="button"
                  tabIndex={-1}
                  role={item.checked === undefined ? "menuitem" : several ? "menuitemcheckbox" : "menuitemradio"}
                  aria-checked={item.checked}
                  className={`menu-item ${item.danger === true ? "bad" : ""}`}
                  onClick={() => {
                    item.onSelect();
                    if (!several) close();
                  }}
                >
                  {choices && <span className="menu-check">{item.checked === true && <Check className="icon" />}</span>}
                  {item.icon}
                  <span className="truncate">{item.label}</span>
                  {item.hint !== undefined && <span className="menu-hint">{item.hint}</span>}
                </button>
              ))}
              {shown.length === 0 && (
                <div role="menuitem" aria-disabled="true" className="menu-none muted">
                  {text.explore.noMatch}
                </div>
              )}
            </div>
            {footer}
          </div>,
          container,
        )}
    </>
  );
}

interface ChipMenuProps {
  readonly name: string;
  readonly value: string;
  readonly items: readonly MenuItem[];
  readonly several?: boolean;
  readonly search?: string;
  readonly header?: ReactNode;
  readonly footer?: ReactNode;
  readonly align?: "start" | "end";
  readonly shortcut?: string;
}

/** A small button that says a name and its value, and opens the choices. */
export function ChipMenu({ name, value, shortcut, ...menu }: ChipMenuProps) {
  return (
    <Menu
      {...menu}
      label={name}
      trigger={(props) => (
        <button type="button" className="chip" {...props} data-shortcut={shortcut}>
          <span className="muted">{name}</span> <span className="truncate">{value}</span>
          <ChevronDown className="icon chip-arrow" />
        </button>
      )}
    />
  );
}
