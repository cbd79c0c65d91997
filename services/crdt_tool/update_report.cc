#include "crdt_tool/update_report.h"

#include <algorithm>

#include "base/json_string.h"
#include "base/status.h"
#include "base/strings.h"
#include "crdt_tool/struct_line.h"

namespace rivermeet::crdt_tool {
namespace {

constexpr size_t kShownClients = 20;
constexpr size_t kListedName = 40;  // characters of a root's name in the line of all

}  // namespace

absl::StatusOr<UpdateReport> UpdateReport::Of(const UpdateFile& file) {
  UpdateReport report;
  const absl::Status read = crdt::ReadUpdate(
      file.bytes, file.format, [&](const crdt::UpdateStruct& one) { report.Add(one); },
      [&](const crdt::DeletedRange& range) { report.Add(range); }, FileLimits());
  RM_RETURN_IF_ERROR(OfFile(read, file));
  return report;
}

UpdateReport::Client& UpdateReport::ClientOf(uint64_t id) {
  if (!clients_.empty() && clients_.back().id == id) return clients_.back();
  const auto [place, made] = places_.try_emplace(id, clients_.size());
  if (made) clients_.push_back({.id = id});
  return clients_[place->second];
}

void UpdateReport::Add(const crdt::UpdateStruct& one) {
  Count& count = by_content_[static_cast<size_t>(one.content)];
  ++count.structs;
  count.units += one.length;
  count.bytes += one.data.size() + one.name.size();
  if (one.content == crdt::Content::kSkip) return;
  ++all_.structs;
  all_.units += one.length;
  if (one.type.has_value()) ++types_[static_cast<size_t>(*one.type)];
  if (one.root.has_value() && !known_roots_.contains(*one.root)) {
    known_roots_.emplace(*one.root);
    roots_.emplace_back(*one.root);
  }
  Client& client = ClientOf(one.id.client);
  if (client.structs == 0 || one.id.clock < client.from) client.from = one.id.clock;
  client.to = std::max(client.to, one.id.clock + one.length);
  ++client.structs;
}

void UpdateReport::Add(const crdt::DeletedRange& range) {
  ++deleted_ranges_;
  deleted_units_ += range.length;
  Client& client = ClientOf(range.client);
  if (client.deleted == 0) ++deleting_clients_;
  client.deleted += range.length;
}

std::string UpdateReport::ClientsText() const {
  std::vector<Client> shown = clients_;
  const auto more = [](const Client& a, const Client& b) { return a.structs > b.structs; };
  std::stable_sort(shown.begin(), shown.end(), more);
  std::string text =
      fmt::format("\n{:<16} {:>12} {:>12} {:>12} {:>12}\n", "client", "from", "to", "structs", "deleted");
  for (size_t i = 0; i < std::min(shown.size(), kShownClients); ++i) {
    const Client& client = shown[i];
    text += fmt::format("{:<16} {:>12} {:>12} {:>12} {:>12}\n", client.id, client.from, client.to, client.structs,
                        client.deleted);
  }
  if (shown.size() > kShownClients) text += fmt::format("and {} more: --json has all\n", shown.size() - kShownClients);
  return text;
}

std::string UpdateReport::ToText(const UpdateFile& file) const {
  std::string roots;
  for (size_t i = 0; i < std::min(roots_.size(), kShownRoots); ++i) {
    roots += (i == 0 ? "" : ", ") + Quoted(roots_[i], kListedName);
  }
  if (roots_.size() > kShownRoots) roots += fmt::format(" and {} more", roots_.size() - kShownRoots);
  std::string text = fmt::format("{}: {}, {} bytes\n", file.name, NameOf(file.format), file.bytes.size());
  text += fmt::format("structs   {}, with {} units, clients {}\n", all_.structs, all_.units, clients_.size());
  text +=
      fmt::format("deletes   {} units, in ranges {}, clients {}\n", deleted_units_, deleted_ranges_, deleting_clients_);
  text += fmt::format("roots     {}\n", roots.empty() ? "none named" : roots);
  text += fmt::format("types     {}\n", TypesText(types_));

  text += fmt::format("\n{:<16} {:>12} {:>12} {:>12}\n", "content", "structs", "units", "bytes");
  for (size_t i = 0; i < by_content_.size(); ++i) {
    const Count& count = by_content_[i];
    if (count.structs == 0) continue;
    text += fmt::format("{:<16} {:>12} {:>12} {:>12}\n", NameOf(static_cast<crdt::Content>(i)), count.structs,
                        count.units, count.bytes);
  }
  return clients_.empty() ? text : text + ClientsText();
}

std::string UpdateReport::ToJson(const UpdateFile& file) const {
  std::string json =
      fmt::format(R"("name":{},"format":"{}","bytes":{},"structs":{},"units":{},"content":{{)", JsonString(file.name),
                  NameOf(file.format), file.bytes.size(), all_.structs, all_.units);
  bool first = true;
  for (size_t i = 0; i < by_content_.size(); ++i) {
    const Count& count = by_content_[i];
    if (count.structs == 0) continue;
    json += fmt::format(R"({}"{}":{{"structs":{},"units":{},"bytes":{}}})", first ? "" : ",",
                        NameOf(static_cast<crdt::Content>(i)), count.structs, count.units, count.bytes);
    first = false;
  }
  json += "},\"types\":" + TypesJson(types_) + ",\"roots\":[";
  for (size_t i = 0; i < roots_.size(); ++i) json += (i == 0 ? "" : ",") + JsonString(roots_[i]);
  json += fmt::format(R"(],"deletes":{{"units":{},"ranges":{},"clients":{}}},"clients":[)", deleted_units_,
                      deleted_ranges_, deleting_clients_);
  for (size_t i = 0; i < clients_.size(); ++i) {
    const Client& client = clients_[i];
    json += fmt::format(R"({}{{"client":{},"from":{},"to":{},"structs":{},"deleted":{}}})", i == 0 ? "" : ",",
                        client.id, client.from, client.to, client.structs, client.deleted);
  }
  return json + "]";
}

std::string TypesText(const std::array<uint64_t, crdt::kSharedKinds>& types) {
  std::string text;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", types[i], NameOf(static_cast<crdt::SharedKind>(i)));
  }
  return text.empty() ? "none" : text;
}

std::string TypesJson(const std::array<uint64_t, crdt::kSharedKinds>& types) {
  std::string json;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == 0) continue;
    json += fmt::format(R"({}"{}":{})", json.empty() ? "" : ",", NameOf(static_cast<crdt::SharedKind>(i)), types[i]);
  }
  return "{" + json + "}";
}

}  // namespace rivermeet::crdt_tool
