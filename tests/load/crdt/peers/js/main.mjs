// Runs one case of yjs or loro and prints a JSON object for it: ../../README.md has the cases and the arguments.
import { parseArgs } from 'node:util'
import { readEdits } from './files.mjs'
import { clientId } from './inputs.mjs'
import { LoroDocument } from './loro_document.mjs'
import { print, repeat, timed } from './measure.mjs'
import { runTables } from './tables.mjs'
import { cases, makeUpdates } from './yjs_cases.mjs'
import { stateText, YjsDocument } from './yjs_document.mjs'

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'yjs' },
    case: { type: 'string' },
    data: { type: 'string' },
    updates: { type: 'string' },
    trace: { type: 'string' },
    format: { type: 'string', default: 'v2' },
    root: { type: 'string', default: 'text' },
    line: { type: 'string' },
    seconds: { type: 'string', default: '0.5' },
    'make-updates': { type: 'boolean' }
  }
})
const options = { ...values, seconds: Number(values.seconds) }

// loro's only case of B4: its own documents don't read yjs's updates.
const replayWithLoro = () => {
  const edits = readEdits(options.data)
  let bytes
  const { state, ...sample } = repeat(options.seconds, () => {
    const document = new LoroDocument(clientId(0))
    bytes = 0
    document.doc.subscribeLocalUpdates(update => { bytes += update.length })
    return timed(() => {
      for (const edit of edits) {
        if (edit.text !== undefined) document.insertText(edit.index, edit.text)
        else document.deleteText(edit.index, edit.length)
      }
    }, () => document.readout('text'))
  })
  print({ case: options.case, engine: 'loro', ...sample, items: edits.length, bytes })
}

const documents = { yjs: [YjsDocument, stateText], loro: [LoroDocument, () => undefined] }

const fail = message => {
  console.error(message)
  process.exit(2)
}

if (options['make-updates']) makeUpdates(options)
else if (options.case === 'crdtbench' && Object.hasOwn(documents, options.engine)) {
  const [Document, state] = documents[options.engine]
  const found = runTables(options.engine, Document, options.line, options.seconds, state)
  if (!found) fail(`peers/js: the tables have no line ${options.line}`)
} else if (options.engine === 'loro' && options.case === 'b4_local_replay') replayWithLoro()
else if (options.engine === 'yjs' && Object.hasOwn(cases, options.case ?? '')) cases[options.case](options)
else fail(`peers/js: ${options.engine} has no case ${options.case}`)
