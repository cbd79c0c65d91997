// Turns what /proc says into events of the stream "host.metrics": a contract with the web app's page "This machine".
//
//   dimensions                measures
//   host                      cpu_percent, memory_*_bytes, swap_used_bytes, load_*, pressure_*_percent
//   host, core                cpu_percent
//   host, device              disk_*_bytes_per_second, filesystem_*_bytes
//   host, interface           network_*_bytes_per_second
//   host, process             process_cpu_percent (100 is one core), process_memory_bytes
#ifndef RIVERMEET_AGENT_HOST_METRICS_H_
#define RIVERMEET_AGENT_HOST_METRICS_H_

#include <map>
#include <optional>
#include <string>

#include "agent/proc_reader.h"
#include "client/batch_builder.h"
#include "rivermeet/events/v1/stream.pb.h"

namespace rivermeet::agent {

inline constexpr char kHostMetrics[] = "host.metrics";
// Process names sent at a time by CPU, and as many by memory.
inline constexpr size_t kTopProcesses = 10;

// The stream's declaration: every field with its type, kind and unit.
events::v1::Stream HostMetricsStream();

// Not thread-safe.
class HostMetrics {
 public:
  // `ticks_per_second` and `page_bytes` are the machine's, of sysconf(3).
  HostMetrics(std::string host, int64_t ticks_per_second, int64_t page_bytes)
      : host_(std::move(host)), ticks_per_second_(ticks_per_second), page_bytes_(page_bytes), builder_(kHostMetrics) {}

  // The events of one sample, with its time. Rates and percentages come from the difference to the sample before:
  // the first one has none, and neither has a counter that went back. Processes of one name are added up.
  events::v1::EventBatch Next(const Sample& sample);

 private:
  struct ProcessKey {
    int pid;
    uint64_t start_ticks;
    auto operator<=>(const ProcessKey&) const = default;
  };
  struct ProcessUse {
    double cpu_percent = 0;
    int64_t memory_bytes = 0;
    bool has_cpu = false;
  };

  void Begin(const client::BatchBuilder::Dimensions& extra);
  void Float64(const char* measure, std::optional<double> value);
  void Int64(const char* measure, int64_t value);
  void AddHost(const Sample& sample);
  void AddCores(const Sample& sample);
  void AddDevices(const Sample& sample);
  void AddInterfaces(const Sample& sample);
  void AddProcesses(const Sample& sample);
  std::map<std::string, ProcessUse> UseByName(const std::vector<Process>& processes, absl::Duration elapsed);

  const std::string host_;
  const int64_t ticks_per_second_;
  const int64_t page_bytes_;
  client::BatchBuilder builder_;
  int64_t time_us_ = 0;
  std::optional<Sample> before_;
  absl::Duration processes_at_;
  std::map<ProcessKey, uint64_t> ticks_before_;
};

}  // namespace rivermeet::agent

#endif  // RIVERMEET_AGENT_HOST_METRICS_H_
