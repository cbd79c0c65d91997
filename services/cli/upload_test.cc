#include "cli/upload.h"

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "base/status.h"
#include "base/strings.h"
#include "cli/progress.h"
#include "net/server.h"
#include "testing/temp_dir.h"

namespace rivermeet::cli {
namespace {

// Takes bodies as ingest does: a repeat of a sequence is recognised. Fails as it is told.
class Ingest final : public net::Handler {
 public:
  enum class Act { kTake, kFailBefore, kFailAfter, kRefuse };

  net::Task<net::Response> Handle(net::Request& request) override {
    MutexLock lock(mutex_);
    ingest::v1::IngestRawRequest raw;
    if (!raw.ParseFromString(request.body())) co_return net::Response::Of(400, "text/plain", "");
    const Act act = decide_ ? decide_(raw) : Act::kTake;
    if (act == Act::kRefuse) {
      co_return net::Response::Of(400, "application/json", R"({"code":"invalid_argument","message":"no"})");
    }
    const auto away = [] {
      return net::Response::Of(503, "application/json", R"({"code":"unavailable","message":"away"})");
    };
    if (act == Act::kFailBefore) co_return away();
    if (bodies_.try_emplace(raw.sequence(), raw.body()).first->second != raw.body()) ++conflicts_;
    if (act == Act::kFailAfter) co_return away();
    ingest::v1::IngestRawResponse response;
    const auto lines = static_cast<uint64_t>(std::count(raw.body().begin(), raw.body().end(), '\n'));
    response.mutable_receipt()->set_accepted(lines);
    co_return net::Response::Of(200, "application/proto", response.SerializeAsString());
  }
  void Decide(std::function<Act(const ingest::v1::IngestRawRequest&)> decide) {
    MutexLock lock(mutex_);
    decide_ = std::move(decide);
  }
  // What arrived, in the order of the sequences.
  std::string Everything() {
    MutexLock lock(mutex_);
    std::string all;
    for (const auto& [sequence, body] : bodies_) all += body;
    return all;
  }
  int conflicts() {
    MutexLock lock(mutex_);
    return conflicts_;
  }

 private:
  Mutex mutex_;
  std::function<Act(const ingest::v1::IngestRawRequest&)> decide_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::string> bodies_ ABSL_GUARDED_BY(mutex_);
  int conflicts_ ABSL_GUARDED_BY(mutex_) = 0;
};

struct Fixture {
  Ingest ingest;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<client::RivermeetClient> client;
  std::string input;

