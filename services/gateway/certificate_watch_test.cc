#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "gateway/test_world_test.h"
#include "testing/certificate_authority.h"
#include "testing/eventually.h"

namespace rivermeet::gateway {
namespace {

namespace asio = boost::asio;

// A connection that trusts the authority and nobody else.
class SecureClient {
 public:
  SecureClient(const TestWorld& world, const testing::CertificateAuthority& authority) {
    tls_.load_verify_file(authority.authority());
    tls_.set_verify_mode(asio::ssl::verify_peer);
    stream_.emplace(context_, tls_);
    boost::system::error_code error;
    stream_->next_layer().connect({asio::ip::address_v4::loopback(), static_cast<uint16_t>(world.gateway->port())},
                                  error);
    if (!error) stream_->handshake(asio::ssl::stream_base::client, error);
    connected_ = !error;
  }
  bool connected() const { return connected_; }
  // What tells the server's certificate from others.
  std::string Serial() {
    X509* const certificate = SSL_get1_peer_certificate(stream_->native_handle());
    REQUIRE(certificate != nullptr);
    BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
    char* const text = BN_bn2hex(number);
    std::string serial(text);
    OPENSSL_free(text);
    BN_free(number);
    X509_free(certificate);
    return serial;
  }
  bool Ask() {
    boost::system::error_code error;
    asio::write(*stream_, asio::buffer(std::string_view("GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n")), error);
    std::string answer;
    if (!error) asio::read_until(*stream_, asio::dynamic_buffer(answer), "\r\n\r\n", error);
    const size_t body = answer.find("Content-Length: ");
    if (error || !answer.starts_with("HTTP/1.1 200") || body == std::string::npos) return false;
    const size_t whole = answer.find("\r\n\r\n") + 4 + std::strtoul(answer.c_str() + body + 16, nullptr, 10);
    while (!error && answer.size() < whole) {
      char more[256];
      answer.append(more, stream_->read_some(asio::buffer(more), error));
    }
    return answer.size() == whole;
  }

 private:
  asio::io_context context_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  std::optional<asio::ssl::stream<asio::ip::tcp::socket>> stream_;
  bool connected_ = false;
};

TEST_CASE("the certificate is renewed while requests come in, and none fails", "[gateway]") {
  testing::CertificateAuthority authority;
  config::v1::GatewayConfig config;
  config.set_tls_certificate(authority.certificate());
  config.set_tls_key(authority.key());
  config.set_requests_per_second(1'000'000);
  TestWorld world(config);
  std::atomic<bool> over{false};
  std::atomic<int> asked{0}, failed{0};
  std::vector<std::thread> clients;
  // One that keeps its connection, two that make one for each request.
  for (const bool keeps : {true, false, false}) {
    clients.emplace_back([&, keeps] {
      std::optional<SecureClient> client;
      while (!over) {
        if (!keeps || !client) client.emplace(world, authority);
        failed += !client->connected() || !client->Ask();
        ++asked;
      }
    });
  }
  const auto served = [&] { return SecureClient(world, authority).Serial(); };
  for (int i = 0; i < 3; ++i) {
    const std::string before = served();
    authority.Renew();
    CHECK(testing::Eventually([&] { return served() != before; }, absl::Seconds(30)));
  }
  over = true;
  for (std::thread& client : clients) client.join();
  CHECK(failed == 0);
  CHECK(asked > 100);
}

}  // namespace
}  // namespace rivermeet::gateway
