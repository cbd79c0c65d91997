// What a document or an update may at most cost: each limit ends in an error, never in a crash.
#ifndef RIVERMEET_CRDT_LIMITS_H_
#define RIVERMEET_CRDT_LIMITS_H_

#include <cstdint>

namespace rivermeet::crdt {

// Every excess is RESOURCE_EXHAUSTED and leaves things as they were. Local edits and undoing are reckoned by what they
// add at most; deleting whole runs adds nothing and is never refused, but makes little room: what was deleted keeps its
// structs, as far as they can't merge. A document that is full goes on under larger limits, in a new Doc.
struct Limits {
  // Of one update, in bytes.
  uint64_t max_update_bytes = uint64_t{1} << 30;
  // Structs of one update, and of a document: runs of text or elements that were made together, each about 80 bytes.
  // The default is 2.7 GB of them; files of 200 MB come to half as many. Edits count those that they cut in two. Of an
  // update only what it brings is known beforehand, structs and deleted ranges: the document may come to three times as
  // many where each cuts two others, and takes nothing more then.
  uint64_t max_structs = uint64_t{1} << 25;
  // What format V2 writes once for many: structs beyond one for each byte of an update, and bytes of keys that come
  // again. It is what a few bytes can cost: with the default an update of 1 kB adds less than 128 MiB to a document.
  // Honest ones come near only with hundreds of thousands of elements that were each put before the last and deleted.
  // A document of more can be sent in V1. It can be loaded from V2 all the same: a DocLoader, which goes in steps, and
  // RestoreSnapshot, whose bytes are the document's own, don't heed this.
  uint64_t max_repeats = uint64_t{1} << 18;
  // Clients of one update, and of a document.
  uint64_t max_clients = uint64_t{1} << 20;
  // Arrays and objects nested in one value; shared types nested in a document. Types that came before what they lie in,
  // and would lie too deep in it, are dropped when it comes. Values never nest deeper than 4096, whatever this says: to
  // destroy one (any.h) takes stack for each level.
  int max_depth = 512;
  // Of a document, in bytes: structs, texts and values, types, subdocuments, names and what waits; not what reading by
  // index and attribution add. It ends to within a megabyte there, or what the cuts of an update add. Whatever this
  // says, texts and values may come to 4 GiB in all.
  uint64_t max_document_bytes = uint64_t{4} << 30;
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_LIMITS_H_
