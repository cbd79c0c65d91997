// Random values, and shared types and subdocuments as descriptions: a description can be made more than once.
import * as Y from "yjs";

export const kTypes = {
  array: 0,
  map: 1,
  text: 2,
  element: 3,
  fragment: 4,
  hook: 5,
  xmlText: 6,
};
const kConstructors = [Y.Array, Y.Map, Y.Text, Y.XmlElement, Y.XmlFragment, Y.XmlHook, Y.XmlText];
const kTypeOfConstructor = new Map(kConstructors.map((constructor, type) => [constructor, type]));
export const constructorOf = (type) => kConstructors[type];
export const typeOf = (shared) => kTypeOfConstructor.get(shared.constructor);

const kKeys = ["a", "b", "k", "key", "1", "0", "10", "ключ", "", "\u{1f600}"];
const kOddKeys = ["__proto__", "\ud83d", "-1", "4294967295", "\u0000", "\ufeffx", "constructor", "length", "toString"];
const kPieces = [
  "a",
  "b",
  "c",
  "x",
  " ",
  "\n",
  "hello",
  "é",
  "ж",
  "漢字",
  "\u{1f600}",
  "\u{1f468}‍\u{1f469}",
  "\u{10ffff}",
  "\ufeff",
  "\uffff",
  "\u0000",
  '"',
  "<b>&",
];
const kNumbers = [
  0, -0, 1, -1, 2, 63, 64, -64, 127, 128, 255, 8191, 8192, 2147483647, 2147483648, -2147483647, -2147483648, 4294967296,
  9007199254740991, -9007199254740991, 9007199254740992, 0.5, -0.25, 0.1, 1e21, 1e-7, 123456789012, 1.5e300,
  3.4028234663852886e38,
];
const kOddNumbers = [NaN, Infinity, -Infinity, 5e-324, 16777217, 1e100];
const kNames = ["p", "div", "UNDEFINED", "A", "жук", ""];

// Without what an interface in UTF-8 can't say, or what lib0 reads otherwise than it was.
const kPlainOddKeys = kOddKeys.filter((key) => key !== "__proto__" && key !== "\ud83d");

// `random.plain` says that what comes has to be readable from lib0's encoding as it was.
export const randomKey = (random) => random.of(!random.chance(0.02) ? kKeys : random.plain ? kPlainOddKeys : kOddKeys);

export const randomString = (random) => {
  let text = "";
  for (let i = random.below(4); i >= 0; i--) text += random.of(kPieces);
  // Half of a pair, now and then.
  if (random.chance(0.02) && !random.plain) text += random.of(["\ud83d", "\ude00", "\udfff\ud800"]);
  return text;
};

const randomNumber = (random) => {
  if (random.chance(0.6)) return random.below(20);
  if (random.chance(0.05)) return random.of(kOddNumbers);
  return random.chance(0.6) ? random.of(kNumbers) : (random.word() - 0x8000_0000) / 2 ** random.below(40);
};

const randomBytes = (random) => Uint8Array.from({ length: random.below(6) }, () => random.below(256));

// What lib0 can encode. `loose`: also what only maps take.
export const randomAny = (random, depth = 0, loose = false) => {
  const kind = random.below(depth > 1 ? 12 : 16);
  if (kind < 5) return randomNumber(random);
  if (kind < 9) return random.chance(0.1) ? "" : randomString(random);
  if (kind === 9) return random.chance(0.5);
  if (kind === 10) return null;
  if (kind === 11) {
    if (depth > 0) return random.of([undefined, BigInt(random.word()) - 5n, randomBytes(random), true, null]);
    if (loose && random.plain) return random.of([undefined, -(1n << 62n) + BigInt(random.word())]);
    return loose ? random.of([undefined, -(1n << 62n) + BigInt(random.word()), new Date(1e12), 1n << 64n]) : false;
  }
  if (kind < 14) return Array.from({ length: random.below(3) }, () => randomAny(random, depth + 1));
  return randomObject(random, depth);
};

export const randomObject = (random, depth = 0) => {
  const object = {};
  for (let i = random.below(4); i > 0; i--) {
    const key = randomKey(random);
    // yjs looks at `constructor` to see what a value is, and calls toString() when an XML text is read.
    if (key === "constructor" || key === "toString") continue;
    // lib0 makes an object that it reads under this key the prototype: a Uint8Array there breaks yjs's V2 encoder.
    const value = key === "__proto__" ? random.below(3) : randomAny(random, depth + 1);
    if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    else object[key] = value;
  }
  return object;
};

// `value`, or null where JSON can't say it: it has no bigint.
const inJson = (value) => {
  try {
    JSON.stringify(value);
  } catch {
    return null;
  }
  return value;
};

// V1 writes embeds as JSON.
const randomEmbed = (random) => inJson(randomObject(random, 1)) ?? {};

// Values for ContentJSON.
export const randomJson = (random) => Array.from({ length: random.between(1, 4) }, () => inJson(randomAny(random, 1)));

