#include "net/http.h"

#include <algorithm>

#include "base/json_string.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace rivermeet::net {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

std::string_view CodeOf(int status) {
  switch (status) {
    case 401:
      return "unauthenticated";
    case 403:
      return "permission_denied";
    case 404:
      return "not_found";
    case 405:
    case 501:
    case 505:
      return "unimplemented";
    case 408:
    case 504:
      return "deadline_exceeded";
    case 426:
      return "failed_precondition";
    case 429:
    case 507:
      return "resource_exhausted";
    case 502:
    case 503:
      return "unavailable";
    default:
      return status < 500 ? "invalid_argument" : "internal";
  }
}

}  // namespace

bool Response::Has(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return EqualsIgnoreCase(header.first, name); });
}

Response& Response::Set(std::string_view name, std::string_view value) {
  headers.emplace_back(name, value);
  return *this;
}

Response Response::Of(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.Set("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

std::string_view StatusText(int status) {
  static constexpr std::pair<int, std::string_view> kTexts[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
  };
  const auto* found =
      std::find_if(std::begin(kTexts), std::end(kTexts), [&](const auto& text) { return text.first == status; });
  return found == std::end(kTexts) ? "Unknown" : found->second;
}

std::optional<std::string> PercentDecode(std::string_view text) { return Decode(text, false); }

std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view piece : Split(query, '&')) {
    if (piece.empty()) continue;
    const size_t equals = piece.find('=');
    auto name = Decode(piece.substr(0, equals), true);
    auto value = Decode(equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

std::optional<std::string_view> FindCookie(const RequestHead& head, std::string_view name) {
  for (const HeaderField& field : head.fields) {
    if (!EqualsIgnoreCase(field.name, "cookie")) continue;
    for (std::string_view piece : Split(field.value, ';')) {
      piece = Trim(piece);
      const size_t equals = piece.find('=');
      if (equals != std::string_view::npos && piece.substr(0, equals) == name) return piece.substr(equals + 1);
    }
  }
  return std::nullopt;
}

Response ProblemResponse(const Problem& problem) {
  std::string body = fmt::format("{{\"type\":\"about:blank\",\"title\":{},\"status\":{}",
                                 JsonString(StatusText(problem.status)), problem.status);
  if (!problem.detail.empty()) body += ",\"detail\":" + JsonString(problem.detail);
  if (!problem.request_id.empty()) body += ",\"requestId\":" + JsonString(problem.request_id);
  body += ",\"code\":" + JsonString(problem.code.empty() ? CodeOf(problem.status) : problem.code);
  for (const auto& [name, json] : problem.extra) body += fmt::format(",{}:{}", JsonString(name), json);
  body += "}\n";
  Response response = Response::Of(problem.status, "application/problem+json", std::move(body));
  response.Set("Cache-Control", "no-store");
  return response;
}

}  // namespace rivermeet::net
