#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "net/raw_client_test.h"
#include "net/server.h"
#include "testing/certificate_authority.h"

namespace rivermeet::net {
namespace {

namespace asio = boost::asio;

class Site final : public Handler {
 public:
  Task<Response> Handle(Request& request) override {
    const size_t size = request.path() == "/big" ? 5'000'000 : 10;
    co_return Response::Of(200, request.over_tls() ? "text/tls" : "text/plain", std::string(size, 'x'));
  }
};

// A self-signed certificate in a folder of its own.
struct Certificate {
  Certificate() {
    std::filesystem::create_directories(folder);
    const std::string command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-keyout {0}/key.pem -out {0}/cert.pem 2>/dev/null && chmod 600 {0}/key.pem",
        folder.string());
    REQUIRE(std::system(command.c_str()) == 0);
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
  TlsFiles files() const { return {(folder / "cert.pem").string(), (folder / "key.pem").string()}; }

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("net-tls-" + std::to_string(::getpid()));
};

struct Running {
  Running() {
    auto opened = Server::Open({.tls = certificate.files()}, site);
    REQUIRE(opened.ok());
    server = std::move(*opened);
    server->Start();
  }
  Certificate certificate;
  Site site;
  std::unique_ptr<Server> server;
};

using Stream = asio::ssl::stream<asio::ip::tcp::socket>;

boost::system::error_code Connect(Stream& stream, uint16_t port) {
  boost::system::error_code error;
  stream.next_layer().connect({asio::ip::address_v4::loopback(), port}, error);
  stream.handshake(Stream::client, error);
  return error;
}

TEST_CASE("requests and large answers pass through TLS 1.3", "[net]") {
  Running running;
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  Stream stream(context, tls);
  REQUIRE_FALSE(Connect(stream, running.server->port()));
  CHECK(std::string(SSL_get_version(stream.native_handle())) == "TLSv1.3");
  for (const std::string path : {"/", "/big", "/"}) {
    asio::write(stream, asio::buffer("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"));
    std::string head;
    asio::read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n");
    CHECK(head.find("text/tls") != std::string::npos);
    const size_t size = path == "/big" ? 5'000'000 : 10;
    std::string body = head.substr(head.find("\r\n\r\n") + 4);
    const size_t had = body.size();
    body.resize(size);
    asio::read(stream, asio::buffer(body.data() + had, size - had));
    CHECK(body == std::string(size, 'x'));
  }
  CHECK(running.server->url().starts_with("https://"));
}

TEST_CASE("older TLS and plain HTTP are not spoken", "[net]") {
  Running running;
  asio::io_context context;
  asio::ssl::context old(asio::ssl::context::tlsv12_client);
  Stream stream(context, old);
  CHECK(Connect(stream, running.server->port()));
  RawClient plain(running.server->port());
  plain.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(plain.ReadAll().find("HTTP/1.1 200") == std::string::npos);
}

TEST_CASE("a certificate is renewed without a restart, and bad files are named", "[net]") {
  Running running;
  CHECK(running.server->ReloadTls().ok());
  const TlsFiles files = running.certificate.files();
  ::chmod(files.private_key.c_str(), 0644);
  CHECK(running.server->ReloadTls().ToString().find("chmod 600") != std::string::npos);
  ::chmod(files.private_key.c_str(), 0600);
  // While only one of the two files has been replaced.
  const testing::CertificateAuthority authority;
  const std::string key = files.private_key + ".kept";
  std::filesystem::rename(files.private_key, key);
  std::filesystem::copy_file(authority.key(), files.private_key);
  CHECK(absl::IsInvalidArgument(running.server->ReloadTls()));
  std::filesystem::rename(key, files.private_key);
  CHECK(running.server->ReloadTls().ok());
  // Made once, to be expired.
  std::filesystem::copy_file(EXPIRED_CERTIFICATE, files.certificate_chain,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(running.server->ReloadTls().ToString().find("cert.pem: expired at 2020-01-02T") != std::string::npos);
  std::filesystem::remove(files.certificate_chain);
  CHECK(running.server->ReloadTls().ToString().find("cert.pem") != std::string::npos);
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  Stream stream(context, tls);
  CHECK_FALSE(Connect(stream, running.server->port()));
  Site site;
  const auto opened = Server::Open({.tls = TlsFiles{"/nowhere/cert.pem", "/nowhere/key.pem"}}, site);
  CHECK(absl::IsInvalidArgument(opened.status()));
}

}  // namespace
}  // namespace rivermeet::net
