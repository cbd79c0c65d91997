// Measures the built-in log alone; one JSON object a line on standard output.
//
//   event_log_benchmark [--folder DIR] [--seconds N] [--partitions N] [--rate MB/s]
//
// The payloads are 8,192 events of 25 bytes: a varint of series, a time, a float64 with two decimals and a counter, as
// columns. Every append hands over a fresh copy, whose cost is in the figures.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "eventlog/local_event_log.h"
#include "fmt/format.h"

namespace rivermeet::eventlog {
namespace {

constexpr size_t kEvents = 8192;
constexpr size_t kWindow = 8;  // records in flight a partition

struct Settings {
  std::string folder = "event-log-benchmark";
  double seconds = 5;
  uint32_t partitions = 2;
  double rate_mb = 30;  // of the latency run
};

template <typename T>
void Put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string MakeBatch(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string series, times, percents, counters;
  int64_t counter = static_cast<int64_t>(random() % 1'000'000);
  for (size_t i = 0; i < kEvents; ++i) {
    const auto index = static_cast<uint16_t>(random() % 10'000);
    series.push_back(static_cast<char>(index | 0x80));
    series.push_back(static_cast<char>(index >> 7));
    Put(times, int64_t{1'767'225'600'000'000} + static_cast<int64_t>(random() % 1'000'000));
    Put(percents, static_cast<double>(random() % 10'000) / 100);
    Put(counters, counter += static_cast<int64_t>(random() % 1000));
  }
  return series + times + percents + counters.substr(0, counters.size() * 7 / 8);
}

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Print(const char* metric, double value, const char* unit, const std::string& conditions) {
  fmt::print("{{\"bench\":\"event-log\",\"metric\":\"{}\",\"value\":{:.3f},\"unit\":\"{}\",\"conditions\":\"{}\"}}\n",
             metric, value, unit, conditions);
  std::fflush(stdout);
}

// Keeps at most kWindow appends of a partition under way and collects how long each took.
class Feeder {
 public:
  Feeder(EventLog& log, PartitionId partition) : log_(log), partition_(partition) {}

  void Append(const std::string& payload) {
    {
      MutexLock lock(mutex_);
      while (under_way_ >= kWindow) changed_.Wait(mutex_);
      ++under_way_;
    }
    const absl::Time started = absl::Now();
    log_.Append(partition_, {"tenant-and-stream-of-some-fifty-bytes-in-the-header", payload},
                absl::Now() + absl::Seconds(30), [this, started](absl::StatusOr<Offset> offset) {
                  RM_CHECK(offset.ok());
                  MutexLock lock(mutex_);
                  --under_way_;
                  latencies_us_.push_back(absl::ToDoubleMicroseconds(absl::Now() - started));
                  changed_.NotifyAll();
                });
  }

  std::vector<double> Finish() {
    MutexLock lock(mutex_);
    while (under_way_ > 0) changed_.Wait(mutex_);
    return latencies_us_;
  }

 private:
  EventLog& log_;
  const PartitionId partition_;
  Mutex mutex_;
  CondVar changed_;
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<double> latencies_us_ ABSL_GUARDED_BY(mutex_);
};

std::unique_ptr<LocalEventLog> Open(const Settings& settings) {
  LocalEventLogOptions options;
  options.folder = settings.folder;
  options.partitions = settings.partitions;
  auto log = LocalEventLog::Open(options);
  RM_CHECK_OK(log.status());
  return std::move(log).value();
}

double Percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

struct Run {
  double seconds = 0;
  double cpu_seconds = 0;
  std::vector<double> latencies_us;
};

// Appends to all partitions for the time given; `rate_mb` = 0: as fast as it goes.
Run AppendFor(EventLog& log, const std::vector<std::string>& batches, double run_seconds, double rate_mb) {
  Run run;
  const double cpu = CpuSeconds();
  const absl::Time started = absl::Now();
  std::vector<std::thread> threads;
  Mutex mutex;
  for (PartitionId partition = 0; partition < log.partitions(); ++partition) {
    threads.emplace_back([&, partition] {
      Feeder feeder(log, partition);
      const double per_second = rate_mb * 1e6 / static_cast<double>(batches[0].size()) / log.partitions();
      for (size_t i = 0; absl::Now() - started < absl::Seconds(run_seconds); ++i) {
        if (rate_mb > 0) absl::SleepFor(started + absl::Seconds(static_cast<double>(i) / per_second) - absl::Now());
        feeder.Append(batches[(i * 7 + partition) % batches.size()]);
      }
      const std::vector<double> latencies = feeder.Finish();
      MutexLock lock(mutex);
      run.latencies_us.insert(run.latencies_us.end(), latencies.begin(), latencies.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  run.seconds = absl::ToDoubleSeconds(absl::Now() - started);
  run.cpu_seconds = CpuSeconds() - cpu;
  return run;
}

void MeasureAppends(const Settings& settings, const std::vector<std::string>& batches) {
  const auto log = Open(settings);
  const std::string conditions =
      fmt::format("{} partitions, {} events of {:.1f} B a record, {} records in flight each", settings.partitions,
                  kEvents, static_cast<double>(batches[0].size()) / kEvents, kWindow);
  Run run = AppendFor(*log, batches, settings.seconds, 0);
  const LogStats stats = log->Stats();
  const auto events = static_cast<double>(run.latencies_us.size() * kEvents);
  Print("append_mb_per_second", static_cast<double>(stats.appended_bytes) / run.seconds / 1e6, "MB/s", conditions);
  Print("append_events_per_second", events / run.seconds, "1/s", conditions);
  Print("append_cpu_ns_per_event", run.cpu_seconds * 1e9 / events, "ns",
        conditions + ", user and system time of the process, the copy of the payload among it");
  Print("records_per_sync", static_cast<double>(stats.appended_records) / static_cast<double>(stats.syncs), "1",
        conditions);
  Print("sync_mean_us", static_cast<double>(stats.sync_latency.sum_us) / static_cast<double>(stats.syncs), "us",
        conditions);
  Print("stored_ratio", static_cast<double>(stats.stored_bytes) / static_cast<double>(stats.appended_bytes), "1",
        conditions);
}

void MeasureLatency(const Settings& settings, const std::vector<std::string>& batches) {
  const auto log = Open(settings);
  Run run = AppendFor(*log, batches, settings.seconds, settings.rate_mb);
  const std::string conditions = fmt::format("{} MB/s over {} partitions", settings.rate_mb, settings.partitions);
  Print("ack_p50_ms", Percentile(run.latencies_us, 0.5) / 1000, "ms", conditions);
  Print("ack_p99_ms", Percentile(run.latencies_us, 0.99) / 1000, "ms", conditions);
}

void MeasureReads(const Settings& settings) {
  const auto log = Open(settings);
  const double cpu = CpuSeconds();
  const absl::Time started = absl::Now();
  double bytes = 0;
  for (PartitionId partition = 0; partition < log->partitions(); ++partition) {
    const OffsetRange range = log->Range(partition, absl::InfiniteFuture()).value();
    auto reader = log->OpenReader(partition, range.first).value();
    for (Offset next = range.first; next < range.end;) {
      const auto records = reader->Read(4 << 20, absl::InfiniteFuture());
      RM_CHECK_OK(records.status());
      for (const LogRecord& record : *records) bytes += static_cast<double>(record.payload.size());
      next = records->back().offset + 1;
    }
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - started);
  const std::string conditions = fmt::format("{:.0f} MB, one thread, mostly from the page cache", bytes / 1e6);
  Print("read_mb_per_second", bytes / seconds / 1e6, "MB/s", conditions);
  Print("read_cpu_ns_per_event", (CpuSeconds() - cpu) * 1e9 / (bytes / 25), "ns", conditions);
}

// As after kill -9: the index of the last file is that of its last 32 MiB step, or none.
void MeasureOpen(const Settings& settings) {
  for (PartitionId partition = 0; partition < settings.partitions; ++partition) {
    const std::string folder = fmt::format("{}/events/{:04}", settings.folder, partition);
    std::string last;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".index") last = std::max(last, entry.path().string());
    }
    std::filesystem::remove(last);
  }
  const absl::Time started = absl::Now();
  const auto log = Open(settings);
  const double ms = absl::ToDoubleMilliseconds(absl::Now() - started);
  Print("open_ms", ms, "ms",
        fmt::format("{:.0f} MB of log in {} files, the last file of each partition without an index",
                    static_cast<double>(log->Stats().disk_bytes) / 1e6, log->Stats().segments));
}

}  // namespace
}  // namespace rivermeet::eventlog

int main(int argc, char** argv) {
  using namespace rivermeet::eventlog;
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name(argv[i]);
    if (name == "--folder") settings.folder = argv[i + 1];
    if (name == "--seconds") settings.seconds = std::atof(argv[i + 1]);
    if (name == "--partitions") settings.partitions = static_cast<uint32_t>(std::atoi(argv[i + 1]));
    if (name == "--rate") settings.rate_mb = std::atof(argv[i + 1]);
  }
  if (std::filesystem::exists(settings.folder)) {
    fmt::print(stderr, "{} exists: give --folder a new one, it is removed at the end\n", settings.folder);
    return 2;
  }
  std::vector<std::string> batches;
  for (uint64_t seed = 0; seed < 100; ++seed) batches.push_back(MakeBatch(seed));
  MeasureAppends(settings, batches);
  MeasureReads(settings);
  MeasureOpen(settings);
  MeasureLatency(settings, batches);
  std::filesystem::remove_all(settings.folder);
  return 0;
}
