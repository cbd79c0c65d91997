// What is measured of yjs besides the tables.
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { readEdits, readUpdates, writeUpdates } from './files.mjs'
import { clientId } from './inputs.mjs'
import { print, repeat, timed } from './measure.mjs'
import { readText } from './readout.mjs'
import { stateText } from './yjs_document.mjs'

const create = (client, root = 'text') => {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText(root)
  return doc
}

const readout = (doc, root = 'text') => {
  const state = Y.encodeStateVector(doc)
  return { check: readText(doc.getText(root).toString()), state }
}

const perform = (text, edit) =>
  edit.text !== undefined ? text.insert(edit.index, edit.text) : text.delete(edit.index, edit.length)

const finish = (name, { state, ...sample }, more) =>
  print({ case: name, engine: 'yjs', ...sample, ...more, ...(state ? { state_vector: stateText(state) } : {}) })

// Writes the updates of B4, one an edit, as the client `clientId(0)` of a yjs document gives them.
export const makeUpdates = ({ data, updates: file }) => {
  const doc = create(clientId(0))
  const updates = []
  doc.on('update', update => updates.push(update))
  const text = doc.getText('text')
  for (const edit of readEdits(data)) perform(text, edit)
  writeUpdates(file, updates)
}

const applyOneByOne = options => {
  const updates = readUpdates(options.updates)
  finish(options.case, repeat(options.seconds, () => {
    const doc = create(clientId(1))
    return timed(() => { for (const update of updates) Y.applyUpdate(doc, update) }, () => readout(doc))
  }), { items: updates.length })
}

const applyBatches = options => {
  const updates = readUpdates(options.updates)
  finish(options.case, repeat(options.seconds, () => {
    const doc = create(clientId(1))
    return timed(() => {
      for (let i = 0; i < updates.length; i += 100) {
        doc.transact(() => {
          for (let j = i; j < Math.min(i + 100, updates.length); j++) Y.applyUpdate(doc, updates[j])
        })
      }
    }, () => readout(doc))
  }), { items: updates.length })
}

const localReplay = options => {
  const edits = readEdits(options.data)
  let bytes
  finish(options.case, repeat(options.seconds, () => {
    const doc = create(clientId(0))
    const text = doc.getText('text')
    bytes = 0
    doc.on('update', update => { bytes += update.length })
    return timed(() => { for (const edit of edits) perform(text, edit) }, () => readout(doc))
  }), { items: edits.length, bytes })
}

const loadB4 = options => {
  const update = fs.readFileSync(path.join(options.data, 'yjs/b4-update.bin'))
  if (options.case === 'b4_load') {
    finish('b4_load', repeat(options.seconds, () => {
      const doc = create(clientId(1))
      return timed(() => Y.applyUpdate(doc, update), () => readout(doc))
    }), { bytes: update.length })
    return
  }
  let bytes
  finish('b4_encode', repeat(options.seconds, () => {
    const doc = create(clientId(1))
    Y.applyUpdate(doc, update)
    const text = doc.getText('text')
    text.insert(Math.floor(text.length / 2), '!')
    return timed(() => { bytes = Y.encodeStateAsUpdate(doc).length }, () => readout(doc))
  }), { bytes })
}

const merge = options => {
  const updates = readUpdates(options.updates)
  if (options.case === 'b4_merge_16000') updates.length = 16000
  let merged
  const sample = repeat(options.seconds, () => timed(() => { merged = Y.mergeUpdates(updates) }, () => ({})))
  const doc = create(clientId(1))
  Y.applyUpdate(doc, merged)
  finish(options.case, { ...sample, ...readout(doc) }, { items: updates.length, bytes: merged.length })
}

const formats = {
  v1: { apply: Y.applyUpdate, encode: Y.encodeStateAsUpdate },
  v2: { apply: Y.applyUpdateV2, encode: Y.encodeStateAsUpdateV2 }
}

const loadAndEncodeTrace = options => {
  const update = fs.readFileSync(options.trace)
  const { apply, encode } = formats[options.format]
  let bytes
  finish(options.case, repeat(options.seconds, () => {
    const doc = create(clientId(1), options.root)
    let load
    const sample = timed(() => {
      const begin = performance.now()
      apply(doc, update)
      load = performance.now() - begin
      bytes = encode(doc).length
    }, () => readout(doc, options.root))
    return { ...sample, load_ms: load, encode_ms: sample.core_ms - load }
  }), { bytes })
}

const statusBytes = name =>
  1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(fs.readFileSync('/proc/self/status', 'utf8'))[1])

// Needs a process of its own, started with --expose-gc. There is no peak of the heap to be had.
const traceMemory = options => {
  const update = fs.readFileSync(options.trace)
  globalThis.gc()
  fs.writeFileSync('/proc/self/clear_refs', '5')
  const resident = statusBytes('VmRSS')
  const heap = process.memoryUsage().heapUsed
  const doc = create(clientId(1), options.root)
  formats[options.format].apply(doc, update)
  const peak = statusBytes('VmHWM')
  const seen = readout(doc, options.root)
  const grown = statusBytes('VmRSS')
  globalThis.gc()
  finish(options.case, seen, {
    live_bytes: process.memoryUsage().heapUsed - heap,
    peak_bytes: null,
    rss_growth_bytes: grown - resident,
    rss_peak_growth_bytes: peak - resident
  })
}

export const cases = {
  b4_apply_one_by_one: applyOneByOne,
  b4_apply_batches_of_100: applyBatches,
  b4_local_replay: localReplay,
  b4_load: loadB4,
  b4_encode: loadB4,
  b4_merge_16000: merge,
  b4_merge: merge,
  trace_load_encode: loadAndEncodeTrace,
  trace_memory: traceMemory
}
