// yjs behind what the tables ask of an engine: every transaction gives one V2 update.
import * as Y from 'yjs'
import { Fnv, readArray, readMap, readText } from './readout.mjs'

// The state vector in hex; its hash beyond 64 bytes.
export const stateText = vector =>
  vector.length <= 64 ? Buffer.from(vector).toString('hex') : `fnv:${new Fnv().add(vector)}`

export class YjsDocument {
  constructor (clientId, updates = null) {
    this.doc = new Y.Doc()
    this.doc.clientID = clientId
    this.text = this.doc.getText('text')
    this.array = this.doc.getArray('array')
    this.map = this.doc.getMap('map')
    if (updates) {
      this.doc.on('updateV2', (update, origin, doc, transaction) => { if (transaction.local) updates.push(update) })
    }
  }

  insertText (index, text) { this.text.insert(index, text) }
  deleteText (index, length) { this.text.delete(index, length) }
  insertArray (index, values) { this.array.insert(index, values) }
  setMap (key, value) { this.map.set(key, value) }
  transact (run) { this.doc.transact(run) }
  apply (update) { Y.applyUpdateV2(this.doc, update) }
  applyAll (updates) { this.doc.transact(() => updates.forEach(update => this.apply(update))) }
  encode () { return Y.encodeStateAsUpdateV2(this.doc) }
  free () { this.doc.destroy() }

  readout (kind) {
    const state = Y.encodeStateVector(this.doc)
    const check = kind === 'text'
      ? readText(this.text.toString())
      : kind === 'array' ? readArray(this.array.toArray()) : readMap(this.map.toJSON())
    return { check, state }
  }
}
