#include "trace_files.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>

namespace rivermeet::load {
namespace {

// A cursor over a file's bytes. After an error everything read is zero or empty; ok() tells.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Integer() {
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && position_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes_[position_++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  uint32_t Index() {
    const uint64_t value = Integer();
    ok_ = ok_ && value <= std::numeric_limits<uint32_t>::max();
    return static_cast<uint32_t>(value);
  }

  std::string Bytes() {
    const uint64_t length = Integer();
    ok_ = ok_ && length <= bytes_.size() - position_;
    if (!ok_) return {};
    position_ += length;
    return std::string(bytes_.substr(position_ - length, length));
  }

  bool ok() const { return ok_; }
  void Fail() { ok_ = false; }

  // What a reader of a whole file ends with.
  absl::Status Finish(const std::string& path) const {
    if (ok_ && position_ == bytes_.size()) return absl::OkStatus();
    return absl::DataLossError(
        fmt::format("{}: {} at byte {}", path, ok_ ? "more than expected" : "cut or no such file", position_));
  }

 private:
  std::string_view bytes_;
  size_t position_ = 0;
  bool ok_ = true;
};

Edit ReadEdit(Reader& reader) {
  Edit edit;
  const uint64_t tag = reader.Integer();
  edit.index = reader.Index();
  if (tag == 1) {
    edit.text = reader.Bytes();
  } else {
    edit.deleted = reader.Index();
    if (tag != 2) reader.Fail();
  }
  return edit;
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(fmt::format("{} can't be opened", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<std::vector<Edit>> ReadEdits(const std::string& path) {
  const auto bytes = ReadWholeFile(path);
  if (!bytes.ok()) return bytes.status();
  Reader reader(*bytes);
  std::vector<Edit> edits;
  for (uint64_t left = reader.Integer(); left > 0 && reader.ok(); --left) edits.push_back(ReadEdit(reader));
  if (const absl::Status status = reader.Finish(path); !status.ok()) return status;
  return edits;
}

absl::StatusOr<std::vector<std::string>> ReadUpdates(const std::string& path) {
  const auto bytes = ReadWholeFile(path);
  if (!bytes.ok()) return bytes.status();
  Reader reader(*bytes);
  std::vector<std::string> updates;
  for (uint64_t left = reader.Integer(); left > 0 && reader.ok(); --left) updates.push_back(reader.Bytes());
  if (const absl::Status status = reader.Finish(path); !status.ok()) return status;
  return updates;
}

}  // namespace rivermeet::load
