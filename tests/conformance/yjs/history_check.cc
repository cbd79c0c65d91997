#include "yjs/history_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "base/status.h"
#include "crdt/doc.h"
#include "crdt/testing/in_order.h"
#include "crdt/testing/load_check.h"
#include "crdt/undo_manager.h"
#include "crdt/update.h"
#include "testing/manual_clock.h"
#include "yjs/content_text.h"
#include "yjs/edit_replay.h"
#include "yjs/event_teller.h"

namespace rivermeet::yjs {

namespace {

using crdt::UpdateFormat;

std::string Hex(std::string_view bytes) {
  const std::string hex = absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
  return hex.size() <= 1'200 ? hex : hex.substr(0, 1'200) + fmt::format("... ({} bytes)", bytes.size());
}

std::string Told(const Digest& digest) {
  return digest.whole() ? Hex(digest.bytes) : fmt::format("{} bytes of hash {:x}", digest.size, digest.hash);
}

// One history on its way through an engine.
class Replay {
 public:
  Replay(const History& history, CheckCounts& counts)
      : history_(history),
        counts_(counts),
        yrs_(history, counts.yrs),
        doc_({.client_id = history.client, .gc = history.gc}) {
    if (history.observes) events_.Start(doc_);
    if (!history.has_listener) return;
    to_v1_ = doc_.OnUpdate(UpdateFormat::kV1,
                           [this](std::string_view update, std::string_view) { emitted_v1_.emplace_back(update); });
    to_v2_ = doc_.OnUpdate(UpdateFormat::kV2,
                           [this](std::string_view update, std::string_view) { emitted_v2_.emplace_back(update); });
  }

  std::string Run() {
    bool stepwise = true;
    for (const Step& step : history_.steps) {
      ++counts_.steps;
      stepwise &= !step.results.told || step.results.state_v1.has_value();
      const bool goes_on = DoAndCompare(step);
      if (!fault_.empty() || !difference_.empty()) {
        return fmt::format("step {} (kind {}): {}", Number(step), static_cast<int>(step.kind),
                           fault_.empty() ? difference_ : fault_);
      }
      if (!goes_on) break;
    }
    if (stepwise && !behind_ && !lost_) ++counts_.stepwise;
    if (history_.causal_result.has_value()) CompareCausal(*history_.causal_result);
    for (const UpdateFormat format : {UpdateFormat::kV1, UpdateFormat::kV2})
      CheckLoads(doc_.EncodeState(format), format);
    return fault_.empty() ? difference_ : fault_;
  }

 private:
  // False when the history ends here, since yjs's results are no measure any more.
  bool DoAndCompare(const Step& step) {
    behind_ |= step.results.behind;
    misplaced_ |= step.results.misplaced;
    const absl::Status done = Do(step);
    if (!done.ok()) {
      difference_ = "refused: " + std::string(done.message());
    } else if (step.results.thrown && (step.kind == StepKind::kUndo || step.kind == StepKind::kRedo)) {
      // yjs's document may be broken now; ours isn't.
      CheckValid();
      return false;
    } else {
      if (step.results.pending) ++counts_.pending;
      if (!behind_) Compare(step.results);
      if (difference_.empty()) yrs_.Check(step, doc_);
    }
    if (difference_.empty() || !misplaced_) return true;
    difference_.clear();
    lost_ = true;
    ++counts_.misplaced;
    return false;
  }

  size_t Number(const Step& step) const { return &step - history_.steps.data(); }

  absl::Status Do(const Step& step) {
    emitted_v1_.clear();
    emitted_v2_.clear();
    for (const crdt::EncodedUpdate& update : UpdatesOf(step)) CheckLoads(update.bytes, update.format);
    switch (step.kind) {
      case StepKind::kApplyV1:
      case StepKind::kApplyV2:
        return doc_.Apply(step.messages[0].bytes,
                          step.kind == StepKind::kApplyV1 ? UpdateFormat::kV1 : UpdateFormat::kV2);
      case StepKind::kApplyMany:
        return doc_.ApplyAll(UpdatesOf(step), "outer");
      case StepKind::kTypeRoot:
        return UseRoot(step.root);
      case StepKind::kTransact:
        return Transact(step);
      case StepKind::kStartUndo:
        return StartUndo(step.undo);
      case StepKind::kUndo:
        return Pop(step.results, undo_->Undo());
      case StepKind::kRedo:
        return Pop(step.results, undo_->Redo());
      case StepKind::kStopCapturing:
        undo_->StopCapturing();
        return absl::OkStatus();
      case StepKind::kClearUndo:
        undo_->Clear();
        return absl::OkStatus();
      case StepKind::kAdvance:
        clock_.Advance(absl::Milliseconds(step.milliseconds));
        return absl::OkStatus();
    }
    return absl::InternalError("no such step");
  }

