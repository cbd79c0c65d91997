#include "eventlog/internal/recovery.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/crash_point.h"
#include "base/status.h"
#include "base/strings.h"
#include "eventlog/internal/segment_scan.h"

namespace rivermeet::eventlog::internal {
namespace {

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kIndexSuffix = ".index";
constexpr size_t kNameDigits = 20;

std::optional<Offset> BaseOf(std::string_view name, std::string_view suffix) {
  if (name.size() != kNameDigits + suffix.size() || name.substr(kNameDigits) != suffix) return std::nullopt;
  Offset base = 0;
  if (!ParseNumber(name.substr(0, kNameDigits), base)) return std::nullopt;
  return base;
}

absl::Status Damaged(const std::string& path, int64_t position, std::string_view reason) {
  return absl::DataLossError(fmt::format("{} at byte {}: {}", path, position, reason));
}

// The bases of the segments, in order. Removes left-over temporary files and indexes without a segment.
absl::StatusOr<std::vector<Offset>> ListSegments(const RecoveryOptions& options) {
  RM_ASSIGN_OR_RETURN(const std::vector<std::string> names, options.fs->List(options.folder));
  std::vector<Offset> bases;
  for (const std::string& name : names) {
    if (const auto base = BaseOf(name, kLogSuffix)) bases.push_back(*base);
  }
  for (const std::string& name : names) {
    const auto index_of = BaseOf(name, kIndexSuffix);
    const bool orphan = index_of && !std::binary_search(bases.begin(), bases.end(), *index_of);
    if (orphan || name.ends_with(".tmp")) RM_RETURN_IF_ERROR(options.fs->Remove(files::JoinPath(options.folder, name)));
  }
  return bases;
}

absl::StatusOr<SegmentHeader> ReadHeader(const RecoveryOptions& options, Offset base, const files::ReadFile& file) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  RM_ASSIGN_OR_RETURN(const size_t read, file.ReadAt(0, bytes));
  const auto header = DecodeSegmentHeader(std::string_view(bytes).substr(0, read));
  const std::string path = SegmentPath(options.folder, base);
  if (!header) return Damaged(path, 0, "the file's header is damaged, or of a later version of the format");
  if (header->base != base || header->partition != options.partition) {
    return Damaged(path, 0, fmt::format("the file is of partition {} from offset {}", header->partition, header->base));
  }
  return *header;
}

SegmentIndex EmptyIndex(const RecoveryOptions& options, Offset base) {
  SegmentIndex index;
  index.partition = options.partition;
  index.base = base;
  index.end = base;
  index.data_end = kSegmentHeaderBytes;
  return index;
}

std::optional<SegmentIndex> ReadIndexFile(const RecoveryOptions& options, Offset base) {
  const absl::StatusOr<std::string> bytes = files::ReadWholeFile(*options.fs, IndexPath(options.folder, base));
  if (!bytes.ok()) return std::nullopt;
  std::optional<SegmentIndex> index = DecodeSegmentIndex(*bytes);
  if (!index || index->base != base || index->partition != options.partition) return std::nullopt;
  return index;
}

// A complete segment whose successor begins at `next`; what is wrong with it goes to `damage`.
absl::StatusOr<SealedSegment> RecoverSealed(const RecoveryOptions& options, Offset base, Offset next,
                                            std::vector<absl::Status>& damage) {
  const std::string path = SegmentPath(options.folder, base);
  RM_ASSIGN_OR_RETURN(const int64_t size, options.fs->FileSize(path));
  if (const auto index = ReadIndexFile(options, base); index && index->complete && index->end == next) {
    if (size < index->data_end) damage.push_back(Damaged(path, size, "the file was cut"));
    return SealedSegment{base, index->end, index->data_end, index->last_time_us};
  }
  RM_ASSIGN_OR_RETURN(const auto file, options.fs->OpenForRead(path));
  SegmentIndex index = EmptyIndex(options, base);
  const absl::StatusOr<SegmentHeader> header = ReadHeader(options, base, *file);
  if (absl::IsDataLoss(header.status())) {
    damage.push_back(header.status());
    return SealedSegment{base, base, index.data_end, 0};
  }
  RM_RETURN_IF_ERROR(header.status());
  RM_RETURN_IF_ERROR(ScanSegment(*file, *header, next, index).status());
  if (index.end < next) {
    damage.push_back(Damaged(path, index.data_end, fmt::format("record {} is damaged or missing", index.end)));
    // No index: it would hide the damage, and what is mended by hand later.
    return SealedSegment{base, index.end, index.data_end, index.last_time_us};
  }
  index.complete = true;
  RM_RETURN_IF_ERROR(files::WriteWholeFile(*options.fs, IndexPath(options.folder, base), EncodeSegmentIndex(index)));
  return SealedSegment{base, index.end, index.data_end, index.last_time_us};
}

// Keeps what is about to be cut, for whoever looks into it.
absl::Status CopyDamaged(const RecoveryOptions& options, Offset base, const files::ReadFile& file, int64_t position) {
  RM_ASSIGN_OR_RETURN(const int64_t size, file.Size());
  std::string bytes(static_cast<size_t>(std::max<int64_t>(0, size - position)), '\0');
  RM_ASSIGN_OR_RETURN(const size_t read, file.ReadAt(position, bytes));
  const std::string path = fmt::format("{}.{}.damaged", SegmentPath(options.folder, base), position);
  return files::WriteWholeFile(*options.fs, path, std::string_view(bytes).substr(0, read));
}

absl::StatusOr<OpenSegment> RecoverActive(const RecoveryOptions& options, Offset base, int64_t& cut_bytes) {
  const std::string path = SegmentPath(options.folder, base);
  RM_ASSIGN_OR_RETURN(const auto file, options.fs->OpenForRead(path));
  RM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  OpenSegment segment;
  RM_ASSIGN_OR_RETURN(segment.header, ReadHeader(options, base, *file));
  segment.index = EmptyIndex(options, base);
  if (auto known = ReadIndexFile(options, base)) {
    if (size < known->data_end && !options.cut_suspect_tail) {
      return Damaged(path, size, fmt::format("the file was cut: {} bytes of it were durable", known->data_end));
    }
    if (size >= known->data_end) segment.index = *std::move(known);
  }
  segment.index.complete = false;
  RM_ASSIGN_OR_RETURN(const bool whole, ScanSegment(*file, segment.header, INT64_MAX, segment.index));
  const int64_t end = segment.index.data_end;
  if (!whole) {
    RM_ASSIGN_OR_RETURN(const BadTail tail, ClassifyTail(*file, segment.header, end, segment.index.end));
    if (!tail.torn && !options.cut_suspect_tail) return Damaged(path, end, tail.reason);
    if (!tail.torn) RM_RETURN_IF_ERROR(CopyDamaged(options, base, *file, end));
  }
  RM_ASSIGN_OR_RETURN(segment.file, options.fs->OpenForAppend(path, files::OpenMode::kOpenExisting));
  CrashPoint("log.recover.before_cut");
  if (size > end) {
    cut_bytes += size - end;
    RM_RETURN_IF_ERROR(segment.file->Truncate(end));
  }
  // What a killed process had written may still be only in memory, and readers are about to see it.
  RM_RETURN_IF_ERROR(segment.file->Sync());
  CrashPoint("log.recover.after_cut");
  return segment;
}

}  // namespace

