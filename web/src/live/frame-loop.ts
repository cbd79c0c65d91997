/** Something that draws itself when it is due. */
export interface Painter {
  /** Draws; returns when it wants to be drawn again without being invalidated (performance.now() time), or Infinity. */
  paint(now: number): number;
}

/** Where frames come from: the browser, or a test. */
export interface FrameSource {
  /** Milliseconds, as performance.now(). */
  now(): number;
  /** Calls back once before the next frame. */
  request(callback: (now: number) => void): void;
  /** Calls back, from within a frame, once the browser has drawn and presented what the frame changed. */
  presented(callback: () => void): void;
}

interface Entry {
  readonly painter: Painter;
  dirty: boolean;
  due: number;
  visible: boolean;
}

/** A frame's work on the main thread, script and the browser's drawing together, is kept within this. */
const FRAME_MS = 10;
/** Of which so much may be script. */
const SCRIPT_MS = 6;

/**
 * One animation frame for everything that moves on the page.
 *
 * Painters that are off screen are not drawn; when nothing is due no frame is asked for, so that a still page costs
 * nothing. What a frame really took, the browser's drawing included, decides how many painters the next one draws: a
 * fast machine draws all at once, a slow one spreads them over frames and keeps answering to input.
 */
export class FrameLoop {
  private readonly entries = new Map<Painter, Entry>();
  private requested = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly paintedListeners = new Set<() => void>();
  private rotation = 0;
  private allowance = 8;

  constructor(private readonly source: FrameSource) {}

  /** After each frame that painted, once it is presented. */
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
    this.source.request((now) => this.run(now));
  }

  private run(now: number): void {
    this.requested = false;
    const entries = [...this.entries.values()];
    const started = this.source.now();
    const first = this.rotation;
    let painted = 0;
    let next = Infinity;
    for (let i = 0; i < entries.length; i++) {
      const at = (i + first) % entries.length;
      const entry = entries[at];
      if (entry === undefined || !entry.visible) continue;
      if (entry.dirty || entry.due <= now) {
        if (painted > 0 && (painted >= Math.floor(this.allowance) || this.source.now() - started > SCRIPT_MS)) {
          // The next frame goes on with this one, so that none waits for ever.
          this.rotation = at;
          next = now;
          break;
        }
        entry.dirty = false;
        entry.due = entry.painter.paint(now);
        painted++;
      }
      next = Math.min(next, entry.due);
    }
    if (painted > 0) this.source.presented(() => this.presented(painted, this.source.now() - started));
    this.schedule(next, now);
  }

  private presented(painted: number, took: number): void {
    if (took > FRAME_MS) this.allowance = Math.max(1, this.allowance / 2, Math.min(this.allowance, (painted * FRAME_MS) / took));
    else if (painted >= Math.floor(this.allowance)) this.allowance = this.allowance * 1.25 + 0.5;
    for (const listener of this.paintedListeners) listener();
  }

  private schedule(due: number, now: number): void {
    clearTimeout(this.timer);
    if (due === Infinity) return;
    if (due - now <= 20) this.request();
    else this.timer = setTimeout(() => this.request(), due - now - 8);
  }
}

function browserFrames(): FrameSource {
  const { port1, port2 } = new MessageChannel();
  let waiting: (() => void)[] = [];
  port1.onmessage = () => {
    const callbacks = waiting;
    waiting = [];
    for (const callback of callbacks) callback();
  };
  return {
    now: () => performance.now(),
    request: (callback) => requestAnimationFrame(callback),
    presented: (callback) => {
      waiting.push(callback);
      // A message sent within a frame is delivered after the browser has drawn it.
      port2.postMessage(0);
    },
  };
}

export const frameLoop = new FrameLoop(browserFrames());
