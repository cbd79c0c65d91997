// One bit flipped, or the file cut, in every kind of file. What comes back is what was
// appended, or an error that names the file.
#include <catch2/catch.hpp>
#include <random>

#include "eventlog/event_log_contract.h"
#include "eventlog/local_event_log.h"
#include "files/file_system.h"
#include "testing/lossy_file_system.h"
#include "testing/temp_dir.h"

namespace rivermeet::eventlog {
namespace {

using testing::LossyFileSystem;

constexpr std::string_view kFolder = "data/events/0000";

LocalEventLogOptions Options(LossyFileSystem& fs) {
  LocalEventLogOptions options;
  options.folder = "data";
  options.partitions = 1;
  options.segment_bytes = 8192;
  options.max_group_wait = absl::ZeroDuration();
  options.fs = &fs;
  return options;
}

std::vector<Record> Fill(LossyFileSystem& fs, size_t count, bool clean_stop) {
  std::vector<Record> given;
  auto log = LocalEventLog::Open(Options(fs));
  REQUIRE(log.ok());
  std::mt19937_64 random(11);
  for (size_t i = 0; i < count; ++i) {
    const size_t size = random() % 1200;
    given.push_back({std::to_string(i), i % 2 == 0 ? RandomText(i, size) : std::string(size, 'r')});
    REQUIRE((*log)->AppendAndWait(0, given.back(), TestDeadline()).ok());
  }
  if (!clean_stop) fs.Crash();
  return given;
}

struct Outcome {
  size_t read = 0;     // whole records, each as it was appended
  absl::Status error;  // what ended the reading, if anything
};

// Opens and reads all there is; fails the test when a record is not what was appended.
Outcome ReadAll(LossyFileSystem& fs, const std::vector<Record>& given) {
  auto log = LocalEventLog::Open(Options(fs));
  if (!log.ok()) return {0, log.status()};
  Outcome outcome;
  auto reader = (*log)->OpenReader(0, 0);
  if (!reader.ok()) return {0, reader.status()};
  const Offset end = (*log)->Range(0, TestDeadline())->end;
  while (static_cast<Offset>(outcome.read) < end) {
    const auto records = (*reader)->Read(1 << 20, TestDeadline());
    if (!records.ok()) {
      outcome.error = records.status();
      return outcome;
    }
    REQUIRE_FALSE(records->empty());
    for (const LogRecord& record : *records) {
      REQUIRE(record.offset == static_cast<Offset>(outcome.read));
      REQUIRE((record.header == given[outcome.read].header));
      REQUIRE((record.payload == given[outcome.read].payload));
      ++outcome.read;
    }
  }
  return outcome;
}

bool Names(const absl::Status& error, const std::string& file) {
  return absl::IsDataLoss(error) && error.ToString().find(file) != std::string::npos;
}

using Files = std::map<std::string, std::string>;

Files Save(LossyFileSystem& fs) {
  Files files;
  const std::vector<std::string> names = fs.List(std::string(kFolder)).value();
  for (const std::string& name : names) files[name] = files::ReadWholeFile(fs, files::JoinPath(kFolder, name)).value();
  return files;
}

void Restore(LossyFileSystem& fs, const Files& saved) {
  const std::vector<std::string> names = fs.List(std::string(kFolder)).value();
  for (const std::string& name : names) REQUIRE(fs.Remove(files::JoinPath(kFolder, name)).ok());
  for (const auto& [name, contents] : saved) {
    REQUIRE(files::WriteWholeFile(fs, files::JoinPath(kFolder, name), contents).ok());
  }
}

TEST_CASE("a flipped bit anywhere is found and never served", "[eventlog][damage]") {
  LossyFileSystem fs;
  const std::vector<Record> given = Fill(fs, 60, /*clean_stop=*/true);
  const Files saved = Save(fs);
  REQUIRE(saved.size() >= 6);
  std::mt19937_64 random(15);
  int in_segments = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto& [name, contents] = *std::next(saved.begin(), static_cast<std::ptrdiff_t>(random() % saved.size()));
    const auto position = static_cast<int64_t>(random() % contents.size());
    const int bit = static_cast<int>(random() % 8);
    INFO(name << " byte " << position << " bit " << bit);
    REQUIRE(fs.FlipBit(files::JoinPath(kFolder, name), position, bit).ok());
    const Outcome outcome = ReadAll(fs, given);
    INFO(outcome.read << " read, then " << outcome.error.ToString());
    if (name.ends_with(".log")) {
      ++in_segments;
      REQUIRE(Names(outcome.error, name));
    } else {
      // An index is only a copy of what the segment says.
      REQUIRE(outcome.error.ok());
      REQUIRE(outcome.read == given.size());
    }
    Restore(fs, saved);
  }
  CHECK(in_segments > 300);
}

TEST_CASE("a cut file is found and what is left is served", "[eventlog][damage]") {
  LossyFileSystem fs;
  const std::vector<Record> given = Fill(fs, 60, /*clean_stop=*/true);
  const Files saved = Save(fs);
  std::mt19937_64 random(16);
  for (int i = 0; i < 1000; ++i) {
    const auto& [name, contents] = *std::next(saved.begin(), static_cast<std::ptrdiff_t>(random() % saved.size()));
    const auto size = static_cast<int64_t>(random() % contents.size());
    INFO(name << " cut to " << size);
    REQUIRE(fs.CutFile(files::JoinPath(kFolder, name), size).ok());
    const Outcome outcome = ReadAll(fs, given);
    INFO(outcome.read << " read, then " << outcome.error.ToString());
    if (name.ends_with(".log")) {
      REQUIRE(Names(outcome.error, name));
    } else {
      REQUIRE(outcome.error.ok());
      REQUIRE(outcome.read == given.size());
    }
    Restore(fs, saved);
  }
}

TEST_CASE("after a crash too, damage before the last group is told from a torn end", "[eventlog][damage]") {
  LossyFileSystem fs;
  const std::vector<Record> given = Fill(fs, 12, /*clean_stop=*/false);
  Files saved = Save(fs);
  std::erase_if(saved, [](const auto& file) { return file.first.ends_with(".index"); });
  const auto& [name, contents] = *saved.rbegin();
  REQUIRE(ReadAll(fs, given).read == given.size());
  const size_t last_record = contents.rfind(given.back().header + given.back().payload) - 40;
  REQUIRE(last_record < contents.size());
  for (size_t position = 0; position < contents.size(); position += 3) {
    Restore(fs, saved);
    REQUIRE(fs.FlipBit(files::JoinPath(kFolder, name), static_cast<int64_t>(position), 3).ok());
    const Outcome outcome = ReadAll(fs, given);
    INFO(name << " byte " << position << " of " << contents.size() << ", last record at " << last_record << ": "
              << outcome.error.ToString());
    REQUIRE(Names(outcome.error, name));
  }
}

TEST_CASE("a missing file in the middle is found", "[eventlog][damage]") {
  LossyFileSystem fs;
  const std::vector<Record> given = Fill(fs, 60, /*clean_stop=*/true);
  std::vector<std::string> segments;
  const std::vector<std::string> names = fs.List(std::string(kFolder)).value();
  for (const std::string& name : names) {
    if (name.ends_with(".log")) segments.push_back(name);
  }
  REQUIRE(segments.size() >= 3);
  REQUIRE(fs.Remove(files::JoinPath(kFolder, segments[1])).ok());
  const Outcome outcome = ReadAll(fs, given);
  CHECK(absl::IsDataLoss(outcome.error));
  CHECK(outcome.read > 0);
  auto log = LocalEventLog::Open(Options(fs));
  REQUIRE(log.ok());
  CHECK_FALSE((*log)->Damage().empty());
  CHECK((*log)->AppendAndWait(0, {"goes", "on"}, TestDeadline()).value() == 60);
}

TEST_CASE("a damaged end is cut only when the operator says so, and a copy is kept", "[eventlog][damage]") {
  LossyFileSystem fs;
  Fill(fs, 4, /*clean_stop=*/true);
  const std::string path = files::JoinPath(kFolder, "00000000000000000000.log");
  REQUIRE(fs.FlipBit(path, fs.FileSize(path).value() - 1, 0).ok());
  REQUIRE(fs.Remove(files::JoinPath(kFolder, "00000000000000000000.index")).ok());
  LocalEventLogOptions options = Options(fs);
  CHECK(absl::IsDataLoss(LocalEventLog::Open(options).status()));
  options.cut_suspect_tail = true;
  auto log = LocalEventLog::Open(options);
  REQUIRE(log.ok());
  CHECK((*log)->Range(0, TestDeadline())->end == 3);
  CHECK((*log)->Stats().cut_tail_bytes > 0);
  bool kept = false;
  const std::vector<std::string> names = fs.List(std::string(kFolder)).value();
  for (const std::string& name : names) kept = kept || name.ends_with(".damaged");
  CHECK(kept);
}

TEST_CASE("a record that a client sent as another record's payload is never taken for one", "[eventlog][damage]") {
  LossyFileSystem fs;
  int64_t torn = 0;
  {
    auto log = LocalEventLog::Open(Options(fs));
    REQUIRE(log.ok());
    // A frame with a later offset, from another segment of the same format.
    LossyFileSystem other;
    Fill(other, 8, /*clean_stop=*/true);
    const std::string path = files::JoinPath(kFolder, "00000000000000000000.log");
    const std::string stolen = files::ReadWholeFile(other, path).value().substr(40);
    torn = static_cast<int64_t>(stolen.size()) - 10;
    REQUIRE((*log)->AppendAndWait(0, {"a", "first"}, TestDeadline()).ok());
    fs.StopAt(fs.operations() + 1);
    REQUIRE_FALSE((*log)->AppendAndWait(0, {"evil", stolen}, TestDeadline()).ok());
  }
  fs.Crash({.torn_bytes = torn});
  auto log = LocalEventLog::Open(Options(fs));
  INFO(log.status().ToString());
  REQUIRE(log.ok());
  CHECK((*log)->Range(0, TestDeadline())->end == 1);
}

}  // namespace
}  // namespace rivermeet::eventlog
