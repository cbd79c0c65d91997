// The data files: ../../trace_files.h says how they are laid out.
import fs from 'node:fs'
import path from 'node:path'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

// The edits of B4, one a keystroke: {index, text} or {index, length}.
export const readEdits = data => {
  const decoder = decoding.createDecoder(fs.readFileSync(path.join(data, 'yjs/b4-editing-trace.bin')))
  return Array.from({ length: decoding.readVarUint(decoder) }, () => {
    const tag = decoding.readVarUint(decoder)
    const index = decoding.readVarUint(decoder)
    return tag === 1
      ? { index, text: decoding.readVarString(decoder) }
      : { index, length: decoding.readVarUint(decoder) }
  })
}

export const readUpdates = file => {
  const decoder = decoding.createDecoder(fs.readFileSync(file))
  return Array.from({ length: decoding.readVarUint(decoder) }, () => decoding.readVarUint8Array(decoder))
}

// Whole or not at all: a reader never sees half a file.
export const writeUpdates = (file, updates) => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, updates.length)
  for (const update of updates) encoding.writeVarUint8Array(encoder, update)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(`${file}.part`, encoding.toUint8Array(encoder))
  fs.renameSync(`${file}.part`, file)
}
