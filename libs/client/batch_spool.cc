#include "client/batch_spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/bytes.h"
#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::client {
namespace {

constexpr char kSuffix[] = ".spool";
// Numbers start in the middle and leave gaps, so that Prepend() has room before and between them.
constexpr uint64_t kFirstFile = uint64_t{1} << 32;
constexpr uint64_t kGap = 1024;
// Length of payload, hash of what follows, then sender, sequence and events.
constexpr size_t kHeaderBytes = 4 + 8 + 8 + 8 + 4;

absl::Status DiskError(const std::string& path) {
  const int error = errno;
  const std::string message = fmt::format("{}: {}", path, std::strerror(error));
  return error == ENOSPC || error == EDQUOT ? absl::ResourceExhaustedError(message) : absl::UnavailableError(message);
}

std::string Encode(const SpooledBatch& batch) {
  std::string body;
  AppendLittleEndian(body, batch.sender);
  AppendLittleEndian(body, batch.sequence);
  AppendLittleEndian(body, batch.events);
  body += batch.payload;
  std::string record;
  record.reserve(kHeaderBytes + batch.payload.size());
  AppendLittleEndian(record, static_cast<uint32_t>(batch.payload.size()));
  AppendLittleEndian(record, static_cast<uint64_t>(XXH3_64bits(body.data(), body.size())));
  return record + body;
}

// The whole records of a file, up to the first that is torn.
std::vector<SpooledBatch> Decode(const std::string& text) {
  std::vector<SpooledBatch> batches;
  size_t at = 0;
  while (text.size() - at >= kHeaderBytes) {
    const auto length = LoadLittleEndian<uint32_t>(&text[at]);
    if (text.size() - at - kHeaderBytes < length) break;
    const char* body = &text[at + 12];
    if (XXH3_64bits(body, kHeaderBytes - 12 + length) != LoadLittleEndian<uint64_t>(&text[at + 4])) break;
    batches.push_back({LoadLittleEndian<uint64_t>(body), LoadLittleEndian<uint64_t>(body + 8),
                       LoadLittleEndian<uint32_t>(body + 16), std::string(body + 20, length)});
    at += kHeaderBytes + length;
  }
  return batches;
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return DiskError(path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

absl::Status WriteAll(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return DiskError(path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

uint64_t EventsOf(const std::vector<SpooledBatch>& batches) {
  uint64_t events = 0;
  for (const SpooledBatch& batch : batches) events += batch.events;
  return events;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BatchSpool>> BatchSpool::Open(std::string folder, uint64_t max_bytes) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::UnavailableError(fmt::format("can't make {}: {}", folder, error.message()));
  std::unique_ptr<BatchSpool> spool(new BatchSpool(std::move(folder), max_bytes));
  RM_RETURN_IF_ERROR(spool->Load());
  return spool;
}

BatchSpool::~BatchSpool() {
  if (writer_ >= 0) (void)CloseWriter();
  if (lock_ >= 0) close(lock_);
}

absl::Status BatchSpool::Load() {
  const std::string lock_path = folder_ + "/lock";
  lock_ = open(lock_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_ < 0) return DiskError(lock_path);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(fmt::format("{} is in use by another process", folder_));
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    uint64_t number = 0;
    if (entry.path().extension() != kSuffix || !ParseNumber(entry.path().stem().string(), number)) continue;
    RM_ASSIGN_OR_RETURN(const std::string text, ReadWhole(entry.path().string()));
    const std::vector<SpooledBatch> batches = Decode(text);
    if (batches.empty()) {
      std::filesystem::remove(entry.path(), error);
      continue;
    }
    files_[number] = {text.size(), EventsOf(batches)};
    size_bytes_ += text.size();
  }
  if (error) return absl::UnavailableError(fmt::format("can't list {}: {}", folder_, error.message()));
  return LoadProducers();
}

absl::Status BatchSpool::LoadProducers() {
  const std::string path = folder_ + "/producers";
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  RM_ASSIGN_OR_RETURN(const std::string text, ReadWhole(path));
  for (const std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> words = Split(line, ' ');
    uint64_t sender = 0;
    uint64_t producer = 0;
    if (words.size() == 2 && ParseNumber(words[0], sender) && ParseNumber(words[1], producer)) {
      producers_[sender] = producer;
    }
  }
  // With nothing left to send, no old sender is ever asked for again.
  if (files_.empty()) {
    producers_.clear();
    if (truncate(path.c_str(), 0) != 0) return DiskError(path);
  }
  return absl::OkStatus();
}

std::string BatchSpool::PathOf(uint64_t number) const { return fmt::format("{}/{}{}", folder_, number, kSuffix); }

absl::Status BatchSpool::OpenWriter() {
  uint64_t number = kFirstFile;
  if (!files_.empty()) number = std::max(number, files_.rbegin()->first + kGap);
  if (!taken_.empty()) number = std::max(number, taken_.rbegin()->first + kGap);
  const std::string path = PathOf(number);
  writer_ = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (writer_ < 0) return DiskError(path);
  writing_ = number;
  return absl::OkStatus();
}

absl::Status BatchSpool::CloseWriter() {
  const absl::Status synced = Sync();
  close(writer_);
  writer_ = -1;
  return synced;
}

absl::Status BatchSpool::Sync() {
  if (writer_ >= 0 && fdatasync(writer_) != 0) return DiskError(PathOf(writing_));
  return absl::OkStatus();
}

absl::Status BatchSpool::Append(const SpooledBatch& batch) {
  const std::string record = Encode(batch);
  while (!files_.empty() && size_bytes_ + record.size() > max_bytes_) DropOldest();
  if (writer_ < 0) RM_RETURN_IF_ERROR(OpenWriter());
  const absl::Status written = WriteAll(writer_, PathOf(writing_), record);
  if (!written.ok()) {
    // Whatever part of the record is there would end the file for a reader: go on in a new one.
    const auto whole = files_.find(writing_);
    (void)ftruncate(writer_, whole == files_.end() ? 0 : static_cast<off_t>(whole->second.bytes));
    (void)CloseWriter();
    return written;
  }
  File& file = files_[writing_];
  file.bytes += record.size();
  file.events += batch.events;
  size_bytes_ += record.size();
  return file.bytes >= std::max<uint64_t>(max_bytes_ / 64, 4096) ? CloseWriter() : absl::OkStatus();
}

absl::Status BatchSpool::WriteFile(uint64_t number, const std::vector<SpooledBatch>& batches) {
  std::string bytes;
  for (const SpooledBatch& batch : batches) bytes += Encode(batch);
  const std::string path = PathOf(number);
  const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return DiskError(path);
  absl::Status written = WriteAll(fd, path, bytes);
  if (written.ok() && fdatasync(fd) != 0) written = DiskError(path);
  close(fd);
  if (!written.ok()) {
    unlink(path.c_str());
    return written;
  }
  files_[number] = {bytes.size(), EventsOf(batches)};
  size_bytes_ += bytes.size();
  return absl::OkStatus();
}

absl::Status BatchSpool::Prepend(const std::vector<SpooledBatch>& batches) {
  if (batches.empty()) return absl::OkStatus();
  // Between what was taken, which is older, and the rest.
  const uint64_t below = taken_.empty() ? 0 : taken_.rbegin()->first;
  const uint64_t above = files_.empty() ? std::max(kFirstFile, below + kGap) : files_.begin()->first;
  uint64_t number = below == 0 ? above - 1 : below + (above - below) / 2;
  while (taken_.contains(number) || files_.contains(number)) --number;
  RM_RETURN_IF_ERROR(WriteFile(number, batches));
  while (files_.size() > 1 && size_bytes_ > max_bytes_) DropOldest();
  return absl::OkStatus();
}

void BatchSpool::DropOldest() {
  const auto oldest = files_.begin();
  if (writer_ >= 0 && oldest->first == writing_) (void)CloseWriter();
  unlink(PathOf(oldest->first).c_str());
  size_bytes_ -= oldest->second.bytes;
  dropped_events_ += oldest->second.events;
  files_.erase(oldest);
}

absl::StatusOr<std::optional<BatchSpool::Taken>> BatchSpool::Take() {
  if (files_.empty()) return std::nullopt;
  const auto [number, file] = *files_.begin();
  if (writer_ >= 0 && number == writing_) RM_RETURN_IF_ERROR(CloseWriter());
  RM_ASSIGN_OR_RETURN(const std::string text, ReadWhole(PathOf(number)));
  Taken taken{number, Decode(text)};
  files_.erase(number);
  taken_[number] = file;
  const uint64_t events = EventsOf(taken.batches);
  dropped_events_ += file.events - std::min(events, file.events);  // bytes that went bad on the disk
  return taken;
}

absl::Status BatchSpool::Forget(uint64_t number) {
  const auto taken = taken_.find(number);
  if (taken == taken_.end()) return absl::OkStatus();
  size_bytes_ -= taken->second.bytes;
  taken_.erase(taken);
  if (unlink(PathOf(number).c_str()) != 0) return DiskError(PathOf(number));
  return absl::OkStatus();
}

absl::Status BatchSpool::SetProducer(uint64_t sender, uint64_t producer_id) {
  producers_[sender] = producer_id;
  const std::string path = folder_ + "/producers";
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return DiskError(path);
  absl::Status written = WriteAll(fd, path, fmt::format("{} {}\n", sender, producer_id));
  if (written.ok() && fdatasync(fd) != 0) written = DiskError(path);
  close(fd);
  return written;
}

std::optional<uint64_t> BatchSpool::ProducerOf(uint64_t sender) const {
  const auto found = producers_.find(sender);
  return found == producers_.end() || found->second == 0 ? std::nullopt : std::optional<uint64_t>(found->second);
}

}  // namespace rivermeet::client
