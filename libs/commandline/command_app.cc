#include "commandline/command_app.h"

#include <cstdio>
#include <system_error>
#include <utility>

#include "base/strings.h"

namespace rivermeet::commandline {
namespace {

// The command that was being parsed when the mistake was found, for the hint.
std::string PathOfCalled(const CLI::App& app) {
  std::string path = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  return path;
}

// What is above all commands.
const CLI::App& ProgramOf(const CLI::App& command) {
  const CLI::App* at = &command;
  while (at->get_parent() != nullptr) at = at->get_parent();
  return *at;
}

}  // namespace

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kOk;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kNotAuthorised;
    case absl::StatusCode::kUnavailable:
      return kUnreachable;
    default:
      return kFailed;
  }
}

void SetAction(CLI::App& command, std::function<absl::Status(int& exit_code)> run) {
  command.callback([&command, run = std::move(run)] {
    int exit_code = kOk;
    absl::Status status;
    try {
      status = run(exit_code);
      std::fflush(stdout);
    } catch (const std::system_error& closed) {
      // {fmt} says so that standard output is closed: `rivermeet ... | head` is no mistake worth a message.
      throw CLI::RuntimeError(kFailed);
    }
    if (!status.ok()) {
      fmt::print(stderr, "{}: {}\n", ProgramOf(command).get_name(), MessageOf(status));
      exit_code = exit_code == kOk ? ExitCodeOf(status) : exit_code;
    }
    // CLI11's own way for a callback to say how the program ends.
    if (exit_code != kOk) throw CLI::RuntimeError(exit_code);
  });
}

void PrepareApp(CLI::App& app) {
  app.require_subcommand(1);
  app.set_help_flag("-h,--help", "Show what this command does and its options");
  app.get_formatter()->column_width(34);
  app.option_defaults()->always_capture_default(false);
}

int RunApp(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return kOk;
  } catch (const CLI::RuntimeError& ended) {
    return ended.get_exit_code();
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& mistake) {
    // CLI11 would only say that a command is missing.
    const std::vector<std::string> unknown = app.remaining(true);
    const bool no_command = mistake.get_name() == "RequiredError" && !unknown.empty();
    fmt::print(stderr, "{}: {}\nSee `{} --help`.\n", app.get_name(),
               no_command ? fmt::format("there is no command \"{}\"", unknown.front()) : mistake.what(),
               PathOfCalled(app));
    return kUsage;
  }
}

}  // namespace rivermeet::commandline
