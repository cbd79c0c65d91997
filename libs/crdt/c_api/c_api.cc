#include "crdt/c_api/c_api.h"

#include <atomic>
#include <exception>
#include <new>
#include <stdexcept>

#include "base/status.h"
#include "base/strings.h"
#include "crdt/internal/store/room.h"
#include "crdt/internal/wire/byte_reader.h"

namespace rivermeet::crdt::internal {
namespace {

struct LastError {
  rmcrdt_code code = RMCRDT_OK;
  std::string message;
};
thread_local LastError last_error;

static_assert(RMCRDT_OK == static_cast<int>(absl::StatusCode::kOk));
static_assert(RMCRDT_INVALID_ARGUMENT == static_cast<int>(absl::StatusCode::kInvalidArgument));
static_assert(RMCRDT_NOT_FOUND == static_cast<int>(absl::StatusCode::kNotFound));
static_assert(RMCRDT_RESOURCE_EXHAUSTED == static_cast<int>(absl::StatusCode::kResourceExhausted));
static_assert(RMCRDT_FAILED_PRECONDITION == static_cast<int>(absl::StatusCode::kFailedPrecondition));
static_assert(RMCRDT_OUT_OF_RANGE == static_cast<int>(absl::StatusCode::kOutOfRange));
static_assert(RMCRDT_INTERNAL == static_cast<int>(absl::StatusCode::kInternal));

rmcrdt_code CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return static_cast<rmcrdt_code>(code);
    default:
      return RMCRDT_INTERNAL;
  }
}

rmcrdt_code Keep(rmcrdt_code code, std::string_view message) noexcept {
  last_error.code = code;
  try {
    last_error.message = message;
  } catch (const std::bad_alloc&) {
    last_error.message = "out of memory";  // short enough to lie in the string itself
  }
  return code;
}

constexpr std::string_view kOutOfMemory = "there is not enough memory";

rmcrdt_code KeepLost() {
  return Keep(RMCRDT_RESOURCE_EXHAUSTED, "memory ran out while the document was changed: free it");
}

// `lost` becomes true when `body` throws.
rmcrdt_code Run(absl::FunctionRef<absl::Status()> body, bool& lost) noexcept {
  try {
    const absl::Status status = body();
    return status.ok() ? RMCRDT_OK : Keep(CodeOf(status.code()), MessageOf(status));
  } catch (const std::bad_alloc&) {
    lost = true;
    return Keep(RMCRDT_RESOURCE_EXHAUSTED, kOutOfMemory);
  } catch (const std::length_error&) {
    lost = true;
    return Keep(RMCRDT_RESOURCE_EXHAUSTED, kOutOfMemory);
  } catch (const std::exception& error) {
    lost = true;
    return Keep(RMCRDT_INTERNAL, error.what());
  } catch (...) {
    lost = true;
    return Keep(RMCRDT_INTERNAL, "something unknown was thrown");
  }
}

// Those that were freed, for as long as the process lives.
std::atomic<SharedDoc*> lost_docs = nullptr;

void Destroy(SharedDoc* doc) {
  if (!doc->lost) {
    delete doc;
    return;
  }
  doc->next_lost = lost_docs;
  while (!lost_docs.compare_exchange_weak(doc->next_lost, doc)) continue;
}

}  // namespace

std::shared_ptr<SharedDoc> SharedDoc::Make(Doc doc) { return {new SharedDoc(std::move(doc)), Destroy}; }

rmcrdt_code Try(absl::FunctionRef<absl::Status()> body) noexcept {
  bool lost;
  return Run(body, lost);
}

rmcrdt_code TryOn(DocRef doc, absl::FunctionRef<absl::Status()> body) noexcept {
  if (doc == nullptr) return Try(body);
  return doc->lost ? KeepLost() : Run(body, doc->lost);
}

rmcrdt_code TryReading(DocRef doc, absl::FunctionRef<absl::Status()> body) noexcept {
  return doc != nullptr && doc->lost ? KeepLost() : Try(body);
}

absl::Status NullHandle() { return absl::InvalidArgumentError("a handle is NULL where one is needed"); }
absl::Status NullCallback() { return absl::InvalidArgumentError("the callback is NULL"); }

absl::StatusOr<std::string_view> BytesArgument(const void* data, size_t size, std::string_view what) {
  if (data == nullptr && size != 0) return absl::InvalidArgumentError(fmt::format("{} is NULL, but has a size", what));
  return std::string_view(static_cast<const char*>(data), size);
}

absl::StatusOr<std::string_view> TextArgument(const char* text, size_t size, std::string_view what) {
  RM_ASSIGN_OR_RETURN(const std::string_view bytes, BytesArgument(text, size, what));
  RM_RETURN_IF_ERROR(CheckText(bytes, what));
  return bytes;
}

