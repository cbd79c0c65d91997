// crdt_bench: runs one case of tools/bench crdt with libs/crdt and prints a JSON object for it. README.md has the
// cases.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>

#include "cases.h"

int main(int argc, char** argv) {
  using rivermeet::crdt::UpdateFormat;
  using rivermeet::load::BenchOptions;
  constexpr size_t kAll = std::numeric_limits<size_t>::max();
  const std::map<std::string, std::function<absl::Status(const BenchOptions&)>> cases = {
      {"b4_apply_one_by_one", rivermeet::load::ApplyOneByOne},
      {"b4_apply_batches_of_100", rivermeet::load::ApplyBatches},
      {"b4_local_replay", rivermeet::load::ReplayLocally},
      {"b4_load", rivermeet::load::Load},
      {"b4_encode", rivermeet::load::EncodeAfterAnEdit},
      {"b4_merge_16000", [](const BenchOptions& options) { return Merge(options, 16'000); }},
      {"b4_merge", [](const BenchOptions& options) { return Merge(options, kAll); }},
      {"trace_load_encode", rivermeet::load::LoadAndEncodeTrace},
      {"trace_memory", rivermeet::load::MeasureMemory},
      {"b4x1", [](const BenchOptions& options) { return RepeatB4(options, 1); }},
      {"b4x100", [](const BenchOptions& options) { return RepeatB4(options, 100); }},
      {"large_load", rivermeet::load::LoadLarge},
      {"crdtbench", rivermeet::load::RunTables}};

  BenchOptions options;
  std::string format = "v2";
  CLI::App app("Runs one case of tools/bench crdt with libs/crdt and prints its JSON object.");
  app.add_option("--case", options.name, "what to measure")->required()->check(CLI::IsMember(cases));
  app.add_option("--data", options.data, "folder with yjs/b4-update.bin and yjs/b4-editing-trace.bin");
  app.add_option("--updates", options.updates, "file of B4's single-edit updates");
  app.add_option("--trace", options.trace, "update to load");
  app.add_option("--format", format, "of the trace: v1 or v2")->check(CLI::IsMember({"v1", "v2"}));
  app.add_option("--root", options.root, "root text of the trace");
  app.add_option("--line", options.line, "only this line of the tables, for example B1.4");
  app.add_option("--seconds", options.seconds, "how long a case is repeated, at least three times");
  CLI11_PARSE(app, argc, argv);
  options.format = format == "v1" ? UpdateFormat::kV1 : UpdateFormat::kV2;

  const absl::Status status = cases.at(options.name)(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "crdt_bench: %s\n", status.ToString().c_str());
  return 2;
}
