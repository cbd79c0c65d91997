import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameLoop, type FrameSource } from "./frame-loop.js";

/** Frames at 60 Hz; the browser takes `drawMs` for each painter that a frame has drawn. */
class ManualFrames implements FrameSource {
  time = 0;
  drawMs = 0.1;
  painted: string[] = [];
  /** Frames that were asked for. */
  asked = 0;
  private callback: ((now: number) => void) | undefined;
  private after: (() => void)[] = [];

  now = (): number => this.time;
  request = (callback: (now: number) => void): void => {
    this.asked++;
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

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

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

test("listeners hear nothing of a frame whose painters have left", () => {
  const { frames, loop } = loopOf([]);
  let heard = 0;
  loop.onPainted(() => heard++);
  loop.add({ paint: () => Infinity })();
  frames.frame();
  expect(frames.asked).toBe(1);
  expect(heard).toBe(0);
});

test("any number of changes before a frame ask for that one frame", () => {
  const { frames, invalidate } = loopOf(["a", "b"]);
  for (let i = 0; i < 10; i++) invalidate();
  expect(frames.asked).toBe(1);
  expect(frames.frame()).toEqual(["a", "b"]);
  expect(frames.frame()).toEqual([]);
});

test("a still page asks for no frame, nor does what changes off screen", () => {
  const { frames, loop, painters } = loopOf(["a"]);
  frames.frame();
  loop.setVisible(painters[0]!, false);
  loop.invalidate(painters[0]!);
  vi.advanceTimersByTime(60_000);
  expect(frames.asked).toBe(1);
});

test("who wants to be drawn again later is drawn then, and not before", () => {
  const { frames, loop } = loopOf([]);
  loop.add({
    paint: (now) => {
      frames.painted.push(`${now}`);
      return now === 0 ? 100 : Infinity;
    },
  });
  expect(frames.frame()).toEqual(["0"]);
  vi.advanceTimersByTime(91);
  expect(frames.asked).toBe(1);
  vi.advanceTimersByTime(1);
  expect(frames.asked).toBe(2);
  frames.time = 92;
  expect(frames.frame()).toEqual([]);
  frames.time = 108;
  expect(frames.frame()).toEqual(["108"]);
});

test("who was drawn before it was due is not waited for any more", () => {
  const { frames, loop } = loopOf([]);
  let due = 100;
  const painter = { paint: () => due };
  loop.add(painter);
  frames.frame();
  due = Infinity;
  loop.invalidate(painter);
  frames.frame();
  vi.advanceTimersByTime(60_000);
  expect(frames.asked).toBe(2);
});

test("where scripts are slow a frame ends once they have had their time", () => {
  const { frames, loop } = loopOf([]);
  for (const name of ["a", "b", "c"]) {
    loop.add({
      paint: () => {
        frames.painted.push(name);
        frames.time += 4;
        return Infinity;
      },
    });
  }
  expect(frames.frame()).toEqual(["a", "b"]);
  expect(frames.frame()).toEqual(["c"]);
});
