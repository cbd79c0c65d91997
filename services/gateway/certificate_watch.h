// Certificates are renewed every few weeks; no connection should notice.
#ifndef RIVERMEET_GATEWAY_CERTIFICATE_WATCH_H_
#define RIVERMEET_GATEWAY_CERTIFICATE_WATCH_H_

#include <array>
#include <thread>

#include "base/stop_signal.h"
#include "net/server.h"

namespace rivermeet::gateway {

// Looks at the server's certificate and key once a second, and has it read them again when one has changed. What does
// not work is logged, and the old ones stay in use: also while only one of the two files has been replaced.
class CertificateWatch {
 public:
  // `server` outlives this.
  CertificateWatch(net::Server& server, net::TlsFiles files);
  ~CertificateWatch();

 private:
  // What tells one content of a file from another: device, inode, size and time of change.
  using Stamp = std::array<int64_t, 4>;
  std::array<Stamp, 2> Look() const;
  void Run();

  net::Server& server_;
  const net::TlsFiles files_;
  std::array<Stamp, 2> seen_;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_CERTIFICATE_WATCH_H_