  // Into a document of its own, where most of a message has to wait.
  void CheckLoads(std::string_view update, UpdateFormat format) {
    ++counts_.results;
    const std::string difference = crdt::internal::LoadDifference(
        update, format, {.client_id = history_.client, .gc = history_.gc}, /*work=*/1 + update.size() % 50);
    if (fault_.empty() && !difference.empty()) fault_ = "loading in steps: " + difference;
  }

  absl::Status StartUndo(const UndoOptions& undo) {
    std::vector<crdt::SharedType> scope;
    for (const Root& root : undo.scope) {
      const auto type = doc_.GetRoot(root.name, static_cast<crdt::SharedKind>(root.type));
      if (!type.ok()) return type.status();
      scope.push_back(*type);
    }
    crdt::UndoOptions options;
    options.capture_timeout = absl::Milliseconds(undo.capture_timeout_ms);
    options.tracked_origins.assign(undo.origins.begin(), undo.origins.end());
    options.clock = &clock_;
    undo_.emplace(doc_, scope, options);
    return absl::OkStatus();
  }

  absl::Status Pop(const Results& results, const absl::StatusOr<bool>& popped) {
    if (!popped.ok()) return popped.status();
    ++counts_.results;
    if (!results.thrown && *popped != results.popped) {
      difference_ = fmt::format("did something: yjs {}, ours {}", results.popped, *popped);
    }
    return absl::OkStatus();
  }

  void CheckValid() {
    crdt::Doc copy({.gc = history_.gc});
    const absl::Status applied = copy.Apply(doc_.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2);
    if (!applied.ok()) fault_ = std::string(applied.message());
    Expect("state vector of a copy", doc_.EncodeStateVector(), copy.EncodeStateVector());
    Expect("snapshot of a copy", doc_.EncodeSnapshot(UpdateFormat::kV1), copy.EncodeSnapshot(UpdateFormat::kV1));
  }

  absl::Status UseRoot(const Root& root) {
    RM_ASSIGN_OR_RETURN(const crdt::SharedType type, doc_.GetRoot(root.name, static_cast<crdt::SharedKind>(root.type)));
    if (history_.observes) events_.Observe(std::string(root.name), type);
    return absl::OkStatus();
  }

  absl::Status Transact(const Step& step) {
    absl::Status done;
    doc_.Transact(
        [&] {
          for (const Edit& edit : step.edits) {
            if (edit.path.empty()) done = UseRoot(edit.root);
            if (done.ok()) done = DoEdit(doc_, edit);
            // An edit that throws is the last of its step, and yjs's message is told.
            if (!done.ok()) break;
          }
        },
        step.origin);
    if (step.results.thrown.has_value()) return absl::OkStatus();
    return done;
  }

  // The first is kept.
  void Differ(std::string difference) {
    if (difference_.empty()) difference_ = std::move(difference);
  }

  void Expect(std::string_view what, const Digest& wanted, std::string_view got) {
    ++counts_.results;
    if (!wanted.Matches(got)) Differ(fmt::format("{}:\n  yjs  {}\n  ours {}", what, Told(wanted), Hex(got)));
  }
  void Expect(std::string_view what, std::string_view wanted, std::string_view got) {
    Expect(what, Digest{wanted.size(), wanted, 0}, got);
  }

  void Compare(const Results& results) {
    if (results.state_vector) Expect("state vector", *results.state_vector, doc_.EncodeStateVector());
    if (results.state_v1) Expect("state V1", *results.state_v1, doc_.EncodeState(UpdateFormat::kV1));
    if (results.state_v2) Expect("state V2", *results.state_v2, doc_.EncodeState(UpdateFormat::kV2));
    if (results.snapshot_v1) Expect("snapshot V1", *results.snapshot_v1, doc_.EncodeSnapshot(UpdateFormat::kV1));
    if (results.snapshot_v2) Expect("snapshot V2", *results.snapshot_v2, doc_.EncodeSnapshot(UpdateFormat::kV2));
    if (history_.has_listener) CompareEmitted(results.emitted);
    for (const auto& [root, wanted] : results.json) CompareJson(root, wanted);
    if (history_.observes) Expect("events", results.events.value_or(Digest()), events_.Take());
    if (results.diff) {
      ExpectDiff("diff V1", results.diff->v1, results.diff->state_vector, UpdateFormat::kV1);
      ExpectDiff("diff V2", results.diff->v2, results.diff->state_vector, UpdateFormat::kV2);
    }
  }

