#include "net/http_parser.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/strings.h"

namespace rivermeet::net {
namespace {

constexpr size_t kMaxChunkOverhead = 4096;
constexpr size_t kMaxMethodBytes = 32;

constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) table[c] = true;
  return table;
}
constexpr std::array<bool, 256> kTokenChars = MakeTokenTable();

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  c = Lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 9110 section 5.5: visible characters, space, tab, and the obsolete upper half.
bool IsFieldChar(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view TrimFieldSpace(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Host and port as RFC 3986 section 3.2 allows them, without user information.
bool IsHost(std::string_view host) {
  return std::all_of(host.begin(), host.end(),
                     [](char c) {
                       return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'z') ||
                              std::strchr("-._~!$&'()*+,;=:[]%", c) != nullptr;
                     }) &&
         host.find('\0') == std::string_view::npos;
}

// The target in origin form, absolute form or "*" (RFC 9112 section 3.2). CONNECT's form has no meaning here.
std::optional<ParseFailure> ParseTarget(RequestHead& head) {
  std::string_view rest = head.target;
  for (const char c : rest) {
    if (c < 0x21 || c > 0x7e) return ParseFailure{400, "The target holds a character that must be percent-encoded."};
  }
  if (rest == "*" && head.method == "OPTIONS") {
    head.path = rest;
    return std::nullopt;
  }
  if (!rest.starts_with('/')) {
    const size_t scheme = rest.find("://");
    if (scheme == std::string_view::npos ||
        !(EqualsIgnoreCase(rest.substr(0, scheme), "http") || EqualsIgnoreCase(rest.substr(0, scheme), "https"))) {
      return ParseFailure{400, "The target must be a path."};
    }
    rest.remove_prefix(scheme + 3);
    const size_t slash = std::min(rest.find_first_of("/?"), rest.size());
    head.host = rest.substr(0, slash);
    if (head.host.empty() || !IsHost(head.host)) return ParseFailure{400, "The target's authority is malformed."};
    rest.remove_prefix(slash);
    if (!rest.starts_with('/')) {
      if (!rest.empty()) return ParseFailure{400, "The target must have a path."};
      rest = "/";
    }
  }
  if (rest.find('#') != std::string_view::npos) return ParseFailure{400, "The target must not have a fragment."};
  const size_t question = rest.find('?');
  head.path = rest.substr(0, question);
  if (question != std::string_view::npos) head.query = rest.substr(question + 1);
  return std::nullopt;
}

std::optional<ParseFailure> ParseRequestLine(std::string_view line, const HeadLimits& limits, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return ParseFailure{400, "The request line is malformed."};
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(head.method) || head.method.size() > kMaxMethodBytes) {
    return ParseFailure{400, "The method is malformed."};
  }
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) || version[6] != '.' ||
      !IsDigit(version[7])) {
    return ParseFailure{400, "The request line is malformed."};
  }
  if (version[5] != '1' || version[7] > '1') return ParseFailure{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  head.minor_version = version[7] - '0';
  if (head.target.size() > limits.max_target_bytes)
    return ParseFailure{414, "The target is too long.", limits.max_target_bytes};
  return ParseTarget(head);
}

std::optional<ParseFailure> ParseLength(std::string_view value, RequestHead& head) {
  // Digits only, and no leading zero: some readers take it for octal.
  if (value.empty() || !std::all_of(value.begin(), value.end(), IsDigit) || (value.size() > 1 && value[0] == '0')) {
    return ParseFailure{400, "Content-Length must be a plain decimal number."};
  }
  uint64_t length = 0;
  if (!ParseNumber(value, length) || length > uint64_t{1} << 62) return ParseFailure{413, "The body is too large."};
  head.content_length = length;
  return std::nullopt;
}

