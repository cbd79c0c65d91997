#include "files/file_system.h"

#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::files {

std::string JoinPath(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  return folder.back() == '/' ? fmt::format("{}{}", folder, name) : fmt::format("{}/{}", folder, name);
}

std::string FolderOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem& fs, const std::string& path) {
  RM_ASSIGN_OR_RETURN(const std::unique_ptr<ReadFile> file, fs.OpenForRead(path));
  RM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  std::string contents(static_cast<size_t>(size), '\0');
  RM_ASSIGN_OR_RETURN(const size_t read, file->ReadAt(0, contents));
  contents.resize(read);
  return contents;
}

absl::Status WriteWholeFile(FileSystem& fs, const std::string& path, std::string_view contents) {
  const std::string temporary = path + ".tmp";
  {
    RM_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, fs.OpenForAppend(temporary, OpenMode::kOpenOrCreate));
    RM_RETURN_IF_ERROR(file->Truncate(0));
    RM_RETURN_IF_ERROR(file->Append(contents));
    RM_RETURN_IF_ERROR(file->Sync());
  }
  RM_RETURN_IF_ERROR(fs.Rename(temporary, path));
  return fs.SyncDirectory(FolderOf(path));
}

}  // namespace rivermeet::files
