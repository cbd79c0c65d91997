// The time that yjs's undo manager sees. To be imported before yjs: lib0 keeps the Date.now that it finds.
export const clock = { now: 1_000_000 };
Date.now = () => clock.now;
