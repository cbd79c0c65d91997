// Looks for what must never be in a document: for tests and fuzzers, which ask after every step.
#ifndef RIVERMEET_CRDT_TESTING_DOCUMENT_CHECK_H_
#define RIVERMEET_CRDT_TESTING_DOCUMENT_CHECK_H_

#include <string>
#include <string_view>

#include "crdt/doc.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/document.h"

namespace rivermeet::crdt::internal {

// The document inside a Doc, for whoever checks it.
struct DocInside {
  static const Document& Of(const Doc& doc) { return HandleAccess::SessionOf(doc).document; }
  static Document& Of(Doc& doc) { return HandleAccess::SessionOf(doc).document; }
  // Of the root of that name, nothing when there is none: its text, its length, the unit at `index`, for which it is
  // indexed.
  static std::string Text(const Doc& doc, std::string_view root);
  static uint64_t Length(const Doc& doc, std::string_view root);
  static char16_t UnitAt(Doc& doc, std::string_view root, uint64_t index);
};

// What is wrong first, in words; empty when all holds: each client's structs are gapless from clock 0 up to its state,
// and found by their clocks; every item is in one list or chain and in no other, its neighbours name it and its type
// has it; a chain's last item is its key's, and all but that and its first halves are deleted; a type is as long as
// what is visible of it; contents measure what their items say; position indexes count what a recount gives; nothing is
// counted that isn't there. Takes the time of reading everything.
std::string FindFault(const Document& document);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_TESTING_DOCUMENT_CHECK_H_
