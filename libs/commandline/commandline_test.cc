#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "base/proto_time.h"
#include "commandline/command_app.h"
#include "commandline/completion.h"
#include "commandline/durations.h"
#include "commandline/help_document.h"
#include "testing/temp_dir.h"

namespace rivermeet::commandline {
namespace {

// A program like ours, with actions that end as they are told.
struct Program {
  CLI::App app{"A program", "rivermeet"};
  absl::Status ends;
  int with = kOk;
  std::string name, url, key_file;

  Program() {
    PrepareApp(app);
    CLI::App& keys = *app.add_subcommand("keys", "API keys");
    keys.require_subcommand(1);
    CLI::App& create = *keys.add_subcommand("create", "Make a key");
    create.add_option("name", name, "What it's for")->required();
    create.add_option("--url", url, "Where");
    create.add_option("--key-file", key_file, "A file with a key");
    SetAction(create, [this](int& exit_code) {
      exit_code = with;
      return ends;
    });
  }
  int Run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "rivermeet");
    return RunApp(app, static_cast<int>(arguments.size()), arguments.data());
  }
};

TEST_CASE("an action's status and its own exit code decide how the program ends", "[commandline]") {
  Program program;
  CHECK(program.Run({"keys", "create", "a"}) == kOk);
  CHECK(program.name == "a");
  program.with = kPartlyRejected;
  CHECK(program.Run({"keys", "create", "a"}) == kPartlyRejected);
  program.with = kOk;
  program.ends = absl::UnavailableError("away");
  CHECK(program.Run({"keys", "create", "a"}) == kUnreachable);
  program.ends = absl::UnauthenticatedError("who");
  CHECK(program.Run({"keys", "create", "a"}) == kNotAuthorised);
  program.ends = absl::NotFoundError("none");
  CHECK(program.Run({"keys", "create", "a"}) == kFailed);
}

TEST_CASE("a wrong command line is a usage error and help is none", "[commandline]") {
  Program program;
  CHECK(program.Run({}) == kUsage);
  CHECK(program.Run({"nothing"}) == kUsage);
  CHECK(program.Run({"keys"}) == kUsage);
  CHECK(program.Run({"keys", "create"}) == kUsage);
  CHECK(program.Run({"keys", "create", "a", "--none"}) == kUsage);
  CHECK(program.Run({"keys", "create", "--help"}) == kOk);
}

TEST_CASE("durations read as people write them", "[commandline]") {
  CHECK(ParseDuration("10s").value() == absl::Seconds(10));
  CHECK(ParseDuration("1h30m").value() == absl::Minutes(90));
  CHECK(ParseDuration("7d").value() == absl::Hours(168));
  CHECK(ParseDuration("1.5s").value() == absl::Milliseconds(1500));
  for (const char* text : {"", "10", "s", "-5s", "5 s", "0s", "1y", "10ss", "1..5s", "s10", "1e9w"}) {
    INFO(text);
    CHECK(absl::IsInvalidArgument(ParseDuration(text).status()));
  }
}

TEST_CASE("times read as RFC 3339, seconds, now and back from now", "[commandline]") {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  CHECK(ParseTime("now", now).value() == now);
  CHECK(ParseTime("now-15m", now).value() == now - absl::Minutes(15));
  CHECK(ParseTime("1700000000.5", now).value() == absl::FromUnixMillis(1'700'000'000'500));
  CHECK(ParseTime("1970-01-01T00:01:00Z", now).value() == absl::FromUnixSeconds(60));
  CHECK(absl::IsInvalidArgument(ParseTime("yesterday", now).status()));
}

TEST_CASE("durations survive the way through protobuf", "[commandline]") {
  for (const absl::Duration duration : {absl::Milliseconds(1), absl::Milliseconds(1500), absl::Hours(24)}) {
    CHECK(FromProto(ToProto(duration)) == duration);
  }
}

TEST_CASE("bytes and durations are short to read", "[commandline]") {
  CHECK(FormatBytes(87) == "87 B");
  CHECK(FormatBytes(1536) == "1.5 KiB");
  CHECK(FormatBytes(250.0 * (1 << 30)) == "250 GiB");
  CHECK(FormatBriefly(absl::Milliseconds(80)) == "80 ms");
  CHECK(FormatBriefly(absl::Seconds(125)) == "2 min 5 s");
  CHECK(FormatBriefly(absl::Hours(51)) == "2 d 3 h");
}

TEST_CASE("a document's help is replaced in its place alone", "[commandline]") {
  CHECK(WithHelp("a\n<!-- help: x -->\nold\n<!-- /help -->\nb\n", "x", "new\n") ==
        "a\n<!-- help: x -->\nnew\n<!-- /help -->\nb\n");
  CHECK(WithHelp("a", "x", "new") == "a");
  Program program;
  const std::string help = HelpDocument(*program.app.get_subcommand("keys"), "rivermeet");
  CHECK(help.find("### rivermeet keys\n") != std::string::npos);
  CHECK(help.find("### rivermeet keys create\n") != std::string::npos);
  CHECK(help.find("Usage: rivermeet keys create") != std::string::npos);
}

// What bash offers for a line typed so far.
std::string Complete(const std::string& script_path, const std::string& words, int at) {
  const std::string command = "bash -c 'source " + script_path + "; COMP_WORDS=(" + words +
                              "); COMP_CWORD=" + std::to_string(at) + "; _rivermeet; echo \"${COMPREPLY[@]}\"'";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[1000];
  std::string text;
  while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, count);
  pclose(pipe);
  return text;
}

TEST_CASE("bash completes commands below commands, and their flags", "[commandline]") {
  const rivermeet::testing::TempDir folder;
  Program program;
  const std::string path = folder / "completion";
  std::ofstream(path) << CompletionScript(program.app, "bash").value();
  CHECK(Complete(path, "rivermeet k", 1) == "keys\n");
  CHECK(Complete(path, "rivermeet keys cr", 2) == "create\n");
  CHECK(Complete(path, "rivermeet keys create --ur", 3) == "--url\n");
}

TEST_CASE("there is a script for each shell and for no other", "[commandline]") {
  Program program;
  CHECK(CompletionScript(program.app, "zsh").value().find("bashcompinit") != std::string::npos);
  CHECK(CompletionScript(program.app, "fish").value().find("-l key-file -r") != std::string::npos);
  CHECK(absl::IsInvalidArgument(CompletionScript(program.app, "tcsh").status()));
}

}  // namespace
}  // namespace rivermeet::commandline