  void ExpectDiff(std::string_view what, const Digest& wanted, std::string_view state_vector, UpdateFormat format) {
    const absl::StatusOr<std::string> diff = doc_.EncodeStateSince(format, state_vector);
    if (diff.ok()) return Expect(what, wanted, *diff);
    Differ(fmt::format("{}: refused: {}", what, std::string(diff.status().message())));
  }

  void CompareEmitted(const std::vector<std::pair<Digest, Digest>>& wanted) {
    if (emitted_v1_.size() != wanted.size() || emitted_v2_.size() != wanted.size()) {
      return Differ(fmt::format("emitted updates: yjs {}, ours {} V1 and {} V2", wanted.size(), emitted_v1_.size(),
                                emitted_v2_.size()));
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      Expect(fmt::format("emitted update {} V1", i), wanted[i].first, emitted_v1_[i]);
      Expect(fmt::format("emitted update {} V2", i), wanted[i].second, emitted_v2_[i]);
    }
  }

  // Where yjs fell behind ours must have come to what causal delivery gives.
  void CompareCausal(const CausalResult& causal) {
    Expect("state vector after causal delivery", causal.state_vector, doc_.EncodeStateVector());
    if (doc_.HasPending()) difference_ = "something is pending that causal delivery integrates";
    const crdt::Doc ours = CopyOf(doc_.EncodeState(UpdateFormat::kV1), causal);
    const crdt::Doc theirs = CopyOf(causal.state_v1, causal);
    for (const auto& [root, json] : causal.json) {
      const crdt::SharedType type = *ours.FindRoot(root.name);
      const std::string found = type.ToJson(crdt::BigInts::kAsText).value_or("");
      ++counts_.results;
      if (!IsSameJson(found, json) && !HasPrototype(type))
        Differ(fmt::format("JSON of {} after causal delivery:\n  yjs  {}\n  ours {}", root.name, json, found));
      Expect(fmt::format("content of {} after causal delivery", root.name), ContentText(*theirs.FindRoot(root.name)),
             ContentText(type));
    }
  }

  // A document with that state, in which the roots are what the writers take them for.
  crdt::Doc CopyOf(std::string_view state, const CausalResult& causal) {
    crdt::Doc copy({.gc = history_.gc});
    for (const auto& [root, json] : causal.json)
      RM_CHECK_OK(copy.GetRoot(root.name, static_cast<crdt::SharedKind>(root.type)).status());
    const absl::Status applied = copy.Apply(state, UpdateFormat::kV1);
    if (!applied.ok() && fault_.empty()) fault_ = "state for a copy: " + std::string(applied.message());
    return copy;
  }

  // But for the order of keys. Nothing is the same as nothing alone.
  static bool IsSameJson(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return a == b;
    const auto parsed_a = crdt::Any::FromJson(a);
    const auto parsed_b = crdt::Any::FromJson(b);
    return parsed_a.ok() && parsed_b.ok() && crdt::InOrder(*parsed_a) == crdt::InOrder(*parsed_b);
  }

  void CompareJson(const Root& root, const Digest& wanted) {
    const auto type = doc_.GetRoot(root.name, static_cast<crdt::SharedKind>(root.type));
    if (!type.ok()) return Differ(fmt::format("{} is refused: {}", root.name, std::string(type.status().message())));
    // Where yjs throws there is nothing to tell.
    const std::string json = type->ToJson(crdt::BigInts::kAsText).value_or("");
    if (!wanted.Matches(json) && HasPrototype(*type)) return;
    Expect(fmt::format("JSON of {}", root.name), wanted, json);
  }

