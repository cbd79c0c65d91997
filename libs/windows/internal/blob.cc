#include "windows/internal/blob.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::windows {
namespace {

constexpr std::string_view kMagic = "RMWS";
constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 32;
constexpr size_t kCheckedHeaderBytes = 24;
constexpr size_t kBufferBytes = 256 << 10;
// Fast: most of a snapshot is taken anew every 10 s.
constexpr int kCompressionLevel = 1;

}  // namespace

struct BlobWriter::Stream {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ~Stream() { ZSTD_freeCCtx(context); }
};

BlobWriter::BlobWriter() : stream_(std::make_unique<Stream>()), out_(kHeaderBytes, '\0') {
  RM_CHECK(stream_->context != nullptr);
  ZSTD_CCtx_setParameter(stream_->context, ZSTD_c_compressionLevel, kCompressionLevel);
  buffer_.reserve(kBufferBytes);
}

BlobWriter::~BlobWriter() = default;

void BlobWriter::Raw(const void* data, size_t bytes) {
  raw_bytes_ += bytes;
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const size_t piece = std::min(bytes, kBufferBytes - buffer_.size());
    buffer_.append(from, piece);
    from += piece;
    bytes -= piece;
    if (buffer_.size() == kBufferBytes) Flush(false);
  }
}

void BlobWriter::Varint(uint64_t value) {
  char bytes[10];
  size_t count = 0;
  for (; value >= 0x80; value >>= 7) bytes[count++] = static_cast<char>(value | 0x80);
  bytes[count++] = static_cast<char>(value);
  Raw(bytes, count);
}

void BlobWriter::Text(std::string_view text) {
  Varint(text.size());
  Raw(text.data(), text.size());
}

void BlobWriter::Flush(bool end) {
  ZSTD_inBuffer in{buffer_.data(), buffer_.size(), 0};
  const size_t room = ZSTD_CStreamOutSize();
  size_t left = 0;
  do {
    const size_t before = out_.size();
    out_.resize(before + room);
    ZSTD_outBuffer out{out_.data() + before, room, 0};
    left = ZSTD_compressStream2(stream_->context, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
    RM_CHECK(!ZSTD_isError(left));
    out_.resize(before + out.pos);
  } while (end ? left != 0 : in.pos < in.size);
  buffer_.clear();
}

std::string BlobWriter::Finish() {
  Flush(true);
  std::string header(kMagic);
  AppendLittleEndian(header, kVersion);
  AppendLittleEndian(header, raw_bytes_);
  AppendLittleEndian(header, static_cast<uint64_t>(out_.size() - kHeaderBytes));
  const uint32_t crc = Crc32c(std::string_view(out_).substr(kHeaderBytes), Crc32c(header));
  AppendLittleEndian(header, crc);
  AppendLittleEndian(header, uint32_t{0});
  std::memcpy(out_.data(), header.data(), kHeaderBytes);
  return std::move(out_);
}

struct BlobReader::Stream {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{nullptr, 0, 0};
  ~Stream() { ZSTD_freeDCtx(context); }
};

BlobReader::BlobReader() : stream_(std::make_unique<Stream>()) { RM_CHECK(stream_->context != nullptr); }
BlobReader::~BlobReader() = default;

absl::StatusOr<std::unique_ptr<BlobReader>> BlobReader::Open(std::string_view blob) {
  if (blob.size() < kHeaderBytes || blob.substr(0, 4) != kMagic) {
    return absl::DataLossError(fmt::format("not a snapshot: {} bytes without its mark", blob.size()));
  }
  const uint64_t raw_bytes = LoadLittleEndian<uint64_t>(blob.data() + 8);
  const uint64_t body_bytes = LoadLittleEndian<uint64_t>(blob.data() + 16);
  const std::string_view body = blob.substr(kHeaderBytes);
  if (body.size() != body_bytes) {
    return absl::DataLossError(fmt::format("the snapshot is cut: {} of {} bytes", body.size(), body_bytes));
  }
  const uint32_t crc = Crc32c(body, Crc32c(blob.substr(0, kCheckedHeaderBytes)));
  if (crc != LoadLittleEndian<uint32_t>(blob.data() + kCheckedHeaderBytes) ||
      LoadLittleEndian<uint32_t>(blob.data() + 28) != 0) {
    return absl::DataLossError("the snapshot's checksum is wrong: it is not what was written");
  }
  const uint32_t version = LoadLittleEndian<uint32_t>(blob.data() + 4);
  if (version < 1 || version > kVersion) {
    return absl::UnimplementedError(
        fmt::format("the snapshot has version {}, this program reads up to {}", version, kVersion));
  }
  std::unique_ptr<BlobReader> reader(new BlobReader);
  reader->version_ = version;
  reader->stream_->in = {body.data(), body.size(), 0};
  reader->left_ = raw_bytes;
  reader->buffer_.resize(kBufferBytes);
  return reader;
}

bool BlobReader::Has(uint64_t count, uint64_t bytes_each) {
  if (!ok_ || (bytes_each > 0 && count > left_ / bytes_each)) ok_ = false;
  return ok_;
}

bool BlobReader::Refill() {
  ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
  while (out.pos == 0) {
    const size_t before = stream_->in.pos;
    const size_t result = ZSTD_decompressStream(stream_->context, &out, &stream_->in);
    if (ZSTD_isError(result) || (out.pos == 0 && stream_->in.pos == before)) return false;
  }
  at_ = 0;
  filled_ = out.pos;
  return true;
}

void BlobReader::Raw(void* data, size_t bytes) {
  char* to = static_cast<char*>(data);
  if (!Has(bytes, 1)) {
    std::memset(to, 0, bytes);
    return;
  }
  left_ -= bytes;
  while (bytes > 0) {
    if (at_ == filled_ && !Refill()) {
      ok_ = false;
      std::memset(to, 0, bytes);
      return;
    }
    const size_t piece = std::min(bytes, filled_ - at_);
    std::memcpy(to, buffer_.data() + at_, piece);
    at_ += piece;
    to += piece;
    bytes -= piece;
  }
}

uint64_t BlobReader::Varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = Fixed<uint8_t>();
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return ok_ ? value : 0;
  }
  ok_ = false;
  return 0;
}

uint64_t BlobReader::Count(uint64_t bytes_each) {
  const uint64_t count = Varint();
  return Has(count, bytes_each) ? count : 0;
}

std::string BlobReader::Text() {
  std::string text(Count(1), '\0');
  Raw(text.data(), text.size());
  return text;
}

}  // namespace rivermeet::windows
