#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "cli/doctor_checks.h"
#include "cli/internal/commands.h"
#include "cli/text_table.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"

namespace rivermeet::cli {
namespace {

using Level = Finding::Level;

void Print(const Finding& finding) {
  const bool colour = isatty(STDOUT_FILENO) != 0;
  static constexpr const char* kWords[] = {"good", "note", "bad "};
  static constexpr const char* kColours[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
  const auto level = static_cast<size_t>(finding.level);
  fmt::print("{}{}{}  {:<13} {}\n", colour ? kColours[level] : "", kWords[level], colour ? "\x1b[0m" : "", finding.what,
             ForTerminal(finding.detail));
  if (!finding.advice.empty()) fmt::print("{:21}-> {}\n", "", ForTerminal(finding.advice));
}

// What the suite says of itself.
void CheckSuite(const client::Connection& connection, std::vector<Finding>& findings) {
  const auto client = client::RivermeetClient::Open({.connection = connection, .user_agent = "rivermeet-doctor"});
  if (!client.ok()) {
    findings.push_back({Level::kProblem, "client", std::string(MessageOf(client.status())), "see --help"});
    return;
  }
  const auto ready = (*client)->Http("GET", "/readyz", {}, "", absl::Now() + absl::Seconds(10));
  if (!ready.ok()) {
    findings.push_back({Level::kProblem, "gateway", std::string(MessageOf(ready.status())), "start it with tools/up"});
    return;
  }
  if (ready->status == 200) {
    findings.push_back({Level::kGood, "gateway", fmt::format("{} is ready", connection.url), ""});
  } else {
    findings.push_back({Level::kProblem, "gateway",
                        fmt::format("{} answers {}: {}", connection.url, ready->status, ready->body.substr(0, 300)),
                        "its log names the part that is not ready"});
  }
  findings.push_back(JudgeServerDate(ready->date, absl::Now()));
  const auto metrics = (*client)->Http("GET", "/metrics", {}, "", absl::Now() + absl::Seconds(10));
  if (metrics.ok() && metrics->status == 200) findings.push_back(JudgeLogDamage(metrics->body));
  const auto who = (*client)->WhoAmI(absl::Now() + absl::Seconds(10));
  if (who.ok()) {
    findings.push_back({Level::kGood, "key",
                        fmt::format("{} of {} (from {})", who->name(), who->tenant_name(), connection.key_source), ""});
  } else {
    findings.push_back({Level::kProblem, "key", std::string(MessageOf(who.status())), ""});
  }
}

absl::Status Doctor(const client::ConnectionFlags& flags, int& exit_code) {
  RM_ASSIGN_OR_RETURN(const client::Connection connection, client::FindConnection(flags));
  std::vector<Finding> findings;
  utsname system{};
  uname(&system);
  findings.push_back({Level::kGood, "version",
                      fmt::format("rivermeet {}, {} {}, {} cores", RIVERMEET_VERSION, system.sysname, system.release,
                                  sysconf(_SC_NPROCESSORS_ONLN)),
                      ""});
  findings.push_back(CheckPort("HTTP port", connection.url));
  if (findings.back().level == Level::kGood) CheckSuite(connection, findings);
  findings.push_back(CheckPort("gRPC port", connection.grpc_address));
  findings.push_back(CheckClock());
  const absl::StatusOr<client::SuiteState> suite = client::ReadSuiteState(connection.data_folder);
  const bool suite_runs = suite.ok() && kill(static_cast<pid_t>(suite->pid), 0) == 0;
  findings.push_back(CheckFileLimit(suite.ok() ? suite->pid : 0));
  if (access(connection.data_folder.c_str(), F_OK) == 0) {
    findings.push_back(CheckDiskSpace(connection.data_folder));
    findings.push_back(CheckDiskSpeed(connection.data_folder));
    findings.push_back(CheckGrowth(connection.data_folder));
    findings.push_back(CheckSetAside(connection.data_folder));
    findings.push_back(CheckKeyFile(connection.data_folder));
    findings.push_back(CheckPostgres(connection.data_folder, suite_runs));
  } else {
    findings.push_back({Level::kNote, "data", fmt::format("no folder {} here", connection.data_folder),
                        "on the suite's machine, name it with --data"});
  }
  bool problem = false;
  for (const Finding& finding : findings) {
    Print(finding);
    problem = problem || finding.level == Level::kProblem;
  }
  if (problem) exit_code = commandline::kFindings;
  return absl::OkStatus();
}

}  // namespace

void AddDoctor(CLI::App& app) {
  CLI::App& command = *app.add_subcommand(
      "doctor",
      "Look for what is wrong: ports, key, clock, disk, limits, data, damage, PostgreSQL; and say what to do");
  const auto connection = client::AddConnectionFlags(command, /*with_grpc=*/true);
  command.footer("Exit code 6 when something needs to be mended.\n\nExample:\n  rivermeet doctor --data ./data");
  SetForegroundAction(command, [connection](int& exit_code) { return Doctor(*connection, exit_code); });
}

}  // namespace rivermeet::cli
