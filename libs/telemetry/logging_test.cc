#include "telemetry/logging.h"

#include <catch2/catch.hpp>

namespace rivermeet::telemetry {
namespace {

TEST_CASE("a line is one JSON object with its fields", "[telemetry]") {
  const std::string line =
      FormatLogLine(Level::kWarn, "slow", {{"ms", 12}, {"share", 0.5}, {"ok", false}, {"who", "ada"}}, true);
  CHECK(line.find(R"("level":"warn","message":"slow","ms":12,"share":0.5,"ok":false,"who":"ada"})") !=
        std::string::npos);
}

TEST_CASE("no input forges a line, a colour or broken UTF-8", "[telemetry]") {
  const std::string line = FormatLogLine(Level::kInfo, "x", {{"v", std::string_view("a\"\n{\x1b[31m\xff z")}}, true);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line.find(R"("v":"a\"\n{\u001b[31m)"
                  "\xef\xbf\xbd z\"}") != std::string::npos);
}

TEST_CASE("a long value is cut", "[telemetry]") {
  CHECK(FormatLogLine(Level::kInfo, "x", {{"v", std::string(100'000, 'a')}}, true).size() < 3'000);
}

TEST_CASE("unknown words for level and format are refused", "[telemetry]") {
  CHECK_FALSE(InitLogging("loud", "json").ok());
  CHECK_FALSE(InitLogging("info", "xml").ok());
  CHECK(InitLogging("info", "json").ok());
}

}  // namespace
}  // namespace rivermeet::telemetry
