// Relative positions, versions and attribution of rivermeet_crdt.h.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/attribution.h"
#include "crdt/c_api/c_api.h"
#include "crdt/relative_position.h"
#include "crdt/snapshot.h"
#include "crdt/versions.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

static_assert(RMCRDT_CHANGE_SAME == static_cast<int>(Change::kNone));
static_assert(RMCRDT_CHANGE_ADDED == static_cast<int>(Change::kAdded));
static_assert(RMCRDT_CHANGE_REMOVED == static_cast<int>(Change::kRemoved));

absl::StatusOr<RelativePosition> PositionArgument(const uint8_t* position, size_t position_size) {
  RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(position, position_size, "position"));
  return RelativePosition::Decode(bytes);
}

rmcrdt_type* Resolve(const rmcrdt_doc* doc, const uint8_t* position, size_t position_size, bool follow_redone,
                     uint64_t* index) {
  return NewReading(doc, [&]() -> absl::StatusOr<rmcrdt_type> {
    RM_ASSIGN_OR_RETURN(const RelativePosition at, PositionArgument(position, position_size));
    const std::optional<RelativePosition::Place> place = at.Resolve(doc->shared->doc, follow_redone);
    if (!place.has_value()) return absl::NotFoundError("the document lacks what the position was at");
    if (index != nullptr) *index = place->index;
    return rmcrdt_type{doc->shared, place->type};
  });
}

void AddTime(std::string_view name, const std::optional<absl::Time>& time, Any::Object& to) {
  if (time.has_value()) to.emplace_back(name, Any(static_cast<double>(absl::ToUnixMillis(*time))));
}

// The members that rmcrdt_diff_author tells.
Any ToAny(const Authorship& author) {
  Any::Object told = {{"client", Number(author.client)}, {"clock", Number(author.clock)}};
  AddTime("written", author.written, told);
  if (author.removed.has_value()) {
    if (author.removed->client.has_value()) told.emplace_back("removedBy", Number(*author.removed->client));
    AddTime("removed", author.removed->time, told);
  }
  return Any(std::move(told));
}

// Two versions, each nothing when it isn't given.
struct Versions {
  std::optional<Snapshot> before, after;
  const Snapshot* after_or_now() const { return after.has_value() ? &*after : nullptr; }
};

absl::StatusOr<std::optional<Snapshot>> VersionArgument(UpdateFormat format, const rmcrdt_view* view) {
  if (view == nullptr) return std::nullopt;
  RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(view->data, view->size, "a version"));
  RM_ASSIGN_OR_RETURN(Snapshot version, Snapshot::Decode(bytes, format));
  return version;
}

absl::StatusOr<Versions> VersionsArgument(rmcrdt_format format, const rmcrdt_view* before, const rmcrdt_view* after) {
  RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
  Versions versions;
  RM_ASSIGN_OR_RETURN(versions.before, VersionArgument(encoded, before));
  RM_ASSIGN_OR_RETURN(versions.after, VersionArgument(encoded, after));
  return versions;
}

// What `fill` adds of how two versions of `type` differ.
rmcrdt_diff* Diff(const rmcrdt_type* type, rmcrdt_format format, const rmcrdt_view* before, const rmcrdt_view* after,
                  absl::FunctionRef<void(const Snapshot& before, const Snapshot* after, rmcrdt_diff& diff)> fill) {
  return NewReading(type, [&]() -> absl::StatusOr<rmcrdt_diff> {
    RM_ASSIGN_OR_RETURN(const Versions versions, VersionsArgument(format, before, after));
    rmcrdt_diff diff{.shared = type->shared};
    fill(versions.before.value_or(Snapshot()), versions.after_or_now(), diff);
    return diff;
  });
}

// What `body` gives of run `run`; `otherwise` where there is none.
template <class Result, class Body>
Result AskRun(const rmcrdt_diff* diff, size_t run, Result otherwise, Body body) {
  return Ask(diff, otherwise, [&]() -> absl::StatusOr<Result> {
    if (run < diff->runs.size()) return body(diff->runs[run]);
    return absl::OutOfRangeError(fmt::format("the diff has {} runs, no number {}", diff->runs.size(), run));
  });
}

template <class Body>
rmcrdt_value* ValueOfRun(const rmcrdt_diff* diff, size_t run, Body body) {
  using Found = rmcrdt_value*;
  return AskRun(diff, run, Found{nullptr}, [&](const rmcrdt_diff::Run& at) -> absl::StatusOr<Found> {
    RM_ASSIGN_OR_RETURN(rmcrdt_value value, absl::StatusOr<rmcrdt_value>(body(at)));
    return new rmcrdt_value(std::move(value));
  });
}

}  // namespace

