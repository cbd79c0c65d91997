#include "yjs/versions_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "crdt/doc.h"
#include "crdt/internal/session.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/relative_position.h"
#include "crdt/versions.h"

namespace rivermeet::yjs {

namespace {

using crdt::Any;
using crdt::Change;
using crdt::Doc;
using crdt::RelativePosition;
using crdt::SharedType;
using crdt::Snapshot;
using crdt::UpdateFormat;
using crdt::Value;
using crdt::internal::HandleAccess;

std::string Hex(std::string_view bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}
// As lib0 writes it: lone surrogates don't travel.
std::string HexOf(const Any& any) {
  std::string bytes;
  crdt::internal::AppendSendable(any.Encode(), bytes);
  return Hex(bytes);
}
std::string Unhex(const Any* hex) { return absl::HexStringToBytes(*hex->text()); }

std::string Json(const Any& any) { return any.ToJson().value_or("?"); }
uint64_t Number(const Any& step, std::string_view key) { return static_cast<uint64_t>(*step.Find(key)->number()); }
bool Flag(const Any& step, std::string_view key) {
  const Any* flag = step.Find(key);
  return flag != nullptr && flag->boolean() != nullptr && *flag->boolean();
}

Any IdOf(const SharedType& type) {
  const auto& document = HandleAccess::SessionOf(type).document;
  const auto& item = document.items[document.types[HandleAccess::TypeOf(type)].item];
  return Any::Object{{"client", Any(static_cast<double>(document.structs[item.id.client].id))},
                     {"clock", Any(static_cast<double>(item.id.clock))}};
}

Any Describe(const Value& value) {
  if (const auto* type = std::get_if<SharedType>(&value)) return Any::Object{{"type", IdOf(*type)}};
  if (const auto* doc = std::get_if<crdt::Subdocument>(&value)) return Any::Object{{"guid", Any(doc->guid)}};
  const Any& any = std::get<Any>(value);
  if (any.text() != nullptr) return Any::Object{{"text", any}};
  return Any::Object{{"any", Any(HexOf(any))}};
}

// In JavaScript none and undefined are one.
bool IsDefined(const std::optional<Value>& value) {
  return value.has_value() && !(std::holds_alternative<Any>(*value) && std::get<Any>(*value).is_undefined());
}

class Replay {
 public:
  Replay(const Any& document, std::map<std::string, uint64_t>& counts)
      : document_(document),
        counts_(counts),
        doc_({.client_id = Number(document, "client"), .gc = Flag(document, "gc")}) {
    for (const Any& root : *document.Find("roots")->array()) {
      const auto made = doc_.GetRoot(*(*root.array())[0].text(),
                                     static_cast<crdt::SharedKind>(static_cast<int>(*(*root.array())[1].number())));
      ExpectOk(made.status());
      if (!made.ok()) return;
      roots_.push_back(*made);
    }
  }

  std::string Run() {
    const Any::Array& steps = *document_.Find("steps")->array();
    for (size_t i = 0; i < steps.size() && difference_.empty(); ++i) {
      const std::string& what = *steps[i].Find("do")->text();
      ++counts_[what];
      Do(what, steps[i]);
      if (!difference_.empty()) return fmt::format("step {} ({}): {}", i, what, difference_);
    }
    return difference_;
  }

 private:
  static constexpr size_t kShown = 3'000;  // of a value
  void Expect(std::string_view what, const std::string& ours, const std::string& theirs) {
    if (ours != theirs && difference_.empty()) {
      difference_ = fmt::format("{}:\n  ours  {}\n  yjs's {}", what, ours.substr(0, kShown), theirs.substr(0, kShown));
    }
  }
  void ExpectOk(const absl::Status& status) {
    if (!status.ok() && difference_.empty()) difference_ = "refused: " + std::string(status.message());
  }

  void Do(std::string_view what, const Any& step) {
    if (what == "apply") {
      ExpectOk(
          doc_.Apply(Unhex(step.Find("update")), Number(step, "format") == 1 ? UpdateFormat::kV1 : UpdateFormat::kV2));
    } else if (what == "snapshot") {
      TakeSnapshot(step);
    } else if (what == "position") {
      MakePosition(step);
    } else if (what == "resolve") {
      Resolve(step);
    } else if (what == "restore") {
      Restore(step);
    } else if (what == "delta") {
      Delta(step);
    } else if (what == "values") {
      Values(step);
    } else if (what == "contains") {
      Contains(step);
    } else {
      Expect("state", Hex(doc_.EncodeState(UpdateFormat::kV1)), *step.Find("state")->text());
    }
  }