export const randomAttributes = (random) => {
  const attributes = {};
  for (
    let i = random.weighted([
      [14, 1],
      [4, 2],
      [1, 3],
    ]);
    i > 0;
    i--
  ) {
    switch (random.below(7)) {
      case 0:
      case 1:
        attributes.bold = random.chance(0.6) ? true : null;
        break;
      case 2:
        attributes.italic = random.chance(0.6) ? true : null;
        break;
      case 3:
        attributes.color = random.of(["red", "blue", null, "", "\u{1f600}"]);
        break;
      case 4:
        attributes.link = random.of([null, { href: "a" }, { href: "b" }, {}, [1]]);
        break;
      case 5:
        attributes["1"] = random.of([1, 0, null, false, 1.5]);
        break;
      default:
        attributes[random.chance(0.1) ? randomKey(random) : "ключ"] = random.of([true, null, "x"]);
    }
  }
  return attributes;
};

// A description is {any}, {binary}, {type, name, text, items, entries} or {guid, options}.
const describeType = (random, type, depth) => {
  const made = { type, name: random.of(kNames), text: "", items: [], entries: [] };
  const full = depth < 2 && random.chance(0.5);
  if (!full) return made;
  if (type === kTypes.text || type === kTypes.xmlText) made.text = randomString(random);
  if (type === kTypes.array) made.items = describeList(random, depth + 1);
  if (type === kTypes.element || type === kTypes.fragment) made.items = describeNodes(random, depth + 1);
  if (type === kTypes.map || type === kTypes.hook) {
    for (let i = random.below(3); i > 0; i--) made.entries.push([randomKey(random), describeValue(random, depth + 1)]);
  }
  if (type === kTypes.element && random.chance(0.5))
    made.entries.push([randomKey(random), { any: randomString(random) }]);
  return made;
};

const describeDocument = (random) => {
  const options = {};
  if (random.chance(0.3)) options.gc = false;
  if (random.chance(0.3)) options.autoLoad = true;
  if (random.chance(0.4)) options.meta = randomAny(random, 1);
  if (options.meta === undefined) delete options.meta;
  return { guid: `guid-${random.below(1000)}`, options };
};

export const kListable = [
  kTypes.array,
  kTypes.array,
  kTypes.map,
  kTypes.map,
  kTypes.text,
  kTypes.text,
  kTypes.element,
  kTypes.fragment,
  kTypes.hook,
  kTypes.xmlText,
];

const withoutHook = (random, type) => (type === kTypes.hook && random.forYrs ? kTypes.xmlText : type);

const randomListable = (random) => withoutHook(random, random.of(kListable));

// A value for a list; `loose`: for a map.
export const describeValue = (random, depth = 0, loose = false) => {
  const kind = random.below(depth > 2 ? 76 : 100);
  if (kind < 70) return { any: randomAny(random, 0, loose) };
  if (kind < 76) return { binary: randomBytes(random) };
  if (kind < 97) return describeType(random, randomListable(random), depth);
  return describeDocument(random);
};

export const describeList = (random, depth = 0) =>
  Array.from(
    {
      length: random.weighted([
        [6, 1],
        [4, 2],
        [2, 3],
        [1, 5],
      ]),
    },
    () => describeValue(random, depth),
  );

// Children of an XML element or fragment.
export const describeNodes = (random, depth = 0) =>
  Array.from(
    {
      length: random.weighted([
        [6, 1],
        [2, 2],
      ]),
    },
    () =>
      describeType(
        random,
        withoutHook(random, random.of([kTypes.element, kTypes.element, kTypes.xmlText, kTypes.xmlText, kTypes.hook])),
        depth,
      ),
  );

export const describeEmbed = (random) =>
  random.chance(0.6) ? { any: randomEmbed(random) } : describeType(random, randomListable(random), 1);

// The value of a description: for shared types and subdocuments a new one each time.
export const make = (value) => {
  if (value.type !== undefined) return makeType(value);
  if (value.guid !== undefined) return new Y.Doc({ guid: value.guid, ...value.options });
  return value.binary !== undefined ? value.binary : value.any;
};

const makeType = ({ type, name, text, items, entries }) => {
  switch (type) {
    case kTypes.array:
      return Y.Array.from(items.map(make));
    case kTypes.map:
      return new Y.Map(entries.map(([key, value]) => [key, make(value)]));
    case kTypes.text:
      return text === "" ? new Y.Text() : new Y.Text(text);
    case kTypes.xmlText:
      return text === "" ? new Y.XmlText() : new Y.XmlText(text);
    case kTypes.hook: {
      const hook = new Y.XmlHook(name);
      for (const [key, value] of entries) hook.set(key, make(value));
      return hook;
    }
    default: {
      const node = type === kTypes.element ? new Y.XmlElement(name) : new Y.XmlFragment();
      for (const [key, value] of entries) node.setAttribute(key, make(value));
      if (items.length > 0) node.insert(0, items.map(make));
      return node;
    }
  }
};
