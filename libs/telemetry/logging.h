// One JSON object a line on standard error: {"time", "level", "message", then the fields}.
//
//   telemetry::Log(telemetry::Level::kInfo, "snapshot committed", {{"partition", 3}, {"offset", offset}});
//
// One line per decision, never per event. The message is constant; what varies is a field. Values are escaped, so
// that no input can forge a line; a value over 2,000 bytes is cut.
#ifndef RIVERMEET_TELEMETRY_LOGGING_H_
#define RIVERMEET_TELEMETRY_LOGGING_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"

namespace rivermeet::telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };

// A name and a value; borrowed for the call.
struct Field {
  std::string_view key;
  std::variant<int64_t, uint64_t, double, bool, std::string> value;

  template <std::signed_integral Value>
  Field(std::string_view key, Value value) : key(key), value(static_cast<int64_t>(value)) {}
  template <std::unsigned_integral Value>
  requires(!std::same_as<Value, bool>) Field(std::string_view key, Value value)
      : key(key), value(static_cast<uint64_t>(value)) {}
  Field(std::string_view key, bool value) : key(key), value(value) {}
  Field(std::string_view key, double value) : key(key), value(value) {}
  Field(std::string_view key, std::string_view value) : key(key), value(std::string(value)) {}
  Field(std::string_view key, const std::string& value) : key(key), value(value) {}
  Field(std::string_view key, const char* value) : key(key), value(std::string(value)) {}
  Field(std::string_view key, const absl::Status& status) : key(key), value(status.ToString()) {}
};

// Settles what is written and how; call once, early in main. Before that: info and above, as JSON.
// `level` is "debug", "info", "warn" or "error"; `format` is "json" or "text".
//
// Errors:
//   INVALID_ARGUMENT  Another word; the message lists the right ones.
absl::Status InitLogging(std::string_view level, std::string_view format);

// Thread-safe.
void Log(Level level, std::string_view message, std::initializer_list<Field> fields = {});

// The line that Log() writes, without its end; for tests and for callers that keep lines.
std::string FormatLogLine(Level level, std::string_view message, std::initializer_list<Field> fields, bool json);

}  // namespace rivermeet::telemetry

#endif  // RIVERMEET_TELEMETRY_LOGGING_H_
