// The built web app, from memory.
#ifndef RIVERMEET_GATEWAY_STATIC_FILES_H_
#define RIVERMEET_GATEWAY_STATIC_FILES_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/strings.h"
#include "net/http.h"

namespace rivermeet::gateway {

// Immutable after Load(), so thread-safe; no request ever opens a file, so none can ask for one outside the folder.
class StaticFiles {
 public:
  static constexpr size_t kMaxBytes = 128 << 20;

  // Reads every file under `folder`. "x.br" and "x.gz" beside "x" are its compressed forms.
  //
  // Errors:
  //   NOT_FOUND            There is no such folder, or no index.html in it.
  //   RESOURCE_EXHAUSTED   The files are more than kMaxBytes together.
  static absl::StatusOr<std::unique_ptr<StaticFiles>> Load(const std::string& folder);

  // Answers a GET or HEAD: the file, or the app's page for a path that looks like one of the app's own.
  // What lies under assets/ has a hash in its name and is kept for a year; everything else is checked by ETag.
  net::Response Serve(const net::RequestHead& head) const;

 private:
  struct File {
    std::string content_type;
    std::string etag;
    std::shared_ptr<const std::string> plain, brotli, gzip;
    bool immutable = false;
  };

  void AddSecurity(const File& file, net::Response& response) const;

  StringMap<File> files_;
  std::string content_security_policy_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_STATIC_FILES_H_
