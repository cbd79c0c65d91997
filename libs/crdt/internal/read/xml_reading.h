// XML types as text (yjs: toString of YXmlElement, YXmlFragment and YXmlText).
#ifndef RIVERMEET_CRDT_INTERNAL_READ_XML_READING_H_
#define RIVERMEET_CRDT_INTERNAL_READ_XML_READING_H_

#include <string>

#include "crdt/internal/store/document.h"

namespace rivermeet::crdt::internal {

// Appends what JavaScript's String() gives for a shared type: XML for XML, a text's text, "[object Object]" for the
// rest. As in yjs nothing is escaped, names of elements are in lower case, and formats of XML texts are elements named
// as they are. False where yjs throws: null, undefined, or an object with a member `toString` where a node should be.
// Doesn't recurse.
bool AppendXml(const Document& document, TypeIndex type, std::string& to);

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_READ_XML_READING_H_