  // The type that a step is about; also one that is deleted.
  std::optional<SharedType> Target(const Any& step) {
    if (const Any* root = step.Find("root"); root != nullptr) return doc_.FindRoot(*root->text());
    RelativePosition position;
    position.type = {Number(*step.Find("id"), "client"), Number(*step.Find("id"), "clock")};
    const auto place = position.Resolve(doc_, false);
    if (!place.has_value()) return std::nullopt;
    return place->type;
  }

  void TakeSnapshot(const Any& step) {
    Snapshot snapshot = doc_.TakeSnapshot();
    Expect("V1", Hex(snapshot.Encode(UpdateFormat::kV1)), *step.Find("v1")->text());
    Expect("V2", Hex(snapshot.Encode(UpdateFormat::kV2)), *step.Find("v2")->text());
    for (const auto& [format, key] : {std::pair{UpdateFormat::kV1, "v1"}, std::pair{UpdateFormat::kV2, "v2"}}) {
      const auto decoded = Snapshot::Decode(Unhex(step.Find(key)), format);
      ExpectOk(decoded.status());
      if (!decoded.ok()) return;
      if (!(*decoded == snapshot)) difference_ = "what was decoded is another snapshot";
      if (Flag(step, "decoded")) snapshot = *decoded;
    }
    snapshots_.push_back(snapshot);
  }

  void MakePosition(const Any& step) {
    const auto target = Target(step);
    if (!target.has_value()) return Expect("target", "none", "one");
    const auto position =
        RelativePosition::At(*target, Number(step, "index"), static_cast<int64_t>(*step.Find("assoc")->number()));
    ExpectOk(position.status());
    if (!position.ok()) return;
    Expect("bytes", Hex(position->Encode()), *step.Find("bytes")->text());
    const bool nameless = position->root == "";  // which yjs's JSON lacks
    if (!nameless) Expect("json", position->ToJson(), *step.Find("json")->text());
    const auto again = RelativePosition::FromJson(position->ToJson());
    ExpectOk(again.status());
    if (again.ok() && !(*again == *position)) difference_ = "JSON gives another position";
    positions_.push_back(*position);
  }

  void Resolve(const Any& step) {
    RelativePosition position = positions_[Number(step, "number")];
    if (Flag(step, "travelled")) {
      const auto decoded = RelativePosition::Decode(position.Encode());
      ExpectOk(decoded.status());
      if (!decoded.ok()) return;
      position = *decoded;
    }
    const auto place = position.Resolve(doc_, Flag(step, "follow"));
    Any told = Any::Null();
    if (place.has_value()) {
      Any::Object object;
      const auto& document = HandleAccess::SessionOf(place->type).document;
      const auto& type = document.types[HandleAccess::TypeOf(place->type)];
      if (type.item == crdt::internal::kNoItem) {
        object.emplace_back("root", Any(document.keys[type.name]));
      } else {
        object.emplace_back("id", IdOf(place->type));
      }
      object.emplace_back("index", Any(static_cast<double>(place->index)));
      object.emplace_back("assoc", Any(static_cast<double>(place->assoc)));
      told = Any(std::move(object));
    }
    Expect("place", Json(told), Json(*step.Find("place")));
  }

  void Restore(const Any& step) {
    const auto restored =
        doc_.RestoreSnapshot(snapshots_[Number(step, "number")], {.client_id = 0x7070707, .gc = Flag(step, "gc")});
    ExpectOk(restored.status());
    if (!restored.ok()) return;
    Expect("V1", Hex(restored->EncodeState(UpdateFormat::kV1)), *step.Find("v1")->text());
    Expect("V2", Hex(restored->EncodeState(UpdateFormat::kV2)), *step.Find("v2")->text());
    Expect("snapshot", Hex(restored->EncodeSnapshot(UpdateFormat::kV1)), *step.Find("snapshot")->text());
  }

  const Snapshot* SnapshotAt(const Any& step, std::string_view key) const {
    const double number = *step.Find(key)->number();
    return number < 0 ? nullptr : &snapshots_[static_cast<size_t>(number)];
  }

  void Delta(const Any& step) {
    const auto target = Target(step);
    if (!target.has_value()) return Expect("target", "none", "one");
    const Snapshot* snapshot = SnapshotAt(step, "snapshot");
    const Snapshot* previous = SnapshotAt(step, "previous");
    crdt::YChange compute;
    if (Flag(step, "users")) {
      compute = [](Change change, uint64_t client, uint64_t clock) {
        return Any(Any::Object{{"user", Any(static_cast<double>(client))},
                               {"type", Any(change == Change::kAdded ? "added" : "removed")},
                               {"clock", Any(static_cast<double>(clock))}});
      };
    }
    std::vector<crdt::DeltaInsertion> delta;
    doc_.Transact([&] {
      delta = crdt::YjsDelta(*target, snapshot, previous, compute);
      if (snapshot != nullptr) CheckRuns(*target, delta, *snapshot, previous);
    });
    Any::Array told;
    for (const crdt::DeltaInsertion& insertion : delta) {
      Any::Array attributes;
      for (const auto& [key, value] : insertion.attributes) {
        attributes.push_back(Any::Array{Any(key), Any(HexOf(value))});
      }
      told.push_back(Any::Array{Describe(insertion.insert), Any(std::move(attributes))});
    }
    Expect("delta", Json(Any(std::move(told))), Json(*step.Find("delta")));
  }

