// Histories of kind "local": edits of one document by index, with others' updates and an undo manager in between.
import * as Y from "yjs";
import { clock } from "./clock.mjs";
import { writeEdit } from "./edit_stream.mjs";
import { apply, pickTarget, randomEdit } from "./edits.mjs";
import { constructorOf } from "./values.mjs";
import { kPopped, kSteps, Witness } from "./witness.mjs";
import { randomSetting, Writers } from "./writers.mjs";

const kOrigins = [null, null, "user", "import"];
const kMilliseconds = [0, 1, 50, 499, 500, 501, 2000];

class LocalHistory {
  constructor(random, writer, options) {
    random.plain = true;
    this.random = random;
    this.writer = writer;
    // Only the document itself undoes: time is its alone.
    this.setting = { ...randomSetting(random, { ...options, causal: true }), undoing: false };
    this.writers = new Writers(random, this.setting, 0);
    this.doc = this.writers.docs[0];
    this.witness = new Witness(random, this.doc, true, writer, options);
    this.witness.listen();
    if (options.observe) this.witness.observe();
    // What the document had typed when it was made: that decides what yjs cleans up of formats.
    for (const root of this.writers.roots[0]) if (this.doc.share.has(root.name)) this.witness.typeRoot(root);
    this.undoManager = null;
    this.undoing = options.undo && random.chance(0.5);
  }

  // One transaction. Each edit is chosen from what those before it made, so it is written as it is done.
  transact() {
    const { random, writers, doc, witness } = this;
    const origin = random.of(kOrigins);
    const count = random.chance(0.4) ? 1 : random.between(2, this.setting.batch);
    writers.edits += count;
    witness.step(
      kSteps.transact,
      (writer) => writer.string(origin ?? ""),
      () => {
        try {
          doc.transact(() => this.edit(count), origin);
        } finally {
          this.writer.u8(0);
        }
      },
    );
  }

  edit(count) {
    const { random, writers, doc, witness } = this;
    for (let i = 0; i < count; i++) {
      const target = pickTarget(random, doc, writers.roots[0]);
      if (target.path.length === 0 && !witness.typedAs(target.root))
        witness.type({ name: target.root, type: target.type });
      const edit = randomEdit(random, target, this.setting.rich);
      writeEdit(this.writer, target, edit);
      witness.watch(target.shared, edit);
      apply(edit, target.shared);
    }
  }

  receive() {
    const { random, writers, witness } = this;
    if (writers.docs.length === 1) return;
    if (random.chance(0.03))
      return witness.apply(writers.takeState(0, this.doc, random.between(1, writers.docs.length - 1)));
    const messages = writers.take(0, random.between(1, 5));
    if (messages.length > 1 && random.chance(0.2)) witness.applyMany(messages);
    else messages.forEach((message) => witness.apply(message));
  }

  startUndo() {
    const { random, witness, doc, writers } = this;
    const scope = random.shuffle([...writers.roots[0]]).slice(0, random.between(1, 2));
    const origins = random.of([[null], [null, "user"], ["user"]]);
    const captureTimeout = random.of([0, 500, 500, 1000]);
    const write = (writer) => {
      writer.varUint(scope.length);
      for (const { name, type } of scope) {
        writer.string(name);
        writer.u8(type);
      }
      writer.varUint(origins.length);
      for (const origin of origins) writer.string(origin ?? "");
      writer.varUint(captureTimeout);
      writer.varUint(clock.now);
    };
    witness.quietStep(kSteps.startUndo, write, () => {
      const types = scope.map(({ name, type }) => doc.get(name, constructorOf(type)));
      this.undoManager = new Y.UndoManager(types, { captureTimeout, trackedOrigins: new Set(origins) });
    });
  }

  undo() {
    const { random, witness, undoManager } = this;
    const nothing = () => {};
    const kind = random.below(100);
    if (kind < 40) witness.step(kSteps.undo, nothing, () => undoManager.undo() && kPopped);
    else if (kind < 70) witness.step(kSteps.redo, nothing, () => undoManager.redo() && kPopped);
    else if (kind < 80) witness.quietStep(kSteps.stopCapturing, nothing, () => undoManager.stopCapturing());
    else if (kind < 82) witness.step(kSteps.clearUndo, nothing, () => undoManager.clear());
    else {
      const milliseconds = random.of(kMilliseconds);
      witness.quietStep(
        kSteps.advance,
        (writer) => writer.varUint(milliseconds),
        () => (clock.now += milliseconds),
      );
    }
  }

  run(edits) {
    const { random, writers } = this;
    clock.now = 1_000_000;
    while (writers.edits < edits) {
      if (this.undoing && this.undoManager === null && random.chance(0.2)) this.startUndo();
      if (writers.docs.length === 1 || random.chance(0.6)) this.transact();
      else writers.edit(random.between(1, writers.docs.length - 1));
      if (this.undoManager !== null && random.chance(0.4)) this.undo();
      writers.exchange(1);
      if (random.chance(this.setting.traffic)) this.receive();
    }
  }
}

export const writeLocalHistory = (random, writer, options) => {
  const history = new LocalHistory(random, writer, options);
  history.run(options.ops);
  const counts = history.witness.finish();
  history.undoManager?.destroy();
  return { edits: history.writers.edits, ...counts };
};
