// The tables B1, B2 and B3 of dmonad/crdt-benchmarks; README.md says what is timed.
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cases.h"
#include "crdt/doc.h"
#include "document_readout.h"
#include "measure.h"
#include "table_inputs.h"

namespace rivermeet::load {
namespace {

using crdt::Any;
using crdt::UpdateFormat;
using Kind = TableOperation::Kind;

enum class Root { kText, kArray, kMap };

Root RootOf(std::string_view line) {
  if (line == "B1.8" || line == "B1.9" || line == "B1.10" || line == "B1.11" || line == "B3.4") return Root::kArray;
  return line == "B3.1" || line == "B3.2" || line == "B3.3" ? Root::kMap : Root::kText;
}

// What a list or map gets.
Any ValueOf(const TableOperation& operation) {
  if (operation.kind == Kind::kSetNumber) return Any(static_cast<double>(operation.numbers[0]));
  if (operation.kind != Kind::kSetUser) return Any(operation.text);
  Any::Object user;
  user.emplace_back("name", Any(operation.text));
  user.emplace_back("address", Any("here"));
  return Any(std::move(user));
}

// A document with the three roots that the tables use, and the V2 updates of its own transactions when it keeps them.
class TableDocument {
 public:
  TableDocument(uint32_t client, bool keeps_updates)
      : document_(MakeDocument(client)),
        text_(*document_.GetText("text")),
        array_(*document_.GetArray("array")),
        map_(*document_.GetMap("map")) {
    if (!keeps_updates) return;
    listening_ = document_.OnUpdate(UpdateFormat::kV2, [this](std::string_view update, std::string_view) {
      if (!applying_) updates_.emplace_back(update);
    });
  }
  TableDocument(const TableDocument&) = delete;
  TableDocument& operator=(const TableDocument&) = delete;

  void Perform(const TableOperation& operation) { RM_CHECK_OK(Do(operation)); }
  void PerformAsOne(const std::vector<TableOperation>& operations) {
    document_.Transact([&] {
      for (const TableOperation& operation : operations) Perform(operation);
    });
  }

  void Apply(std::string_view update) {
    applying_ = true;
    RM_CHECK_OK(document_.Apply(update, UpdateFormat::kV2));
    applying_ = false;
  }
  void ApplyAll(absl::Span<const crdt::EncodedUpdate> updates) { RM_CHECK_OK(document_.ApplyAll(updates)); }

  std::string Encode() const { return document_.EncodeState(UpdateFormat::kV2); }
  std::string State() const { return StateText(document_); }
  std::string Readout(Root root) const {
    if (root == Root::kText) return ReadText(document_, text_);
    return root == Root::kArray ? ReadArray(document_, array_) : ReadMap(document_, map_);
  }
  std::vector<std::string>& updates() { return updates_; }

 private:
  absl::Status Do(const TableOperation& operation) {
    switch (operation.kind) {
      case Kind::kInsertText:
        return text_.Insert(operation.index, operation.text);
      case Kind::kDeleteText:
        return text_.Delete(operation.index, operation.length);
      case Kind::kInsertNumbers: {
        std::vector<crdt::Insertable> values(operation.numbers.size(), Any());
        for (size_t i = 0; i < values.size(); ++i) values[i] = Any(static_cast<double>(operation.numbers[i]));
        return array_.Insert(operation.index, values);
      }
      case Kind::kInsertString: {
        const crdt::Insertable value = ValueOf(operation);
        return array_.Insert(0, absl::MakeConstSpan(&value, 1));
      }
      case Kind::kSetNumber:
      case Kind::kSetString:
      case Kind::kSetUser:
        return map_.Set("v", ValueOf(operation));
    }
    return absl::InternalError("no such operation");
  }

