#include <cstdio>

#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/frame_text.h"
#include "cli/internal/commands.h"
#include "cli/query_flags.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"
#include "commandline/durations.h"

namespace rivermeet::cli {
namespace {

struct Flags {
  std::shared_ptr<QueryFlags> query;
  std::shared_ptr<client::ConnectionFlags> connection;
  std::string format = "table";
  std::string wait_for;
  bool stats = false;
};

void PrintStats(const query::v1::QueryResponse& answer) {
  const query::v1::QueryStats& stats = answer.stats();
  fmt::print(stderr,
             "{} rows in {} ms; step {}, read from the {} rollup: {} rows in memory, {} stored in {} segments\n",
             answer.frame().row_count(), absl::ToInt64Milliseconds(FromProto(stats.elapsed())),
             absl::FormatDuration(FromProto(stats.step())), absl::FormatDuration(FromProto(stats.resolution())),
             stats.hot_rows(), stats.stored_rows(), stats.segments());
}

absl::Status Run(const Flags& flags, int& exit_code) {
  exit_code = commandline::kUsage;
  RM_ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(flags.format));
  query::v1::QueryRequest request;
  RM_ASSIGN_OR_RETURN(*request.mutable_query(), BuildQuery(*flags.query, absl::Now()));
  exit_code = commandline::kOk;
  request.set_wait_for(flags.wait_for);
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(*flags.connection));
  RM_ASSIGN_OR_RETURN(const query::v1::QueryResponse answer, client->Query(request, absl::Now() + kAnswerTimeout));
  RM_RETURN_IF_ERROR(CheckFrame(answer.frame()));
  const std::string text = FrameText(answer.frame(), format);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (format == OutputFormat::kTable && answer.frame().row_count() == 0) {
    fmt::print(stderr, "no events of \"{}\" in this range; `rivermeet streams show {}` lists its fields\n",
               flags.query->stream, flags.query->stream);
  }
  if (answer.stats().groups_left_out() > 0) {
    fmt::print(stderr, "{} groups are left out: raise --limit or filter\n", answer.stats().groups_left_out());
  }
  if (flags.stats) PrintStats(answer);
  return absl::OkStatus();
}

}  // namespace

void AddQuery(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = *app.add_subcommand("query", "Ask what the events of a stream add up to");
  flags->query = AddQueryFlags(command, /*with_end=*/true);
  flags->connection = client::AddConnectionFlags(command);
  command.add_option("--format", flags->format, "table, csv or json; else table")->type_name("FORMAT");
  command.add_option("--wait-for", flags->wait_for, "A visibility token: wait until its events are counted")
      ->type_name("TOKEN");
  command.add_flag("--stats", flags->stats, "Say what the answer was made of");
  command.footer(
      "Examples:\n"
      "  rivermeet query host.metrics -m cpu_percent -g core --filter core!= --last 5m --step 10s\n"
      "  rivermeet query orders -f count -g country --start 2026-11-01T00:00:00Z --step 1d --format csv\n"
      "  rivermeet query host.metrics -m memory_used_bytes -f max,last --format json");
  SetForegroundAction(command, [flags](int& exit_code) { return Run(*flags, exit_code); });
}

}  // namespace rivermeet::cli