  // The runs of this library's own form say of each character what yjs's delta says.
  void CheckRuns(const SharedType& target, const std::vector<crdt::DeltaInsertion>& delta, const Snapshot& snapshot,
                 const Snapshot* previous) {
    std::string theirs, ours;
    const auto add = [](std::string& to, std::string_view text, std::string_view mark, std::string_view rest) {
      for (const char c : text) to += fmt::format("{:02x}{}{} ", static_cast<uint8_t>(c), mark, rest);
    };
    for (const crdt::DeltaInsertion& insertion : delta) {
      std::string mark, rest;
      for (const auto& [key, value] : insertion.attributes) {
        if (key == "ychange") {
          const Any* type = value.Find("type");
          mark = type != nullptr && type->text() != nullptr ? *type->text() : "";
        } else {
          rest += key + Hex(value.Encode());
        }
      }
      if (insertion.is_text) add(theirs, *std::get<Any>(insertion.insert).text(), mark, rest);
    }
    const auto runs =
        previous == nullptr ? crdt::TextAt(target, snapshot) : crdt::DiffText(target, *previous, &snapshot);
    for (const crdt::TextRun& run : runs) {
      std::string rest;
      for (const auto& [key, value] : run.attributes) rest += key + Hex(value.Encode());
      std::string_view mark = run.change == Change::kAdded ? "added" : run.change == Change::kRemoved ? "removed" : "";
      // Without a version before yjs marks nothing.
      if (run.is_text) add(ours, *std::get<Any>(run.content).text(), mark, rest);
    }
    // Halves of characters that join into one within a run make other bytes when the run is another.
    const auto halves = [](const std::string& text) { return text.find("ed") != std::string::npos; };
    if (!halves(ours) && !halves(theirs)) Expect("runs", ours, theirs);
  }

  void Values(const Any& step) {
    const auto target = Target(step);
    if (!target.has_value()) return Expect("target", "none", "one");
    const Snapshot& snapshot = snapshots_[Number(step, "number")];
    doc_.Transact([&] {
      (void)crdt::YjsDelta(roots_[0], &snapshot);  // cuts
      Any::Array list;
      for (const Value& value : crdt::ValuesAt(*target, snapshot)) list.push_back(Describe(value));
      Expect("list", Json(Any(std::move(list))), Json(*step.Find("list")));
      for (const Any& key : *step.Find("keys")->array()) {
        const auto value = crdt::EntryAt(*target, *(*key.array())[0].text(), snapshot);
        Expect("value of a key", Json(IsDefined(value) ? Describe(*value) : Any(Any::Null())), Json((*key.array())[1]));
      }
      // It is the prototype of what yjs gives all values in, which may swallow others.
      if (crdt::EntryAt(*target, "__proto__", snapshot).has_value()) return;
      std::vector<std::string> ours, theirs;
      for (const auto& [key, value] : crdt::EntriesAt(*target, snapshot)) {
        if (IsDefined(value)) ours.push_back(Json(Any::Array{Any(key), Describe(value)}));
      }
      for (const Any& entry : *step.Find("all")->array()) theirs.push_back(Json(entry));
      std::sort(ours.begin(), ours.end());
      std::sort(theirs.begin(), theirs.end());
      Expect("entries", fmt::format("{}", fmt::join(ours, ",")), fmt::format("{}", fmt::join(theirs, ",")));
    });
  }

  void Contains(const Any& step) {
    const Snapshot& snapshot = snapshots_[Number(step, "number")];
    const auto contained = snapshot.ContainsUpdate(Unhex(step.Find("update")), UpdateFormat::kV1);
    ExpectOk(contained.status());
    if (!contained.ok()) return;
    Expect("contains", *contained ? "true" : "false", Flag(step, "contained") ? "true" : "false");
    Expect("equal", snapshot == snapshots_[Number(step, "other")] ? "true" : "false",
           Flag(step, "equal") ? "true" : "false");
  }

  const Any& document_;
  std::map<std::string, uint64_t>& counts_;
  Doc doc_;
  std::vector<SharedType> roots_;
  std::vector<Snapshot> snapshots_;
  std::vector<RelativePosition> positions_;
  std::string difference_;
};

}  // namespace

std::string CheckVersions(const Any& document, std::map<std::string, uint64_t>& counts) {
  return Replay(document, counts).Run();
}

}  // namespace rivermeet::yjs
