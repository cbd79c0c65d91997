#include "net/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/strings.h"
#include "net/http_parser.h"

namespace rivermeet::net {
namespace {

constexpr size_t kStepBytes = 64 * 1024;
constexpr size_t kWorthCompressing = 1024;

absl::Status Damaged() { return absl::InvalidArgumentError("The compressed body is damaged or cut off."); }
absl::Status TooLarge() { return absl::ResourceExhaustedError("The body is too large once decompressed."); }

size_t Allowance(size_t compressed_bytes, const InflateLimits& limits) {
  const size_t by_ratio =
      compressed_bytes > limits.max_bytes / limits.max_ratio ? limits.max_bytes : compressed_bytes * limits.max_ratio;
  return std::min(limits.max_bytes, std::max(by_ratio, InflateLimits::kFreeBytes));
}

absl::StatusOr<std::string> InflateZlib(std::string_view data, bool gzip, size_t allowance) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip ? 15 + 16 : 15) != Z_OK) return absl::ResourceExhaustedError("Out of memory.");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  std::string out;
  while (true) {
    const size_t before = out.size();
    // One byte over the allowance tells "too large" from "just fits".
    out.resize(std::min(before + kStepBytes, allowance + 1));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > allowance) return TooLarge();
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (!gzip || inflateReset(&stream) != Z_OK) return Damaged();
      continue;
    }
    if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) return Damaged();
  }
}

absl::StatusOr<std::string> InflateZstd(std::string_view data, size_t allowance) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  // A frame may ask for a window of gigabytes; 8 MiB is what RFC 9659 lets a server expect.
  if (context == nullptr || ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23))) {
    return absl::ResourceExhaustedError("Out of memory.");
  }
  ZSTD_inBuffer in{data.data(), data.size(), 0};
  std::string out;
  while (true) {
    const size_t before = out.size();
    out.resize(std::min(before + kStepBytes, allowance + 1));
    ZSTD_outBuffer step{out.data() + before, out.size() - before, 0};
    const size_t left = ZSTD_decompressStream(context.get(), &step, &in);
    out.resize(before + step.pos);
    if (ZSTD_isError(left)) return Damaged();
    if (out.size() > allowance) return TooLarge();
    if (in.pos < in.size) continue;
    if (left == 0) return out;
    if (step.pos < step.size) return Damaged();
  }
}

}  // namespace

bool IsKnownCoding(std::string_view coding) {
  return EqualsIgnoreCase(coding, "gzip") || EqualsIgnoreCase(coding, "x-gzip") ||
         EqualsIgnoreCase(coding, "deflate") || EqualsIgnoreCase(coding, "zstd");
}

absl::StatusOr<std::string> Inflate(std::string_view coding, std::string_view data, const InflateLimits& limits) {
  if (!IsKnownCoding(coding)) return absl::UnimplementedError("The content coding is not supported.");
  if (data.empty()) return Damaged();
  const size_t allowance = Allowance(data.size(), limits);
  if (EqualsIgnoreCase(coding, "zstd")) return InflateZstd(data, allowance);
  return InflateZlib(data, !EqualsIgnoreCase(coding, "deflate"), allowance);
}

std::optional<std::string> GzipIfItPays(std::string_view data) {
  if (data.size() < kWorthCompressing) return std::nullopt;
  z_stream stream{};
  if (deflateInit2(&stream, 3, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return std::nullopt;
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, deflateEnd);
  std::string out(data.size() - data.size() / 10, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  out.resize(out.size() - stream.avail_out);
  return out;
}

bool IsCompressible(std::string_view content_type) {
  const std::string type = ToLower(Trim(content_type.substr(0, content_type.find(';'))));
  return type.starts_with("text/") || type.ends_with("json") || type.ends_with("xml") || type.ends_with("javascript") ||
         type == "application/proto" || type == "application/wasm" || type == "application/manifest+json";
}

bool Accepts(std::string_view accept_encoding, std::string_view coding) {
  bool by_star = false;
  for (const std::string_view piece : Split(accept_encoding, ',')) {
    const size_t semicolon = piece.find(';');
    const std::string_view name = Trim(piece.substr(0, semicolon));
    bool allowed = !name.empty();
    if (semicolon != std::string_view::npos) {
      const std::string quality = ToLower(Trim(piece.substr(semicolon + 1)));
      // q=0, q=0.0, q=0.00 and q=0.000 all say "never".
      if (quality.starts_with("q=0") && quality.find_first_not_of("0.", 2) == std::string::npos) allowed = false;
    }
    if (EqualsIgnoreCase(name, coding)) return allowed;
    if (name == "*") by_star = allowed;
  }
  return by_star;
}

}  // namespace rivermeet::net