std::string SegmentPath(const std::string& folder, Offset base) {
  return fmt::format("{}/{:020}{}", folder, base, kLogSuffix);
}

std::string IndexPath(const std::string& folder, Offset base) {
  return fmt::format("{}/{:020}{}", folder, base, kIndexSuffix);
}

absl::StatusOr<OpenSegment> CreateSegment(const RecoveryOptions& options, Offset base) {
  const std::string path = SegmentPath(options.folder, base);
  OpenSegment segment;
  segment.header = {options.partition, base, absl::ToUnixMicros(options.clock->Now()), std::random_device()()};
  segment.index = EmptyIndex(options, base);
  // Complete before it has its name: a segment is never found without its header.
  const std::string temporary = path + ".tmp";
  CrashPoint("log.roll.before_create");
  RM_ASSIGN_OR_RETURN(segment.file, options.fs->OpenForAppend(temporary, files::OpenMode::kOpenOrCreate));
  absl::Status made = segment.file->Truncate(0);
  if (made.ok()) made = segment.file->Append(EncodeSegmentHeader(segment.header));
  if (made.ok()) made = segment.file->Sync();
  CrashPoint("log.roll.before_rename");
  if (made.ok()) made = options.fs->Rename(temporary, path);
  CrashPoint("log.roll.before_sync_directory");
  if (made.ok()) made = options.fs->SyncDirectory(options.folder);
  CrashPoint("log.roll.after_create");
  if (made.ok()) return segment;
  return made;
}

SegmentIndex LoadIndex(const RecoveryOptions& options, Offset base) {
  if (auto index = ReadIndexFile(options, base)) return *std::move(index);
  return EmptyIndex(options, base);
}

absl::StatusOr<RecoveredPartition> RecoverPartition(const RecoveryOptions& options) {
  RM_RETURN_IF_ERROR(options.fs->CreateFolders(options.folder));
  RM_ASSIGN_OR_RETURN(std::vector<Offset> bases, ListSegments(options));
  RecoveredPartition recovered;
  for (size_t i = 0; i + 1 < bases.size(); ++i) {
    RM_ASSIGN_OR_RETURN(SealedSegment sealed, RecoverSealed(options, bases[i], bases[i + 1], recovered.damage));
    recovered.sealed.push_back(sealed);
  }
  if (bases.empty()) {
    RM_ASSIGN_OR_RETURN(recovered.active, CreateSegment(options, 0));
  } else {
    RM_ASSIGN_OR_RETURN(recovered.active, RecoverActive(options, bases.back(), recovered.cut_bytes));
  }
  // Names that a killed process made or removed are durable from here on too.
  RM_RETURN_IF_ERROR(options.fs->SyncDirectory(options.folder));
  return recovered;
}

}  // namespace rivermeet::eventlog::internal