// What the fields say about where the message ends and what follows.
std::optional<ParseFailure> ReadFraming(RequestHead& head) {
  const size_t lengths = head.Count("content-length");
  const size_t codings = head.Count("transfer-encoding");
  if (lengths > 1) return ParseFailure{400, "Content-Length must be given once."};
  if (codings > 0) {
    if (lengths > 0) return ParseFailure{400, "Content-Length and Transfer-Encoding exclude each other."};
    if (codings > 1) return ParseFailure{400, "Transfer-Encoding must be given once."};
    if (head.minor_version == 0) return ParseFailure{400, "HTTP/1.0 has no Transfer-Encoding."};
    if (!EqualsIgnoreCase(*head.Find("transfer-encoding"), "chunked")) {
      return ParseFailure{501, "Only the transfer coding chunked is understood."};
    }
    head.chunked = true;
  }
  if (lengths == 1) {
    if (auto failure = ParseLength(*head.Find("content-length"), head)) return failure;
  }
  const size_t hosts = head.Count("host");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) return ParseFailure{400, "Host must be given once."};
  if (hosts == 1) {
    const std::string_view host = *head.Find("host");
    if (!IsHost(host)) return ParseFailure{400, "Host is malformed."};
    if (head.host.empty()) head.host = host;
  }
  head.keep_alive = head.minor_version == 1 && !head.HasToken("connection", "close");
  if (const auto expect = head.Find("expect")) {
    if (!EqualsIgnoreCase(*expect, "100-continue")) return ParseFailure{417, "Only 100-continue can be expected."};
    head.expects_continue = head.minor_version == 1;
  }
  head.upgrades_to_websocket = head.minor_version == 1 && head.method == "GET" &&
                               head.HasToken("connection", "upgrade") && head.HasToken("upgrade", "websocket");
  return std::nullopt;
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsToken(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return kTokenChars[static_cast<unsigned char>(c)]; });
}

std::optional<std::string_view> RequestHead::Find(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (EqualsIgnoreCase(field.name, name)) return field.value;
  }
  return std::nullopt;
}

size_t RequestHead::Count(std::string_view name) const {
  return std::count_if(fields.begin(), fields.end(),
                       [&](const HeaderField& field) { return EqualsIgnoreCase(field.name, name); });
}

bool RequestHead::HasToken(std::string_view name, std::string_view token) const {
  for (const HeaderField& field : fields) {
    if (!EqualsIgnoreCase(field.name, name)) continue;
    for (const std::string_view piece : Split(field.value, ',')) {
      if (EqualsIgnoreCase(TrimFieldSpace(piece), token)) return true;
    }
  }
  return false;
}

HeadEnd FindHeadEnd(std::string_view bytes, size_t& scanned) {
  // An empty line before the request line is to be ignored (RFC 9112 section 2.2); it stays part of the head.
  const size_t start = bytes.starts_with("\r\n") ? 2 : 0;
  size_t at = std::max(scanned, start);
  while (at < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (found == nullptr) break;
    const size_t newline = static_cast<const char*>(found) - bytes.data();
    if (newline == 0 || bytes[newline - 1] != '\r') return {HeadEnd::Kind::kMalformed};
    if (newline >= start + 3 && bytes[newline - 2] == '\n') return {HeadEnd::Kind::kFound, newline + 1};
    if (newline == start + 1) return {HeadEnd::Kind::kMalformed};
    at = newline + 1;
  }
  scanned = bytes.size();
  return {HeadEnd::Kind::kNeedMore};
}

