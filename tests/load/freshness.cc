#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <map>
#include <thread>

#include "absl/time/clock.h"
#include "base/status.h"
#include "base/strings.h"
#include "http_connection.h"
#include "ingest.h"
#include "rivermeet/gateway/v1/live.pb.h"

namespace rivermeet::load {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using gateway::v1::LiveClientFrame;
using gateway::v1::LiveServerFrame;
using Socket = beast::websocket::stream<asio::ip::tcp::socket>;

// When a socket had seen a partition folded how far; both grow.
struct Arrival {
  int64_t through_offset;
  absl::Time at;
};
using Arrivals = std::map<uint32_t, std::vector<Arrival>>;

absl::StatusOr<std::string> GetTicket(const Options& options) {
  HttpConnection connection;
  RM_RETURN_IF_ERROR(connection.Connect(options.gateway));
  RM_ASSIGN_OR_RETURN(const std::string answer,
                      connection.Exchange(fmt::format("POST /v1/auth/ticket HTTP/1.1\r\nHost: {}\r\nAuthorization: "
                                                      "Bearer {}\r\nContent-Type: application/json\r\n"
                                                      "Content-Length: 2\r\n\r\n",
                                                      options.gateway, options.api_key),
                                          "{}"));
  // {"ticket":"..."}: base64url, nothing to unescape.
  const size_t key = answer.find("\"ticket\"");
  const size_t begin = answer.find('"', answer.find(':', key)) + 1;
  const size_t end = answer.find('"', begin);
  if (key == std::string::npos || end == std::string::npos) return absl::InternalError(answer);
  return answer.substr(begin, end - begin);
}

std::string SubscribeFrame(const std::string& stream) {
  LiveClientFrame frame;
  auto& subscribe = *frame.mutable_subscribe();
  subscribe.set_id(1);
  auto& query = *subscribe.mutable_query();
  query.set_stream(stream);
  query.mutable_last()->set_seconds(60);
  query.mutable_step()->set_seconds(1);
  query.add_group_by(kDimensions[1]);
  auto& aggregate = *query.add_aggregates();
  aggregate.set_measure(kPercentMeasure);
  aggregate.set_function(query::v1::AGGREGATE_FUNCTION_MEAN);
  return frame.SerializeAsString();
}

// Reads frames until the socket is closed under it.
absl::Status ReadFrames(Socket& socket, Arrivals& arrivals) {
  beast::flat_buffer buffer;
  beast::error_code error;
  LiveServerFrame frame;
  while (true) {
    buffer.clear();
    socket.read(buffer, error);
    if (error) return absl::OkStatus();
    const absl::Time now = absl::Now();
    if (!frame.ParseFromArray(buffer.data().data(), static_cast<int>(buffer.size()))) {
      return absl::DataLossError("a frame that does not parse");
    }
    if (frame.has_error()) return absl::InternalError(frame.error().message());
    for (const auto& partition : frame.update().response().data_version().partitions()) {
      arrivals[partition.partition()].push_back({partition.through_offset(), now});
    }
  }
}

}  // namespace

absl::StatusOr<Result> MeasureFreshness(const Options& given) {
  Options options = given;
  options.keep_positions = true;
  // The stream must be there before it can be watched.
  Options first = options;
  first.warm_up = absl::ZeroDuration();
  first.duration = absl::Milliseconds(500);
  first.keep_positions = false;
  RM_ASSIGN_OR_RETURN(Result total, IngestColumnar(first));
  RM_ASSIGN_OR_RETURN(const std::string ticket, GetTicket(options));
  asio::io_context context;
  Socket socket(context);
  Arrivals arrivals;
  try {
    const size_t colon = options.gateway.rfind(':');
    asio::ip::tcp::resolver resolver(context);
    asio::connect(socket.next_layer(),
                  resolver.resolve(options.gateway.substr(0, colon), options.gateway.substr(colon + 1)));
    socket.next_layer().set_option(asio::ip::tcp::no_delay(true));
    socket.handshake(options.gateway, "/v1/live?ticket=" + ticket);
    socket.binary(true);
    socket.write(asio::buffer(SubscribeFrame(options.stream)));
  } catch (const boost::system::system_error& error) {
    return absl::UnavailableError(fmt::format("the live socket: {}", error.what()));
  }
  absl::Status reading;
  std::thread reader([&] { reading = ReadFrames(socket, arrivals); });
  auto sent = IngestColumnar(options);
  absl::SleepFor(absl::Seconds(1));
  beast::error_code ignored;
  socket.next_layer().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  reader.join();
  RM_RETURN_IF_ERROR(reading);
  RM_RETURN_IF_ERROR(sent.status());
  sent->ack = Latencies();
  for (const Result::Position& position : sent->positions) {
    const auto& seen = arrivals[position.partition];
    const auto found = std::find_if(seen.begin(), seen.end(),
                                    [&](const Arrival& arrival) { return arrival.through_offset >= position.offset; });
    if (found == seen.end()) return absl::DataLossError("a batch whose frame never came");
    sent->ack.Record(absl::ToInt64Microseconds(found->at - position.sent));
  }
  sent->positions.clear();
  total.ack = Latencies();
  total.measured_events = 0;
  total.Add(*sent);
  return total;
}

}  // namespace rivermeet::load
