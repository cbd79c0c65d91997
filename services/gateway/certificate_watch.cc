#include "gateway/certificate_watch.h"

#include <sys/stat.h>

#include <string>
#include <utility>

#include "telemetry/logging.h"

namespace rivermeet::gateway {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);

}  // namespace

CertificateWatch::CertificateWatch(net::Server& server, net::TlsFiles files)
    : server_(server), files_(std::move(files)), seen_(Look()), thread_([this] { Run(); }) {}

CertificateWatch::~CertificateWatch() {
  stop_.Stop();
  thread_.join();
}

std::array<CertificateWatch::Stamp, 2> CertificateWatch::Look() const {
  std::array<Stamp, 2> stamps{};
  for (size_t i = 0; i < stamps.size(); ++i) {
    const std::string& path = i == 0 ? files_.certificate_chain : files_.private_key;
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) continue;
    stamps[i] = {static_cast<int64_t>(info.st_dev), static_cast<int64_t>(info.st_ino), info.st_size,
                 info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec};
  }
  return stamps;
}

void CertificateWatch::Run() {
  while (stop_.SleepFor(kLookEvery)) {
    // Before they are read: what changes in between is seen the next time.
    const auto now = Look();
    if (now == std::exchange(seen_, now)) continue;
    if (const absl::Status status = server_.ReloadTls(); status.ok()) {
      telemetry::Log(telemetry::Level::kInfo, "the certificate was read again", {{"file", files_.certificate_chain}});
    } else {
      telemetry::Log(telemetry::Level::kWarn, "the certificate could not be read again: the old one stays in use",
                     {{"error", status}});
    }
  }
}

}  // namespace rivermeet::gateway
