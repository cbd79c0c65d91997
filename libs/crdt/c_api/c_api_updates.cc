// Updates without a document, of rivermeet_crdt.h.
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/c_api/c_api.h"
#include "crdt/update.h"

using namespace rivermeet::crdt;            // NOLINT(google-build-using-namespace): what this file implements
using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace)

namespace {

// A buffer of what `body` gives of `update`.
rmcrdt_buffer* OfUpdate(
    rmcrdt_format format, const uint8_t* update, size_t update_size, const rmcrdt_options* limits,
    absl::FunctionRef<absl::StatusOr<std::string>(std::string_view, UpdateFormat, const Limits&)> body) {
  return New([&]() -> absl::StatusOr<rmcrdt_buffer> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(update, update_size, "update"));
    RM_ASSIGN_OR_RETURN(const DocOptions options, OptionsArgument(limits));
    RM_ASSIGN_OR_RETURN(std::string made, body(bytes, encoded, options.limits));
    return rmcrdt_buffer{std::move(made)};
  });
}

}  // namespace

namespace rivermeet::crdt::internal {

absl::StatusOr<std::vector<std::string_view>> UpdatesArgument(const rmcrdt_view* updates, size_t count) {
  if (updates == nullptr && count != 0) return absl::InvalidArgumentError("updates is NULL, but there are some");
  std::vector<std::string_view> views(count);
  for (size_t i = 0; i < count; ++i) {
    RM_ASSIGN_OR_RETURN(views[i], BytesArgument(updates[i].data, updates[i].size, "an update"));
  }
  return views;
}

}  // namespace rivermeet::crdt::internal

extern "C" {

rmcrdt_code rmcrdt_update_check(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                const rmcrdt_options* limits) {
  return Try([&]() -> absl::Status {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(update, update_size, "update"));
    RM_ASSIGN_OR_RETURN(const DocOptions options, OptionsArgument(limits));
    return CheckUpdate(bytes, encoded, options.limits);
  });
}

rmcrdt_buffer* rmcrdt_update_merge(rmcrdt_format format, const rmcrdt_view* updates, size_t count,
                                   const rmcrdt_options* limits) {
  return New([&]() -> absl::StatusOr<rmcrdt_buffer> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::vector<std::string_view> views, UpdatesArgument(updates, count));
    RM_ASSIGN_OR_RETURN(const DocOptions options, OptionsArgument(limits));
    RM_ASSIGN_OR_RETURN(std::string merged, MergeUpdates(views, encoded, options.limits));
    return rmcrdt_buffer{std::move(merged)};
  });
}

rmcrdt_buffer* rmcrdt_update_diff(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                  const uint8_t* state_vector, size_t state_vector_size, const rmcrdt_options* limits) {
  return OfUpdate(
      format, update, update_size, limits,
      [&](std::string_view bytes, UpdateFormat encoded, const Limits& at_most) -> absl::StatusOr<std::string> {
        RM_ASSIGN_OR_RETURN(const std::string_view since,
                            BytesArgument(state_vector, state_vector_size, "state_vector"));
        return DiffUpdate(bytes, since, encoded, at_most);
      });
}

rmcrdt_buffer* rmcrdt_update_convert(rmcrdt_format from, rmcrdt_format to, const uint8_t* update, size_t update_size,
                                     const rmcrdt_options* limits) {
  return OfUpdate(
      from, update, update_size, limits,
      [&](std::string_view bytes, UpdateFormat encoded, const Limits& at_most) -> absl::StatusOr<std::string> {
        RM_ASSIGN_OR_RETURN(const UpdateFormat wanted, FormatArgument(to));
        return ConvertUpdate(bytes, encoded, wanted, at_most);
      });
}

rmcrdt_buffer* rmcrdt_update_state_vector(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                          const rmcrdt_options* limits) {
  return OfUpdate(format, update, update_size, limits, EncodeStateVectorFromUpdate);
}

rmcrdt_buffer* rmcrdt_update_obfuscate(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                       const rmcrdt_options* limits) {
  return OfUpdate(format, update, update_size, limits, ObfuscateUpdate);
}

rmcrdt_value* rmcrdt_update_clients(rmcrdt_format format, const uint8_t* update, size_t update_size,
                                    const rmcrdt_options* limits) {
  return New([&]() -> absl::StatusOr<rmcrdt_value> {
    RM_ASSIGN_OR_RETURN(const UpdateFormat encoded, FormatArgument(format));
    RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(update, update_size, "update"));
    RM_ASSIGN_OR_RETURN(const DocOptions options, OptionsArgument(limits));
    RM_ASSIGN_OR_RETURN(const std::vector<ClientClocks> clients, ClientsOfUpdate(bytes, encoded, options.limits));
    Any::Array told;
    for (const ClientClocks& of : clients) {
      told.emplace_back(Any::Object{{"client", Number(of.client)}, {"from", Number(of.from)}, {"to", Number(of.to)}});
    }
    return rmcrdt_value{.value = Any(std::move(told))};
  });
}

}  // extern "C"
