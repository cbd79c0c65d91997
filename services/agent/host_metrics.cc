#include "agent/host_metrics.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/strings.h"

namespace rivermeet::agent {
namespace {

using events::v1::FieldType;

std::optional<double> BusyPercent(const CpuTimes& before, const CpuTimes& now) {
  // Idle time can go back a little when the kernel corrects it.
  if (now.total <= before.total) return std::nullopt;
  const auto total = static_cast<double>(now.total - before.total);
  const double idle = now.idle > before.idle ? static_cast<double>(now.idle - before.idle) : 0;
  return std::clamp(100 * (total - idle) / total, 0.0, 100.0);
}

std::optional<double> Rate(uint64_t before, uint64_t now, absl::Duration elapsed) {
  if (now < before || elapsed <= absl::ZeroDuration()) return std::nullopt;
  return static_cast<double>(now - before) / absl::ToDoubleSeconds(elapsed);
}

std::optional<double> PressurePercent(std::optional<uint64_t> before, std::optional<uint64_t> now,
                                      absl::Duration elapsed) {
  if (!before || !now) return std::nullopt;
  const std::optional<double> rate = Rate(*before, *now, elapsed);
  return rate ? std::optional<double>(std::min(*rate / 10'000, 100.0)) : std::nullopt;
}

// A name as a dimension's value: UTF-8 without control characters, whatever the process calls itself.
std::string Printable(std::string name) {
  const bool utf8 = IsUtf8(name);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 127 || (!utf8 && byte > 127)) c = '?';
  }
  return name.empty() ? "?" : name;
}

template <typename Item, typename Name>
const Item* Find(const std::vector<Item>& items, const Name& name, std::string Item::*member) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.*member == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

events::v1::Stream HostMetricsStream() {
  events::v1::Stream stream;
  stream.set_name(kHostMetrics);
  const auto add = [&](const char* name, FieldType type, const char* unit) {
    events::v1::Field& field = *stream.add_fields();
    field.set_name(name);
    field.set_type(type);
    field.set_unit(unit);
    if (type != events::v1::FIELD_TYPE_DIMENSION) field.set_kind(events::v1::MEASURE_KIND_GAUGE);
  };
  for (const char* name : {"host", "core", "device", "interface", "process"}) {
    add(name, events::v1::FIELD_TYPE_DIMENSION, "");
  }
  for (const char* name : {"cpu_percent", "pressure_cpu_percent", "pressure_memory_percent", "pressure_io_percent",
                           "process_cpu_percent"}) {
    add(name, events::v1::FIELD_TYPE_FLOAT64, "percent");
  }
  for (const char* name : {"load_1m", "load_5m", "load_15m"}) add(name, events::v1::FIELD_TYPE_FLOAT64, "");
  for (const char* name : {"disk_read_bytes_per_second", "disk_written_bytes_per_second",
                           "network_received_bytes_per_second", "network_sent_bytes_per_second"}) {
    add(name, events::v1::FIELD_TYPE_FLOAT64, "bytes/s");
  }
  for (const char* name : {"memory_used_bytes", "memory_total_bytes", "memory_available_bytes", "swap_used_bytes",
                           "filesystem_used_bytes", "filesystem_size_bytes", "process_memory_bytes"}) {
    add(name, events::v1::FIELD_TYPE_INT64, "bytes");
  }
  return stream;
}

events::v1::EventBatch HostMetrics::Next(const Sample& sample) {
  time_us_ = absl::ToUnixMicros(sample.time);
  AddHost(sample);
  AddCores(sample);
  AddDevices(sample);
  AddInterfaces(sample);
  AddProcesses(sample);
  before_ = sample;
  before_->processes.reset();
  return builder_.Build();
}

void HostMetrics::Begin(const client::BatchBuilder::Dimensions& extra) {
  client::BatchBuilder::Dimensions dimensions = {{"host", host_}};
  dimensions.insert(dimensions.end(), extra.begin(), extra.end());
  builder_.BeginEvent(builder_.AddSeries(dimensions), time_us_);
}

void HostMetrics::Float64(const char* measure, std::optional<double> value) {
  if (value) builder_.SetFloat64(builder_.AddFloat64(measure), *value);
}

void HostMetrics::Int64(const char* measure, int64_t value) { builder_.SetInt64(builder_.AddInt64(measure), value); }

void HostMetrics::AddHost(const Sample& sample) {
  Begin({});
  if (sample.cpu && before_ && before_->cpu) {
    Float64("cpu_percent", BusyPercent(before_->cpu->all, sample.cpu->all));
  }
  if (sample.memory) {
    Int64("memory_used_bytes", sample.memory->total - sample.memory->available);
    Int64("memory_total_bytes", sample.memory->total);
    Int64("memory_available_bytes", sample.memory->available);
    Int64("swap_used_bytes", sample.memory->swap_total - sample.memory->swap_free);
  }
  if (sample.load) {
    Float64("load_1m", sample.load->one);
    Float64("load_5m", sample.load->five);
    Float64("load_15m", sample.load->fifteen);
  }
  if (!before_) return;
  const absl::Duration elapsed = sample.at - before_->at;
  Float64("pressure_cpu_percent", PressurePercent(before_->pressure_cpu, sample.pressure_cpu, elapsed));
  Float64("pressure_memory_percent", PressurePercent(before_->pressure_memory, sample.pressure_memory, elapsed));
  Float64("pressure_io_percent", PressurePercent(before_->pressure_io, sample.pressure_io, elapsed));
}

void HostMetrics::AddCores(const Sample& sample) {
  if (!sample.cpu || !before_ || !before_->cpu) return;
  const size_t cores = std::min(sample.cpu->cores.size(), before_->cpu->cores.size());
  for (size_t i = 0; i < cores; ++i) {
    const std::optional<double> busy = BusyPercent(before_->cpu->cores[i], sample.cpu->cores[i]);
    if (!busy) continue;
    Begin({{"core", std::to_string(i)}});
    Float64("cpu_percent", busy);
  }
}

void HostMetrics::AddDevices(const Sample& sample) {
  for (const Disk& disk : sample.disks) {
    const Disk* before = before_ ? Find(before_->disks, disk.device, &Disk::device) : nullptr;
    if (before == nullptr) continue;
    const absl::Duration elapsed = sample.at - before_->at;
    const std::optional<double> read = Rate(before->read_bytes, disk.read_bytes, elapsed);
    const std::optional<double> written = Rate(before->written_bytes, disk.written_bytes, elapsed);
    if (!read || !written) continue;
    Begin({{"device", Printable(disk.device)}});
    Float64("disk_read_bytes_per_second", read);
    Float64("disk_written_bytes_per_second", written);
  }
  for (const Filesystem& filesystem : sample.filesystems) {
    Begin({{"device", Printable(filesystem.device)}});
    Int64("filesystem_used_bytes", filesystem.used_bytes);
    Int64("filesystem_size_bytes", filesystem.size_bytes);
  }
}

void HostMetrics::AddInterfaces(const Sample& sample) {
  for (const Interface& interface : sample.interfaces) {
    const Interface* before = before_ ? Find(before_->interfaces, interface.name, &Interface::name) : nullptr;
    if (before == nullptr) continue;
    const absl::Duration elapsed = sample.at - before_->at;
    const std::optional<double> received = Rate(before->received_bytes, interface.received_bytes, elapsed);
    const std::optional<double> sent = Rate(before->sent_bytes, interface.sent_bytes, elapsed);
    if (!received || !sent) continue;
    Begin({{"interface", Printable(interface.name)}});
    Float64("network_received_bytes_per_second", received);
    Float64("network_sent_bytes_per_second", sent);
  }
}

std::map<std::string, HostMetrics::ProcessUse> HostMetrics::UseByName(const std::vector<Process>& processes,
                                                                      absl::Duration elapsed) {
  std::map<std::string, ProcessUse> by_name;
  std::map<ProcessKey, uint64_t> ticks;
  const double ticks_passed = absl::ToDoubleSeconds(elapsed) * static_cast<double>(ticks_per_second_);
  for (const Process& process : processes) {
    const ProcessKey key{process.pid, process.stat.start_ticks};
    ticks.emplace_hint(ticks.end(), key, process.stat.cpu_ticks);
    ProcessUse& use = by_name[Printable(process.stat.name)];
    use.memory_bytes += process.stat.resident_pages * page_bytes_;
    const auto before = ticks_before_.find(key);
    if (before == ticks_before_.end() || process.stat.cpu_ticks < before->second || ticks_passed <= 0) continue;
    use.cpu_percent += 100 * static_cast<double>(process.stat.cpu_ticks - before->second) / ticks_passed;
    use.has_cpu = true;
  }
  ticks_before_ = std::move(ticks);
  return by_name;
}

void HostMetrics::AddProcesses(const Sample& sample) {
  if (!sample.processes) return;
  const auto by_name = UseByName(*sample.processes, sample.at - processes_at_);
  processes_at_ = sample.at;
  std::vector<const std::pair<const std::string, ProcessUse>*> order;
  for (const auto& entry : by_name) order.push_back(&entry);
  std::set<const std::pair<const std::string, ProcessUse>*> top;
  const auto take = [&](auto use) {
    const size_t count = std::min(kTopProcesses, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                      [&](const auto* a, const auto* b) { return use(a->second) > use(b->second); });
    for (size_t i = 0; i < count && use(order[i]->second) > 0; ++i) top.insert(order[i]);
  };
  take([](const ProcessUse& use) { return use.cpu_percent; });
  take([](const ProcessUse& use) { return static_cast<double>(use.memory_bytes); });
  for (const auto* entry : top) {
    Begin({{"process", entry->first}});
    if (entry->second.has_cpu) Float64("process_cpu_percent", entry->second.cpu_percent);
    Int64("process_memory_bytes", entry->second.memory_bytes);
  }
}

}  // namespace rivermeet::agent
