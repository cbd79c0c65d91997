// Deltas of rivermeet_crdt.h.
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/c_api/c_api.h"
#include "crdt/internal/wire/utf.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(RMCRDT_STEP_INSERT == static_cast<int>(DeltaChange::Kind::kInsert));
static_assert(RMCRDT_STEP_RETAIN == static_cast<int>(DeltaChange::Kind::kRetain));
static_assert(RMCRDT_STEP_DELETE == static_cast<int>(DeltaChange::Kind::kDelete));

// What `body` gives of step `step`; `otherwise` where there is none.
template <class Result, class Body>
Result AskStep(const rmcrdt_delta* delta, size_t step, Result otherwise, Body body) {
  return Ask(delta, otherwise, [&]() -> absl::StatusOr<Result> {
    if (step < delta->steps.size()) return body(delta->steps[step]);
    return absl::OutOfRangeError(fmt::format("the delta has {} steps, no number {}", delta->steps.size(), step));
  });
}

uint64_t LengthOf(const rmcrdt_delta& delta, const rmcrdt_delta::Step& step) {
  if (step.kind != RMCRDT_STEP_INSERT) return step.length;
  if (!delta.of_text) return step.inserted.size();
  const Any* any = std::get_if<Any>(&step.inserted[0].value);
  return any != nullptr && any->text() != nullptr ? Measure(*any->text()).utf16 : 1;
}

absl::StatusOr<std::vector<DeltaStep>> StepsArgument(const rmcrdt_delta& delta) {
  std::vector<DeltaStep> steps;
  for (const rmcrdt_delta::Step& step : delta.steps) {
    DeltaStep& made = steps.emplace_back();
    made.kind = static_cast<DeltaStep::Kind>(step.kind);
    made.length = step.length;
    made.attributes = step.attributes;
    if (step.kind != RMCRDT_STEP_INSERT) continue;
    if (step.inserted.size() != 1) return absl::InvalidArgumentError("a step inserts one value into a text");
    RM_ASSIGN_OR_RETURN(made.insert, InsertableArgument(&step.inserted[0]));
  }
  return steps;
}

}  // namespace

namespace rivermeet::crdt::internal {

rmcrdt_delta MakeDelta(const DocRef& doc, const SharedType& of, const std::vector<DeltaChange>& changes) {
  rmcrdt_delta delta{.shared = doc};
  delta.of_text = of.AsText().ok();
  for (const DeltaChange& change : changes) {
    rmcrdt_delta::Step& step = delta.steps.emplace_back();
    step.kind = static_cast<rmcrdt_step_kind>(change.kind);
    step.length = change.length;
    step.attributes = change.attributes;
    for (const Value& value : change.inserted) step.inserted.push_back(MakeValue(doc, value));
  }
  return delta;
}

}  // namespace rivermeet::crdt::internal

extern "C" {

rmcrdt_delta* rmcrdt_delta_new(void) {
  return New([]() -> absl::StatusOr<rmcrdt_delta> { return rmcrdt_delta(); });
}
void rmcrdt_delta_free(rmcrdt_delta* delta) { delete delta; }

rmcrdt_code rmcrdt_delta_insert(rmcrdt_delta* delta, const rmcrdt_value* value, const rmcrdt_value* attributes) {
  return TryReading(delta, [&]() -> absl::Status {
    RM_RETURN_IF_ERROR(InsertableArgument(value).status());
    RM_ASSIGN_OR_RETURN(Attributes given, AttributesArgument(attributes));
    delta->steps.push_back({RMCRDT_STEP_INSERT, 0, {*value}, std::move(given)});
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_delta_retain(rmcrdt_delta* delta, uint64_t length, const rmcrdt_value* attributes) {
  return TryReading(delta, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(Attributes given, AttributesArgument(attributes));
    delta->steps.push_back({RMCRDT_STEP_RETAIN, length, {}, std::move(given)});
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_delta_delete(rmcrdt_delta* delta, uint64_t length) {
  return TryReading(delta, [&]() -> absl::Status {
    delta->steps.push_back({RMCRDT_STEP_DELETE, length, {}, {}});
    return absl::OkStatus();
  });
}

size_t rmcrdt_delta_size(const rmcrdt_delta* delta) {
  return Ask(delta, size_t{0}, [&]() -> absl::StatusOr<size_t> { return delta->steps.size(); });
}

rmcrdt_step_kind rmcrdt_delta_step_kind(const rmcrdt_delta* delta, size_t step) {
  return AskStep(delta, step, RMCRDT_STEP_RETAIN, [](const rmcrdt_delta::Step& at) { return at.kind; });
}

uint64_t rmcrdt_delta_step_length(const rmcrdt_delta* delta, size_t step) {
  return AskStep(delta, step, uint64_t{0}, [&](const rmcrdt_delta::Step& at) { return LengthOf(*delta, at); });
}

size_t rmcrdt_delta_step_value_count(const rmcrdt_delta* delta, size_t step) {
  return AskStep(delta, step, size_t{0}, [](const rmcrdt_delta::Step& at) { return at.inserted.size(); });
}

rmcrdt_value* rmcrdt_delta_step_value(const rmcrdt_delta* delta, size_t step, size_t value) {
  using Found = rmcrdt_value*;
  return AskStep(delta, step, Found{nullptr}, [&](const rmcrdt_delta::Step& at) -> absl::StatusOr<Found> {
    if (value < at.inserted.size()) return new rmcrdt_value(at.inserted[value]);
    return absl::OutOfRangeError(fmt::format("the step inserts {} values, no number {}", at.inserted.size(), value));
  });
}

rmcrdt_value* rmcrdt_delta_step_attributes(const rmcrdt_delta* delta, size_t step) {
  using Found = rmcrdt_value*;
  return AskStep(delta, step, Found{nullptr}, [](const rmcrdt_delta::Step& at) -> absl::StatusOr<Found> {
    if (at.attributes.empty()) return absl::NotFoundError("the step has no attributes");
    return new rmcrdt_value{.value = Any(Any::Object(at.attributes))};
  });
}

rmcrdt_delta* rmcrdt_text_to_delta(const rmcrdt_type* text) {
  return NewReading(text, [&]() -> absl::StatusOr<rmcrdt_delta> {
    RM_ASSIGN_OR_RETURN(const Text there, text->type.AsText());
    return MakeDelta(text->shared, there, there.ToDelta());
  });
}

rmcrdt_code rmcrdt_text_apply_delta(rmcrdt_type* text, const rmcrdt_delta* delta) {
  return TryOn(text, [&]() -> absl::Status {
    if (delta == nullptr) return NullHandle();
    RM_ASSIGN_OR_RETURN(Text there, text->type.AsText());
    RM_ASSIGN_OR_RETURN(const std::vector<DeltaStep> steps, StepsArgument(*delta));
    return there.ApplyDelta(steps);
  });
}

}  // extern "C"
