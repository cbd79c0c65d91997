// A checked, compressed sequence of numbers and texts: how a snapshot is stored.
//
//   offset  bytes
//        0      4  "RMWS"
//        4      4  version: 2; in 1 a ledger had no count of events over the limit of series
//        8      8  bytes before compression
//       16      8  bytes of the body
//       24      4  CRC-32C of bytes 0 to 23 and of the body
//       28      4  zero
//       32         the body: one zstd frame (RFC 8878)
// Integers are little-endian. The checksum is verified before anything is decompressed.
#ifndef RIVERMEET_WINDOWS_INTERNAL_BLOB_H_
#define RIVERMEET_WINDOWS_INTERNAL_BLOB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"

namespace rivermeet::windows {

// Compresses while it is filled, so that the whole is never in memory uncompressed.
class BlobWriter {
 public:
  BlobWriter();
  ~BlobWriter();

  void Raw(const void* data, size_t bytes);
  template <typename T>
  void Fixed(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    Raw(&value, sizeof value);
  }
  // LEB128.
  void Varint(uint64_t value);
  void Text(std::string_view text);
  template <typename T>
  void Column(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Raw(values.data(), values.size() * sizeof(T));
  }

  // The blob. Last call.
  std::string Finish();

 private:
  void Flush(bool end);

  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string buffer_;
  std::string out_;
  uint64_t raw_bytes_ = 0;
};

// After the first failure every read gives zeros and ok() is false.
class BlobReader {
 public:
  // `blob` must outlive the reader.
  //
  // Errors:
  //   DATA_LOSS      Not a blob, cut short, or not what was written: use an older snapshot.
  //   UNIMPLEMENTED  A version that this program doesn't know.
  static absl::StatusOr<std::unique_ptr<BlobReader>> Open(std::string_view blob);
  ~BlobReader();

  void Raw(void* data, size_t bytes);
  template <typename T>
  T Fixed() {
    T value{};
    Raw(&value, sizeof value);
    return value;
  }
  uint64_t Varint();
  // A count of things that take at least `bytes_each` bytes in the blob; fails when there can't be so many.
  uint64_t Count(uint64_t bytes_each);
  std::string Text();
  template <typename T>
  void Column(std::vector<T>& values, size_t count) {
    if (!Has(count, sizeof(T))) return;
    values.resize(count);
    Raw(values.data(), count * sizeof(T));
  }

  uint32_t version() const { return version_; }
  bool ok() const { return ok_; }
  void Fail() { ok_ = false; }
  // Everything was read.
  bool done() const { return ok_ && left_ == 0; }

 private:
  BlobReader();
  bool Has(uint64_t count, uint64_t bytes_each);
  bool Refill();

  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string buffer_;
  size_t at_ = 0;
  size_t filled_ = 0;
  uint32_t version_ = 0;
  uint64_t left_ = 0;  // uncompressed bytes not read yet
  bool ok_ = true;
};

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_INTERNAL_BLOB_H_
