import { clockTime, dateTime } from "../ui/format.js";
import { text } from "../messages/en.js";

export interface TooltipRow {
  readonly color: string;
  readonly label: string;
  readonly value: number;
  readonly shown: string;
  readonly nearest: boolean;
}

const MOST_ROWS = 12;

/** The one tooltip of the page: what is under the pointer, largest first, at most twelve and then how many more. */
class Tooltip {
  private element: HTMLElement | undefined;
  private owner: object | undefined;

  show(owner: object, x: number, y: number, seconds: number, longRange: boolean, rows: readonly TooltipRow[]): void {
    const element = this.make();
    this.owner = owner;
    const ms = seconds * 1_000;
    const head = document.createElement("div");
    head.className = "tooltip-time";
    head.textContent = longRange ? dateTime(ms) : clockTime(ms);
    const parts: HTMLElement[] = [head];
    const sorted = [...rows].sort((a, b) => b.value - a.value);
    for (const row of sorted.slice(0, MOST_ROWS)) parts.push(this.row(row));
    if (sorted.length > MOST_ROWS) {
      const more = document.createElement("div");
      more.className = "tooltip-more";
      more.textContent = text.chart.more(sorted.length - MOST_ROWS);
      parts.push(more);
    }
    element.replaceChildren(...parts);
    element.hidden = false;
    this.place(element, x, y);
  }

  hide(owner: object): void {
    if (this.owner !== owner || this.element === undefined) return;
    this.element.hidden = true;
    this.owner = undefined;
  }

  private make(): HTMLElement {
    if (this.element === undefined) {
      this.element = document.createElement("div");
      this.element.className = "tooltip";
      this.element.setAttribute("aria-hidden", "true");
      document.body.append(this.element);
    }
    return this.element;
  }

  private row(row: TooltipRow): HTMLElement {
    const line = document.createElement("div");
    line.className = row.nearest ? "tooltip-row nearest" : "tooltip-row";
    const mark = document.createElement("span");
    mark.className = "legend-mark";
    mark.style.background = row.color;
    const label = document.createElement("span");
    label.className = "tooltip-label";
    label.textContent = row.label;
    const value = document.createElement("span");
    value.className = "tooltip-value";
    value.textContent = row.shown;
    line.append(mark, label, value);
    return line;
  }

  private place(element: HTMLElement, x: number, y: number): void {
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = x + 16 + width > innerWidth - 8 ? Math.max(8, x - 16 - width) : x + 16;
    const top = Math.min(Math.max(8, y - height / 2), innerHeight - height - 8);
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

export const tooltip = new Tooltip();
