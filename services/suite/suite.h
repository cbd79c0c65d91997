// The services of one process, wired together.
#ifndef RIVERMEET_SUITE_SUITE_H_
#define RIVERMEET_SUITE_SUITE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rivermeet/config/v1/suite.pb.h"
#include "suite/data_folder.h"

namespace rivermeet::suite {

struct SuiteOptions {
  // "all", or one service's name.
  std::string target = "all";
  // Also stream this machine's metrics; with "all" only.
  bool agent = false;
};

class Suite {
 public:
  // Starts the platform, then the services in the order in which they need each other, then the gateway. `folder`
  // outlives the suite.
  //
  // Errors: those of the parts, each naming the part and what to do.
  static absl::StatusOr<std::unique_ptr<Suite>> Start(const config::v1::SuiteConfig& settings,
                                                      const SuiteOptions& options, const DataFolder& folder,
                                                      absl::Time deadline);
  ~Suite();

  // Where the gateway listens; empty and 0 when it isn't in this process.
  std::string url() const;
  int port() const;
  // Where gRPC listens, "host:port".
  std::string grpc_address() const;
  // The first admin's, while it has not been changed; else empty.
  std::string one_time_password() const;

  // Stops in the opposite order: no new requests, running ones end, a last snapshot, leases handed over. Idempotent.
  void Stop(absl::Time deadline);

 private:
  class Graph;
  explicit Suite(std::unique_ptr<Graph> graph);
  std::unique_ptr<Graph> graph_;
};

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_SUITE_H_
