/** Something that draws itself when it is due. */
export interface Painter {
  /** Draws; returns when it wants to be drawn again without being invalidated (performance.now() time), or Infinity. */
  paint(now: number): number;
}

interface Entry {
  readonly painter: Painter;
  dirty: boolean;
  due: number;
  visible: boolean;
}

/** Within a frame, painting stops after this long and goes on in the next one, so that input is never kept waiting. */
const BUDGET_MS = 9;

/**
 * One animation frame for everything that moves on the page.
 *
 * Painters that are off screen are not drawn; when nothing is due no frame is asked for, so that a still page costs
 * nothing. After a frame that painted, `onPainted` is called once the browser has presented it.
 */
export class FrameLoop {
  private readonly entries = new Map<Painter, Entry>();
  private requested = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly afterPaint = new MessageChannel();
  private readonly paintedListeners = new Set<() => void>();
  private rotation = 0;
  /** Frames in which something was painted, for the benchmark. */
  frames = 0;

  constructor() {
    this.afterPaint.port1.onmessage = () => {
      for (const listener of this.paintedListeners) listener();
    };
  }

  onPainted(listener: () => void): () => void {
    this.paintedListeners.add(listener);
    return () => this.paintedListeners.delete(listener);
  }

  add(painter: Painter): () => void {
    this.entries.set(painter, { painter, dirty: true, due: Infinity, visible: true });
    this.request();
    return () => this.entries.delete(painter);
  }

  setVisible(painter: Painter, visible: boolean): void {
    const entry = this.entries.get(painter);
    if (entry === undefined) return;
    entry.visible = visible;
    if (visible) this.invalidate(painter);
  }

  invalidate(painter: Painter): void {
    const entry = this.entries.get(painter);
    if (entry === undefined) return;
    entry.dirty = true;
    if (entry.visible) this.request();
  }

  private request(): void {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame((now) => this.run(now));
  }

  private run(now: number): void {
    this.requested = false;
    const entries = [...this.entries.values()];
    const started = performance.now();
    let painted = false;
    let next = Infinity;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + this.rotation) % entries.length];
      if (entry === undefined || !entry.visible) continue;
      if (entry.dirty || entry.due <= now) {
        if (painted && performance.now() - started > BUDGET_MS) {
          this.rotation = (i + this.rotation) % entries.length;
          next = now;
          break;
        }
        entry.dirty = false;
        entry.due = entry.painter.paint(now);
        painted = true;
      }
      next = Math.min(next, entry.due);
    }
    if (painted) {
      this.frames++;
      this.afterPaint.port2.postMessage(0);
    }
    this.schedule(next, now);
  }

  private schedule(due: number, now: number): void {
    clearTimeout(this.timer);
    if (due === Infinity) return;
    if (due - now <= 20) this.request();
    else this.timer = setTimeout(() => this.request(), due - now - 8);
  }
}

export const frameLoop = new FrameLoop();
