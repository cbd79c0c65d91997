// A real Apache Kafka broker (KRaft, one node) for tests, on loopback.
#ifndef RIVERMEET_TESTING_KAFKA_BROKER_H_
#define RIVERMEET_TESTING_KAFKA_BROKER_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rivermeet::testing {

// What the broker's listeners with security ask for. PEM files; one user, whose password is good for PLAIN and
// SCRAM-SHA-512.
struct KafkaSecurity {
  std::string certificate;
  std::string key;
  std::string authority;  // of its clients' certificates
  std::string user;
  std::string password;
};

// Its jars come from `tools/setup --kafka`. One thread at a time. The broker ends with the thread that started it.
class KafkaBroker {
 public:
  // Formats `folder`, which must exist, and starts a broker on free ports; takes some three seconds.
  //
  // Errors:
  //   FAILED_PRECONDITION  No jars or no Java: run tools/setup --kafka.
  //   UNAVAILABLE          The broker ended or did not get ready; the message has the end of its log.
  static absl::StatusOr<std::unique_ptr<KafkaBroker>> Start(const std::string& folder,
                                                            std::optional<KafkaSecurity> security = {});
  ~KafkaBroker();

  // host:port, for clients.
  const std::string& address() const { return address_; }
  // The same for TLS with a client certificate, and for TLS with SASL; empty without KafkaSecurity.
  const std::string& tls_address() const { return tls_address_; }
  const std::string& sasl_address() const { return sasl_address_; }
  pid_t pid() const { return pid_; }

  void Kill();    // SIGKILL
  void Pause();   // SIGSTOP: connections stay, nothing is answered
  void Resume();  // SIGCONT
  // On the same data and ports, after Kill().
  absl::Status Restart();

 private:
  KafkaBroker(std::string folder, std::optional<KafkaSecurity> security)
      : folder_(std::move(folder)), security_(std::move(security)) {}

  void Configure();
  std::string Secure() const;
  absl::Status Format();
  absl::Status Run();

  const std::string folder_;
  const std::optional<KafkaSecurity> security_;
  std::string address_;
  std::string tls_address_;
  std::string sasl_address_;
  pid_t pid_ = -1;
};

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_KAFKA_BROKER_H_
