// A browser's refresh token, kept where its scripts can't read it.
//
// The cookie goes back to the refresh and sign-out paths only, is SameSite=Strict, and is used only for requests whose
// Origin is our own: another site's page can neither read nor spend it.
#ifndef RIVERMEET_GATEWAY_SESSION_COOKIE_H_
#define RIVERMEET_GATEWAY_SESSION_COOKIE_H_

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "net/http.h"

namespace rivermeet::gateway {

// Whether the request is a browser's page of our own origin. A browser's request of another origin has an Origin
// field that isn't ours.
bool IsOwnPage(const net::RequestHead& head);

// Fills an empty refresh_token of a refresh or sign-out request from the cookie.
//
// Errors: PERMISSION_DENIED, there is a cookie but the request is not of our own page.
absl::Status FillFromCookie(const net::RequestHead& head, google::protobuf::Message& request);

// Moves a response's refresh token into cookies when our own page asked; takes the cookies back after a sign-out.
void MoveToCookie(const net::Request& request, google::protobuf::Message& message, net::Response& response);

// Takes the cookies back: their token was refused.
void ClearCookie(const net::Request& request, net::Response& response);

// Whether messages of the RPC are any business of the functions above.
bool ConcernsCookie(const google::protobuf::MethodDescriptor& method);

}  // namespace rivermeet::gateway

#endif  // RIVERMEET_GATEWAY_SESSION_COOKIE_H_
