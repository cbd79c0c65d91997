#include "telemetry/health.h"

#include <algorithm>

#include "base/strings.h"

namespace rivermeet::telemetry {

void Health::Add(std::string_view name) { Set(name, false, "starting"); }

void Health::Set(std::string_view name, bool ready, std::string_view reason) {
  MutexLock lock(mutex_);
  components_.insert_or_assign(std::string(name), Component{ready, std::string(reason)});
}

bool Health::Ready() const {
  MutexLock lock(mutex_);
  return std::all_of(components_.begin(), components_.end(), [](const auto& entry) { return entry.second.ready; });
}

std::string Health::ToJson() const {
  const bool ready = Ready();
  MutexLock lock(mutex_);
  std::string json = fmt::format("{{\"ready\":{},\"components\":{{", ready);
  bool first = true;
  for (const auto& [name, component] : components_) {
    // Names and reasons are our own words: they hold no quotes.
    json += fmt::format("{}\"{}\":\"{}\"", first ? "" : ",", name,
                        component.ready && component.reason.empty() ? "ok" : component.reason);
    first = false;
  }
  return json + "}}";
}

}  // namespace rivermeet::telemetry
