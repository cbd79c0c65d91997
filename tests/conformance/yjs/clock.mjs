// What else yjs would take from outside: the time that its undo manager sees, and random numbers. To be imported before
// yjs, since lib0 keeps the functions that it finds.
import { webcrypto } from "node:crypto";

export const clock = { now: 1_000_000 };
Date.now = () => clock.now;

// Subdocuments draw a client id that they never use.
webcrypto.getRandomValues = (array) => array.fill(7);
