#include "visibility/visibility_token.h"

#include <catch2/catch.hpp>

namespace rivermeet::visibility {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

ingest::v1::VisibilityToken Content(std::string_view stream) {
  ingest::v1::VisibilityToken content;
  content.set_stream(std::string(stream));
  auto* position = content.add_positions();
  position->set_partition(1);
  position->set_offset(41);
  content.mutable_issued()->set_seconds(absl::ToUnixSeconds(kNow));
  return content;
}

}  // namespace

TEST_CASE("a token comes back as it was issued, for streams of every length", "[visibility]") {
  const VisibilityTokens tokens(std::string(32, 'k'));
  for (size_t length = 1; length <= 63; ++length) {
    const std::string stream(length, 's');
    const auto content = tokens.Verify("acme", tokens.Issue("acme", Content(stream)), kNow);
    REQUIRE(content.ok());
    CHECK(content->stream() == stream);
    CHECK(content->positions(0).offset() == 41);
  }
}

TEST_CASE("another tenant's token is denied", "[visibility]") {
  const VisibilityTokens tokens(std::string(32, 'k'));
  CHECK(tokens.Verify("other", tokens.Issue("acme", Content("s")), kNow).status().code() ==
        absl::StatusCode::kPermissionDenied);
}

TEST_CASE("a token with any one character changed is refused, and so is one under another key", "[visibility]") {
  const VisibilityTokens tokens(std::string(32, 'k'));
  const std::string good = tokens.Issue("acme", Content("host.metrics"));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(tokens.Verify("acme", bad, kNow).ok());
    CHECK(tokens.Verify("acme", good.substr(0, i), kNow).status().code() == absl::StatusCode::kInvalidArgument);
  }
  CHECK(tokens.Verify("acme", "not base64!", kNow).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(tokens.Verify("acme", std::string(kMaxTokenBytes + 1, 'A'), kNow).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(VisibilityTokens(std::string(32, 'x')).Verify("acme", good, kNow).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a token is good for an hour", "[visibility]") {
  const VisibilityTokens tokens(std::string(32, 'k'));
  const std::string token = tokens.Issue("acme", Content("s"));
  CHECK(tokens.Verify("acme", token, kNow + kLifetime).ok());
  CHECK(tokens.Verify("acme", token, kNow + kLifetime + absl::Seconds(1)).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace rivermeet::visibility
