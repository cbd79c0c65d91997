#include "telemetry/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "prometheus/text_serializer.h"

namespace rivermeet::telemetry {
namespace {

// The numbers of /proc/self/stat after the command's name, which may hold anything up to the last parenthesis.
std::vector<std::string> StatFields() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  std::vector<std::string> fields;
  const size_t end = line.rfind(')');
  if (end == std::string::npos) return fields;
  for (const std::string_view field : Split(std::string_view(line).substr(end + 2), ' ')) fields.emplace_back(field);
  return fields;
}

double Number(const std::vector<std::string>& fields, size_t index) {
  double value = 0;
  if (index < fields.size()) ParseNumber(fields[index], value);
  return value;
}

double OpenDescriptors() {
  std::error_code error;
  double count = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       it != std::filesystem::directory_iterator(); ++it) {
    ++count;
  }
  return count;
}

void AppendMetric(std::string& text, std::string_view name, std::string_view type, std::string_view help,
                  double value) {
  text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace

std::string RenderMetrics(const std::vector<const prometheus::Collectable*>& sources) {
  std::vector<prometheus::MetricFamily> families;
  for (const prometheus::Collectable* source : sources) {
    for (prometheus::MetricFamily& family : source->Collect()) families.push_back(std::move(family));
  }
  std::string text = prometheus::TextSerializer().Serialize(families);
  const std::vector<std::string> stat = StatFields();
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  AppendMetric(text, "process_cpu_seconds_total", "counter", "User and system CPU time.",
               seconds(usage.ru_utime) + seconds(usage.ru_stime));
  AppendMetric(text, "process_resident_memory_bytes", "gauge", "Resident memory.",
               Number(stat, 21) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  AppendMetric(text, "process_virtual_memory_bytes", "gauge", "Virtual memory.", Number(stat, 20));
  AppendMetric(text, "process_threads", "gauge", "Threads.", Number(stat, 17));
  AppendMetric(text, "process_open_fds", "gauge", "Open file descriptors.", OpenDescriptors());
  timespec now, uptime;
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(CLOCK_BOOTTIME, &uptime);
  AppendMetric(text, "process_start_time_seconds", "gauge", "Start, in seconds since the Unix epoch.",
               static_cast<double>(now.tv_sec - uptime.tv_sec) + Number(stat, 19) / ticks);
  return text;
}

const std::vector<double>& LatencyBuckets() {
  static const std::vector<double> buckets = {5e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 0.01, 0.02,
                                              0.03, 0.05, 0.1,  0.2,  0.3,  0.5,  1.0,  2.0,  3.0,  5.0,  10.0};
  return buckets;
}

}  // namespace rivermeet::telemetry