  Fixture() {
    server = net::Server::Open({}, ingest).value();
    server->Start();
    client =
        client::RivermeetClient::Open({.connection = {.url = "http://127.0.0.1:" + std::to_string(server->port())}})
            .value();
    for (int i = 0; i < 2000; ++i) input += "{\"number\":" + std::to_string(i) + "}\n";
  }
  UploadState Start() const {
    UploadState state{.stream = "s", .format = "ndjson", .producer_id = 7};
    state.max_events = 50;
    return state;
  }
  // Uploads the rest of the input from `state`; ends it after `stop_after` answers.
  absl::Status Run(UploadState& state, absl::Duration give_up = absl::Seconds(30), int stop_after = 1 << 30) {
    uint64_t at = state.offset;
    int answers = 0;
    uint64_t last_offset = state.offset;
    Upload upload(*client, state,
                  {.give_up_after = give_up,
                   .read = [&]() -> absl::StatusOr<std::string> {
                     const std::string piece = input.substr(std::min<size_t>(at, input.size()), 777);
                     at += piece.size();
                     return piece;
                   },
                   .on_answer = [&](const EventBody& body, const auto&, const UploadState& now) -> absl::Status {
                     CHECK(body.end_offset > last_offset);
                     CHECK(now.offset == body.end_offset);
                     last_offset = body.end_offset;
                     return ++answers < stop_after ? absl::OkStatus() : absl::CancelledError("enough");
                   }});
    return upload.Run();
  }
};

TEST_CASE("a whole input arrives, in order", "[upload]") {
  Fixture fixture;
  UploadState state = fixture.Start();
  REQUIRE(fixture.Run(state).ok());
  CHECK(fixture.ingest.Everything() == fixture.input);
  CHECK(state.accepted == 2000);
  CHECK(state.offset == fixture.input.size());
}

TEST_CASE("failures on the way lead to resends under the same sequence", "[upload]") {
  const uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  Fixture fixture;
  std::mt19937_64 random(seed);
  fixture.ingest.Decide([&](const auto&) {
    const uint64_t dice = random() % 20;
    return dice == 0 ? Ingest::Act::kFailBefore : dice == 1 ? Ingest::Act::kFailAfter : Ingest::Act::kTake;
  });
  UploadState state = fixture.Start();
  REQUIRE(fixture.Run(state).ok());
  CHECK(fixture.ingest.Everything() == fixture.input);
  CHECK(fixture.ingest.conflicts() == 0);
  CHECK(state.accepted == 2000);
}

TEST_CASE("a broken upload goes on with the same bodies under the same sequences", "[upload]") {
  Fixture fixture;
  const rivermeet::testing::TempDir folder;
  UploadState state = fixture.Start();
  for (int stop_after = 1; state.offset < fixture.input.size(); stop_after += 2) {
    const absl::Status sent = fixture.Run(state, absl::Seconds(30), stop_after);
    if (sent.ok()) break;
    // As a new process sees it, from what the last one kept.
    REQUIRE(WriteUploadState(folder / "state", state).ok());
    state = ReadUploadState(folder / "state").value();
  }
  CHECK(fixture.ingest.Everything() == fixture.input);
  CHECK(fixture.ingest.conflicts() == 0);
  CHECK(state.accepted == 2000);
}

TEST_CASE("a refusal for good ends the upload with what came before it done", "[upload]") {
  Fixture fixture;
  fixture.ingest.Decide(
      [](const auto& raw) { return raw.sequence() == 10 ? Ingest::Act::kRefuse : Ingest::Act::kTake; });
  UploadState state = fixture.Start();
  const absl::Status sent = fixture.Run(state);
  CHECK(absl::IsInvalidArgument(sent));
  CHECK(std::string(sent.message()).find("before byte") != std::string::npos);
  CHECK(state.next_sequence <= 10);
}

TEST_CASE("a server that stays away ends the upload when the patience ends", "[upload]") {
  Fixture fixture;
  fixture.ingest.Decide([](const auto&) { return Ingest::Act::kFailBefore; });
  UploadState state = fixture.Start();
  CHECK(absl::IsUnavailable(fixture.Run(state, absl::Milliseconds(300))));
  CHECK(state.offset == 0);
}

TEST_CASE("a state comes back as it was written, and a damaged one is refused", "[upload]") {
  const rivermeet::testing::TempDir folder;
  UploadState state{.stream = "s", .format = "csv", .producer_id = ~uint64_t{0} >> 1, .next_sequence = 5};
  state.offset = 123456789012345;
  state.max_events = 100;
  state.accepted = 3;
  state.rejected = 4;
  state.head_hash = ~uint64_t{0};
  state.csv_header = "a,\"b\"";
  REQUIRE(WriteUploadState(folder / "state", state).ok());
  const UploadState back = ReadUploadState(folder / "state").value();
  CHECK(back.producer_id == state.producer_id);
  CHECK(back.head_hash == state.head_hash);
  CHECK(back.offset == state.offset);
  CHECK(back.csv_header == state.csv_header);
  CHECK(absl::IsNotFound(ReadUploadState(folder / "none").status()));
  REQUIRE(truncate((folder / "state").c_str(), 20) == 0);
  CHECK(absl::IsInvalidArgument(ReadUploadState(folder / "state").status()));
}

TEST_CASE("progress says share, rates and the time left", "[upload]") {
  CHECK(
      ProgressLine({.done_bytes = 512 << 10, .total_bytes = 1 << 20, .events = 10'000, .elapsed = absl::Seconds(2)}) ==
      "[############------------]  50 %  256 KiB/s  5,000 events/s  2 s left");
  CHECK(ProgressLine({.done_bytes = 2048, .events = 10, .rejected = 1234, .elapsed = absl::Seconds(1)}) ==
        "2.0 KiB/s  10 events/s  1,234 rejected");
}

}  // namespace
}  // namespace rivermeet::cli
