// What observers of a document's roots hear, as text: the result "events" of a step.
import * as Y from "yjs";
import { constructorOf, typeOf } from "./values.mjs";

const told = (value) => {
  if (value instanceof Y.AbstractType) return { type: typeOf(value) };
  if (value instanceof Y.Doc) return { guid: value.guid };
  return typeof value === "bigint" ? value.toString() : value;
};

const toldStep = ({ insert, retain, delete: deleted, attributes }) => {
  const step = { attributes };
  if (insert !== undefined) step.insert = Array.isArray(insert) ? insert.map(told) : [told(insert)];
  if (retain !== undefined) step.retain = retain;
  if (deleted !== undefined) step.delete = deleted;
  return step;
};

const toldEvent = (event) => {
  const isText = event.target instanceof Y.Text;
  return {
    target: typeOf(event.target),
    path: event.path,
    local: event.transaction.local,
    list: event.transaction.changed.get(event.target).has(null),
    touched: [...event.transaction.changed.get(event.target)].filter((key) => key !== null),
    keys: [...event.changes.keys].map(([key, { action, oldValue }]) => [key, action, told(oldValue)]),
    delta: event.changes.delta.map((step) => (isText && step.insert !== undefined ? textStep(step) : toldStep(step))),
  };
};

// An array as an embed is one value.
const textStep = ({ insert, attributes }) => ({ attributes, insert: [told(insert)] });

const inJson = (value) =>
  JSON.stringify(value, (_key, member) => (typeof member === "bigint" ? member.toString() : member));

// Observes a root, and what is in it; appends to `heard`.
export const observe = (doc, { name, type }, heard) => {
  const shared = doc.get(name, constructorOf(type));
  shared.observe((event) => heard.push(inJson([name, event.path])));
  shared.observeDeep((events) => heard.push(inJson([name, events.map(toldEvent)])));
};
