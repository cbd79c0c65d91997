// The tables B1, B2 and B3 of dmonad/crdt-benchmarks for any engine; ../../README.md says what is timed.
import { clientId, clients, lines, manyUsers, oneUser, twoUsers } from './inputs.mjs'
import { print, repeat, timed } from './measure.mjs'

const kindOf = line =>
  ['B1.8', 'B1.9', 'B1.10', 'B1.11', 'B3.4'].includes(line) ? 'array' : line < 'B3' || line === 'B3.5' ? 'text' : 'map'

const perform = (document, operation) => {
  if (operation.text !== undefined) document.insertText(operation.index ?? 0, operation.text)
  else if (operation.numbers) document.insertArray(operation.index, operation.numbers)
  else if (operation.element !== undefined) document.insertArray(0, [operation.element])
  else if (operation.key !== undefined) document.setMap(operation.key, operation.value)
  else document.deleteText(operation.index, operation.length)
}

const total = updates => updates.reduce((sum, update) => sum + update.length, 0)

// The document that loads what others wrote is none of theirs.
const reader = clientId(clients)

// Each of these gives a function that prepares and times the task once; `result` is {document, bytes, documents}: the
// document at the end, the size of the updates that were sent, all that is to be freed.
const oneUserTask = (Document, line) => {
  const { operations } = oneUser(line)
  return () => {
    const updates = []
    const first = new Document(clientId(0), updates)
    const second = new Document(clientId(1))
    return timed(() => {
      for (const operation of operations) perform(first, operation)
      for (const update of updates) second.apply(update)
      return { document: second, bytes: total(updates), documents: [first, second] }
    }, () => second.readout(kindOf(line)))
  }
}

const twoUsersTask = (Document, line) => {
  const { start, first, second } = twoUsers(line)
  return () => {
    const updates = [[], []]
    const documents = updates.map((list, i) => new Document(clientId(i), list))
    documents[0].insertText(0, start)
    documents[1].apply(updates[0].pop())
    return timed(() => {
      for (const [i, operations] of [first, second].entries()) {
        documents[i].transact(() => operations.forEach(operation => perform(documents[i], operation)))
      }
      updates[0].forEach(update => documents[1].apply(update))
      updates[1].forEach(update => documents[0].apply(update))
      return { document: documents[0], bytes: total(updates.flat()), documents }
    }, () => {
      const seen = documents.map(document => document.readout('text'))
      if (seen[0].check !== seen[1].check) throw new Error(`${line}: the two documents differ`)
      return seen[0]
    })
  }
}

const manyUsersTask = (Document, line) => {
  const operations = manyUsers(line)
  const updates = []
  operations.forEach((operation, i) => {
    const document = new Document(clientId(i), updates)
    perform(document, operation)
    document.free()
  })
  return () => {
    const document = new Document(clientId(1))
    perform(document, operations[1])
    return timed(() => {
      document.applyAll(updates)
      return { document, bytes: total(updates), documents: [document] }
    }, () => document.readout(kindOf(line)))
  }
}

const taskOf = (Document, line) =>
  (line < 'B2' ? oneUserTask : line < 'B3' ? twoUsersTask : manyUsersTask)(Document, line)

// Prints a line of the tables: the task, then encoding its document, then loading that into an empty one.
const runLine = (engine, Document, line, seconds, stateText) => {
  const task = taskOf(Document, line)
  const free = ({ documents }) => documents.forEach(document => document.free())
  let last
  const best = repeat(seconds, () => {
    const sample = task()
    if (last) free(last)
    last = sample.result
    return sample
  })
  const encoded = last.document.encode()
  free(last)
  const encode = repeat(seconds / 4, () => {
    const { result } = task()
    const sample = timed(() => result.document.encode(), () => ({}))
    free(result)
    return sample
  })
  const parse = repeat(seconds / 4, () => {
    const document = new Document(reader)
    const sample = timed(() => document.apply(encoded), () => document.readout(kindOf(line)))
    document.free()
    return sample
  })
  if (parse.check !== best.check) throw new Error(`${line}: what was encoded and loaded differs`)
  print({
    case: 'crdtbench',
    engine,
    line,
    ms: best.ms,
    core_ms: best.core_ms,
    median_ms: best.median_ms,
    repeats: best.repeats,
    encode_ms: encode.ms,
    parse_ms: parse.ms,
    parse_core_ms: parse.core_ms,
    update_bytes: last.bytes,
    document_bytes: encoded.length,
    check: best.check,
    state_vector: stateText(best.state)
  })
}

// All lines, or the one that is wanted; false when there is none such.
export const runTables = (engine, Document, wanted, seconds, stateText) => {
  const chosen = Object.values(lines).flat().filter(line => !wanted || wanted === line)
  for (const line of chosen) runLine(engine, Document, line, seconds, stateText)
  return chosen.length > 0
}