absl::StatusOr<UpdateFormat> FormatArgument(rmcrdt_format format) {
  if (format == RMCRDT_V1) return UpdateFormat::kV1;
  if (format == RMCRDT_V2) return UpdateFormat::kV2;
  return absl::InvalidArgumentError(
      fmt::format("there is no format {}: it is RMCRDT_V1 or RMCRDT_V2", static_cast<int>(format)));
}

static_assert(RMCRDT_KIND_ARRAY == static_cast<int>(SharedKind::kArray));
static_assert(RMCRDT_KIND_MAP == static_cast<int>(SharedKind::kMap));
static_assert(RMCRDT_KIND_TEXT == static_cast<int>(SharedKind::kText));
static_assert(RMCRDT_KIND_XML_ELEMENT == static_cast<int>(SharedKind::kXmlElement));
static_assert(RMCRDT_KIND_XML_FRAGMENT == static_cast<int>(SharedKind::kXmlFragment));
static_assert(RMCRDT_KIND_XML_HOOK == static_cast<int>(SharedKind::kXmlHook));
static_assert(RMCRDT_KIND_XML_TEXT == static_cast<int>(SharedKind::kXmlText));

absl::StatusOr<SharedKind> KindArgument(rmcrdt_kind kind) {
  if (kind >= RMCRDT_KIND_ARRAY && kind <= RMCRDT_KIND_XML_TEXT) return static_cast<SharedKind>(kind);
  return absl::InvalidArgumentError(fmt::format("there is no kind {} of shared types", static_cast<int>(kind)));
}

absl::StatusOr<uint64_t> ClientArgument(uint64_t client) {
  if (client <= kMaxInteger) return client;
  return absl::InvalidArgumentError(fmt::format("client {} is over 2^53 - 1", client));
}

absl::StatusOr<DocOptions> OptionsArgument(const rmcrdt_options* options) {
  DocOptions read;
  if (options == nullptr) return read;
  if (options->struct_size == 0 || options->struct_size > sizeof(rmcrdt_options)) {
    return absl::InvalidArgumentError(
        fmt::format("options of {} bytes: rmcrdt_options_init fills them, and a newer program needs a newer library",
                    options->struct_size));
  }
  // A member that an older program's struct doesn't have keeps its default.
  const auto take = [options](const auto& member, auto& to) {
    const size_t end = reinterpret_cast<const char*>(&member + 1) - reinterpret_cast<const char*>(options);
    if (end <= options->struct_size) to = member;
  };
  bool has_client_id = false, keep_deleted = false;
  uint64_t client_id = 0;
  auto max_depth = static_cast<uint32_t>(read.limits.max_depth);
  take(options->has_client_id, has_client_id);
  take(options->client_id, client_id);
  take(options->keep_deleted, keep_deleted);
  take(options->max_update_bytes, read.limits.max_update_bytes);
  take(options->max_structs, read.limits.max_structs);
  take(options->max_clients, read.limits.max_clients);
  take(options->max_depth, max_depth);
  take(options->max_document_bytes, read.limits.max_document_bytes);
  take(options->max_repeats, read.limits.max_repeats);
  if (max_depth > static_cast<uint32_t>(Limits().max_depth)) {
    return absl::InvalidArgumentError(fmt::format("max_depth {} is over {}", max_depth, Limits().max_depth));
  }
  if (has_client_id) {
    RM_ASSIGN_OR_RETURN(read.client_id, ClientArgument(client_id));
  }
  read.gc = !keep_deleted;
  read.limits.max_depth = static_cast<int>(max_depth);
  return read;
}

}  // namespace rivermeet::crdt::internal

using namespace rivermeet::crdt::internal;  // NOLINT(google-build-using-namespace): what this file implements

extern "C" {

uint32_t rmcrdt_version(void) { return RMCRDT_VERSION_MAJOR * 1000 + RMCRDT_VERSION_MINOR; }
rmcrdt_code rmcrdt_error_code(void) { return last_error.code; }
const char* rmcrdt_error_message(void) { return last_error.message.c_str(); }

const uint8_t* rmcrdt_buffer_data(const rmcrdt_buffer* buffer) {
  return reinterpret_cast<const uint8_t*>(buffer == nullptr ? "" : buffer->bytes.c_str());
}
size_t rmcrdt_buffer_size(const rmcrdt_buffer* buffer) { return buffer == nullptr ? 0 : buffer->bytes.size(); }
void rmcrdt_buffer_free(rmcrdt_buffer* buffer) { delete buffer; }

}  // extern "C"
