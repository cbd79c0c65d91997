// Observes roots of a document and tells what it hears as events.mjs does.
#ifndef RIVERMEET_YJS_EVENT_TELLER_H_
#define RIVERMEET_YJS_EVENT_TELLER_H_

#include <string>
#include <vector>

#include "crdt/doc.h"

namespace rivermeet::yjs {

class EventTeller {
 public:
  // Before anything happens to `doc`: keys come in the order of their changes only in transactions that begin once
  // somebody observes.
  void Start(crdt::Doc& doc);
  // Observes `root`, which is named `name`, unless it already does.
  void Observe(const std::string& name, const crdt::SharedType& root);
  // What was heard since the last call, a line a call of an observer.
  std::string Take();

 private:
  std::vector<std::string> names_;
  std::vector<crdt::Subscription> subscriptions_;
  std::vector<std::string> heard_;
};

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_EVENT_TELLER_H_
