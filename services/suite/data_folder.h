// The folder that holds everything a process keeps, and the lock that says whose it is.
//
//   lock          the process id of the suite that has the folder open; locked while it lives
//   suite.json    where the running suite listens, for the command line and the agent
//   catalog.conninfo  how other processes reach the private PostgreSQL, when one process runs it for all
//   keys/         secrets, each file readable by its owner alone
//   log/          the built-in event log
//   objects/      snapshots and segments
//   postgres/     the private PostgreSQL
//   agent/        what the agent could not send yet
#ifndef RIVERMEET_SUITE_DATA_FOLDER_H_
#define RIVERMEET_SUITE_DATA_FOLDER_H_

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rivermeet::suite {

class DataFolder {
 public:
  // Makes the folder where it is missing and takes its lock. `name` tells apart the processes that may share a
  // folder: "suite" for one that runs everything, else the service's name.
  //
  // Errors:
  //   ALREADY_EXISTS     A process with that name has it open; the message says which and where it listens.
  //   FAILED_PRECONDITION  The folder can't be written.
  static absl::StatusOr<std::unique_ptr<DataFolder>> Open(const std::string& path, std::string_view name);
  ~DataFolder();

  // The absolute path of something in it.
  std::string Path(std::string_view inside) const { return (root_ / inside).string(); }

  // Says where the process listens, in suite.json or, for a process that runs one service, <service>.ready; replaced
  // as a whole, gone when the process ends as it should.
  absl::Status WriteState(std::string_view url, std::string_view grpc_address);

 private:
  DataFolder(std::filesystem::path root, std::string_view state, int lock)
      : root_(std::move(root)), state_(root_ / state), lock_(lock) {}

  const std::filesystem::path root_;
  const std::filesystem::path state_;
  const int lock_;
};

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_DATA_FOLDER_H_
