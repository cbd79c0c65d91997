#include "cli/query_flags.h"

#include <algorithm>
#include <cctype>

#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "commandline/durations.h"

namespace rivermeet::cli {
namespace {

using query::v1::AggregateFunction;

absl::Status Flag(const absl::Status& status, const char* flag) { return Annotate(status, flag); }

absl::Status SetRange(const QueryFlags& flags, absl::Time now, query::v1::TimeSeriesQuery& query) {
  if (!flags.start.empty() && !flags.last.empty()) {
    return absl::InvalidArgumentError("--start and --last exclude each other");
  }
  absl::Time end = now;
  if (!flags.end.empty()) {
    const auto time = commandline::ParseTime(flags.end, now);
    RM_RETURN_IF_ERROR(Flag(time.status(), "--end"));
    *query.mutable_end() = ToProto(end = *time);
  }
  if (!flags.start.empty()) {
    const auto time = commandline::ParseTime(flags.start, now);
    RM_RETURN_IF_ERROR(Flag(time.status(), "--start"));
    if (*time >= end) return absl::InvalidArgumentError("--start is not before --end");
    *query.mutable_start() = ToProto(*time);
    return absl::OkStatus();
  }
  const auto last = commandline::ParseDuration(flags.last.empty() ? "15m" : flags.last);
  RM_RETURN_IF_ERROR(Flag(last.status(), "--last"));
  *query.mutable_last() = ToProto(*last);
  return absl::OkStatus();
}

absl::Status SetAggregates(const QueryFlags& flags, query::v1::TimeSeriesQuery& query) {
  std::vector<std::string> functions = flags.functions;
  if (functions.empty()) functions.push_back(flags.measures.empty() ? "count" : "mean");
  std::vector<std::string> measures = flags.measures;
  if (measures.empty()) measures.push_back("");
  for (const std::string& measure : measures) {
    for (const std::string& name : functions) {
      RM_ASSIGN_OR_RETURN(const AggregateFunction function, ParseFunction(name));
      if (measure.empty() && function != query::v1::AGGREGATE_FUNCTION_COUNT) {
        return absl::InvalidArgumentError(fmt::format("--function {} needs a --measure", name));
      }
      query::v1::Aggregate& aggregate = *query.add_aggregates();
      aggregate.set_measure(measure);
      aggregate.set_function(function);
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<QueryFlags> AddQueryFlags(CLI::App& command, bool with_end) {
  auto flags = std::make_shared<QueryFlags>();
  command.add_option("stream", flags->stream, "The stream's name")->required()->type_name("STREAM");
  const auto list = [&](const char* name, std::vector<std::string>& to, const char* help, const char* type) {
    command.add_option(name, to, help)->delimiter(',')->type_name(type)->allow_extra_args(false);
  };
  list("-m,--measure", flags->measures, "A measure, several with commas; without one events are counted", "NAME");
  list("-f,--function", flags->functions,
       "count, sum, min, max, mean, rate, first or last, several with commas; else mean", "NAME");
  list("-g,--group-by", flags->group_by, "A dimension to group by, several with commas", "NAME");
  command
      .add_option("--filter", flags->filters,
                  "Keep what compares true: core=0, core=0,1 or core!=0; several times: all must. "
                  "An empty value stands for \"has none\"")
      ->type_name("FILTER")
      ->allow_extra_args(false);
  command.add_option("--last", flags->last, "How far back, such as 30s, 15m or 7d; else 15m")->type_name("DURATION");
  command.add_option("--start", flags->start, "Instead of --last: RFC 3339, seconds since 1970, or now-2h")
      ->type_name("TIME");
  if (with_end) command.add_option("--end", flags->end, "The same for the end; else now")->type_name("TIME");
  command.add_option("--step", flags->step, "The time between rows; else what gives at most 1,000 rows a group")
      ->type_name("DURATION");
  command.add_option("--limit", flags->limit, "At most so many groups; else 1,000")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 100'000));
  return flags;
}

absl::StatusOr<query::v1::TimeSeriesQuery> BuildQuery(const QueryFlags& flags, absl::Time now) {
  query::v1::TimeSeriesQuery query;
  query.set_stream(flags.stream);
  RM_RETURN_IF_ERROR(SetRange(flags, now, query));
  if (!flags.step.empty()) {
    const auto step = commandline::ParseDuration(flags.step);
    RM_RETURN_IF_ERROR(Flag(step.status(), "--step"));
    *query.mutable_step() = ToProto(*step);
  }
  RM_RETURN_IF_ERROR(SetAggregates(flags, query));
  for (const std::string& dimension : flags.group_by) query.add_group_by(dimension);
  for (const std::string& text : flags.filters) {
    RM_ASSIGN_OR_RETURN(*query.add_filters(), ParseFilter(text));
  }
  query.set_group_limit(flags.limit);
  return query;
}

absl::StatusOr<query::v1::Filter> ParseFilter(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || text == "!=") {
    return absl::InvalidArgumentError(
        fmt::format("--filter \"{}\" is not understood: write core=0, core=0,1 or core!=0", text));
  }
  const bool negated = text[equals - 1] == '!';
  query::v1::Filter filter;
  filter.set_dimension(text.substr(0, equals - (negated ? 1 : 0)));
  if (filter.dimension().empty()) {
    return absl::InvalidArgumentError(fmt::format("--filter \"{}\" names no dimension", text));
  }
  filter.set_operator_(negated ? query::v1::FILTER_OPERATOR_NOT_IN : query::v1::FILTER_OPERATOR_IN);
  for (const std::string_view value : Split(std::string_view(text).substr(equals + 1), ',')) {
    filter.add_values(std::string(value));
  }
  return filter;
}

absl::StatusOr<AggregateFunction> ParseFunction(const std::string& text) {
  std::string name = "AGGREGATE_FUNCTION_";
  for (const char c : text) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  AggregateFunction function = query::v1::AGGREGATE_FUNCTION_UNSPECIFIED;
  if (query::v1::AggregateFunction_Parse(name, &function) && function != query::v1::AGGREGATE_FUNCTION_UNSPECIFIED) {
    return function;
  }
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" is no function: count, sum, min, max, mean, rate, first or last", text));
}

}  // namespace rivermeet::cli
