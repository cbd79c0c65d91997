#include "cases.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "allocations.h"
#include "base/status.h"
#include "crdt/doc.h"
#include "crdt/update.h"
#include "document_readout.h"
#include "measure.h"
#include "table_inputs.h"
#include "trace_files.h"

namespace rivermeet::load {
namespace {

using crdt::Doc;
using crdt::Text;
using crdt::UpdateFormat;

constexpr std::string_view kB4Root = "text";
constexpr std::string_view kB4Update = "/yjs/b4-update.bin";
constexpr std::string_view kB4Trace = "/yjs/b4-editing-trace.bin";

Text TextOf(Doc& document, std::string_view root) {
  const absl::StatusOr<Text> text = document.GetText(root);
  RM_CHECK_OK(text.status());
  return *text;
}

// What a run of a case leaves: its times, its document's state and the size of what it made.
struct Outcome {
  Sample sample;
  std::string state;
  uint64_t bytes = 0;
};

// Repeats `run`, which gives an Outcome, and prints the case's line.
void PrintCase(const BenchOptions& options, size_t items, absl::FunctionRef<Outcome()> run) {
  Outcome last;
  const Repeated repeated = Repeat(options.seconds, [&] {
    last = run();
    return last.sample;
  });
  JsonLine(options.name)
      .Times(repeated)
      .Number("items", static_cast<int64_t>(items))
      .Number("bytes", static_cast<int64_t>(last.bytes))
      .Text("state_vector", last.state)
      .Print();
}

std::vector<crdt::EncodedUpdate> AsV1(const std::vector<std::string>& updates) {
  std::vector<crdt::EncodedUpdate> encoded;
  encoded.reserve(updates.size());
  for (const std::string& update : updates) encoded.push_back({update, UpdateFormat::kV1});
  return encoded;
}

void Replay(Text text, const std::vector<Edit>& edits) {
  for (const Edit& edit : edits) {
    RM_CHECK_OK(edit.text.empty() ? text.Delete(edit.index, edit.deleted) : text.Insert(edit.index, edit.text));
  }
}

Outcome Loaded(std::string_view update, UpdateFormat format, std::string_view root) {
  Doc document = MakeDocument(ClientIdOf(1), root);
  const Text text = TextOf(document, root);
  Outcome outcome{.bytes = update.size()};
  outcome.sample =
      Timed([&] { RM_CHECK_OK(document.Apply(update, format)); }, [&] { return ReadText(document, text); });
  outcome.state = StateText(document);
  return outcome;
}

}  // namespace

absl::Status ApplyOneByOne(const BenchOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> updates, ReadUpdates(options.updates));
  PrintCase(options, updates.size(), [&] {
    Doc document = MakeDocument(ClientIdOf(1), kB4Root);
    const Text text = TextOf(document, kB4Root);
    Outcome outcome;
    outcome.sample = Timed(
        [&] {
          for (const std::string& update : updates) RM_CHECK_OK(document.Apply(update, UpdateFormat::kV1));
        },
        [&] { return ReadText(document, text); });
    outcome.state = StateText(document);
    return outcome;
  });
  return absl::OkStatus();
}

absl::Status ApplyBatches(const BenchOptions& options) {
  constexpr size_t kBatch = 100;
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> updates, ReadUpdates(options.updates));
  const std::vector<crdt::EncodedUpdate> encoded = AsV1(updates);
  PrintCase(options, updates.size(), [&] {
    Doc document = MakeDocument(ClientIdOf(1), kB4Root);
    const Text text = TextOf(document, kB4Root);
    Outcome outcome;
    outcome.sample = Timed(
        [&] {
          for (absl::Span<const crdt::EncodedUpdate> rest = encoded; !rest.empty();) {
            const size_t count = std::min(kBatch, rest.size());
            RM_CHECK_OK(document.ApplyAll(rest.first(count)));
            rest.remove_prefix(count);
          }
        },
        [&] { return ReadText(document, text); });
    outcome.state = StateText(document);
    return outcome;
  });
  return absl::OkStatus();
}

absl::Status ReplayLocally(const BenchOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::vector<Edit> edits, ReadEdits(options.data + std::string(kB4Trace)));
  PrintCase(options, edits.size(), [&] {
    Doc document = MakeDocument(ClientIdOf(0), kB4Root);
    const Text text = TextOf(document, kB4Root);
    Outcome outcome;
    const crdt::Subscription listening = document.OnUpdate(
        UpdateFormat::kV1, [&outcome](std::string_view update, std::string_view) { outcome.bytes += update.size(); });
    outcome.sample = Timed([&] { Replay(text, edits); }, [&] { return ReadText(document, text); });
    outcome.state = StateText(document);
    return outcome;
  });
  return absl::OkStatus();
}

absl::Status Load(const BenchOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::string update, ReadWholeFile(options.data + std::string(kB4Update)));
  PrintCase(options, 1, [&] { return Loaded(update, UpdateFormat::kV1, kB4Root); });
  return absl::OkStatus();
}

absl::Status EncodeAfterAnEdit(const BenchOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::string update, ReadWholeFile(options.data + std::string(kB4Update)));
  PrintCase(options, 1, [&] {
    Doc document = MakeDocument(ClientIdOf(1), kB4Root);
    Text text = TextOf(document, kB4Root);
    RM_CHECK_OK(document.Apply(update, UpdateFormat::kV1));
    RM_CHECK_OK(text.Insert(text.length() / 2, "!"));
    std::string encoded;
    Outcome outcome;
    outcome.sample =
        Timed([&] { encoded = document.EncodeState(UpdateFormat::kV1); }, [&] { return ReadText(document, text); });
    outcome.state = StateText(document);
    outcome.bytes = encoded.size();
    return outcome;
  });
  return absl::OkStatus();
}

