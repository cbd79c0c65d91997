#include "eventlog/internal/local_log_reader.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::eventlog::internal {
namespace {

// A look-ahead: a disk's and the kernel's calls are worth more than this much copying.
constexpr size_t kMinReadBytes = 64 << 10;
constexpr size_t kMaxReadBytes = 4 << 20;

}  // namespace

void LocalLogReader::Cancel() {
  cancelled_ = true;
  partition_.WakeReaders();
}

absl::Status LocalLogReader::Damaged(std::string_view reason) {
  // Seeks anew next time: a mended file must not need a new reader.
  file_ = nullptr;
  Counters::Add(partition_.counters().damaged_segments, 1);
  return absl::DataLossError(fmt::format("{} at byte {}: {}", partition_.PathOf(segment_), position_, reason));
}

absl::StatusOr<std::string_view> LocalLogReader::Fill(size_t bytes, size_t max_bytes) {
  if (buffer_.size() - buffer_at_ < bytes) {
    buffer_.erase(0, buffer_at_);
    buffer_at_ = 0;
    const size_t had = buffer_.size();
    const auto durable = static_cast<size_t>(std::max<int64_t>(0, extent_.data_end - position_));
    const size_t ahead = std::clamp(max_bytes, kMinReadBytes, kMaxReadBytes);
    const size_t wanted = std::min(std::max(bytes, ahead), durable);
    if (wanted > had) {
      buffer_.resize(wanted);
      auto read = file_->ReadAt(position_ + static_cast<int64_t>(had), std::span<char>(buffer_).subspan(had));
      buffer_.resize(had + (read.ok() ? *read : 0));
      RM_RETURN_IF_ERROR(read.status());
    }
  }
  return std::string_view(buffer_).substr(buffer_at_, bytes);
}

absl::Status LocalLogReader::Seek() {
  file_ = nullptr;
  buffer_.clear();
  buffer_at_ = 0;
  RM_ASSIGN_OR_RETURN(const Place place, partition_.Locate(next_));
  segment_ = place.segment;
  extent_ = partition_.ExtentOf(segment_);
  position_ = 0;
  auto opened = partition_.fs().OpenForRead(partition_.PathOf(segment_));
  // Retention may have been faster.
  if (absl::IsNotFound(opened.status())) {
    RM_RETURN_IF_ERROR(partition_.Locate(next_).status());
    return Damaged("the file is missing");
  }
  RM_ASSIGN_OR_RETURN(std::unique_ptr<files::ReadFile> file, std::move(opened));
  std::string head(kSegmentHeaderBytes, '\0');
  RM_ASSIGN_OR_RETURN(const size_t read, file->ReadAt(0, head));
  const auto header = DecodeSegmentHeader(std::string_view(head).substr(0, read));
  if (!header || header->base != segment_) return Damaged("the file's header is damaged");
  header_ = *header;
  file_ = std::move(file);
  offset_ = place.start.offset;
  position_ = place.start.position;
  while (offset_ < next_) {
    RM_ASSIGN_OR_RETURN(const Frame frame, NextFrame(kMinReadBytes));
    const size_t framed = kFrameBytes + frame.BodyBytes();
    const size_t skipped = std::min(framed, buffer_.size() - buffer_at_);
    buffer_at_ += skipped;
    if (skipped < framed) {
      buffer_.clear();
      buffer_at_ = 0;
    }
    position_ += static_cast<int64_t>(framed);
    ++offset_;
  }
  return absl::OkStatus();
}

absl::StatusOr<Frame> LocalLogReader::NextFrame(size_t max_bytes) {
  RM_ASSIGN_OR_RETURN(const std::string_view head, Fill(kFrameBytes, max_bytes));
  if (head.size() < kFrameBytes) return Damaged(fmt::format("the file ends where record {} should be", offset_));
  const std::optional<Frame> frame = DecodeFrame(head, header_.salt);
  if (!frame) return Damaged(fmt::format("the frame of record {} has a wrong checksum", offset_));
  if (frame->offset != offset_) return Damaged(fmt::format("record {} lies where {} belongs", frame->offset, offset_));
  return *frame;
}

absl::StatusOr<std::vector<LogRecord>> LocalLogReader::Read(size_t max_bytes, absl::Time deadline) {
  if (cancelled_) return absl::CancelledError("the reader was cancelled");
  std::vector<LogRecord> records;
  if (!partition_.WaitFor(next_, deadline, cancelled_)) {
    if (cancelled_) return absl::CancelledError("the reader was cancelled");
    return records;
  }
  if (file_ != nullptr) {
    const SegmentExtent now = partition_.ExtentOf(segment_);
    if (!now.removed) extent_ = now;
    if (next_ >= extent_.end) file_ = nullptr;
  }
  if (file_ == nullptr) RM_RETURN_IF_ERROR(Seek());
  size_t bytes = 0;
  while (next_ < extent_.end && bytes < max_bytes) {
    const auto fail = [&](const absl::Status& status) -> absl::StatusOr<std::vector<LogRecord>> {
      // What is whole before it is handed over first.
      if (!records.empty()) return std::move(records);
      return status;
    };
    const absl::StatusOr<Frame> frame = NextFrame(max_bytes);
    if (!frame.ok()) return fail(frame.status());
    const size_t framed = kFrameBytes + frame->BodyBytes();
    const absl::StatusOr<std::string_view> whole = Fill(framed, max_bytes);
    if (!whole.ok()) return fail(whole.status());
    if (whole->size() < framed) return fail(Damaged(fmt::format("the file ends within record {}", offset_)));
    std::optional<LogRecord> record = DecodeRecord(*frame, whole->substr(kFrameBytes));
    if (!record) return fail(Damaged(fmt::format("record {} has a wrong checksum", offset_)));
    bytes += record->header.size() + record->payload.size();
    records.push_back(*std::move(record));
    buffer_at_ += framed;
    position_ += static_cast<int64_t>(framed);
    next_ = ++offset_;
  }
  Counters::Add(partition_.counters().read_records, static_cast<int64_t>(records.size()));
  Counters::Add(partition_.counters().read_bytes, static_cast<int64_t>(bytes));
  return records;
}

}  // namespace rivermeet::eventlog::internal
