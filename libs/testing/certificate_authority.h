// Certificates for tests, made by openssl's program.
#ifndef RIVERMEET_TESTING_CERTIFICATE_AUTHORITY_H_
#define RIVERMEET_TESTING_CERTIFICATE_AUTHORITY_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/status.h"
#include "testing/temp_dir.h"

namespace rivermeet::testing {

// An authority and the certificates it signs, each of localhost and 127.0.0.1, in files of a folder of its own.
class CertificateAuthority {
 public:
  CertificateAuthority() {
    std::ofstream(Path("names")) << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    Run("req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -subj '/CN=test authority'"
        " -keyout authority.key -out authority.pem");
    Renew();
  }

  // Replaces key and certificate as operators do: one file after the other, each at once.
  void Renew() {
    Run("req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost -keyout new.key -out new.csr");
    Run("x509 -req -in new.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names"
        " -out new.pem");
    std::filesystem::permissions(Path("new.key"), std::filesystem::perms::owner_read);
    std::filesystem::rename(Path("new.pem"), certificate());
    std::filesystem::rename(Path("new.key"), key());
  }

  std::string certificate() const { return Path("server.pem"); }
  std::string key() const { return Path("server.key"); }
  std::string authority() const { return Path("authority.pem"); }

 private:
  std::string Path(const std::string& name) const { return folder_ / name; }
  void Run(const std::string& arguments) {
    const std::string command = "cd '" + folder_.path() + "' && openssl " + arguments + " 2>/dev/null";
    RM_CHECK(std::system(command.c_str()) == 0);
  }

  TempDir folder_;
};

}  // namespace rivermeet::testing

#endif  // RIVERMEET_TESTING_CERTIFICATE_AUTHORITY_H_