  // Whether a map in `type` has a prototype: bytes under that name take away numbers that come later, a subdocument
  // everything; an object's members show as an XML element's attributes. Here it is nothing of the kind.
  static bool HasPrototype(const crdt::SharedType& type) {
    constexpr std::string_view kProto = "__proto__";
    std::vector<crdt::Value> inside;
    if (const auto map = type.AsMap(); map.ok()) {
      for (const std::string& key : map->Keys()) {
        inside.push_back(*type.Entry(key));
        const auto* any = std::get_if<crdt::Any>(&inside.back());
        if (key != kProto) continue;
        if (any == nullptr || any->bytes() != nullptr) return true;
        const bool has_members = any->array() != nullptr || any->object() != nullptr;
        if (has_members && type.kind() == crdt::SharedKind::kXmlElement) return true;
      }
    }
    if (const auto list = type.AsList(); list.ok()) {
      for (crdt::Value& value : list->ToValues()) inside.push_back(std::move(value));
    }
    return std::any_of(inside.begin(), inside.end(), [](const crdt::Value& value) {
      const auto* below = std::get_if<crdt::SharedType>(&value);
      return below != nullptr && HasPrototype(*below);
    });
  }

  const History& history_;
  CheckCounts& counts_;
  YrsCheck yrs_;
  bool behind_ = false;
  bool misplaced_ = false;
  // It ended where yjs's search markers had lost their places.
  bool lost_ = false;
  crdt::Doc doc_;
  crdt::Subscription to_v1_, to_v2_;
  testing::ManualClock clock_;
  std::optional<crdt::UndoManager> undo_;
  EventTeller events_;
  std::vector<std::string> emitted_v1_;
  std::vector<std::string> emitted_v2_;
  // From yjs, and what is wrong whatever yjs has.
  std::string difference_;
  std::string fault_;
};

absl::StatusOr<std::string> Call(const FunctionCall& call) {
  switch (call.function) {
    case Function::kMergeV1:
      return crdt::MergeUpdates(call.inputs, UpdateFormat::kV1);
    case Function::kMergeV2:
      return crdt::MergeUpdates(call.inputs, UpdateFormat::kV2);
    case Function::kDiffV1:
      return crdt::DiffUpdate(call.inputs[0], call.inputs[1], UpdateFormat::kV1);
    case Function::kDiffV2:
      return crdt::DiffUpdate(call.inputs[0], call.inputs[1], UpdateFormat::kV2);
    case Function::kConvertV1ToV2:
      return crdt::ConvertUpdate(call.inputs[0], UpdateFormat::kV1, UpdateFormat::kV2);
    case Function::kConvertV2ToV1:
      return crdt::ConvertUpdate(call.inputs[0], UpdateFormat::kV2, UpdateFormat::kV1);
    case Function::kVectorFromV1:
      return crdt::EncodeStateVectorFromUpdate(call.inputs[0], UpdateFormat::kV1);
    case Function::kVectorFromV2:
      return crdt::EncodeStateVectorFromUpdate(call.inputs[0], UpdateFormat::kV2);
  }
  return absl::InternalError("no such function");
}

// Whether both updates make an empty document the same.
bool HaveSameEffect(std::string_view update, std::string_view other, UpdateFormat format) {
  crdt::Doc doc;
  crdt::Doc other_doc;
  return doc.Apply(update, format).ok() && other_doc.Apply(other, format).ok() &&
         doc.EncodeState(UpdateFormat::kV1) == other_doc.EncodeState(UpdateFormat::kV1);
}

bool IsAsInYjs(const FunctionCall& call, const absl::StatusOr<std::string>& output) {
  if (call.threw || !output.ok()) return call.threw == !output.ok();
  if (*output == call.output) return true;
  const UpdateFormat format = call.function == Function::kMergeV1 ? UpdateFormat::kV1 : UpdateFormat::kV2;
  const bool is_merge = call.function == Function::kMergeV1 || call.function == Function::kMergeV2;
  return is_merge && call.inputs.size() > crdt::kMaxMergedExactly && HaveSameEffect(*output, call.output, format);
}

std::string CheckCalls(const History& history, CheckCounts& counts) {
  for (size_t i = 0; i < history.calls.size(); ++i) {
    const FunctionCall& call = history.calls[i];
    ++counts.results;
    const absl::StatusOr<std::string> output = Call(call);
    if (!IsAsInYjs(call, output)) {
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
  return history.has_calls() ? CheckCalls(history, counts) : Replay(history, counts).Run();
}

}  // namespace rivermeet::yjs
