#include "yjs/history_check.h"

#include <fmt/format.h>

#include "absl/strings/escaping.h"
#include "crdt/doc.h"
#include "crdt/update.h"
#include "yjs/edit_replay.h"

namespace rivermeet::yjs {

namespace {

using crdt::Format;

std::string Hex(std::string_view bytes) {
  const std::string hex = absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
  return hex.size() <= ((getenv("FULL") && *getenv("FULL")) ? 1000000 : 1200)
             ? hex
             : hex.substr(0, 1'200) + fmt::format("... ({} bytes)", bytes.size());
}

std::string Told(const Digest& digest) {
  return digest.whole() ? Hex(digest.bytes) : fmt::format("{} bytes of hash {:x}", digest.size, digest.hash);
}

Format FormatOf(const Message& message) { return message.format == 1 ? Format::kV1 : Format::kV2; }

// One history on its way through an engine.
class Replay {
 public:
  Replay(const History& history, CheckCounts& counts)
      : history_(history), counts_(counts), doc_({.client_id = history.client, .gc = history.gc}) {
    if (!history.has_listener) return;
    doc_.OnUpdate(Format::kV1, [this](std::string_view update) { emitted_v1_.emplace_back(update); });
    doc_.OnUpdate(Format::kV2, [this](std::string_view update) { emitted_v2_.emplace_back(update); });
  }

  std::string Run() {
    for (const Step& step : history_.steps) {
      ++counts_.steps;
      const absl::Status done = Do(step);
      if (!done.ok()) return fmt::format("step {}: refused: {}", Number(step), std::string(done.message()));
      if (step.results.behind) break;
      if (step.results.pending) ++counts_.pending;
      Compare(step.results);
      if (!difference_.empty())
        return fmt::format("step {} (kind {}): {}", Number(step), static_cast<int>(step.kind), difference_);
    }
    return {};
  }

 private:
  size_t Number(const Step& step) const { return &step - history_.steps.data(); }

  absl::Status Do(const Step& step) {
    emitted_v1_.clear();
    emitted_v2_.clear();
    switch (step.kind) {
      case StepKind::kApplyV1:
      case StepKind::kApplyV2:
        return doc_.Apply(step.messages[0].bytes, step.kind == StepKind::kApplyV1 ? Format::kV1 : Format::kV2);
      case StepKind::kApplyMany: {
        std::vector<crdt::EncodedUpdate> updates;
        for (const Message& message : step.messages) updates.push_back({message.bytes, FormatOf(message)});
        return doc_.ApplyAll(updates);
      }
      case StepKind::kTypeRoot:
        return doc_.GetRoot(step.root.name, static_cast<crdt::SharedKind>(step.root.type)).status();
      case StepKind::kTransact:
        return Transact(step);
      default:
        return absl::UnimplementedError("undo");
    }
  }

  absl::Status Transact(const Step& step) {
    absl::Status done;
    doc_.Transact([&] {
      for (const Edit& edit : step.edits) {
        done = DoEdit(doc_, edit);
        // An edit that throws is the last of its step, and yjs's message is told.
        if (!done.ok()) break;
      }
    });
    if (step.results.thrown.has_value()) return absl::OkStatus();
    return done;
  }

  void Expect(std::string_view what, const Digest& wanted, std::string_view got) {
    ++counts_.results;
    if (difference_.empty() && !wanted.Matches(got)) {
      difference_ = fmt::format("{}:\n  yjs  {}\n  ours {}", what, Told(wanted), Hex(got));
    }
  }
  void Expect(std::string_view what, std::string_view wanted, std::string_view got) {
    Expect(what, Digest{wanted.size(), wanted, 0}, got);
  }

  void Compare(const Results& results) {
    if (results.state_vector) Expect("state vector", *results.state_vector, doc_.EncodeStateVector());
    if (results.state_v1) Expect("state V1", *results.state_v1, doc_.EncodeState(Format::kV1));
    if (results.state_v2) Expect("state V2", *results.state_v2, doc_.EncodeState(Format::kV2));
    if (results.snapshot_v1) Expect("snapshot V1", *results.snapshot_v1, doc_.EncodeSnapshot(Format::kV1));
    if (results.snapshot_v2) Expect("snapshot V2", *results.snapshot_v2, doc_.EncodeSnapshot(Format::kV2));
    for (size_t i = 0; i < results.emitted.size() && difference_.empty(); ++i) {
      if (i >= emitted_v1_.size()) {
        difference_ = fmt::format("{} updates instead of {}", emitted_v1_.size(), results.emitted.size());
        return;
      }
      Expect(fmt::format("emitted update {} V1", i), results.emitted[i].first, emitted_v1_[i]);
      Expect(fmt::format("emitted update {} V2", i), results.emitted[i].second, emitted_v2_[i]);
    }
    for (const auto& [root, wanted] : results.json) {
      const auto type = doc_.GetRoot(root.name, static_cast<crdt::SharedKind>(root.type));
      // Where yjs throws there is nothing to tell.
      Expect(fmt::format("JSON of {}", root.name), wanted, type->ToJson(crdt::BigInts::kAsText).value_or(""));
    }
    if (results.diff) {
      Expect("diff V1", results.diff->v1, *doc_.EncodeStateSince(Format::kV1, results.diff->state_vector));
      Expect("diff V2", results.diff->v2, *doc_.EncodeStateSince(Format::kV2, results.diff->state_vector));
    }
  }

  const History& history_;
  CheckCounts& counts_;
  crdt::Doc doc_;
  std::vector<std::string> emitted_v1_;
  std::vector<std::string> emitted_v2_;
  std::string difference_;
};

absl::StatusOr<std::string> Call(const FunctionCall& call) {
  switch (call.function) {
    case Function::kMergeV1:
      return crdt::MergeUpdates(call.inputs, Format::kV1);
    case Function::kMergeV2:
      return crdt::MergeUpdates(call.inputs, Format::kV2);
    case Function::kDiffV1:
      return crdt::DiffUpdate(call.inputs[0], call.inputs[1], Format::kV1);
    case Function::kDiffV2:
      return crdt::DiffUpdate(call.inputs[0], call.inputs[1], Format::kV2);
    case Function::kConvertV1ToV2:
      return crdt::ConvertUpdate(call.inputs[0], Format::kV1, Format::kV2);
    case Function::kConvertV2ToV1:
      return crdt::ConvertUpdate(call.inputs[0], Format::kV2, Format::kV1);
    case Function::kVectorFromV1:
      return crdt::EncodeStateVectorFromUpdate(call.inputs[0], Format::kV1);
    case Function::kVectorFromV2:
      return crdt::EncodeStateVectorFromUpdate(call.inputs[0], Format::kV2);
  }
  return absl::InternalError("no such function");
}

std::string CheckCalls(const History& history, CheckCounts& counts) {
  for (size_t i = 0; i < history.calls.size(); ++i) {
    const FunctionCall& call = history.calls[i];
    ++counts.results;
    const absl::StatusOr<std::string> output = Call(call);
    if (call.threw != !output.ok() || (output.ok() && *output != call.output)) {
      std::string inputs;
      for (const std::string_view input : call.inputs) inputs += "\n  in   " + Hex(input);
      return fmt::format("call {} of function {}:{}\n  yjs  {}\n  ours {}", i, static_cast<int>(call.function), inputs,
                         call.threw ? std::string(call.output) : Hex(call.output),
                         output.ok() ? Hex(*output) : std::string(output.status().message()));
    }
  }
  return {};
}

}  // namespace

std::string CheckHistory(const History& history, CheckCounts& counts) {
  ++counts.histories;
  counts.behind += history.behind ? 1 : 0;
  counts.threw += history.threw ? 1 : 0;
  std::string difference =
      history.kind == History::Kind::kFunctions ? CheckCalls(history, counts) : Replay(history, counts).Run();
  if (!difference.empty()) ++counts.differences;
  return difference;
}

}  // namespace rivermeet::yjs
