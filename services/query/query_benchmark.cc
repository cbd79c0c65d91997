// A query over hot rows: what merging, finalising and the way through gRPC cost.
#include <benchmark/benchmark.h>
#include <grpcpp/grpcpp.h>

#include <random>

#include "base/status.h"
#include "query/frame_builder.h"
#include "query/planner.h"
#include "query/test_world.h"

namespace rivermeet::query {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kEnd = 1'790'000'040;  // seconds; a whole minute

Plan MinuteOf(bool grouped) {
  v1::TimeSeriesQuery query;
  query.set_stream("host.metrics");
  query.mutable_end()->set_seconds(kEnd);
  query.mutable_last()->set_seconds(60);
  query.mutable_step()->set_seconds(1);
  query.set_group_limit(kMaxGroupLimit);
  if (grouped) {
    query.add_group_by("host");
    query.add_group_by("zone");
  }
  auto* aggregate = query.add_aggregates();
  aggregate->set_measure("cpu");
  aggregate->set_function(v1::AGGREGATE_FUNCTION_MEAN);
  auto plan =
      MakePlan(query, QueryKind::kOnce, "acme", TestStream(2), absl::FromUnixSeconds(kEnd), {.log_partitions = 2});
  RM_CHECK_OK(plan.status());
  return *plan;
}

// `series` groups times 60 windows, by window as an owner gives them, in messages of about 4 MiB.
std::vector<aggregation::v1::Partials> Rows(int series) {
  std::vector<aggregation::v1::Partials> messages;
  std::mt19937_64 random(1);
  aggregation::v1::Partials* partials = nullptr;
  for (int window = 0; window < 60; ++window) {
    for (int one = 0; one < series; ++one) {
      if (partials == nullptr || partials->window_start_us_size() == 40'000) {
        partials = &messages.emplace_back();
        for (const char* name : {"host", "zone"}) partials->add_group_by()->set_name(name);
        for (int i = 0; i < series; ++i) partials->mutable_group_by(0)->add_values("host-" + std::to_string(i));
        for (int i = 0; i < 10; ++i) partials->mutable_group_by(1)->add_values("zone-" + std::to_string(i));
        partials->add_measures()->set_name("cpu");
      }
      partials->add_window_start_us((kEnd - 60 + window) * kSecond);
      partials->mutable_group_by(0)->add_value_index(one + 1);
      partials->mutable_group_by(1)->add_value_index(one % 10 + 1);
      partials->add_event_count(10);
      partials->add_partition(one % 2);
      auto& measure = *partials->mutable_measures(0);
      const double value = static_cast<double>(random() % 10'000) / 100;
      measure.add_count(10);
      measure.add_float64_sum(10 * value);
      measure.add_float64_min(value);
      measure.add_float64_max(value);
      measure.add_float64_first(value);
      measure.add_float64_last(value);
      measure.add_first_us((kEnd - 60 + window) * kSecond);
      measure.add_last_us((kEnd - 60 + window) * kSecond + 900'000);
      measure.add_increase(0);
    }
  }
  return messages;
}

// Sends the same rows to everybody.
class RowsOwner : public aggregation::v1::AggregationService::Service {
 public:
  explicit RowsOwner(int series) {
    for (auto& partials : Rows(series)) *responses_.emplace_back().mutable_partials() = std::move(partials);
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  grpc::Status ReadPartials(grpc::ServerContext*, const aggregation::v1::ReadPartialsRequest*,
                            grpc::ServerWriter<aggregation::v1::ReadPartialsResponse>* writer) override {
    for (const auto& response : responses_) writer->Write(response);
    return grpc::Status::OK;
  }
  std::shared_ptr<grpc::Channel> channel() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(16 << 20);
    return server_->InProcessChannel(arguments);
  }

 private:
  std::vector<aggregation::v1::ReadPartialsResponse> responses_;
  std::unique_ptr<grpc::Server> server_;
};

void BM_Merge(benchmark::State& state) {
  const Plan plan = MinuteOf(true);
  const auto messages = Rows(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    partials::GroupTable groups(plan.group_by);
    partials::PartialsTable table(plan.measures, plan.windows);
    for (const auto& message : messages) {
      const auto view = partials::PartialsView::Make(message, plan.measures, plan.origin_us, plan.step_us, groups);
      RM_CHECK_OK(view.status());
      for (size_t row = 0; row < view->rows(); ++row) table.Merge(*view, row);
    }
    benchmark::DoNotOptimize(table.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * 60);
}
BENCHMARK(BM_Merge)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void BM_Finalise(benchmark::State& state) {
  const Plan plan = MinuteOf(true);
  partials::GroupTable groups(plan.group_by);
  partials::PartialsTable table(plan.measures, plan.windows);
  for (const auto& message : Rows(static_cast<int>(state.range(0)))) {
    const auto view = partials::PartialsView::Make(message, plan.measures, plan.origin_us, plan.step_us, groups);
    RM_CHECK_OK(view.status());
    for (size_t row = 0; row < view->rows(); ++row) table.Merge(*view, row);
  }
  for (auto _ : state) {
    const auto chosen = ChooseGroups(plan, groups, table, nullptr);
    benchmark::DoNotOptimize(BuildFrame(plan, groups, table, chosen));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * 60);
}
BENCHMARK(BM_Finalise)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

// From the request to the answer, with an owner behind an in-process channel.
void BM_Query(benchmark::State& state) {
  RowsOwner owner(static_cast<int>(state.range(0)));
  OneStream streams(TestStream(2));
  TestSegments segments;
  TestDirectory directory({"owner", "owner"});
  GrpcOwners owners(directory, [&owner](const std::string&) { return owner.channel(); });
  const visibility::VisibilityTokens tokens(std::string(32, 'k'));
  prometheus::Registry registry;
  QueryMetrics metrics(registry);
  QueryService service({}, streams, owners, segments, tokens, metrics, Clock::System());
  v1::QueryRequest request;
  auto& query = *request.mutable_query();
  query.set_stream("host.metrics");
  query.mutable_end()->set_seconds(kEnd);
  query.mutable_last()->set_seconds(60);
  query.mutable_step()->set_seconds(1);
  query.set_group_limit(kMaxGroupLimit);
  query.add_group_by("host");
  query.add_group_by("zone");
  query.add_aggregates()->set_measure("cpu");
  query.mutable_aggregates(0)->set_function(v1::AGGREGATE_FUNCTION_MEAN);
  for (auto _ : state) {
    const auto response = service.Query(request, {.tenant = "acme", .bearer = "", .traceparent = ""});
    RM_CHECK_OK(response.status());
    RM_CHECK(response->frame().row_count() == static_cast<uint64_t>(state.range(0)) * 60);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * 60);
}
BENCHMARK(BM_Query)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace rivermeet::query

BENCHMARK_MAIN();
