#include "crdt_tool/crdt_commands.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "commandline/command_app.h"
#include "commandline/help_document.h"
#include "crdt/update.h"
#include "crdt_tool/test_sample.h"
#include "testing/temp_dir.h"

namespace rivermeet::crdt_tool {
namespace {

using crdt::UpdateFormat;

struct Tool {
  rivermeet::testing::TempDir folder;

  int Run(const std::vector<std::string>& arguments) const {
    CLI::App app("A program", kProgram);
    commandline::PrepareApp(app);
    AddCommands(app);
    std::vector<const char*> pointers = {kProgram};
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    return commandline::RunApp(app, static_cast<int>(pointers.size()), pointers.data());
  }
  // The result of a command that succeeds.
  std::string Result(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"-o", folder / "result"});
    REQUIRE(Run(arguments) == 0);
    return FileText(folder / "result");
  }
  std::string Make(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
};

TEST_CASE("converting gives the other format, there and back", "[crdt_tool]") {
  const Tool tool;
  CHECK(tool.Result({"convert", kSampleV1}) == FileText(kSampleV2));
  CHECK(tool.Result({"convert", kSampleV2, "--v2"}) == FileText(kSampleV1));
}

TEST_CASE("an obfuscated update has the same structs and says nothing", "[crdt_tool]") {
  const Tool tool;
  for (const auto& [sample, format] :
       {std::pair(kSampleV1, UpdateFormat::kV1), std::pair(kSampleV2, UpdateFormat::kV2)}) {
    const std::string shown = tool.Result({"obfuscate", sample});
    CHECK(shown == *crdt::ObfuscateUpdate(FileText(sample), format));
    CHECK(tool.Result({"state-vector", tool.Make("shown", shown)}) == "2 4\n1 16\n");
    CHECK(tool.Result({"json", tool.Make("shown", shown)}).find("Ada Lovelace") == std::string::npos);
  }
  CHECK(tool.Run({"obfuscate", "--v1", kSampleV2, "-o", tool.folder / "out"}) == 1);
}

TEST_CASE("merging gives what the library gives, in any order of the files", "[crdt_tool]") {
  const Tool tool;
  crdt::Doc writer({.client_id = 7});
  std::vector<std::string> updates;
  const crdt::Subscription listening = writer.OnUpdate(
      UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  for (int i = 0; i < 3; ++i) CHECK(writer.GetText("notes")->Insert(0, "ab").ok());
  const std::string a = tool.Make("a", updates[0]);
  const std::string b = tool.Make("b", updates[1]);
  const std::string c = tool.Make("c", updates[2]);
  CHECK(tool.Result({"merge", a, b, c}) == writer.EncodeState(UpdateFormat::kV1));
  CHECK(tool.Result({"merge", c, a, b}) == writer.EncodeState(UpdateFormat::kV1));
  CHECK(tool.Result({"merge", a}) == updates[0]);
}

TEST_CASE("merging refuses files of two formats, and a damaged one even by itself", "[crdt_tool]") {
  const Tool tool;
  CHECK(tool.Run({"merge", kSampleV1, kSampleV2, "-o", tool.folder / "out"}) == 1);
  const std::string damaged = tool.Make("damaged", FileText(kSampleV1) + "x");
  CHECK(tool.Run({"merge", "--v1", damaged, "-o", tool.folder / "out"}) == 1);
  CHECK(tool.Run({"merge", kSampleV1, damaged, "-o", tool.folder / "out"}) == 1);
}

TEST_CASE("a difference to an update, or to its state vector, is what the library gives", "[crdt_tool]") {
  const Tool tool;
  crdt::Doc writer({.client_id = 7});
  CHECK(writer.GetText("notes")->Insert(0, "abc").ok());
  const std::string old = tool.Make("old", writer.EncodeState(UpdateFormat::kV2));
  const std::string vector = tool.Make("vector", tool.Result({"state-vector", "--bytes", old}));
  CHECK(FileText(vector) == writer.EncodeStateVector());
  CHECK(writer.GetText("notes")->Insert(3, "def").ok());
  const std::string all = tool.Make("all", writer.EncodeState(UpdateFormat::kV1));
  const std::string wanted =
      *crdt::DiffUpdate(writer.EncodeState(UpdateFormat::kV1), FileText(vector), UpdateFormat::kV1);
  CHECK(tool.Result({"diff", all, old}) == wanted);
  CHECK(tool.Result({"diff", all, vector, "--state-vector"}) == wanted);
  CHECK(tool.Run({"diff", all, all, "--state-vector", "-o", tool.folder / "out"}) == 1);
}

TEST_CASE("a state vector is a line for each client", "[crdt_tool]") {
  CHECK(Tool().Result({"state-vector", kSampleV1}) == "2 4\n1 16\n");
}

TEST_CASE("roots are named as many as there are, and the file may come last", "[crdt_tool]") {
  CHECK(Tool().Result({"json", "--map", "notes", "--map", "users", kSampleV1}) ==
        "{\"users\":{\"bob\":{\"since\":1952},\"ada\":\"Ada Lovelace\"},\"notes\":{}}\n");
}

TEST_CASE("a bad command line ends with 2, bad input with 1", "[crdt_tool]") {
  const Tool tool;
  CHECK(tool.Run({}) == 2);
  CHECK(tool.Run({"nothing"}) == 2);
  CHECK(tool.Run({"inspect"}) == 2);
  CHECK(tool.Run({"inspect", "--v1", "--v2", kSampleV1}) == 2);
  CHECK(tool.Run({"inspect", "--structs", "--json", kSampleV1}) == 2);
  CHECK(tool.Run({"inspect", "--structs", "--document", kSampleV1}) == 2);
  CHECK(tool.Run({"diff", kSampleV1}) == 2);
  CHECK(tool.Run({"inspect", "--help"}) == 0);
  CHECK(tool.Run({"inspect", tool.folder / "none"}) == 1);
  CHECK(tool.Run({"convert", "--v1", kSampleV2, "-o", tool.folder / "out"}) == 1);
  CHECK(tool.Run({"json", "--text", "none", kSampleV1}) == 1);
}

TEST_CASE("a file that is there stays when a command fails", "[crdt_tool]") {
  const Tool tool;
  const std::string kept = tool.Make("kept", "kept");
  CHECK(tool.Run({"convert", "--v1", kSampleV2, "-o", kept}) == 1);
  CHECK(tool.Run({"json", "--text", "none", kSampleV1, "-o", kept}) == 1);
  CHECK(FileText(kept) == "kept");
}

TEST_CASE("of a damaged file the structs before the damage are listed", "[crdt_tool]") {
  const Tool tool;
  const std::string whole = tool.Result({"inspect", "--structs", kSampleV1});
  const std::string cut = tool.Make("cut", FileText(kSampleV1).substr(0, 70));
  CHECK(tool.Run({"inspect", "--v1", "--structs", cut, "-o", tool.folder / "listed"}) == 1);
  const std::string listed = FileText(tool.folder / "listed");
  CHECK(listed.size() > 100);
  CHECK(listed.size() < whole.size());
  CHECK(whole.starts_with(listed));
}

TEST_CASE("docs/crdt.md says of every command what its --help says", "[crdt_tool]") {
  CLI::App app("A program", kProgram);
  commandline::PrepareApp(app);
  AddCommands(app);
  std::string help;
  for (const CLI::App* command : app.get_subcommands(std::function<bool(CLI::App*)>())) {
    help += commandline::HelpDocument(*command, kProgram);
  }
  const std::string document = FileText("docs/crdt.md");
  const std::string right = commandline::WithHelp(document, kProgram, help);
  REQUIRE(right.find(help) != std::string::npos);
  if (std::getenv("RIVERMEET_UPDATE_DOCS") != nullptr) std::ofstream("docs/crdt.md") << right;
  INFO("RIVERMEET_UPDATE_DOCS=1 writes it anew");
  CHECK(FileText("docs/crdt.md") == right);
}

}  // namespace
}  // namespace rivermeet::crdt_tool
