// Errors are values: what every function that can fail returns, and the macros that pass it on.
#ifndef RIVERMEET_BASE_STATUS_H_
#define RIVERMEET_BASE_STATUS_H_

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rivermeet {

// `status` with "`context`: " before its message; OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// Ends the process: a broken invariant, never an error that a user or a peer can cause.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line, std::string_view detail);

}  // namespace rivermeet

#define RM_CONCAT_INNER_(a, b) a##b
#define RM_CONCAT_(a, b) RM_CONCAT_INNER_(a, b)

// Returns from the enclosing function when `expr` (a Status) is an error.
#define RM_RETURN_IF_ERROR(expr)                              \
  do {                                                        \
    if (::absl::Status rm_status = (expr); !rm_status.ok()) { \
      return rm_status;                                       \
    }                                                         \
  } while (false)

// Assigns the value of `expr` (a StatusOr) to `target`, or returns its error.
#define RM_ASSIGN_OR_RETURN(target, expr) RM_ASSIGN_OR_RETURN_(RM_CONCAT_(rm_statusor_, __LINE__), target, expr)
#define RM_ASSIGN_OR_RETURN_(statusor, target, expr) \
  auto statusor = (expr);                            \
  if (!statusor.ok()) return statusor.status();      \
  target = std::move(statusor).value()

// Holds in every build.
#define RM_CHECK(condition) \
  (static_cast<bool>(condition) ? (void)0 : ::rivermeet::CheckFailed(#condition, __FILE__, __LINE__, ""))
#define RM_CHECK_OK(expr)                                                                                       \
  do {                                                                                                          \
    const ::absl::Status rm_check_status = (expr);                                                              \
    if (!rm_check_status.ok()) ::rivermeet::CheckFailed(#expr, __FILE__, __LINE__, rm_check_status.ToString()); \
  } while (false)

#endif  // RIVERMEET_BASE_STATUS_H_
