// Random edits of a peer, whether it is yjs or the engine; each takes the peer and lib0's generator, as testHelper calls
// them. All use the roots that testHelper's compare() looks at: array, map, text, xml.
import * as prng from "lib0/prng";
import * as Y from "yjs/src/index.js";
import { EngineDoc, NewType } from "./engine.mjs";
import { kKind } from "./library.mjs";

const kKeys = ["one", "two", "three", "10", "9"];
const kWords = ["a", "bc", "naïve", "漢字", "\u{1f600}", "\u{1f469}\u{1f3fd}", "\n", "hello world"];

const word = (gen) => prng.oneOf(gen, kWords) + prng.word(gen, 0, 6);
const scalar = (gen) =>
  prng.oneOf(gen, [null, true, prng.int31(gen, -1e6, 1e6), prng.real53(gen), word(gen), { k: [1, word(gen)] }, []]);

// New shared types of the peer's kind.
const newArray = (user, items) => (user instanceof EngineDoc ? new NewType(kKind.array, { items }) : Y.Array.from(items));
const newMap = (user, entries) =>
  user instanceof EngineDoc ? new NewType(kKind.map, { entries }) : new Y.Map(Object.entries(entries));
const newText = (user, text) => (user instanceof EngineDoc ? new NewType(kKind.text, { text }) : new Y.Text(text));
const newElement = (user, name) =>
  user instanceof EngineDoc ? new NewType(kKind.element, { name }) : new Y.XmlElement(name);
const newXmlText = (user, text) => (user instanceof EngineDoc ? new NewType(kKind.xmlText, { text }) : new Y.XmlText(text));

// A stretch of a list that isn't empty.
const stretch = (gen, length, most) => {
  const index = prng.int32(gen, 0, length - 1);
  return [index, prng.int32(gen, 1, Math.min(most, length - index))];
};
// Places and stretches of texts, never between two surrogates: where yjs cuts there both become U+FFFD, but not for
// peers that don't cut.
const unitsOf = (text) => text.toDelta().map(({ insert }) => (typeof insert === "string" ? insert : "\ufffc")).join("");
const isCut = (units, index) => /[\ud800-\udbff]/.test(units[index - 1] ?? "") && /[\udc00-\udfff]/.test(units[index] ?? "");
const textPlace = (gen, text) => {
  const units = unitsOf(text);
  const index = prng.int32(gen, 0, units.length);
  return isCut(units, index) ? index - 1 : index;
};
const textStretch = (gen, text, most) => {
  const units = unitsOf(text);
  let [index, length] = stretch(gen, units.length, most);
  if (isCut(units, index)) [index, length] = [index - 1, length + 1];
  return [index, isCut(units, index + length) ? length + 1 : length];
};

const kArrayEdits = [
  (user, gen) => {
    const array = user.getArray("array");
    const values = Array.from({ length: prng.int32(gen, 1, 4) }, () => scalar(gen));
    array.insert(prng.int32(gen, 0, array.length), values);
  },
  (user, gen) => {
    const array = user.getArray("array");
    const index = prng.int32(gen, 0, array.length);
    array.insert(index, [newArray(user, [1, word(gen)])]);
    array.get(index).insert(1, [newMap(user, { one: scalar(gen) })]);
    if (prng.bool(gen)) array.get(index).delete(0, 1);
  },
  (user, gen) => {
    const array = user.getArray("array");
    const index = prng.int32(gen, 0, array.length);
    array.insert(index, [newMap(user, { one: 1, two: scalar(gen) })]);
    array.get(index).set(prng.oneOf(gen, kKeys), newText(user, word(gen)));
  },
  (user, gen) => {
    const array = user.getArray("array");
    if (array.length === 0) return;
    const [index, length] = stretch(gen, array.length, 2);
    const inside = array.get(index);
    // What is inside of a list in the list loses an element instead.
    if (inside?.insert && inside.length > 0 && prng.bool(gen)) inside.delete(0, 1);
    else array.delete(index, length);
  },
];

