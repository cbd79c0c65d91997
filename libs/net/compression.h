// Content codings (RFC 9110 section 8.4): bodies in, within hard bounds, and bodies out where it pays.
#ifndef RIVERMEET_NET_COMPRESSION_H_
#define RIVERMEET_NET_COMPRESSION_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rivermeet::net {

struct InflateLimits {
  size_t max_bytes = 8 << 20;
  // A stream may always grow to kFreeBytes; beyond that, to this many times its own size.
  size_t max_ratio = 200;
  static constexpr size_t kFreeBytes = 256 * 1024;
};

// Whether `coding` is one that Inflate() knows: "gzip", "x-gzip", "deflate" (zlib's format, RFC 1950) or "zstd".
bool IsKnownCoding(std::string_view coding);

// The content of `data`, which must be one whole stream, or several one after the other.
//
// Errors:
//   INVALID_ARGUMENT    Not that format, damaged, or cut off. HTTP says 400.
//   RESOURCE_EXHAUSTED  Over a limit. HTTP says 413. Memory used stays within the limit.
//   UNIMPLEMENTED       A coding unknown here. HTTP says 415.
absl::StatusOr<std::string> Inflate(std::string_view coding, std::string_view data, const InflateLimits& limits);

// `data` in gzip's format at a level that costs about 20 ns a byte; nullopt where that would not save a tenth.
std::optional<std::string> GzipIfItPays(std::string_view data);

// Whether content of that media type is worth compressing.
bool IsCompressible(std::string_view content_type);

// Whether an Accept-Encoding field's value allows `coding` (RFC 9110 section 12.5.3).
bool Accepts(std::string_view accept_encoding, std::string_view coding);

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_COMPRESSION_H_
