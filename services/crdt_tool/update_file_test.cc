#include "crdt_tool/update_file.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "crdt/update.h"
#include "crdt_tool/document_report.h"
#include "crdt_tool/output.h"
#include "crdt_tool/test_sample.h"
#include "crdt_tool/update_report.h"
#include "testing/temp_dir.h"

namespace rivermeet::crdt_tool {
namespace {

using crdt::UpdateFormat;

struct Files {
  rivermeet::testing::TempDir folder;

  std::string Make(const std::string& name, std::string_view bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
};

std::string Error(const absl::Status& status) {
  CHECK(absl::IsInvalidArgument(status));
  return std::string(MessageOf(status));
}

TEST_CASE("the format is the one as which an update reads to its end", "[crdt_tool]") {
  CHECK(ReadUpdateFile(kSampleV1, std::nullopt)->format == UpdateFormat::kV1);
  CHECK(ReadUpdateFile(kSampleV2, std::nullopt)->format == UpdateFormat::kV2);
  CHECK(ReadUpdateFile(kSampleV2, UpdateFormat::kV1)->format == UpdateFormat::kV1);
}

TEST_CASE("an update of one format is hardly ever one of the other", "[crdt_tool]") {
  // Of no effect, the least that deletes, and a whole document.
  const std::string none = *crdt::MergeUpdates({}, UpdateFormat::kV1);
  const std::string deletes("\0\1\7\1\0\1", 6);
  for (const std::string& v1 : {none, deletes, FileText(kSampleV1)}) {
    const std::string v2 = *crdt::ConvertUpdate(v1, UpdateFormat::kV1, UpdateFormat::kV2);
    CHECK_FALSE(crdt::CheckUpdate(v1, UpdateFormat::kV2).ok());
    CHECK_FALSE(crdt::CheckUpdate(v2, UpdateFormat::kV1).ok());
  }
}

TEST_CASE("bytes that read as neither format, or as both, are refused with what to do about it", "[crdt_tool]") {
  const Files files;
  const std::string whole = FileText(kSampleV1);
  const std::string cut = files.Make("cut", whole.substr(0, 40));
  const std::string message = Error(ReadUpdateFile(cut, std::nullopt).status());
  CHECK(message == cut +
                       " is no update: read as V1, at byte 40: it ends too early; read as V2, at byte 17: a length "
                       "reaches past the end. Of a damaged one inspect --structs, with --v1 or --v2, lists what stands "
                       "before the damage");
  CHECK(ReadUpdateFile(cut, UpdateFormat::kV1).ok());

  // V1: no structs, a client whose 21 ranges are deleted. V2: nine columns, of 1, 21, 1, 1, 1, 1, 1, 1 and 2 bytes,
  // that nothing reads, no structs, a client with one range.
  const std::string bytes = absl::HexStringToBytes(
      "00010715000100010001000100010001000100010001000100"
      "010001000100010001000100020001000107010005");
  CHECK(crdt::CheckUpdate(bytes, UpdateFormat::kV1).ok());
  CHECK(crdt::CheckUpdate(bytes, UpdateFormat::kV2).ok());
  const std::string both = files.Make("both", bytes);
  CHECK(Error(ReadUpdateFile(both, std::nullopt).status()) ==
        both + " reads as V1 and as V2: say which it is with --v1 or --v2");
}

TEST_CASE("an error says the file, the format, the byte, and that it reads as the other format", "[crdt_tool]") {
  const UpdateFile file = *ReadUpdateFile(kSampleV2, UpdateFormat::kV1);
  const absl::Status status = crdt::CheckUpdate(file.bytes, file.format);
  CHECK(MessageOf(OfFile(status, file)) ==
        std::string(kSampleV2) + " as V1: " + std::string(MessageOf(status)) + "; it reads as V2");
  CHECK(OfFile(status, file).code() == status.code());
  CHECK(OfFile(absl::OkStatus(), file).ok());
}

// Structs of client 1, each a collected unit: two bytes each in V1, hardly any in V2.
std::string Collected(uint64_t structs) {
  std::string v1 = "\1";
  for (uint64_t left = structs; left > 0; left >>= 7)
    v1.push_back(static_cast<char>((left > 127 ? 128 : 0) | (left & 127)));
  v1.append("\1\0", 2);
  for (uint64_t i = 0; i < structs; ++i) v1.append("\0\1", 2);
  return v1 + '\0';
}

TEST_CASE("a file in V2 may say once what stands for as many structs as a document may have", "[crdt_tool]") {
  const Files files;
  const std::string v1 = Collected(crdt::Limits().max_repeats + 10'000);
  const std::string v2 = *crdt::ConvertUpdate(v1, UpdateFormat::kV1, UpdateFormat::kV2);
  REQUIRE(absl::IsResourceExhausted(crdt::CheckUpdate(v2, UpdateFormat::kV2)));
  const absl::StatusOr<UpdateFile> file = ReadUpdateFile(files.Make("repeats", v2), std::nullopt);
  REQUIRE(file.ok());
  CHECK(file->format == UpdateFormat::kV2);
  CHECK(UpdateReport::Of(*file).ok());
  CHECK(Load(*file, /*gc=*/false).ok());
  CHECK(*crdt::ConvertUpdate(v2, UpdateFormat::kV2, UpdateFormat::kV1, FileLimits()) == v1);
}

TEST_CASE("a file that passes a limit says that, and which, not that it is no update", "[crdt_tool]") {
  const Files files;
  // More clients than an update may have: that is V1's first number, and in V2 the one behind the columns, in place of
  // the two zeros that an update without effect ends with.
  const std::string none = *crdt::MergeUpdates({}, UpdateFormat::kV2);
  const std::string clients("\x81\x80\x80\1", 4);
  const std::string v1 = files.Make("v1", clients + std::string(9, '\0'));
  absl::Status status = ReadUpdateFile(v1, std::nullopt).status();
  CHECK(absl::IsResourceExhausted(status));
  CHECK(MessageOf(status).find(v1 + " read as V1 passes a limit: ") == 0);
  CHECK(MessageOf(status).find("an update has more clients than max_clients; read as V2, at byte ") !=
        std::string::npos);
  const std::string v2 = files.Make("v2", none.substr(0, none.size() - 2) + clients + std::string(9, '\0'));
  status = ReadUpdateFile(v2, std::nullopt).status();
  CHECK(absl::IsResourceExhausted(status));
  CHECK(MessageOf(status).find(v2 + " read as V2 passes a limit: ") == 0);
  const UpdateFile as_v1 = *ReadUpdateFile(v1, UpdateFormat::kV1);
  status = OfFile(crdt::CheckUpdate(as_v1.bytes, as_v1.format), as_v1);
  CHECK(MessageOf(status).find(v1 + " as V1 passes a limit: ") == 0);
}

TEST_CASE("what can't be read says why", "[crdt_tool]") {
  const Files files;
  CHECK(Error(ReadInput(files.folder / "none").status()) ==
        files.folder / "none can't be read: No such file or directory");
  CHECK(Error(ReadInput(files.folder.path()).status()) == files.folder.path() + " can't be read: Is a directory");
}

TEST_CASE("files are read whole up to the most, pipes too", "[crdt_tool]") {
  const Files files;
  const std::string bytes(200'000, 'x');
  const std::string path = files.Make("some", bytes);
  CHECK(*ReadInput(path) == bytes);
  CHECK(*ReadInput(path, bytes.size()) == bytes);
  CHECK(Error(ReadInput(path, bytes.size() - 1).status()) ==
        path + " is longer than 199999 bytes, the most that is read");
  CHECK(Error(ReadInput("/dev/zero", 1'000).status()).find("longer than 1000 bytes") != std::string::npos);
  CHECK(ReadInput(files.Make("empty", ""))->empty());
}

TEST_CASE("a result goes into the file whole, however it is written", "[crdt_tool]") {
  const Files files;
  const std::string path = files.Make("out", std::string(500'000, 'o'));
  Output output = *Output::Open(path);
  std::string all;
  for (int i = 0; i < 50'000; ++i) {
    output.Write("line\n");
    all += "line\n";
  }
  CHECK(output.Close().ok());
  CHECK(FileText(path) == all);
}

TEST_CASE("what can't be written says why", "[crdt_tool]") {
  const Files files;
  CHECK(Error(Output::Open(files.folder / "none/out").status()) ==
        files.folder / "none/out can't be written: No such file or directory");
  Output output = *Output::Open("/dev/full");
  output.Write("a");
  CHECK(Error(output.Close()) == "/dev/full can't be written: No space left on device");
}

}  // namespace
}  // namespace rivermeet::crdt_tool
