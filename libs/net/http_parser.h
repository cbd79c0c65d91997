// The bytes of an HTTP/1.1 request, read strictly (RFC 9110, RFC 9112).
//
// Two parties that read one message differently are what request smuggling lives on, so whatever the RFCs let a
// server refuse is refused here: line ends other than CRLF, folded lines, white space before a colon, every form of
// a length but plain digits, a length twice, a length beside chunks, a transfer coding other than "chunked".
#ifndef RIVERMEET_NET_HTTP_PARSER_H_
#define RIVERMEET_NET_HTTP_PARSER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rivermeet::net {

struct HeadLimits {
  size_t max_head_bytes = 16 * 1024;
  size_t max_fields = 100;
  size_t max_target_bytes = 8 * 1024;
};

// Why a message is refused: an HTTP status (400, 413, 414, 431, 501, 505) and a text that quotes nothing of the
// message. Trivial on purpose: g++ 12 destroys temporaries in a coroutine's co_return twice.
struct ParseFailure {
  int status;
  std::string_view reason;
  // What it is over, told after the reason; 0 for none.
  uint64_t limit = 0;
};

struct HeaderField {
  std::string_view name;
  std::string_view value;  // Without white space around it.
};

// A request line and its fields. All views borrow from the bytes given to ParseHead().
struct RequestHead {
  std::string_view method;
  std::string_view target;  // As sent.
  std::string_view path;    // Starts with '/', or is "*"; percent-encoding untouched.
  std::string_view query;   // After the first '?'.
  std::string_view host;    // The authority; empty for HTTP/1.0 without one.
  std::vector<HeaderField> fields;
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  bool upgrades_to_websocket = false;
  int minor_version = 1;

  // The value of the first field of that name, whatever the letters' case.
  std::optional<std::string_view> Find(std::string_view name) const;
  size_t Count(std::string_view name) const;
  // Whether the comma-separated list in the fields `name` holds `token`, whatever the letters' case.
  bool HasToken(std::string_view name, std::string_view token) const;
};

// Looks for the empty line that ends a head.
struct HeadEnd {
  enum class Kind { kNeedMore, kFound, kMalformed } kind;
  size_t size = 0;  // With kFound: the head's bytes, its empty line included.
};
// `scanned` is how far an earlier call on a prefix of `bytes` came; it is moved on. Start with 0.
HeadEnd FindHeadEnd(std::string_view bytes, size_t& scanned);

// Parses a whole head as FindHeadEnd() measured it. On failure `head` is unspecified: answer and close.
std::optional<ParseFailure> ParseHead(std::string_view bytes, const HeadLimits& limits, RequestHead& head);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);
bool IsToken(std::string_view text);

// Reads a chunked body (RFC 9112 section 7.1) in pieces of any size. Trailer fields are checked and dropped.
class ChunkedDecoder {
 public:
  enum class State { kNeedMore, kDone, kMalformed, kTooLarge };

  // Takes what it can from the front of `in` and appends the content to `out`, which never grows beyond `max_bytes`.
  // After kDone, `in` starts with the next message. kMalformed and kTooLarge are final: answer and close.
  State Feed(std::string_view& in, std::string& out, size_t max_bytes);

 private:
  enum class At {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone
  };

  State Step(char c, size_t size_of_out, size_t max_bytes);
  State EndOfSize(size_t size_of_out, size_t max_bytes);

  At at_ = At::kSize;
  uint64_t left_ = 0;
  int size_digits_ = 0;
  size_t overhead_ = 0;  // Bytes of extensions and trailers, bounded.
  std::string trailer_;
};

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_HTTP_PARSER_H_
