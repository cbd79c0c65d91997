// A record's fields, read one after another.
#ifndef RIVERMEET_YJS_INTERNAL_RECORD_CURSOR_H_
#define RIVERMEET_YJS_INTERNAL_RECORD_CURSOR_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "yjs/history_stream.h"

namespace rivermeet::yjs::internal {

// Past the end everything reads as zero or nothing, and ok() is false from then on.
class RecordCursor {
 public:
  explicit RecordCursor(std::string_view record) : rest_(record) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return rest_.empty(); }
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  uint8_t Byte() {
    const std::string_view byte = Take(1);
    return byte.empty() ? 0 : static_cast<uint8_t>(byte[0]);
  }
  // Little-endian.
  uint32_t Word();
  uint64_t VarUint();
  std::string_view Bytes() { return Take(VarUint()); }
  Digest ReadDigest();
  Root ReadRoot();

  // As many as the count that comes first says; `read` reads one.
  template <typename T, typename Read>
  std::vector<T> List(Read read) {
    std::vector<T> list;
    for (uint64_t left = VarUint(); left > 0 && ok_; --left) list.push_back(read(*this));
    return list;
  }

 private:
  std::string_view Take(uint64_t size);

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace rivermeet::yjs::internal

#endif  // RIVERMEET_YJS_INTERNAL_RECORD_CURSOR_H_
