import { expect, test } from "vitest";
import { FrameLoop, type FrameSource } from "./frame-loop.js";

/** Frames at 60 Hz; the browser takes `drawMs` for each painter that a frame has drawn. */
class ManualFrames implements FrameSource {
  time = 0;
  drawMs = 0.1;
  painted: string[] = [];
  private callback: ((now: number) => void) | undefined;
  private after: (() => void)[] = [];

  now = (): number => this.time;
  request = (callback: (now: number) => void): void => {
    this.callback = callback;
  };
  presented = (callback: () => void): void => {
    this.after.push(callback);
  };

  /** Runs a frame; returns who was painted in it. */
  frame(): string[] {
    const { callback } = this;
    this.callback = undefined;
    this.painted = [];
    const began = this.time;
    callback?.(this.time);
    this.time += this.painted.length * this.drawMs;
    for (const tell of this.after.splice(0)) tell();
    this.time = Math.max(this.time, began + 1_000 / 60);
    return this.painted;
  }
}

function loopOf(names: readonly string[]) {
  const frames = new ManualFrames();
  const loop = new FrameLoop(frames);
  const painters = names.map((name) => ({
    paint: () => {
      frames.painted.push(name);
      return Infinity;
    },
  }));
  for (const painter of painters) loop.add(painter);
  const invalidate = (): void => painters.forEach((painter) => loop.invalidate(painter));
  return { frames, loop, painters, invalidate };
}

const NAMES = Array.from({ length: 24 }, (_, i) => `${i}`);

test("where drawing is cheap all painters draw in one frame", () => {
  const { frames, invalidate } = loopOf(NAMES);
  for (let i = 0; i < 20; i++) {
    invalidate();
    frames.frame();
  }
  expect(frames.painted).toHaveLength(24);
});

test("where drawing is slow painters are spread over frames, and none waits for ever", () => {
  const { frames, invalidate } = loopOf(NAMES);
  frames.drawMs = 2;
  invalidate();
  for (let i = 0; i < 20; i++) frames.frame();
  const seen = new Set<string>();
  let most = 0;
  for (let i = 0; i < 12; i++) {
    invalidate();
    const painted = frames.frame();
    most = Math.max(most, painted.length);
    for (const name of painted) seen.add(name);
  }
  expect(most).toBeLessThanOrEqual(6);
  expect(seen.size).toBe(24);
});

test("one slow frame does not slow the page down for long", () => {
  const { frames, invalidate } = loopOf(NAMES);
  frames.drawMs = 10;
  invalidate();
  for (let i = 0; i < 5; i++) frames.frame();
  frames.drawMs = 0.1;
  for (let i = 0; i < 30; i++) {
    invalidate();
    frames.frame();
  }
  expect(frames.painted).toHaveLength(24);
});

test("who is off screen is not drawn until it is back", () => {
  const { frames, loop, painters, invalidate } = loopOf(["a", "b"]);
  frames.frame();
  const [, second] = painters;
  loop.setVisible(second!, false);
  invalidate();
  expect(frames.frame()).toEqual(["a"]);
  loop.setVisible(second!, true);
  expect(frames.frame()).toEqual(["b"]);
});

test("listeners hear of a frame that painted, and of no other", () => {
  const { frames, loop } = loopOf(["a"]);
  let heard = 0;
  loop.onPainted(() => heard++);
  frames.frame();
  frames.frame();
  expect(heard).toBe(1);
});
