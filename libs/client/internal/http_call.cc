#include "client/internal/http_call.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/loopback.h"
#include "base/strings.h"
#include "client/connection.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace rivermeet::client::internal {
namespace {

struct Exchange {
  CURL* curl;
  const HttpCall& call;
  HttpAnswer answer;
  bool cancelled = false;
  bool too_long = false;
};

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  const std::string name = ToLower(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1));
  if (name == "content-type") {
    exchange.answer.content_type = ToLower(Trim(value.substr(0, value.find(';'))));
  } else if (name == "date") {
    exchange.answer.date = value;
  } else if (int64_t seconds = 0; name == "retry-after" && ParseNumber(value, seconds) && seconds >= 0) {
    exchange.answer.retry_after = absl::Seconds(seconds);
  }
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view piece(data, size * count);
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.call.on_data && status >= 200 && status < 300) {
    exchange.cancelled = !exchange.call.on_data(piece);
    return exchange.cancelled ? 0 : piece.size();
  }
  if (exchange.answer.body.size() + piece.size() > kMaxAnswerBytes) {
    exchange.too_long = true;
    return 0;
  }
  exchange.answer.body.append(piece);
  return piece.size();
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (exchange.call.cancelled && exchange.call.cancelled()) exchange.cancelled = true;
  return exchange.cancelled ? 1 : 0;
}

absl::Status StatusOfFailure(CURLcode code, const Exchange& exchange, const char* detail) {
  if (exchange.too_long) return absl::ResourceExhaustedError("the answer is over 256 MiB: ask for less");
  if (exchange.cancelled) return absl::CancelledError("the call was ended");
  const std::string why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(fmt::format("{} did not answer in time", exchange.call.url));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return absl::InvalidArgumentError(fmt::format("{}: {}", exchange.call.url, why));
    default:
      return absl::UnavailableError(why);
  }
}

void SetOptions(CURL* curl, Exchange& exchange, curl_slist* headers, char* error) {
  const HttpCall& call = exchange.call;
  curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (!call.body.empty() || call.method == "POST" || call.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.empty() ? "" : call.body.data());
  }
  // A proxy of the environment's is for the way out, never for this machine.
  const size_t host = call.url.find("://") + 3;
  if (IsLoopback(std::string_view(call.url).substr(host, call.url.find('/', host) - host))) {
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  }
  if (!call.authority_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, call.authority_file.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  if (call.deadline != absl::InfiniteFuture()) {
    const int64_t left = std::max<int64_t>(1, absl::ToInt64Milliseconds(call.deadline - absl::Now()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(left));
  }
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

absl::StatusCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
      return absl::StatusCode::kDeadlineExceeded;
    case 409:
      return absl::StatusCode::kAborted;
    case 412:
      return absl::StatusCode::kFailedPrecondition;
    case 413:
    case 415:
    case 422:
      return absl::StatusCode::kInvalidArgument;
    case 429:
    case 507:
      return absl::StatusCode::kResourceExhausted;
    case 499:
      return absl::StatusCode::kCancelled;
    case 501:
    case 405:
      return absl::StatusCode::kUnimplemented;
    case 502:
    case 503:
      return absl::StatusCode::kUnavailable;
    case 504:
      return absl::StatusCode::kDeadlineExceeded;
    default:
      return status >= 500 ? absl::StatusCode::kInternal : absl::StatusCode::kUnknown;
  }
}

}  // namespace

absl::StatusOr<HttpAnswer> Perform(CURL* curl, const HttpCall& call) {
  if (call.deadline <= absl::Now()) return absl::DeadlineExceededError("the time was over before the call");
  Exchange exchange{.curl = curl, .call = call};
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const std::string& header : call.headers) list = curl_slist_append(list, header.c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, &curl_slist_free_all);
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_reset(curl);
  SetOptions(curl, exchange, headers.get(), error);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK) return StatusOfFailure(code, exchange, error);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.answer.status = static_cast<int>(status);
  return std::move(exchange.answer);
}

absl::StatusCode CodeOfConnectName(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, absl::StatusCode>, 16> kCodes = {{
      {"canceled", absl::StatusCode::kCancelled},
      {"unknown", absl::StatusCode::kUnknown},
      {"invalid_argument", absl::StatusCode::kInvalidArgument},
      {"deadline_exceeded", absl::StatusCode::kDeadlineExceeded},
      {"not_found", absl::StatusCode::kNotFound},
      {"already_exists", absl::StatusCode::kAlreadyExists},
      {"permission_denied", absl::StatusCode::kPermissionDenied},
      {"resource_exhausted", absl::StatusCode::kResourceExhausted},
      {"failed_precondition", absl::StatusCode::kFailedPrecondition},
      {"aborted", absl::StatusCode::kAborted},
      {"out_of_range", absl::StatusCode::kOutOfRange},
      {"unimplemented", absl::StatusCode::kUnimplemented},
      {"internal", absl::StatusCode::kInternal},
      {"unavailable", absl::StatusCode::kUnavailable},
      {"data_loss", absl::StatusCode::kDataLoss},
      {"unauthenticated", absl::StatusCode::kUnauthenticated},
  }};
  for (const auto& [text, code] : kCodes) {
    if (text == name) return code;
  }
  return absl::StatusCode::kUnknown;
}

absl::Status StatusOfAnswer(const HttpAnswer& answer) {
  if (answer.status >= 200 && answer.status < 300) return absl::OkStatus();
  absl::StatusCode code = CodeOfHttpStatus(answer.status);
  std::string message = fmt::format("HTTP status {}", answer.status);
  google::protobuf::Struct json;
  if (answer.content_type.find("json") != std::string::npos &&
      google::protobuf::util::JsonStringToMessage(answer.body, &json).ok()) {
    const auto text = [&](const char* name) -> std::string {
      const auto found = json.fields().find(name);
      return found == json.fields().end() ? "" : found->second.string_value();
    };
    if (const std::string name = text("code"); !name.empty()) {
      const absl::StatusCode named = CodeOfConnectName(name);
      if (named != absl::StatusCode::kUnknown || name == "unknown") code = named;
    }
    for (const char* name : {"message", "detail", "title"}) {
      if (const std::string value = text(name); !value.empty()) {
        message = value;
        break;
      }
    }
  }
  return absl::Status(code, ToAbsl(message));
}

}  // namespace rivermeet::client::internal
