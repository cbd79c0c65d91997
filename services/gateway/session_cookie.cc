#include "gateway/session_cookie.h"

#include <algorithm>
#include <string>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "rivermeet/auth/v1/auth.pb.h"

namespace rivermeet::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kName = "rivermeet_refresh";
// Where the cookie is sent: REST's paths, and the Connect protocol's.
constexpr std::string_view kPaths[] = {"/v1/auth", "/rivermeet.auth.v1.AuthService"};

void Set(const net::Request& request, std::string_view value, int64_t seconds, net::Response& response) {
  for (const std::string_view path : kPaths) {
    response.Set("Set-Cookie", fmt::format("{}={}; Path={}; Max-Age={}; HttpOnly; SameSite=Strict{}", kName, value,
                                           path, seconds, request.over_tls() ? "; Secure" : ""));
  }
}

const FieldDescriptor* TokensField(const google::protobuf::Descriptor& type) {
  const FieldDescriptor* field = type.FindFieldByName("tokens");
  return field != nullptr && field->message_type() == auth::v1::TokenPair::descriptor() ? field : nullptr;
}

bool TakesCookie(const google::protobuf::Descriptor& type) {
  return &type == auth::v1::RefreshRequest::descriptor() || &type == auth::v1::LogoutRequest::descriptor();
}

bool IsCookieValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'; });
}

}  // namespace

bool IsOwnPage(const net::RequestHead& head) {
  const auto origin = head.Find("origin");
  if (!origin || head.Count("origin") != 1 || head.host.empty()) return false;
  const size_t scheme = origin->find("://");
  return scheme != std::string_view::npos && net::EqualsIgnoreCase(origin->substr(scheme + 3), head.host);
}

absl::Status FillFromCookie(const net::RequestHead& head, Message& request) {
  if (!TakesCookie(*request.GetDescriptor())) return absl::OkStatus();
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByName("refresh_token");
  const auto cookie = net::FindCookie(head, kName);
  if (!cookie || !request.GetReflection()->GetString(request, field).empty()) return absl::OkStatus();
  if (!IsOwnPage(head)) return absl::PermissionDeniedError("The session's cookie works for our own pages only.");
  request.GetReflection()->SetString(&request, field, std::string(*cookie));
  return absl::OkStatus();
}

void MoveToCookie(const net::Request& request, Message& message, net::Response& response) {
  if (message.GetDescriptor() == auth::v1::LogoutResponse::descriptor()) {
    ClearCookie(request, response);
    return;
  }
  const FieldDescriptor* field = TokensField(*message.GetDescriptor());
  if (field == nullptr || !IsOwnPage(request.head()) || !message.GetReflection()->HasField(message, field)) return;
  auto* tokens = static_cast<auth::v1::TokenPair*>(message.GetReflection()->MutableMessage(&message, field));
  if (tokens->refresh_token().empty() || !IsCookieValue(tokens->refresh_token())) return;
  const int64_t left = tokens->refresh_expires().seconds() - absl::ToUnixSeconds(absl::Now());
  Set(request, tokens->refresh_token(), std::max<int64_t>(left, 0), response);
  tokens->clear_refresh_token();
}

void ClearCookie(const net::Request& request, net::Response& response) {
  if (net::FindCookie(request.head(), kName)) Set(request, "", 0, response);
}

bool ConcernsCookie(const google::protobuf::MethodDescriptor& method) {
  return TakesCookie(*method.input_type()) || TokensField(*method.output_type()) != nullptr;
}

}  // namespace rivermeet::gateway
