// The settings of a process: built-in defaults < file < RIVERMEET_* < flags.
#ifndef RIVERMEET_SUITE_SETTINGS_H_
#define RIVERMEET_SUITE_SETTINGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rivermeet/config/v1/suite.pb.h"

namespace rivermeet::suite {

// What holds when nobody says otherwise; every field that has a default in the protos' comments.
config::v1::SuiteConfig BuiltInSettings();

// Reads what the file, the environment and the flags say over the built-in settings. `file` may be empty; `flags`
// are "path=value".
//
// Errors:
//   NOT_FOUND         The file can't be read.
//   INVALID_ARGUMENT  Somebody says something wrong; the message names the setting and where it stands.
absl::StatusOr<config::v1::SuiteConfig> LoadSettings(const std::string& file,
                                                     const std::vector<std::string>& environment,
                                                     const std::vector<std::string>& flags);

// Refuses settings that contradict each other or are out of their range.
absl::Status CheckSettings(const config::v1::SuiteConfig& settings);

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_SETTINGS_H_
