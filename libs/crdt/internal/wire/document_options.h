// What of an encoded value yjs looks at in particular places.
#ifndef RIVERMEET_CRDT_INTERNAL_WIRE_DOCUMENT_OPTIONS_H_
#define RIVERMEET_CRDT_INTERNAL_WIRE_DOCUMENT_OPTIONS_H_

#include <string>
#include <string_view>

namespace rivermeet::crdt::internal {

// A subdocument's options as yjs keeps and writes them (ContentDoc.js): of `options`, one canonical value, just
// `gc: false`, `autoLoad: true` and `meta`, in this order, appended to `kept`. A `guid` among them replaces `*guid`
// (kept in `scratch`). False when `options` is null or undefined, or its guid no text.
bool KeptDocumentOptions(std::string_view options, std::string& scratch, std::string_view* guid, std::string& kept);

// Whether options that KeptDocumentOptions gave say that everybody loads the subdocument.
bool LoadsItself(std::string_view kept);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_WIRE_DOCUMENT_OPTIONS_H_
