#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "http_connection.h"
#include "ingest.h"

namespace rivermeet::load {
namespace {

// An NDJSON body with the places of its times, which are always 16 digits.
struct Template {
  std::string body;
  std::vector<uint32_t> time_at;
  std::vector<uint32_t> age_us;
  Sums sums;
};

Template Make(EventSource& source, const Options& options) {
  Template made;
  const std::vector<EventValues> events = source.Next(options.batch_events);
  made.sums = SumOf(events);
  for (const EventValues& event : events) {
    made.body += R"({"time":)";
    made.time_at.push_back(static_cast<uint32_t>(made.body.size()));
    made.age_us.push_back(event.age_us);
    made.body += "0000000000000000";
    for (size_t i = 0; i < kDimensions.size(); ++i) {
      made.body += fmt::format(R"(,"{}":"{}")", kDimensions[i], DimensionValue(event.series, i));
    }
    made.body += fmt::format(",\"{}\":{}.{:02},\"{}\":{}}}\n", kPercentMeasure, event.percent_hundredths / 100,
                             event.percent_hundredths % 100, kCounterMeasure, event.counter);
  }
  return made;
}

void SetTimes(Template& made, int64_t now_us) {
  for (size_t i = 0; i < made.time_at.size(); ++i) {
    int64_t value = now_us - made.age_us[i];
    char* digits = made.body.data() + made.time_at[i];
    for (int digit = 15; digit >= 0; --digit, value /= 10) digits[digit] = static_cast<char>('0' + value % 10);
  }
}

}  // namespace

absl::StatusOr<Result> IngestJson(const Options& options) {
  std::vector<std::vector<Template>> templates(options.connections);
  for (uint32_t index = 0; index < options.connections; ++index) {
    EventSource source(options.seed + index, 0, 0);
    for (uint32_t i = 0; i < (options.distinct + options.connections - 1) / options.connections; ++i) {
      templates[index].push_back(Make(source, options));
    }
  }
  const absl::Time start = absl::Now();
  const absl::Time measure_from = start + options.warm_up;
  const absl::Time end = measure_from + options.duration;
  return RunConnections(options.connections, [&](uint32_t index) -> absl::StatusOr<Result> {
    HttpConnection connection;
    RM_RETURN_IF_ERROR(connection.Connect(options.gateway));
    Pacer pacer(options.events_per_second / options.connections, start);
    Result result;
    for (size_t turn = 0; absl::Now() < end; ++turn) {
      Template& made = templates[index][turn % templates[index].size()];
      pacer.Wait(made.sums.events);
      const absl::Time sent = absl::Now();
      SetTimes(made, absl::ToUnixMicros(sent));
      const std::string head = fmt::format(
          "POST /v1/streams/{}/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n"
          "Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
          options.stream, options.gateway, options.api_key, made.body.size());
      RM_ASSIGN_OR_RETURN(const std::string answer, connection.Exchange(head, made.body));
      if (answer.find("\"rejected\":0,") == std::string::npos) return absl::InternalError(answer.substr(0, 500));
      result.sent.Add(made.sums);
      if (sent < measure_from) continue;
      result.measured_events += made.sums.events;
      result.ack.Record(absl::ToInt64Microseconds(absl::Now() - sent));
      result.measured = absl::Now() - measure_from;
    }
    return result;
  });
}

}  // namespace rivermeet::load
