// Any text as a visibility token is refused, and a token of ours changed anywhere is too.
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/status.h"
#include "visibility/visibility_token.h"

using namespace rivermeet;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const visibility::VisibilityTokens tokens("a key of sixteen bytes or more");
  static const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const std::string text(reinterpret_cast<const char*>(data), size);
  RM_CHECK(!tokens.Verify("t1", text, now).ok());

  // As content under a good signature: whatever parses is given back, to its tenant only.
  ingest::v1::VisibilityToken content;
  if (!content.ParseFromString(text)) return 0;
  content.DiscardUnknownFields();
  const std::string token = tokens.Issue("t1", content);
  const auto read = tokens.Verify("t1", token, now);
  if (read.ok()) RM_CHECK(read->SerializeAsString() == content.SerializeAsString());
  RM_CHECK(!tokens.Verify("t2", token, now).ok());
  std::string changed = token;
  changed[size % changed.size()] ^= 1;
  RM_CHECK(!tokens.Verify("t1", changed, now).ok());
  return 0;
}
