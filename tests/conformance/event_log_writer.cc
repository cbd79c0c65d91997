// Makes a log for event_log_reader.py to read, and says what is in it: one line a record with partition, offset, time
// and the SHA-256 of header and payload.
#include <openssl/sha.h>

#include <random>
#include <string>

#include "base/status.h"
#include "eventlog/local_event_log.h"
#include "fmt/format.h"

namespace rivermeet::eventlog {
namespace {

std::string Sha256(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

Record MakeRecord(std::mt19937_64& random) {
  const size_t size = random() % 10 == 0 ? random() % 30'000 : random() % 600;
  Record record{"header " + std::to_string(random() % 1000), std::string(size, '\0')};
  // Noise, text that repeats itself near and far, and one letter.
  const uint64_t kind = random() % 3;
  for (size_t i = 0; i < size; ++i) {
    if (kind == 0) record.payload[i] = static_cast<char>(random());
    if (kind == 1) record.payload[i] = "the quick brown fox"[(i * i / 7 + i) % 19];
    if (kind == 2) record.payload[i] = 'x';
  }
  return record;
}

void Write(const std::string& folder) {
  LocalEventLogOptions options;
  options.folder = folder;
  options.partitions = 2;
  options.segment_bytes = 100'000;
  auto log = LocalEventLog::Open(options);
  RM_CHECK_OK(log.status());
  std::mt19937_64 random(20261121);
  for (int i = 0; i < 300; ++i) {
    RM_CHECK_OK((*log)->AppendAndWait(random() % 2, MakeRecord(random), absl::InfiniteFuture()).status());
  }
}

void Describe(const std::string& folder) {
  LocalEventLogOptions options;
  options.folder = folder;
  options.partitions = 2;
  auto log = LocalEventLog::Open(options);
  RM_CHECK_OK(log.status());
  for (PartitionId partition = 0; partition < 2; ++partition) {
    auto reader = (*log)->OpenReader(partition, 0);
    RM_CHECK_OK(reader.status());
    while (true) {
      const auto records = (*reader)->Read(1 << 20, absl::Now());
      RM_CHECK_OK(records.status());
      if (records->empty()) break;
      for (const LogRecord& record : *records) {
        fmt::print("{} {} {} {} {}\n", partition, record.offset, record.append_time_us, Sha256(record.header),
                   Sha256(record.payload));
      }
    }
  }
}

}  // namespace
}  // namespace rivermeet::eventlog

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "event_log_writer FOLDER\n");
    return 2;
  }
  rivermeet::eventlog::Write(argv[1]);
  rivermeet::eventlog::Describe(argv[1]);
  return 0;
}
