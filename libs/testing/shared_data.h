// The real data that some tests read, which are too large for the repository: tests/load/crdt/README.md.
#ifndef RIVERMEET_TESTING_SHARED_DATA_H_
#define RIVERMEET_TESTING_SHARED_DATA_H_

#include <cstdlib>
#include <string>
#include <string_view>

namespace rivermeet::testing {

// Of the file or folder `name`: in $RIVERMEET_SHARED_DATA, else beside the repository. It may be missing: then a test
// says so and is skipped.
inline std::string SharedDataPath(std::string_view name) {
  const char* folder = std::getenv("RIVERMEET_SHARED_DATA");
  return std::string(folder == nullptr ? "../shared/data" : folder).append("/").append(name);
}

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_SHARED_DATA_H_
