// loro behind the same: a commit is the transaction, the document is kept as a snapshot, as its authors advise. Its
// order of concurrent text is its own, and it has no yjs state vector: its version's bytes take that place in what is
// timed.
import { LoroDoc } from 'loro-crdt'
import { readArray, readMap, readText } from './readout.mjs'

export class LoroDocument {
  constructor (clientId, updates = null) {
    this.doc = new LoroDoc()
    this.doc.setPeerId(BigInt(clientId))
    this.text = this.doc.getText('text')
    this.array = this.doc.getList('array')
    this.map = this.doc.getMap('map')
    this.open = false
    if (updates) this.doc.subscribeLocalUpdates(update => updates.push(update))
  }

  insertText (index, text) { this.transact(() => this.text.insert(index, text)) }
  deleteText (index, length) { this.transact(() => this.text.delete(index, length)) }
  insertArray (index, values) { this.transact(() => values.forEach((value, i) => this.array.insert(index + i, value))) }
  setMap (key, value) { this.transact(() => this.map.set(key, value)) }

  transact (run) {
    if (this.open) {
      run()
      return
    }
    this.open = true
    run()
    this.open = false
    this.doc.commit()
  }

  apply (update) { this.doc.import(update) }
  applyAll (updates) { this.doc.importBatch(updates) }
  encode () { return this.doc.export({ mode: 'snapshot' }) }

  // Its memory is outside of the garbage collector's sight.
  free () {
    for (const part of [this.text, this.array, this.map, this.doc]) part.free()
  }

  readout (kind) {
    const state = this.doc.version().encode()
    const check = kind === 'text'
      ? readText(this.text.toString())
      : kind === 'array' ? readArray(this.array.toJSON()) : readMap(this.map.toJSON())
    return { check, state }
  }
}
