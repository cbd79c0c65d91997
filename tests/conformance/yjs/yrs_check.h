// Compares what yrs has of a history, where its stream says that, with libs/crdt.
#ifndef RIVERMEET_YJS_YRS_CHECK_H_
#define RIVERMEET_YJS_YRS_CHECK_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "crdt/doc.h"
#include "yjs/history_stream.h"

namespace rivermeet::yjs {

struct YrsCounts {
  uint64_t histories = 0;  // that yrs was asked about
  uint64_t answers = 0;    // steps after which all that it has was compared
  // Histories in which it shows in a text that yjs tidies formats after each update that it is sent, and yrs doesn't:
  // yrs has what yjs has after all updates in one transaction.
  uint64_t tidied = 0;
  // Histories in which yjs made a struct that names one unit as both its neighbours; yjs and yrs put it on different
  // sides of that.
  uint64_t both_neighbours = 0;
  // By what is different otherwise: in how many histories, and an example. Since libs/crdt has yjs's bytes in each,
  // these tell how yrs differs from yjs.
  struct Difference {
    uint64_t histories = 0;
    std::string example;
  };
  std::map<std::string, Difference> differences;
};

// One history's.
class YrsCheck {
 public:
  // Both are borrowed.
  YrsCheck(const History& history, YrsCounts& counts);

  // To be called after each step of the history with the document in which it was done; after the last one it types
  // roots there.
  void Check(const Step& step, crdt::Doc& doc);

 private:
  void Compare(const YrsAnswer& answer, crdt::Doc& doc);
  // Compares no more of this history.
  void Stop() { next_ = history_.yrs.size(); }
  void Differ(const YrsAnswer& answer, const std::string& what, std::string_view example = "");

  const History& history_;
  YrsCounts& counts_;
  bool tidied_ = false;
  size_t next_ = 0;
};

}  // namespace rivermeet::yjs

#endif  // RIVERMEET_YJS_YRS_CHECK_H_
