#include "base/status.h"

#include <catch2/catch.hpp>

#include "base/disk_full.h"
#include "base/retry_after.h"

namespace rivermeet {
namespace {

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  RM_ASSIGN_OR_RETURN(const int half, Half(value));
  RM_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST_CASE("the macros pass values on and errors out", "[base]") {
  CHECK(Quarter(8).value() == 2);
  CHECK(Quarter(6).status().message() == "odd");
}

TEST_CASE("an annotated status keeps its code and what it carries", "[base]") {
  CHECK(Annotate(absl::NotFoundError("b"), "a") == absl::NotFoundError("a: b"));
  CHECK(Annotate(absl::OkStatus(), "a").ok());
  const absl::Status full = WithRetryAfter(WithDiskFull(absl::ResourceExhaustedError("b")), absl::Seconds(3));
  CHECK(IsDiskFull(Annotate(full, "a")));
  CHECK(RetryAfter(Annotate(full, "a")) == absl::Seconds(3));
  CHECK_FALSE(IsDiskFull(absl::ResourceExhaustedError("a")));
}

}  // namespace
}  // namespace rivermeet
