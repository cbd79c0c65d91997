// What every timed region of our program ends with: readout.h has the hashes, README.md the rest.
#ifndef RIVERMEET_LOAD_CRDT_DOCUMENT_READOUT_H_
#define RIVERMEET_LOAD_CRDT_DOCUMENT_READOUT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "crdt/doc.h"

namespace rivermeet::load {

// A document of that client whose text `root`, when there is one, is typed before anything comes.
crdt::Doc MakeDocument(uint32_t client, std::string_view root = {});

// Encodes the state vector and gives the hashes of the root, read by index through the library's handles.
std::string ReadText(const crdt::Doc& document, const crdt::Text& text);
std::string ReadArray(const crdt::Doc& document, const crdt::List& array);
std::string ReadMap(const crdt::Doc& document, const crdt::Map& map);

// The state vector in hex; its hash beyond 64 bytes. Not timed.
std::string StateText(const crdt::Doc& document);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_DOCUMENT_READOUT_H_