extern "C" {

rmcrdt_buffer* rmcrdt_position_at(const rmcrdt_type* type, uint64_t index, int64_t assoc) {
  return BytesOn(type, [&]() -> absl::StatusOr<std::string> {
    RM_ASSIGN_OR_RETURN(const RelativePosition position, RelativePosition::At(type->type, index, assoc));
    return position.Encode();
  });
}

rmcrdt_type* rmcrdt_position_resolve(const rmcrdt_doc* doc, const uint8_t* position, size_t position_size,
                                     uint64_t* index) {
  return Resolve(doc, position, position_size, /*follow_redone=*/true, index);
}

rmcrdt_type* rmcrdt_position_resolve_as_others(const rmcrdt_doc* doc, const uint8_t* position, size_t position_size,
                                               uint64_t* index) {
  return Resolve(doc, position, position_size, /*follow_redone=*/false, index);
}

rmcrdt_buffer* rmcrdt_position_to_json(const uint8_t* position, size_t position_size) {
  return New([&]() -> absl::StatusOr<rmcrdt_buffer> {
    RM_ASSIGN_OR_RETURN(const RelativePosition at, PositionArgument(position, position_size));
    return rmcrdt_buffer{at.ToJson()};
  });
}

rmcrdt_buffer* rmcrdt_position_from_json(const char* json, size_t json_size) {
  return New([&]() -> absl::StatusOr<rmcrdt_buffer> {
    RM_ASSIGN_OR_RETURN(const std::string_view text, BytesArgument(json, json_size, "json"));
    RM_ASSIGN_OR_RETURN(const RelativePosition at, RelativePosition::FromJson(text));
    return rmcrdt_buffer{at.Encode()};
  });
}

// --- versions

rmcrdt_code rmcrdt_snapshot_equal(rmcrdt_format format, const uint8_t* a, size_t a_size, const uint8_t* b,
                                  size_t b_size, bool* equal) {
  return Try([&]() -> absl::Status {
    if (equal == nullptr) return NullHandle();
    const rmcrdt_view one{a, a_size}, other{b, b_size};
    RM_ASSIGN_OR_RETURN(const Versions versions, VersionsArgument(format, &one, &other));
    *equal = *versions.before == *versions.after;
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_snapshot_contains(rmcrdt_format format, const uint8_t* snapshot, size_t snapshot_size,
                                     const uint8_t* update, size_t update_size, bool* contains) {
  return Try([&]() -> absl::Status {
    if (contains == nullptr) return NullHandle();
    const rmcrdt_view view{snapshot, snapshot_size};
    RM_ASSIGN_OR_RETURN(const Versions versions, VersionsArgument(format, &view, nullptr));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(update, update_size, "update"));
    RM_ASSIGN_OR_RETURN(*contains, versions.before->ContainsUpdate(bytes, static_cast<UpdateFormat>(format)));
    return absl::OkStatus();
  });
}

rmcrdt_diff* rmcrdt_text_diff(const rmcrdt_type* text, rmcrdt_format format, const rmcrdt_view* before,
                              const rmcrdt_view* after) {
  return Diff(text, format, before, after, [&](const Snapshot& was, const Snapshot* is, rmcrdt_diff& diff) {
    for (TextRun& run : DiffText(text->type, was, is)) {
      diff.runs.push_back({run.change, MakeValue(diff.shared, std::move(run.content)), run.length,
                           std::move(run.attributes), std::nullopt, run.author});
    }
  });
}

rmcrdt_diff* rmcrdt_list_diff(const rmcrdt_type* list, rmcrdt_format format, const rmcrdt_view* before,
                              const rmcrdt_view* after) {
  return Diff(list, format, before, after, [&](const Snapshot& was, const Snapshot* is, rmcrdt_diff& diff) {
    for (ListRun& run : DiffList(list->type, was, is)) {
      diff.runs.push_back({run.change, MakeValue(diff.shared, std::move(run.value)), 1, {}, std::nullopt, run.author});
    }
  });
}

rmcrdt_diff* rmcrdt_map_diff(const rmcrdt_type* map, rmcrdt_format format, const rmcrdt_view* before,
                             const rmcrdt_view* after) {
  return Diff(map, format, before, after, [&](const Snapshot& was, const Snapshot* is, rmcrdt_diff& diff) {
    const auto add = [&diff](Change change, const std::string& key, std::optional<Value>& value, auto& author) {
      if (value.has_value())
        diff.runs.push_back({change, MakeValue(diff.shared, *std::move(value)), 1, {}, key, *author});
    };
    for (EntryChange& entry : DiffMap(map->type, was, is)) {
      add(Change::kRemoved, entry.key, entry.before, entry.before_author);
      add(Change::kAdded, entry.key, entry.after, entry.after_author);
    }
  });
}

void rmcrdt_diff_free(rmcrdt_diff* diff) { delete diff; }

size_t rmcrdt_diff_size(const rmcrdt_diff* diff) {
  return Ask(diff, size_t{0}, [&]() -> absl::StatusOr<size_t> { return diff->runs.size(); });
}

rmcrdt_change rmcrdt_diff_change(const rmcrdt_diff* diff, size_t run) {
  return AskRun(diff, run, RMCRDT_CHANGE_SAME, [](const auto& at) { return static_cast<rmcrdt_change>(at.change); });
}

uint64_t rmcrdt_diff_length(const rmcrdt_diff* diff, size_t run) {
  return AskRun(diff, run, uint64_t{0}, [](const auto& at) { return at.length; });
}

rmcrdt_value* rmcrdt_diff_value(const rmcrdt_diff* diff, size_t run) {
  return ValueOfRun(diff, run, [](const auto& at) { return at.value; });
}

rmcrdt_value* rmcrdt_diff_attributes(const rmcrdt_diff* diff, size_t run) {
  return ValueOfRun(diff, run, [](const auto& at) -> absl::StatusOr<rmcrdt_value> {
    if (at.attributes.empty()) return absl::NotFoundError("the run has no attributes");
    return rmcrdt_value{.value = Any(Any::Object(at.attributes))};
  });
}

const char* rmcrdt_diff_key(const rmcrdt_diff* diff, size_t run, size_t* size) {
  using Found = const char*;
  return AskRun(diff, run, Found{nullptr}, [&](const auto& at) -> absl::StatusOr<Found> {
    if (size == nullptr) return NullHandle();
    if (!at.key.has_value()) return absl::NotFoundError("the run is of no map: it has no key");
    *size = at.key->size();
    return at.key->c_str();
  });
}

rmcrdt_value* rmcrdt_diff_author(const rmcrdt_diff* diff, size_t run) {
  return ValueOfRun(diff, run, [](const auto& at) { return rmcrdt_value{.value = ToAny(at.author)}; });
}

rmcrdt_delta* rmcrdt_text_delta_at(const rmcrdt_type* text, rmcrdt_format format, const rmcrdt_view* version,
                                   const rmcrdt_view* before) {
  return NewChanging(text, [&]() -> absl::StatusOr<rmcrdt_delta> {
    RM_ASSIGN_OR_RETURN(const Versions versions, VersionsArgument(format, before, version));
    const Snapshot* previous = versions.before.has_value() ? &*versions.before : nullptr;
    rmcrdt_delta delta{.shared = text->shared};
    const SharedType type = text->type;  // callbacks may free `text`
    for (DeltaInsertion& step : YjsDelta(type, versions.after_or_now(), previous)) {
      delta.steps.push_back(
          {RMCRDT_STEP_INSERT, 0, {MakeValue(delta.shared, std::move(step.insert))}, std::move(step.attributes)});
    }
    return delta;
  });
}

// --- attribution

rmcrdt_code rmcrdt_doc_keep_attribution(rmcrdt_doc* doc, const uint8_t* known, size_t known_size) {
  return TryOn(doc, [&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(known, known_size, "known"));
    Attribution attribution;
    if (known != nullptr) {
      RM_ASSIGN_OR_RETURN(attribution, Attribution::Decode(bytes));
    }
    doc->shared->doc.KeepAttribution(std::move(attribution));
    return absl::OkStatus();
  });
}

rmcrdt_code rmcrdt_doc_attribute_to(rmcrdt_doc* doc, const uint64_t* client, const int64_t* time_ms) {
  return TryOn(doc, [&]() -> absl::Status {
    std::optional<uint64_t> deleting;
    std::optional<absl::Time> time;
    if (client != nullptr) {
      RM_ASSIGN_OR_RETURN(deleting, ClientArgument(*client));
    }
    if (time_ms != nullptr) time = absl::FromUnixMillis(*time_ms);
    doc->shared->doc.AttributeTo(deleting, time);
    return absl::OkStatus();
  });
}

rmcrdt_buffer* rmcrdt_doc_encode_attribution(const rmcrdt_doc* doc) {
  return BytesOn(doc, [&]() -> absl::StatusOr<std::string> {
    const Attribution* attribution = doc->shared->doc.attribution();
    if (attribution != nullptr) return attribution->Encode();
    return absl::FailedPreconditionError("the document keeps no attribution: rmcrdt_doc_keep_attribution begins it");
  });
}

rmcrdt_value* rmcrdt_type_authors(const rmcrdt_type* type, uint64_t from, uint64_t to) {
  return NewReading(type, [&]() -> absl::StatusOr<rmcrdt_value> {
    Any::Array authors;
    for (const AuthorRun& run : type->type.Authors(from, to)) {
      Any::Object told = {{"length", Number(run.length)}, {"client", Number(run.client)}};
      AddTime("written", run.time, told);
      authors.emplace_back(std::move(told));
    }
    return rmcrdt_value{.value = Any(std::move(authors))};
  });
}

}  // extern "C"