  crdt::Doc document_;
  crdt::Subscription listening_;
  crdt::Text text_;
  crdt::List array_;
  crdt::Map map_;
  std::vector<std::string> updates_;
  bool applying_ = false;
};

// What a task leaves: the document at the end, the size of the updates that were sent, what was timed.
struct Done {
  std::unique_ptr<TableDocument> document;
  size_t bytes = 0;
  Sample sample;
};

size_t SizeOf(const std::vector<std::string>& updates) {
  size_t size = 0;
  for (const std::string& update : updates) size += update.size();
  return size;
}

Done RunOneUser(Root root, const std::vector<TableOperation>& operations) {
  TableDocument first(ClientIdOf(0), true);
  Done done{.document = std::make_unique<TableDocument>(ClientIdOf(1), false)};
  TableDocument& second = *done.document;
  done.sample = Timed(
      [&] {
        for (const TableOperation& operation : operations) first.Perform(operation);
        for (const std::string& update : first.updates()) second.Apply(update);
        done.bytes = SizeOf(first.updates());
      },
      [&] { return second.Readout(root); });
  return done;
}

Done RunTwoUsers(const TwoUsersInput& input) {
  Done done{.document = std::make_unique<TableDocument>(ClientIdOf(0), true)};
  TableDocument& first = *done.document;
  TableDocument second(ClientIdOf(1), true);
  first.Perform({.kind = Kind::kInsertText, .text = input.start});
  second.Apply(first.updates().back());
  first.updates().clear();
  std::string seen[2];
  done.sample = Timed(
      [&] {
        first.PerformAsOne(input.first);
        second.PerformAsOne(input.second);
        for (const std::string& update : first.updates()) second.Apply(update);
        for (const std::string& update : second.updates()) first.Apply(update);
        done.bytes = SizeOf(first.updates()) + SizeOf(second.updates());
      },
      [&] {
        seen[0] = first.Readout(Root::kText);
        seen[1] = second.Readout(Root::kText);
        return seen[0];
      });
  RM_CHECK(seen[0] == seen[1]);
  return done;
}

std::vector<std::string> UpdatesOf(const std::vector<TableOperation>& operations) {
  std::vector<std::string> updates;
  for (size_t i = 0; i < operations.size(); ++i) {
    TableDocument document(ClientIdOf(static_cast<uint32_t>(i)), true);
    document.Perform(operations[i]);
    for (std::string& update : document.updates()) updates.push_back(std::move(update));
  }
  return updates;
}

Done RunManyUsers(Root root, const TableOperation& own, const std::vector<std::string>& updates) {
  Done done{.document = std::make_unique<TableDocument>(ClientIdOf(1), false), .bytes = SizeOf(updates)};
  TableDocument& document = *done.document;
  document.Perform(own);
  std::vector<crdt::EncodedUpdate> encoded;
  encoded.reserve(updates.size());
  for (const std::string& update : updates) encoded.push_back({update, UpdateFormat::kV2});
  done.sample = Timed([&] { document.ApplyAll(encoded); }, [&] { return document.Readout(root); });
  return done;
}

// Gives what prepares and times the task of a line once.
std::function<Done()> TaskOf(std::string_view line) {
  const Root root = RootOf(line);
  if (line.starts_with("B1")) {
    return [root, operations = OneUser(line)] { return RunOneUser(root, operations); };
  }
  if (line.starts_with("B2")) {
    return [input = TwoUsers(line)] { return RunTwoUsers(input); };
  }
  const std::vector<TableOperation> operations = ManyUsers(line);
  return [root, own = operations[1], updates = UpdatesOf(operations)] { return RunManyUsers(root, own, updates); };
}

// Prints a line of the tables: the task, then encoding its document, then loading that into an empty one.
void RunLine(const BenchOptions& options, std::string_view line) {
  const std::function<Done()> task = TaskOf(line);
  Done last;
  const Repeated best = Repeat(options.seconds, [&] {
    last = task();
    return last.sample;
  });
  const std::string encoded = last.document->Encode();
  const Repeated encode = Repeat(options.seconds / 4, [&] {
    const Done done = task();
    std::string bytes;
    return Timed([&] { bytes = done.document->Encode(); }, [] { return std::string(); });
  });
  const Repeated parse = Repeat(options.seconds / 4, [&] {
    TableDocument document(ClientIdOf(kTableUsers), false);
    return Timed([&] { document.Apply(encoded); }, [&] { return document.Readout(RootOf(line)); });
  });
  RM_CHECK(parse.best.check == best.best.check);
  JsonLine("crdtbench")
      .Text("line", line)
      .Times(best)
      .Milliseconds("encode_ms", encode.best.ms)
      .Milliseconds("parse_ms", parse.best.ms)
      .Milliseconds("parse_core_ms", parse.best.core_ms)
      .Number("update_bytes", static_cast<int64_t>(last.bytes))
      .Number("document_bytes", static_cast<int64_t>(encoded.size()))
      .Text("state_vector", last.document->State())
      .Print();
}

}  // namespace

absl::Status RunTables(const BenchOptions& options) {
  bool found = false;
  for (const std::string_view line : kTableLines) {
    if (!options.line.empty() && options.line != line) continue;
    found = true;
    RunLine(options, line);
  }
  return found ? absl::OkStatus() : absl::InvalidArgumentError("the tables have no line " + options.line);
}

}  // namespace rivermeet::load
