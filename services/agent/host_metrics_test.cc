#include "agent/host_metrics.h"

#include <catch2/catch.hpp>
#include <set>

namespace rivermeet::agent {
namespace {

// The value of a measure in the event whose dimensions, besides the host, are `name`=`value`; nothing when it has none.
std::optional<double> Value(const events::v1::EventBatch& batch, const std::string& measure,
                            const std::string& name = "", const std::string& value = "") {
  for (int event = 0; event < batch.series_index_size(); ++event) {
    const int row = static_cast<int>(batch.series_index(event));
    bool matches = true;
    for (const auto& dimension : batch.series().dimensions()) {
      const auto index = static_cast<int>(dimension.value_index(row));
      if (dimension.name() == "host") continue;
      matches = matches && (dimension.name() == name ? index > 0 && dimension.values(index - 1) == value : index == 0);
    }
    if (!matches) continue;
    for (const auto& column : batch.measures()) {
      if (column.name() != measure) continue;
      const auto byte = static_cast<size_t>(event) / 8;
      if (byte < column.nulls().size() && (column.nulls()[byte] >> (event % 8) & 1) != 0) continue;
      return column.int64_values_size() > 0 ? static_cast<double>(column.int64_values(event))
                                            : column.float64_values(event);
    }
  }
  return std::nullopt;
}

Sample At(int second) {
  Sample sample;
  sample.time = absl::FromUnixSeconds(1'800'000'000 + second);
  sample.at = absl::Seconds(second);
  return sample;
}

HostMetrics Metrics() { return HostMetrics("ada", 100, 4096); }

Process Proc(int pid, const std::string& name, uint64_t ticks, int64_t pages, uint64_t start = 1) {
  return {pid, {.name = name, .cpu_ticks = ticks, .start_ticks = start, .resident_pages = pages}};
}

TEST_CASE("every field that is sent is declared with its type, and units are declared for measures", "[metrics]") {
  HostMetrics metrics = Metrics();
  const auto reader = ProcReader::Open({.process_budget = 1e9}).value();
  (void)metrics.Next(reader->Read());
  absl::SleepFor(absl::Milliseconds(30));
  const events::v1::EventBatch batch = metrics.Next(reader->Read());
  std::map<std::string, events::v1::FieldType> declared;
  const events::v1::Stream stream = HostMetricsStream();
  for (const auto& field : stream.fields()) declared[field.name()] = field.type();
  CHECK(declared.size() == static_cast<size_t>(stream.fields_size()));
  for (const auto& dimension : batch.series().dimensions()) {
    INFO(dimension.name());
    CHECK(declared[dimension.name()] == events::v1::FIELD_TYPE_DIMENSION);
  }
  for (const auto& measure : batch.measures()) {
    INFO(measure.name());
    CHECK(declared[measure.name()] ==
          (measure.int64_values_size() > 0 ? events::v1::FIELD_TYPE_INT64 : events::v1::FIELD_TYPE_FLOAT64));
  }
}

TEST_CASE("the share of busy time is between two samples, for the host and each core", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample first = At(0);
  first.cpu = CpuStat{{1000, 800}, {{500, 400}, {500, 400}}};
  const auto nothing = metrics.Next(first);
  CHECK_FALSE(Value(nothing, "cpu_percent"));
  Sample second = At(1);
  second.cpu = CpuStat{{1200, 850}, {{600, 400}, {600, 450}}};
  const auto batch = metrics.Next(second);
  CHECK(Value(batch, "cpu_percent") == 75.0);
  CHECK(Value(batch, "cpu_percent", "core", "0") == 100.0);
  CHECK(Value(batch, "cpu_percent", "core", "1") == 50.0);
  CHECK(batch.base_time_us() == 1'800'000'001'000'000);
}

TEST_CASE("idle time that goes back and counters that start over give no nonsense", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample first = At(0);
  first.cpu = CpuStat{{1000, 800}, {}};
  first.disks = {{"vda", 1000, 1000}};
  first.interfaces = {{"eth0", 5000, 5000}};
  (void)metrics.Next(first);
  Sample second = At(1);
  second.cpu = CpuStat{{1100, 799}, {}};
  second.disks = {{"vda", 0, 2000}};
  second.interfaces = {{"eth0", 0, 0}, {"eth1", 99999, 1}};
  const auto batch = metrics.Next(second);
  CHECK(Value(batch, "cpu_percent") == 100.0);
  CHECK_FALSE(Value(batch, "disk_read_bytes_per_second", "device", "vda"));
  CHECK_FALSE(Value(batch, "network_sent_bytes_per_second", "interface", "eth0"));
  CHECK_FALSE(Value(batch, "network_sent_bytes_per_second", "interface", "eth1"));
}

TEST_CASE("rates are per second of the time that passed", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample first = At(0);
  first.disks = {{"vda", 1000, 0}};
  first.interfaces = {{"eth0", 100, 0}};
  first.pressure_io = 1'000'000;
  (void)metrics.Next(first);
  Sample second = At(2);
  second.disks = {{"vda", 5000, 200}};
  second.interfaces = {{"eth0", 300, 50}};
  second.pressure_io = 1'500'000;
  const auto batch = metrics.Next(second);
  CHECK(Value(batch, "disk_read_bytes_per_second", "device", "vda") == 2000.0);
  CHECK(Value(batch, "disk_written_bytes_per_second", "device", "vda") == 100.0);
  CHECK(Value(batch, "network_received_bytes_per_second", "interface", "eth0") == 100.0);
  CHECK(Value(batch, "pressure_io_percent") == 25.0);
  CHECK_FALSE(Value(batch, "pressure_cpu_percent"));
}

TEST_CASE("levels are there from the first sample", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample sample = At(0);
  sample.memory = Memory{1000, 400, 50, 20};
  sample.load = Load{1, 2, 3};
  sample.filesystems = {{"vda", 10, 100}};
  const auto batch = metrics.Next(sample);
  CHECK(Value(batch, "memory_used_bytes") == 600.0);
  CHECK(Value(batch, "memory_total_bytes") == 1000.0);
  CHECK(Value(batch, "memory_available_bytes") == 400.0);
  CHECK(Value(batch, "swap_used_bytes") == 30.0);
  CHECK(Value(batch, "load_15m") == 3.0);
  CHECK(Value(batch, "filesystem_size_bytes", "device", "vda") == 100.0);
}

TEST_CASE("processes of one name are added up, and their CPU is counted in cores", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample first = At(0);
  first.processes = {Proc(1, "worker", 100, 10), Proc(2, "worker", 100, 10)};
  const auto levels = metrics.Next(first);
  CHECK_FALSE(Value(levels, "process_cpu_percent", "process", "worker"));
  CHECK(Value(levels, "process_memory_bytes", "process", "worker") == 20.0 * 4096);
  (void)metrics.Next(At(1));  // without processes: the difference is to the last sample that has them
  Sample third = At(2);
  third.processes = {Proc(1, "worker", 300, 10), Proc(2, "worker", 200, 10)};
  CHECK(Value(metrics.Next(third), "process_cpu_percent", "process", "worker") == 150.0);
}

TEST_CASE("a new process under an old id does not inherit its time", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample first = At(0);
  first.processes = {Proc(1, "old", 100, 10)};
  (void)metrics.Next(first);
  Sample second = At(1);
  second.processes = {Proc(1, "new", 150, 10, 77)};
  CHECK_FALSE(Value(metrics.Next(second), "process_cpu_percent", "process", "new"));
}

TEST_CASE("the top by CPU and the top by memory are sent, and no more", "[metrics]") {
  HostMetrics metrics = Metrics();
  for (int second = 0; second < 2; ++second) {
    Sample sample = At(second);
    sample.processes.emplace();
    for (int i = 0; i < 50; ++i) {
      const uint64_t ticks = second == 0 ? 0 : static_cast<uint64_t>(i);
      sample.processes->push_back(Proc(i, "p" + std::to_string(i), ticks, 100 - i));
    }
    const auto batch = metrics.Next(sample);
    if (second == 0) continue;
    CHECK(batch.series().count() == 1 + 2 * kTopProcesses);
    CHECK(Value(batch, "process_cpu_percent", "process", "p49") == 49.0);
    CHECK(Value(batch, "process_memory_bytes", "process", "p0") == 100.0 * 4096);
    CHECK_FALSE(Value(batch, "process_memory_bytes", "process", "p25"));
  }
}

TEST_CASE("names that are not text become text", "[metrics]") {
  HostMetrics metrics = Metrics();
  Sample sample = At(0);
  sample.processes = {Proc(1, "a\xff\n", 0, 5), Proc(2, "", 0, 5), Proc(3, "\xc3\xa9", 0, 5)};
  const auto batch = metrics.Next(sample);
  CHECK(Value(batch, "process_memory_bytes", "process", "a??"));
  CHECK(Value(batch, "process_memory_bytes", "process", "?"));
  CHECK(Value(batch, "process_memory_bytes", "process", "\xc3\xa9"));
}

}  // namespace
}  // namespace rivermeet::agent
