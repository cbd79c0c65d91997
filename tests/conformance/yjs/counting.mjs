// How often a document does what is hard while it does its steps: for the totals of a run.
import * as Y from "yjs";

// Items that find others at their place, contents that are cut in two, items whose content is collected.
export const counted = { conflicts: 0, splits: 0, collections: 0 };
let counting = false;

// Does what is to be counted.
export const count = (perform) => {
  counting = true;
  try {
    return perform();
  } finally {
    counting = false;
  }
};

// Whether others stand between what an item was inserted between.
const meetsRivals = ({ left, right, parent, parentSub }) => {
  // What hangs on something that was collected has none.
  if (!parent) return false;
  let other = left !== null ? left.right : parentSub !== null ? (parent._map.get(parentSub) ?? null) : parent._start;
  if (left === null && parentSub !== null) while (other !== null && other.left !== null) other = other.left;
  return other !== null && other !== right;
};

const watch = (owner, method, note) => {
  const original = owner.prototype[method];
  owner.prototype[method] = function (first, second) {
    if (counting) note(this);
    return original.call(this, first, second);
  };
};

watch(Y.Item, "integrate", (item) => {
  if (meetsRivals(item)) counted.conflicts++;
});
watch(Y.Item, "gc", () => counted.collections++);
for (const content of [Y.ContentString, Y.ContentAny, Y.ContentJSON, Y.ContentDeleted])
  watch(content, "splice", () => counted.splits++);
