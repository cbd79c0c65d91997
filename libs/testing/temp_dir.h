// A folder of a test's own, gone when the test ends.
#ifndef RIVERMEET_TESTING_TEMP_DIR_H_
#define RIVERMEET_TESTING_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "base/status.h"

namespace rivermeet::testing {

// Under $TMPDIR, or /tmp.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rivermeet-test-XXXXXX").string();
    RM_CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_TEMP_DIR_H_
