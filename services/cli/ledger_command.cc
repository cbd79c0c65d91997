#include "base/status.h"
#include "base/strings.h"
#include "cli/internal/commands.h"
#include "cli/text_table.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"

namespace rivermeet::cli {
namespace {

std::vector<std::string> Row(const std::string& name, const query::v1::LedgerEntry& entry) {
  std::vector<std::string> row = {name};
  for (const uint64_t events :
       {entry.received(), entry.rejected(), entry.appended(), entry.folded(), entry.deduplicated(), entry.stale(),
        entry.too_late(), entry.over_series_limit(), entry.not_yet_folded()}) {
    row.push_back(std::to_string(events));
  }
  return row;
}

absl::Status Run(const std::string& stream, const client::ConnectionFlags& connection, int& exit_code) {
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_ASSIGN_OR_RETURN(const auto ledger, client->GetLedger(stream, absl::Now() + kAnswerTimeout));
  TextTable table({"partition", "received", "rejected", "appended", "folded", "deduplicated", "stale", "too late",
                   "over series limit", "not yet folded"},
                  std::vector<bool>(10, true));
  for (const auto& entry : ledger.partitions()) table.AddRow(Row(std::to_string(entry.partition()), entry));
  table.AddRow(Row("total", ledger.total()));
  fmt::print("{}{}\n", table.ToString(),
             ledger.balanced() ? "balanced: received = appended + rejected, and appended = folded + deduplicated + "
                                 "stale + too late + over series limit + not yet folded"
                               : "NOT balanced: events are unaccounted for; please report this with the table");
  if (!ledger.balanced()) exit_code = commandline::kFailed;
  return absl::OkStatus();
}

}  // namespace

void AddLedger(CLI::App& app) {
  auto stream = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("ledger", "Account for every event that a stream received");
  command.add_option("stream", *stream, "The stream's name")->required()->type_name("STREAM");
  const auto connection = client::AddConnectionFlags(command);
  command.footer("Exit code 1 when it does not balance.\n\nExample:\n  rivermeet ledger host.metrics");
  SetForegroundAction(command, [stream, connection](int& exit_code) { return Run(*stream, *connection, exit_code); });
}

}  // namespace rivermeet::cli
