// Writes a document as an update, byte for byte as yjs does (utils/encoding.js, DeleteSet.js, Snapshot.js).
#ifndef RIVERMEET_CRDT_INTERNAL_STORE_ENCODING_H_
#define RIVERMEET_CRDT_INTERNAL_STORE_ENCODING_H_

#include <string>
#include <vector>

#include "crdt/internal/store/document.h"
#include "crdt/internal/wire/update_writer.h"
#include "crdt/update_format.h"

namespace rivermeet::crdt::internal {

// An item as it travels. The views end when the document changes.
WireStruct ToWire(const Document& document, const Item& item);

// What somebody of state vector `since` lacks, without what is pending here. The deletions are whole.
std::string EncodeStructsAndDeletes(const Document& document, UpdateFormat format,
                                    const std::vector<ClientState>& since);
// As an update of format V2, each client's structs up to the clock of its entry in `states`, where a struct ends, in
// that order; and `deletes`, in order and apart.
std::string EncodeUpTo(const Document& document, const std::vector<ClientState>& states, const WireDeleteSet& deletes);
// Writes what `transaction` changed, as far as the document has it now. It was cleaned up.
void WriteTransaction(const Document& document, const Transaction& transaction, WriterV1& writer);
void WriteTransaction(const Document& document, const Transaction& transaction, WriterV2& writer);

// Clients descend.
std::vector<ClientState> StateVectorOf(const Document& document);
// All that is deleted, by client in the order in which the clients came.
WireDeleteSet DeleteSetOf(const Document& document);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_STORE_ENCODING_H_
