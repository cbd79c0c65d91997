// Histories of kind "apply": a server's document gets the writers' updates, and yjs's state is told after each.
import * as Y from "yjs";
import { constructorOf, kTypes } from "./values.mjs";
import { jsonOf, kFlags, Witness } from "./witness.mjs";
import { newDocument, randomSetting, receive, Writers } from "./writers.mjs";

// Sends the server what waits for it: alone, several in one transaction, or merged.
const deliver = (random, server, messages) => {
  if (messages.length > 1 && random.chance(0.15)) {
    server.applyMany(messages);
  } else if (
    messages.length > 1 &&
    random.chance(0.15) &&
    messages.every(({ format }) => format === messages[0].format)
  ) {
    const { format } = messages[0];
    const merge = format === 1 ? Y.mergeUpdates : Y.mergeUpdatesV2;
    server.apply({ format, bytes: merge(messages.map(({ bytes }) => bytes)) });
  } else {
    messages.forEach((message) => server.apply(message));
  }
};

const kTypesOfRoots = Object.values(kTypes);

const typeSomeRoot = (random, server, roots) => {
  const root = random.of(roots);
  if (server.typedAs(root.name)) return;
  // Rarely as something that the writers don't take it for.
  server.typeRoot({ name: root.name, type: random.chance(0.02) ? random.of(kTypesOfRoots) : root.type });
};

const writeRoots = (writer, roots) => {
  writer.varUint(roots.length);
  for (const { name, type } of roots) {
    writer.string(name);
    writer.u8(type);
  }
};

// What yjs has when everything came in the order in which it was sent.
const writeCausalResult = (writer, log, setting) => {
  const doc = newDocument(setting.clients.at(-1), setting.gc);
  for (const { name, type } of setting.roots) doc.get(name, constructorOf(type));
  for (const message of log) receive(doc, message);
  writer.bytes(Y.encodeStateAsUpdate(doc));
  writer.bytes(Y.encodeStateVector(doc));
  writer.varUint(setting.roots.length);
  for (const { name, type } of setting.roots) {
    writer.string(name);
    writer.u8(type);
    writer.string(jsonOf(doc.get(name, constructorOf(type))));
  }
};

export const writeApplyHistory = (random, writer, options) => {
  const setting = randomSetting(random, options);
  const writers = new Writers(random, setting, 1);
  const to = writers.docs.length;
  const doc = newDocument(setting.clients.at(-1), setting.gc);
  const server = new Witness(random, doc, setting.causal, writer, options);
  if (random.chance(0.5)) server.listen();
  if (options.observe) server.observe();
  // Most servers never learn what the roots are, some when they start, some on the way.
  const knowing = random.below(100);
  const typing = knowing < 60 ? 0 : 0.05;
  if (knowing >= 80) for (const root of setting.roots) server.typeRoot(root);

  while (writers.edits < options.ops) {
    writers.edit();
    writers.exchange();
    if (random.chance(typing)) typeSomeRoot(random, server, setting.roots);
    if (random.chance(setting.loss > 0 ? 0.08 : 0.02)) server.apply(writers.takeState(to, doc));
    if (random.chance(0.7)) deliver(random, server, writers.take(to, random.between(1, 5)));
  }
  for (let left = writers.take(to, 8); left.length > 0; left = writers.take(to, 8)) deliver(random, server, left);
  // What was lost on the way.
  if (setting.loss > 0) for (let from = 0; from < to; from++) server.apply(writers.takeState(to, doc, from));
  if (random.chance(0.5)) for (const root of setting.roots) if (!server.typedAs(root.name)) server.typeRoot(root);

  const counts = server.finish();
  writeRoots(writer, setting.roots);
  if (server.flags & kFlags.behind) writeCausalResult(writer, writers.log, setting);
  return { edits: writers.edits, ...counts };
};
