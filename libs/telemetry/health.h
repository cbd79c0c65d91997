// Whether a process can do its work: what /healthz, /readyz and gRPC's health service answer.
#ifndef RIVERMEET_TELEMETRY_HEALTH_H_
#define RIVERMEET_TELEMETRY_HEALTH_H_

#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace rivermeet::telemetry {

// Thread-safe. A component is ready once it says so; the process is ready when every component is.
class Health {
 public:
  // Adds a component that is not ready yet. `name` is a service's or a dependency's.
  void Add(std::string_view name);

  // Says how a component is; `reason` is for a person and empty when all is well with it.
  void Set(std::string_view name, bool ready, std::string_view reason = "");

  bool Ready() const;

  // {"ready": false, "components": {"catalog": "connecting", "ingest": "ok"}}
  std::string ToJson() const;

 private:
  struct Component {
    bool ready = false;
    std::string reason;
  };

  mutable Mutex mutex_;
  std::map<std::string, Component, std::less<>> components_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::telemetry

#endif  // RIVERMEET_TELEMETRY_HEALTH_H_