std::optional<ParseFailure> ParseHead(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
  if (bytes.size() > limits.max_head_bytes) return ParseFailure{431, "The header is too large.", limits.max_head_bytes};
  if (!bytes.ends_with("\r\n\r\n")) return ParseFailure{400, "The header is not terminated."};
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  bytes.remove_suffix(2);
  bool first = true;
  while (!bytes.empty()) {
    const size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) return ParseFailure{400, "A line does not end in CRLF."};
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (first) {
      if (auto failure = ParseRequestLine(line, limits, head)) return failure;
      first = false;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
      return ParseFailure{400, "A header field is malformed."};
    }
    if (head.fields.size() == limits.max_fields)
      return ParseFailure{431, "There are too many header fields.", limits.max_fields};
    const std::string_view value = TrimFieldSpace(line.substr(colon + 1));
    if (!std::all_of(value.begin(), value.end(), IsFieldChar)) {
      return ParseFailure{400, "A header field holds a control character."};
    }
    head.fields.push_back({line.substr(0, colon), value});
  }
  if (first) return ParseFailure{400, "The request line is missing."};
  return ReadFraming(head);
}

ChunkedDecoder::State ChunkedDecoder::Feed(std::string_view& in, std::string& out, size_t max_bytes) {
  while (!in.empty() && at_ != At::kDone) {
    if (at_ == At::kData) {
      const size_t count = std::min<uint64_t>(left_, in.size());
      out.append(in.substr(0, count));
      in.remove_prefix(count);
      left_ -= count;
      if (left_ == 0) at_ = At::kDataCr;
      continue;
    }
    const char c = in.front();
    in.remove_prefix(1);
    if (const State state = Step(c, out.size(), max_bytes); state != State::kNeedMore) return state;
  }
  return at_ == At::kDone ? State::kDone : State::kNeedMore;
}

ChunkedDecoder::State ChunkedDecoder::EndOfSize(size_t size_of_out, size_t max_bytes) {
  if (size_digits_ == 0) return State::kMalformed;
  if (left_ > max_bytes || size_of_out > max_bytes - left_) return State::kTooLarge;
  at_ = At::kSizeLf;
  return State::kNeedMore;
}

ChunkedDecoder::State ChunkedDecoder::Step(char c, size_t size_of_out, size_t max_bytes) {
  const auto expect = [&](char wanted, At next) {
    if (c != wanted) return State::kMalformed;
    at_ = next;
    return State::kNeedMore;
  };
  switch (at_) {
    case At::kSize:
      if (const int digit = HexValue(c); digit >= 0) {
        if (++size_digits_ > 15) return State::kMalformed;
        left_ = left_ * 16 + digit;
        return State::kNeedMore;
      }
      if (c == '\r') return EndOfSize(size_of_out, max_bytes);
      if (c != ';' || size_digits_ == 0) return State::kMalformed;
      at_ = At::kExtension;
      return State::kNeedMore;
    case At::kExtension:
      if (c == '\r') return EndOfSize(size_of_out, max_bytes);
      return IsFieldChar(c) && ++overhead_ <= kMaxChunkOverhead ? State::kNeedMore : State::kMalformed;
    case At::kSizeLf:
      size_digits_ = 0;
      return expect('\n', left_ == 0 ? At::kTrailerStart : At::kData);
    case At::kDataCr:
      return expect('\r', At::kDataLf);
    case At::kDataLf:
      return expect('\n', At::kSize);
    case At::kTrailerStart:
      if (c == '\r') return expect('\r', At::kEndLf);
      trailer_.clear();
      at_ = At::kTrailer;
      [[fallthrough]];
    case At::kTrailer:
      if (c == '\r') {
        if (!IsToken(std::string_view(trailer_).substr(0, trailer_.find(':'))) ||
            trailer_.find(':') == std::string::npos) {
          return State::kMalformed;
        }
        at_ = At::kTrailerLf;
        return State::kNeedMore;
      }
      if (!IsFieldChar(c) || ++overhead_ > kMaxChunkOverhead) return State::kMalformed;
      trailer_.push_back(c);
      return State::kNeedMore;
    case At::kTrailerLf:
      return expect('\n', At::kTrailerStart);
    case At::kEndLf:
      if (c != '\n') return State::kMalformed;
      at_ = At::kDone;
      return State::kDone;
    case At::kData:
    case At::kDone:
      break;
  }
  return State::kMalformed;
}

}  // namespace rivermeet::net
