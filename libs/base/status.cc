#include "base/status.h"

#include <cstdio>
#include <cstdlib>

#include "base/strings.h"

namespace rivermeet {

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), fmt::format("{}: {}", context, MessageOf(status)));
  status.ForEachPayload(
      [&](absl::string_view name, const absl::Cord& payload) { annotated.SetPayload(name, payload); });
  return annotated;
}

void CheckFailed(const char* condition, const char* file, int line, std::string_view detail) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s %.*s\n", file, line, condition, static_cast<int>(detail.size()),
               detail.data());
  std::abort();
}

}  // namespace rivermeet