const kMapEdits = [
  (user, gen) => user.getMap("map").set(prng.oneOf(gen, kKeys), scalar(gen)),
  (user, gen) => {
    const key = prng.oneOf(gen, kKeys);
    if (prng.bool(gen)) {
      user.getMap("map").set(key, newArray(user, []));
      user.getMap("map").get(key).insert(0, [1, word(gen), null]);
    } else {
      user.getMap("map").set(key, newMap(user, {}));
      user.getMap("map").get(key).set("deep", newArray(user, [newMap(user, { one: scalar(gen) })]));
    }
  },
  (user, gen) => user.getMap("map").delete(prng.oneOf(gen, kKeys)),
];

const attributes = (gen) =>
  prng.oneOf(gen, [{ bold: true }, { bold: null }, { color: "red" }, { color: word(gen) }, { bold: true, color: null }]);

const kTextEdits = [
  (user, gen) => {
    const text = user.getText("text");
    const index = textPlace(gen, text);
    if (prng.bool(gen)) text.insert(index, word(gen));
    else text.insert(index, word(gen), attributes(gen));
  },
  (user, gen) => {
    const text = user.getText("text");
    if (prng.bool(gen)) text.insertEmbed(textPlace(gen, text), { image: word(gen) });
    else text.insertEmbed(textPlace(gen, text), { image: word(gen) }, attributes(gen));
  },
  (user, gen) => {
    const text = user.getText("text");
    if (text.length > 0) text.delete(...textStretch(gen, text, 6));
  },
  (user, gen) => {
    const text = user.getText("text");
    if (text.length > 0) text.format(...textStretch(gen, text, 10), attributes(gen));
  },
  (user, gen) => {
    const text = user.getText("text");
    const steps = [{ insert: word(gen), attributes: attributes(gen) }];
    if (text.length > 0) {
      const [index, length] = textStretch(gen, text, 5);
      if (index > 0) steps.unshift({ retain: index });
      steps.push(prng.bool(gen) ? { delete: length } : { retain: length, attributes: attributes(gen) });
    }
    text.applyDelta(steps);
  },
];

const xmlRoot = (user) => user.get("xml", Y.XmlElement);
const kXmlEdits = [
  (user, gen) => {
    const root = xmlRoot(user);
    const index = prng.int32(gen, 0, root.length);
    root.insert(index, [newElement(user, prng.oneOf(gen, ["p", "DIV", "h1"]))]);
    root.get(index).setAttribute(prng.oneOf(gen, kKeys), word(gen));
    root.get(index).insert(0, [newXmlText(user, word(gen))]);
  },
  (user, gen) => {
    const root = xmlRoot(user);
    const index = prng.int32(gen, 0, root.length);
    root.insert(index, [newXmlText(user, word(gen))]);
    if (root.get(index).length > 0) root.get(index).format(0, root.get(index).length, { em: {} });
  },
  (user, gen) => xmlRoot(user).setAttribute(prng.oneOf(gen, kKeys), word(gen)),
  (user, gen) => xmlRoot(user).removeAttribute(prng.oneOf(gen, kKeys)),
  (user, gen) => {
    const root = xmlRoot(user);
    if (root.length > 0) root.delete(...stretch(gen, root.length, 2));
  },
];

// Several at once in one transaction.
const together = (edits) => (user, gen) =>
  user.transact(() => {
    for (let i = prng.int32(gen, 2, 4); i > 0; --i) prng.oneOf(gen, edits)(user, gen);
  });

const kinds = { array: kArrayEdits, map: kMapEdits, text: kTextEdits, xml: kXmlEdits };
kinds.all = Object.values(kinds).flat();
export const kEdits = Object.fromEntries(Object.entries(kinds).map(([kind, edits]) => [kind, [...edits, together(edits)]]));
