// Unpadded base64url (RFC 4648 section 5), as JOSE uses it.
#ifndef RIVERMEET_AUTHN_BASE64URL_H_
#define RIVERMEET_AUTHN_BASE64URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace rivermeet::authn {

std::string EncodeBase64Url(std::string_view bytes);

// Nothing for any text that EncodeBase64Url() does not give: padding, other characters, white space, or bits set
// that no byte has (so each byte string has one form only).
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace rivermeet::authn

#endif  // RIVERMEET_AUTHN_BASE64URL_H_
