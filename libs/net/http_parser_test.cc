#include "net/http_parser.h"

#include <catch2/catch.hpp>

#include "base/strings.h"

namespace rivermeet::net {
namespace {

struct Parsed {
  int status = 0;
  RequestHead head;
};

// The status a head is refused with, or 0.
Parsed Parse(std::string_view bytes) {
  Parsed parsed;
  size_t scanned = 0;
  const HeadEnd end = FindHeadEnd(bytes, scanned);
  if (end.kind == HeadEnd::Kind::kMalformed) {
    parsed.status = 400;
  } else if (end.kind == HeadEnd::Kind::kNeedMore) {
    parsed.status = -1;
  } else if (const auto failure = ParseHead(bytes.substr(0, end.size), {}, parsed.head)) {
    parsed.status = failure->status;
  }
  return parsed;
}

int StatusOfFields(std::string_view fields) {
  return Parse(fmt::format("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n", fields)).status;
}

struct Chunked {
  ChunkedDecoder::State state;
  std::string content;
  std::string rest;
};
Chunked Decode(std::string_view bytes, size_t step, size_t max_bytes = 1000) {
  Chunked result{ChunkedDecoder::State::kNeedMore, "", ""};
  ChunkedDecoder decoder;
  std::string pending;
  for (size_t at = 0; at < bytes.size(); at += step) {
    std::string_view piece = bytes.substr(at, step);
    result.state = decoder.Feed(piece, result.content, max_bytes);
    if (result.state != ChunkedDecoder::State::kNeedMore) {
      result.rest = std::string(piece) + std::string(bytes.substr(std::min(bytes.size(), at + step)));
      break;
    }
  }
  return result;
}

TEST_CASE("a request head is read into its parts", "[net]") {
  const std::string_view bytes =
      "GET /v1/streams/a%20b?x=1&y=2 HTTP/1.1\r\nHost: example.org:80\r\nAccept:  text/html \t\r\nX:\r\n\r\n";
  const Parsed parsed = Parse(bytes);
  REQUIRE(parsed.status == 0);
  CHECK(parsed.head.method == "GET");
  CHECK(parsed.head.path == "/v1/streams/a%20b");
  CHECK(parsed.head.query == "x=1&y=2");
  CHECK(parsed.head.host == "example.org:80");
  CHECK(parsed.head.Find("accept") == "text/html");
  CHECK(parsed.head.Find("x") == "");
  CHECK(parsed.head.keep_alive);
  CHECK_FALSE(parsed.head.content_length.has_value());
}

TEST_CASE("a head cut off anywhere is incomplete, never accepted or refused", "[net]") {
  const std::string_view bytes = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(Parse(bytes.substr(0, size)).status == -1);
  }
  CHECK(Parse(bytes).status == 0);
}

TEST_CASE("request lines that readers could take differently are refused", "[net]") {
  const std::string host = "\r\nHost: a\r\n\r\n";
  for (const std::string_view line : {"GET / HTTP/1.1 ",      "GET  / HTTP/1.1",       " GET / HTTP/1.1",
                                      "GET / HTTP/1.1\t",     "GET\t/ HTTP/1.1",       "GET /",
                                      "GET / http/1.1",       "GET / HTTP/1.10",       "G(T / HTTP/1.1",
                                      "GET /a b HTTP/1.1",    "GET /\x7f HTTP/1.1",    "GET /\xc3\xa4 HTTP/1.1",
                                      "GET a HTTP/1.1",       "GET /#a HTTP/1.1",      "CONNECT a:80 HTTP/1.1",
                                      "GET * HTTP/1.1",       "GET ftp://a/ HTTP/1.1", "GET http://a@b/ HTTP/1.1",
                                      "GET http:// HTTP/1.1", "GET / HTTP/1,1"}) {
    CAPTURE(line);
    CHECK(Parse(std::string(line) + host).status == 400);
  }
  CHECK(Parse("GET / HTTP/2.0" + host).status == 505);
  CHECK(Parse("PRI * HTTP/2.0\r\n\r\n").status == 505);
  CHECK(Parse("GET /" + std::string(9000, 'a') + " HTTP/1.1" + host).status == 414);
  CHECK(Parse("\r\nGET / HTTP/1.1" + host).status == 0);
  CHECK(Parse("\r\n\r\nGET / HTTP/1.1" + host).status == 400);
  CHECK(Parse("GET http://b/c?d HTTP/1.1" + host).head.host == "b");
  CHECK(Parse("OPTIONS * HTTP/1.1" + host).status == 0);
}

TEST_CASE("only CRLF ends a line", "[net]") {
  CHECK(Parse("GET / HTTP/1.1\nHost: a\n\n").status == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: a\n\r\n").status == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n").status == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: a\r\n\n").status == 400);
  CHECK(Parse("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
}

TEST_CASE("lengths are one plain number or one chunked, never both", "[net]") {
  CHECK(StatusOfFields("Content-Length: 10\r\n") == 0);
  CHECK(StatusOfFields("Content-Length: 0\r\n") == 0);
  for (const std::string_view value :
       {"007", "+13", "-1", "0x0d", "13, 14", "13, 13", "13,", "", "1 3", "1e2", "13;", "\"13\"", "١"}) {
    CAPTURE(value);
    CHECK(StatusOfFields(fmt::format("Content-Length: {}\r\n", value)) == 400);
  }
  CHECK(StatusOfFields("Content-Length: 99999999999999999999\r\n") == 413);
  CHECK(StatusOfFields("Content-Length: 5\r\nContent-Length: 5\r\n") == 400);
  CHECK(StatusOfFields("Content-Length: 5\r\ncontent-length: 6\r\n") == 400);
  CHECK(StatusOfFields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(StatusOfFields("Transfer-Encoding: chunked\r\n") == 0);
  CHECK(StatusOfFields("Transfer-Encoding: CHUNKED\r\n") == 0);
  for (const std::string_view value :
       {"gzip", "chunked, chunked", "gzip, chunked", "xchunked", "identity", "chunked;q=1",
        "\x0b"
        "chunked",
        ""}) {
    CAPTURE(value);
    CHECK(StatusOfFields(fmt::format("Transfer-Encoding: {}\r\n", value)) >= 400);
  }
  CHECK(StatusOfFields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(Parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status == 400);
}

TEST_CASE("fields that hide another are refused", "[net]") {
  for (const std::string_view fields :
       {"Content-Length : 5\r\n", " Content-Length: 5\r\n", "X: a\r\n Content-Length: 5\r\n", "X: a\r\n\tb\r\n",
        "Content-Length\r\n", ": 5\r\n", "X\x01: 5\r\n", "Content_\xc3\xa4: 5\r\n", "A B: c\r\n"}) {
    CAPTURE(fields);
    CHECK(StatusOfFields(fields) == 400);
  }
  CHECK(StatusOfFields(std::string("X: a\0b\r\n", 8)) == 400);
  CHECK(StatusOfFields("X: a\x7f\r\n") == 400);
  CHECK(StatusOfFields("X: \xc3\xa4\r\n") == 0);
}

TEST_CASE("a host is needed exactly once", "[net]") {
  CHECK(Parse("GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(StatusOfFields("Host: b\r\n") == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n").status == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: a b\r\n\r\n").status == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n").status == 400);
  CHECK(Parse("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").status == 0);
  CHECK(Parse("GET / HTTP/1.0\r\n\r\n").status == 0);
}

TEST_CASE("heads have a bounded size and number of fields", "[net]") {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += fmt::format("X{}: a\r\n", i);
  CHECK(StatusOfFields(fields) == 0);
  CHECK(StatusOfFields(fields + "Y: a\r\n") == 431);
  CHECK(StatusOfFields("X: " + std::string(17000, 'a') + "\r\n") == 431);
}

TEST_CASE("a chunked body reads the same in pieces of any size", "[net]") {
  const std::string_view bytes = "5\r\nhello\r\n01;a=\"b\"\r\n!\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nNEXT";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    const Chunked decoded = Decode(bytes, step);
    REQUIRE(decoded.state == ChunkedDecoder::State::kDone);
    CHECK(decoded.content == "hello!0123456789");
    CHECK(decoded.rest == "NEXT");
  }
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(Decode(bytes.substr(0, size), 7).state == ChunkedDecoder::State::kNeedMore);
  }
}

TEST_CASE("malformed chunks are refused", "[net]") {
  for (const std::string_view bytes : {"5\nhello\r\n0\r\n\r\n",
                                       "5\r\nhello\n0\r\n\r\n",
                                       "5\r\nhelloX\r\n",
                                       "+5\r\nhello\r\n",
                                       "0x5\r\nhello\r\n",
                                       " 5\r\nhello\r\n",
                                       "5 \r\nhello\r\n",
                                       "\r\n",
                                       ";a\r\n",
                                       "5;a\nb\r\nhello\r\n",
                                       "5;a\x01\r\n",
                                       "g\r\n",
                                       "0\r\n\n",
                                       "0\r\nX\r\n\r\n",
                                       "0\r\n X: y\r\n\r\n",
                                       "0\r\nX : y\r\n\r\n",
                                       "0\r\nX: \x01\r\n\r\n",
                                       "0000000000000001\r\na\r\n",
                                       "5\rhello",
                                       "5\r\nhello\rX"}) {
    CAPTURE(bytes);
    CHECK(Decode(bytes, 3).state == ChunkedDecoder::State::kMalformed);
  }
  CHECK(Decode("5;" + std::string(5000, 'a') + "\r\n", 100).state == ChunkedDecoder::State::kMalformed);
  CHECK(Decode("3e9\r\n", 1).state == ChunkedDecoder::State::kTooLarge);
  CHECK(Decode("fffffffffffffff\r\n", 1).state == ChunkedDecoder::State::kTooLarge);
  CHECK(Decode("3e8\r\n", 1).state == ChunkedDecoder::State::kNeedMore);
}

}  // namespace
}  // namespace rivermeet::net
