#include "telemetry/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cmath>
#include <memory>

#include "absl/time/clock.h"
#include "base/json_string.h"
#include "base/strings.h"

namespace rivermeet::telemetry {
namespace {

constexpr size_t kMaxValueBytes = 2'000;
constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error"};

std::atomic<int> lowest_level{static_cast<int>(Level::kInfo)};
std::atomic<bool> as_json{true};

// A value, cut where it is too long.
void AppendText(std::string& out, std::string_view text) {
  AppendJsonString(out, text.substr(0, kMaxValueBytes));
  if (text.size() > kMaxValueBytes) out.insert(out.size() - 1, "...");
}

void AppendValue(std::string& out, const Field& field) {
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          AppendText(out, value);
        } else if constexpr (std::is_same_v<Value, double>) {
          out += std::isfinite(value) ? fmt::format("{}", value) : "null";
        } else {
          out += fmt::format("{}", value);
        }
      },
      field.value);
}

spdlog::logger& Logger() {
  // Leaked on purpose: threads that outlive main may still log.
  static spdlog::logger& logger = *[] {
    auto* made = new spdlog::logger("rivermeet", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return logger;
}

}  // namespace

absl::Status InitLogging(std::string_view level, std::string_view format) {
  if (format != "json" && format != "text") {
    return absl::InvalidArgumentError(fmt::format("log_format \"{}\" is not json or text", format));
  }
  for (size_t i = 0; i < std::size(kLevels); ++i) {
    if (level != kLevels[i]) continue;
    lowest_level = static_cast<int>(i);
    as_json = format == "json";
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(fmt::format("log_level \"{}\" is not debug, info, warn or error", level));
}

void Log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (static_cast<int>(level) < lowest_level) return;
  Logger().info(FormatLogLine(level, message, fields, as_json));
}

std::string FormatLogLine(Level level, std::string_view message, std::initializer_list<Field> fields, bool json) {
  const std::string now = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  const std::string_view name = kLevels[static_cast<int>(level)];
  std::string line;
  if (json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","message":)", now, name);
    AppendText(line, message);
  } else {
    line = fmt::format("{} {:5} {}", now, name, message);
  }
  for (const Field& field : fields) {
    line += json ? "," : " ";
    if (json) AppendText(line, field.key);
    if (!json) line += field.key;
    line += json ? ':' : '=';
    AppendValue(line, field);
  }
  if (json) line += '}';
  return line;
}

}  // namespace rivermeet::telemetry
