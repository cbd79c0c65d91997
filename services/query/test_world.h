// What this folder's tests stand on: two owners of two partitions each, over real gRPC in process.
#ifndef RIVERMEET_QUERY_TEST_WORLD_H_
#define RIVERMEET_QUERY_TEST_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "query/grpc_owners.h"
#include "query/query_metrics.h"
#include "query/query_service.h"
#include "query/test_owner.h"
#include "visibility/visibility_token.h"

namespace rivermeet::query {

class OneStream : public StreamDirectory {
 public:
  explicit OneStream(events::v1::Stream stream) : stream_(std::make_shared<events::v1::Stream>(std::move(stream))) {}
  absl::StatusOr<std::shared_ptr<const events::v1::Stream>> Find(std::string_view, std::string_view name,
                                                                 absl::Time) override {
    if (name != stream_->name()) return absl::NotFoundError("no stream '" + std::string(name) + "'");
    return stream_;
  }

 private:
  std::shared_ptr<const events::v1::Stream> stream_;
};

struct TestWorld {
  explicit TestWorld(QueryServiceOptions options = {})
      : service(Adjust(options), streams, owners, segments, tokens, metrics, clock) {}
  static QueryServiceOptions Adjust(QueryServiceOptions options) {
    options.planner.log_partitions = 4;
    return options;
  }

  void Add(const std::vector<TestEvent>& more) {
    std::vector<TestEvent> added;
    for (const TestEvent& event : more) {
      events.Add(event);
      added.push_back(events.all().back());
    }
    first.Add(added);
    second.Add(added);
  }
  Call CallFor(std::string tenant, absl::Duration within = absl::Seconds(20)) const {
    return {.tenant = std::move(tenant), .bearer = "secret", .traceparent = "", .deadline = clock.Now() + within};
  }

  const Clock& clock = Clock::System();
  OneStream streams{TestStream(4)};
  TestSegments segments;
  TestOwner first{{0, 1}, segments};
  TestOwner second{{2, 3}, segments};
  TestDirectory directory{{"first", "first", "second", "second"}};
  GrpcOwners owners{directory, [this](const std::string& address) {
                      return address == "first" ? first.channel() : second.channel();
                    }};
  visibility::VisibilityTokens tokens{std::string(32, 'k')};
  prometheus::Registry registry;
  QueryMetrics metrics{registry};
  TestEvents events;
  QueryService service;
};

}  // namespace rivermeet::query

#endif  // RIVERMEET_QUERY_TEST_WORLD_H_
