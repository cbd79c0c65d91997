// Reads lines of versions.mjs on standard input and checks them in libs/crdt: ends with 1 at the first
// difference.
//   tests/conformance/yjs/versions --count 2000 | build/release/tests/conformance/yjs/yjs_versions
#include <fmt/format.h>

#include <iostream>
#include <map>
#include <string>

#include "yjs/versions_check.h"

int main() {
  std::map<std::string, uint64_t> counts;
  uint64_t documents = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const auto document = rivermeet::crdt::Any::FromJson(line);
    if (!document.ok() || document->Find("seed") == nullptr) {
      fmt::print(stderr, "line {} is none of versions.mjs: {}\n", documents + 1, document.status().ToString());
      return 2;
    }
    ++documents;
    const std::string difference = rivermeet::yjs::CheckVersions(*document, counts);
    if (!difference.empty()) {
      const std::string& seed = *document->Find("seed")->text();
      fmt::print("seed {}: {}\nagain: tests/conformance/yjs/versions --first-seed {} | yjs_versions\n", seed,
                 difference, seed);
      return 1;
    }
  }
  fmt::print("counts: {} documents of versions", documents);
  for (const auto& [step, count] : counts) fmt::print(", {} times {} of versions", count, step);
  fmt::print("\n");
}
