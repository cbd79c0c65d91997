// Random edits as plain data: what to do, on which shared type; done by apply().
import * as Y from "yjs";
import {
  constructorOf,
  describeEmbed,
  describeList,
  describeNodes,
  describeValue,
  kTypes,
  make,
  randomAny,
  randomAttributes,
  randomKey,
  randomString,
  typeOf,
} from "./values.mjs";

export const kEdits = {
  textInsert: 1,
  textDelete: 2,
  textFormat: 3,
  textEmbed: 4,
  textDelta: 5,
  listInsert: 6,
  listPush: 7,
  listDelete: 8,
  mapSet: 9,
  mapDelete: 10,
};

const kListRoom = 10;
const kTextRoom = 40;
const kDeepest = 4;

// Walks from a random root to a random type under it. Reads yjs's list itself: get() would leave search markers behind,
// which decide where later edits land among deleted neighbours.
export const pickTarget = (random, doc, roots) => {
  const root = random.of(roots);
  let shared = doc.get(root.name, constructorOf(root.type));
  const path = [];
  while (path.length < kDeepest && random.chance(0.6)) {
    const children = [];
    let index = 0;
    for (let item = shared._start; item !== null; item = item.right) {
      if (item.deleted || !item.countable) continue;
      if (item.content.constructor === Y.ContentType) children.push({ step: index, shared: item.content.type });
      index += item.length;
    }
    shared._map.forEach((item, key) => {
      if (!item.deleted && item.content.constructor === Y.ContentType)
        children.push({ step: key, shared: item.content.type });
    });
    if (children.length === 0) break;
    const child = random.of(children);
    path.push(child.step);
    shared = child.shared;
  }
  return { root: root.name, type: root.type, path, shared };
};

// Where edits meet: often at the ends, else anywhere.
const randomIndex = (random, length) =>
  random.chance(0.15) ? 0 : random.chance(0.2) ? length : random.below(length + 1);

const textEdit = (random, length, rich) => {
  const index = randomIndex(random, length);
  const kind = random.below(100);
  const crowded = length > kTextRoom;
  if (length > 0 && kind < (crowded ? 50 : 22)) {
    const at = Math.min(index, length - 1);
    return {
      op: kEdits.textDelete,
      index: at,
      length: random.chance(0.03) ? length + 2 : random.between(1, Math.min(length - at, crowded ? 30 : 6)),
    };
  }
  if (rich && length > 0 && kind < 62 && kind >= 44) {
    const at = Math.min(index, length - 1);
    const over = random.chance(0.01) ? 2 : 0;
    return {
      op: kEdits.textFormat,
      index: at,
      length: random.between(1, Math.min(length - at, 8)) + over,
      attributes: randomAttributes(random),
    };
  }
  if (rich && kind >= 94)
    return {
      op: kEdits.textEmbed,
      index,
      value: describeEmbed(random),
      attributes: random.chance(0.4) ? randomAttributes(random) : null,
    };
  if (rich && kind >= 89) return { op: kEdits.textDelta, delta: randomDelta(random, length) };
  return {
    op: kEdits.textInsert,
    index,
    text: randomString(random),
    attributes: rich && random.chance(0.2) ? randomAttributes(random) : null,
  };
};

const randomDelta = (random, length) => {
  const delta = [];
  let left = length;
  for (let i = random.below(4); i >= 0; i--) {
    const attributes = random.chance(0.3) ? randomAttributes(random) : null;
    const kind = random.below(3);
    const count = Math.min(left, random.between(1, 6));
    if (kind === 0 || count === 0) {
      delta.push({ insert: random.chance(0.15) ? describeEmbed(random) : { any: randomString(random) }, attributes });
    } else if (kind === 1) {
      delta.push({ delete: count, attributes: null });
      left -= count;
    } else {
      delta.push({ retain: count, attributes });
      left -= count;
    }
  }
  return delta;
};

const listEdit = (random, length, nodes, depth) => {
  if (length > 0 && random.chance(length > kListRoom ? 0.6 : 0.3)) {
    const index = random.below(length);
    return {
      op: kEdits.listDelete,
      index,
      length: random.between(1, Math.min(length - index, length > kListRoom ? 8 : 3)),
    };
  }
  const values = nodes ? describeNodes(random, depth) : describeList(random, depth);
  if (random.chance(0.1)) return { op: kEdits.listPush, values };
  return { op: kEdits.listInsert, index: randomIndex(random, length), values };
};

const mapEdit = (random, depth) => {
  if (random.chance(0.25)) return { op: kEdits.mapDelete, key: randomKey(random) };
  return { op: kEdits.mapSet, key: randomKey(random), value: describeValue(random, depth, true) };
};

const attributeEdit = (random) => {
  if (random.chance(0.25)) return { op: kEdits.mapDelete, key: randomKey(random) };
  return {
    op: kEdits.mapSet,
    key: randomKey(random),
    value: { any: random.chance(0.9) ? randomString(random) : randomAny(random) },
  };
};

// An edit that fits `target` as it is now. `rich`: with formats and embeds.
export const randomEdit = (random, target, rich) => {
  const { shared, path } = target;
  switch (typeOf(shared)) {
    case kTypes.text:
    case kTypes.xmlText:
      return random.chance(0.03) ? attributeEdit(random) : textEdit(random, shared._length, rich);
    case kTypes.array:
      return listEdit(random, shared._length, false, path.length);
    case kTypes.map:
    case kTypes.hook:
      return mapEdit(random, path.length);
    case kTypes.element:
      if (random.chance(0.4)) return attributeEdit(random);
      return listEdit(random, shared._length, true, path.length);
    default:
      return listEdit(random, shared._length, true, path.length);
  }
};

const deltaOperation = ({ insert, attributes, ...rest }) => {
  const operation = insert === undefined ? rest : { insert: make(insert) };
  if (attributes !== null) operation.attributes = attributes;
  return operation;
};

// yjs adds to the attributes that it is given.
const attributesOf = (edit) => (edit.attributes === null ? undefined : { ...edit.attributes });

export const apply = (edit, shared) => {
  switch (edit.op) {
    case kEdits.textInsert:
      return shared.insert(edit.index, edit.text, attributesOf(edit));
    case kEdits.textDelete:
      return shared.delete(edit.index, edit.length);
    case kEdits.textFormat:
      return shared.format(edit.index, edit.length, attributesOf(edit));
    case kEdits.textEmbed:
      return shared.insertEmbed(edit.index, make(edit.value), attributesOf(edit));
    case kEdits.textDelta:
      return shared.applyDelta(edit.delta.map(deltaOperation));
    case kEdits.listInsert:
      return shared.insert(edit.index, edit.values.map(make));
    case kEdits.listPush:
      return shared.push(edit.values.map(make));
    case kEdits.listDelete:
      return shared.delete(edit.index, edit.length);
    case kEdits.mapSet:
      return shared.set ? shared.set(edit.key, make(edit.value)) : shared.setAttribute(edit.key, make(edit.value));
    case kEdits.mapDelete:
      return shared.delete && !shared.removeAttribute ? shared.delete(edit.key) : shared.removeAttribute(edit.key);
    default:
      throw new Error(`no edit ${edit.op}`);
  }
};
