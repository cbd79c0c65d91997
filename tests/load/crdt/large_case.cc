// The case large_load: a file of 200 MB is loaded, at once and in steps, encoded and diffed.
#include <algorithm>
#include <ctime>

#include "allocations.h"
#include "base/status.h"
#include "cases.h"
#include "crdt/doc.h"
#include "crdt/doc_loader.h"
#include "crdt/internal/wire/byte_reader.h"
#include "crdt/internal/wire/byte_writer.h"
#include "crdt/update.h"
#include "document_readout.h"
#include "large_update.h"
#include "measure.h"

namespace rivermeet::load {
namespace {

using crdt::Doc;
using crdt::UpdateFormat;

double CpuMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// What `work` has allocated at most, with the `before` that was there and without its result, whose size it gives.
template <class Work>
int64_t PeakOf(int64_t before, Work work) {
  StartCounting();
  const size_t result = work();
  return before + PeakBytes() - static_cast<int64_t>(result);
}

// A state vector that knows the lower half of what each client wrote.
std::string HalfOf(const Doc& document) {
  const std::string whole = document.EncodeStateVector();
  crdt::internal::ByteReader reader(whole);
  std::string half;
  const uint64_t clients = reader.ReadVarUint();
  crdt::internal::WriteVarUint(half, clients);
  for (uint64_t c = 0; c < clients; ++c) {
    crdt::internal::WriteVarUint(half, reader.ReadVarUint());
    crdt::internal::WriteVarUint(half, reader.ReadVarUint() / 2);
  }
  return half;
}

// Loads it at once, then encodes and diffs it. Gives the hash of the state vector.
std::string LoadAtOnce(const LargeUpdate& large, JsonLine& line) {
  StartCounting();
  Doc document;
  const double start = CpuMilliseconds();
  RM_CHECK_OK(document.Apply(large.bytes, UpdateFormat::kV1));
  line.Milliseconds("load_cpu_ms", CpuMilliseconds() - start);
  const int64_t live = LiveBytes();
  line.Number("live_bytes", live).Number("load_peak_bytes", PeakBytes());
  line.Number("encode_peak_bytes", PeakOf(live, [&] { return document.EncodeState(UpdateFormat::kV1).size(); }));
  const std::string half = HalfOf(document);
  line.Number("diff_peak_bytes",
              PeakOf(live, [&] { return document.EncodeStateSince(UpdateFormat::kV1, half)->size(); }));
  line.Number("update_diff_peak_bytes",
              PeakOf(0, [&] { return crdt::DiffUpdate(large.bytes, half, UpdateFormat::kV1)->size(); }));
  return StateText(document);
}

std::string LoadInSteps(const LargeUpdate& large, JsonLine& line) {
  StartCounting();
  crdt::DocLoader loader(large.bytes, UpdateFormat::kV1);
  double longest = 0, all = 0;
  int64_t steps = 0;
  for (bool done = false; !done; ++steps) {
    const double start = CpuMilliseconds();
    done = loader.Step().value();
    const double took = CpuMilliseconds() - start;
    longest = std::max(longest, took);
    all += took;
  }
  const Doc document = loader.Take();
  line.Number("steps", steps)
      .Milliseconds("steps_cpu_ms", all)
      .Milliseconds("longest_step_cpu_ms", longest)
      .Number("steps_peak_bytes", PeakBytes());
  return StateText(document);
}

}  // namespace

absl::Status LoadLarge(const BenchOptions& options) {
  constexpr uint64_t kBytes = 200'000'000;
  RM_ASSIGN_OR_RETURN(const LargeUpdate large, MakeLargeUpdate(options.data, kBytes));
  JsonLine line(options.name);
  line.Number("bytes", static_cast<int64_t>(large.bytes.size()))
      .Number("structs", static_cast<int64_t>(large.structs))
      .Number("text_bytes", static_cast<int64_t>(large.text_bytes));
  const std::string state = LoadAtOnce(large, line);
  RM_CHECK(LoadInSteps(large, line) == state);
  line.Text("check", state).Print();
  return absl::OkStatus();
}

}  // namespace rivermeet::load
