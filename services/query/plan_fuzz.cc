// Any query, as a client of the live socket or of gRPC sends it: refused with the field named, or a plan that fits.
#include <cstdint>

#include "base/status.h"
#include "query/planner.h"
#include "rivermeet/gateway/v1/live.pb.h"

using namespace rivermeet;

namespace {

events::v1::Stream KnownStream() {
  events::v1::Stream stream;
  stream.set_name("s");
  stream.set_partitions(2);
  for (const auto& [name, type] :
       {std::pair("host", events::v1::FIELD_TYPE_DIMENSION), std::pair("cpu", events::v1::FIELD_TYPE_FLOAT64),
        std::pair("n", events::v1::FIELD_TYPE_INT64)}) {
    stream.add_fields()->set_name(name);
    stream.mutable_fields(stream.fields_size() - 1)->set_type(type);
  }
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const events::v1::Stream stream = KnownStream();
  static const query::PlannerLimits limits;
  gateway::v1::LiveClientFrame frame;
  if (!frame.ParseFromArray(data, static_cast<int>(size)) || !frame.has_subscribe()) return 0;
  for (const query::QueryKind kind : {query::QueryKind::kOnce, query::QueryKind::kSubscription}) {
    const auto plan =
        query::MakePlan(frame.subscribe().query(), kind, "t1", stream, absl::FromUnixSeconds(1'700'000'000), limits);
    if (!plan.ok()) {
      RM_CHECK(plan.status().code() == absl::StatusCode::kInvalidArgument);
      continue;
    }
    RM_CHECK(plan->step_us > 0 && plan->read_step_us > 0 && plan->resolution_us > 0);
    RM_CHECK(plan->read_step_us % plan->resolution_us == 0 && plan->step_us % plan->read_step_us == 0);
    RM_CHECK(plan->windows <= limits.max_rows);
    (void)plan->ToPartialsQuery(plan->partitions);
    (void)plan->FirstWindow(1'700'000'000'000'000);
  }
  return 0;
}
