#include "yjs/yrs_check.h"

#include <fmt/format.h>

#include <vector>

#include "absl/strings/ascii.h"
#include "base/status.h"
#include "crdt/inspection.h"
#include "yjs/content_text.h"
#include "yjs/edit_replay.h"

namespace rivermeet::yjs {

namespace {

// A message, so that the same reason is counted as one.
std::string WithoutNumbers(std::string_view message) {
  std::string text;
  for (const char c : message) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)))
      text.push_back(c);
    else if (text.empty() || text.back() != '#')
      text.push_back('#');
  }
  return text;
}

std::string ContentOf(crdt::Doc& doc, const Root& root) {
  const auto type = doc.GetRoot(root.name, static_cast<crdt::SharedKind>(root.type));
  return type.ok() ? ContentText(*type) : std::string(type.status().message());
}

// What the history brings up to a step.
std::vector<crdt::EncodedUpdate> UpdatesUpTo(const History& history, uint64_t last) {
  std::vector<crdt::EncodedUpdate> all;
  for (uint64_t at = 0; at <= last; ++at) {
    for (const crdt::EncodedUpdate& update : UpdatesOf(history.steps[at])) all.push_back(update);
  }
  return all;
}

// All of them in one transaction.
crdt::Doc AtOnce(const History& history, const std::vector<crdt::EncodedUpdate>& updates) {
  crdt::Doc doc({.client_id = history.client, .gc = history.gc});
  RM_CHECK_OK(doc.ApplyAll(updates));
  return doc;
}

// Whether one of their structs names one unit as both its neighbours.
bool NameOneAsBoth(const std::vector<crdt::EncodedUpdate>& updates) {
  bool name = false;
  const auto look = [&name](const crdt::UpdateStruct& item) {
    name |= item.origin.has_value() && item.origin == item.right_origin;
  };
  for (const crdt::EncodedUpdate& update : updates)
    RM_CHECK_OK(crdt::ReadUpdate(update.bytes, update.format, look, [](const crdt::DeletedRange&) {}));
  return name;
}

}  // namespace

YrsCheck::YrsCheck(const History& history, YrsCounts& counts) : history_(history), counts_(counts) {
  if (!history.yrs.empty()) ++counts_.histories;
}

void YrsCheck::Check(const Step& step, crdt::Doc& doc) {
  if (next_ == history_.yrs.size()) return;
  const YrsAnswer& answer = history_.yrs[next_];
  if (answer.step != static_cast<uint64_t>(&step - history_.steps.data())) return;
  ++next_;
  Compare(answer, doc);
}

void YrsCheck::Compare(const YrsAnswer& answer, crdt::Doc& doc) {
  if (answer.refused.has_value()) {
    Differ(answer, "yrs gave up: " + WithoutNumbers(*answer.refused));
    return;
  }
  ++counts_.answers;
  if (answer.state_vector != doc.EncodeStateVector()) {
    Differ(answer, "state vector");
    return;
  }
  for (const auto& [root, wanted] : answer.contents) {
    const std::string content = ContentOf(doc, root);
    if (content == wanted) continue;
    const std::vector<crdt::EncodedUpdate> updates = UpdatesUpTo(history_, answer.step);
    crdt::Doc at_once = AtOnce(history_, updates);
    if (ContentOf(at_once, root) != wanted) {
      if (NameOneAsBoth(updates)) {
        ++counts_.both_neighbours;
        return Stop();
      }
      Differ(answer, "content", fmt::format("\n    yrs  {}\n    ours {}", std::string(wanted), content));
      return;
    }
    if (!tidied_) ++counts_.tidied;
    tidied_ = true;
  }
}

void YrsCheck::Differ(const YrsAnswer& answer, const std::string& what, std::string_view example) {
  YrsCounts::Difference& difference = counts_.differences[what];
  if (difference.histories++ == 0) {
    difference.example = fmt::format("seed {} step {}{}", history_.seed, answer.step, std::string(example));
  }
  Stop();
}

}  // namespace rivermeet::yjs
