// A copy of a peer's text that is kept by what its observers are told: events are right when it ends as the text.
import assert from "node:assert/strict";
import Delta from "quill-delta";
import { EngineDoc } from "./engine.mjs";

// Where yjs cuts between two surrogates both become U+FFFD, of which its events tell nothing.
const unit = (insert) => (typeof insert === "string" ? insert.replace(/[\ud800-\udfff]/g, "\ufffd") : insert);
// Runs that have the same attributes are one, in whatever pieces they came.
const normal = (steps) => steps.reduce((all, { insert, attributes }) => all.insert(unit(insert), attributes), new Delta()).ops;

export const mirrorOf = (user) => {
  const text = user.getText("text");
  let mirror = new Delta(text.toDelta());
  const take = (delta) => {
    mirror = mirror.compose(new Delta(delta));
  };
  let end = () => {};
  if (user instanceof EngineDoc) end = text.observeDelta(take);
  else text.observe((event) => take(event.delta));
  const check = () => {
    end();
    assert.deepEqual(normal(mirror.ops), normal(text.toDelta()));
  };
  return { check };
};