absl::Status Merge(const BenchOptions& options, size_t count) {
  RM_ASSIGN_OR_RETURN(std::vector<std::string> updates, ReadUpdates(options.updates));
  updates.resize(std::min(count, updates.size()));
  const std::vector<std::string_view> views(updates.begin(), updates.end());
  PrintCase(options, updates.size(), [&] {
    absl::StatusOr<std::string> merged;
    Outcome outcome;
    outcome.sample =
        Timed([&] { merged = crdt::MergeUpdates(views, UpdateFormat::kV1); }, [] { return std::string(); });
    RM_CHECK_OK(merged.status());
    Outcome loaded = Loaded(*merged, UpdateFormat::kV1, kB4Root);
    outcome.sample.check = std::move(loaded.sample.check);
    outcome.state = std::move(loaded.state);
    outcome.bytes = merged->size();
    return outcome;
  });
  return absl::OkStatus();
}

absl::Status LoadAndEncodeTrace(const BenchOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::string update, ReadWholeFile(options.trace));
  PrintCase(options, 1, [&] {
    Doc document = MakeDocument(ClientIdOf(1), options.root);
    const Text text = TextOf(document, options.root);
    std::string encoded;
    Outcome outcome;
    double load_ms = 0;
    outcome.sample = Timed(
        [&] {
          const Stopwatch watch;
          RM_CHECK_OK(document.Apply(update, options.format));
          load_ms = watch.Milliseconds();
          encoded = document.EncodeState(options.format);
        },
        [&] { return ReadText(document, text); });
    outcome.sample.load_ms = load_ms;
    outcome.sample.encode_ms = outcome.sample.core_ms - load_ms;
    outcome.state = StateText(document);
    outcome.bytes = encoded.size();
    return outcome;
  });
  return absl::OkStatus();
}

absl::Status MeasureMemory(const BenchOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::string update, ReadWholeFile(options.trace));
  std::string check;
  check.reserve(64);  // so that it isn't counted
  ResetResidentPeak();
  const int64_t resident = StatusBytes("VmRSS");
  StartCounting();
  Doc document = MakeDocument(ClientIdOf(1), options.root);
  const Text text = TextOf(document, options.root);
  RM_CHECK_OK(document.Apply(update, options.format));
  (void)text.UnitAt(0);  // builds the index
  const int64_t peak = PeakBytes();
  const int64_t resident_peak = StatusBytes("VmHWM");
  check.assign(ReadText(document, text));
  const int64_t live = LiveBytes();
  const int64_t resident_after = StatusBytes("VmRSS");
  JsonLine(options.name)
      .Number("live_bytes", live)
      .Number("peak_bytes", peak)
      .Number("rss_growth_bytes", resident_after - resident)
      .Number("rss_peak_growth_bytes", resident_peak - resident)
      .Text("check", check)
      .Text("state_vector", StateText(document))
      .Print();
  return absl::OkStatus();
}

absl::Status RepeatB4(const BenchOptions& options, int times) {
  RM_ASSIGN_OR_RETURN(const std::vector<Edit> edits, ReadEdits(options.data + std::string(kB4Trace)));
  std::vector<std::string> updates;
  double replay_ms = 0, apply_ms = 0, encode_ms = 0;
  std::string encoded;
  {
    Doc writer = MakeDocument(ClientIdOf(0), kB4Root);
    Doc reader = MakeDocument(ClientIdOf(1), kB4Root);
    const Text text = TextOf(writer, kB4Root);
    const crdt::Subscription listening = writer.OnUpdate(
        UpdateFormat::kV1, [&updates](std::string_view update, std::string_view) { updates.emplace_back(update); });
    for (int i = 0; i < times; ++i) {
      const Stopwatch replaying;
      Replay(text, edits);
      replay_ms += replaying.Milliseconds();
      const Stopwatch applying;
      for (const std::string& update : updates) RM_CHECK_OK(reader.Apply(update, UpdateFormat::kV1));
      apply_ms += applying.Milliseconds();
      updates.clear();
    }
    const Stopwatch encoding;
    encoded = reader.EncodeState(UpdateFormat::kV1);
    encode_ms = encoding.Milliseconds();
  }
  std::string state;
  const Repeated load = Repeat(options.seconds, [&] {
    Doc loaded = MakeDocument(ClientIdOf(2), kB4Root);
    const Text text = TextOf(loaded, kB4Root);
    const Sample sample =
        Timed([&] { RM_CHECK_OK(loaded.Apply(encoded, UpdateFormat::kV1)); }, [&] { return ReadText(loaded, text); });
    state = StateText(loaded);
    return sample;
  });
  JsonLine(options.name)
      .Number("items", static_cast<int64_t>(edits.size()) * times)
      .Milliseconds("replay_ms", replay_ms)
      .Milliseconds("apply_ms", apply_ms)
      .Milliseconds("encode_ms", encode_ms)
      .Milliseconds("load_ms", load.best.ms)
      .Number("bytes", static_cast<int64_t>(encoded.size()))
      .Text("check", load.best.check)
      .Text("state_vector", state)
      .Print();
  return absl::OkStatus();
}

}  // namespace rivermeet::load
