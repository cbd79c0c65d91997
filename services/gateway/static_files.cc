#include "gateway/static_files.h"

#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/sha256.h"
#include "fmt/format.h"
#include "net/compression.h"

namespace rivermeet::gateway {
namespace {

std::string ContentTypeOf(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},
      {".map", "application/json"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

std::string Sha256Base64(std::string_view text) {
  const std::string digest = Sha256(text);
  char encoded[4 * ((32 + 2) / 3) + 1];
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded), reinterpret_cast<const unsigned char*>(digest.data()),
                  static_cast<int>(digest.size()));
  return encoded;
}

// The page's own inline scripts, by hash; nothing else inline may run.
std::string PolicyFor(std::string_view html) {
  std::string hashes;
  for (size_t at = html.find("<script"); at != std::string_view::npos; at = html.find("<script", at + 1)) {
    const size_t open_end = html.find('>', at);
    const size_t close = html.find("</script>", at);
    if (open_end == std::string_view::npos || close == std::string_view::npos || close < open_end) break;
    const std::string_view script = html.substr(open_end + 1, close - open_end - 1);
    if (!script.empty()) hashes += fmt::format(" 'sha256-{}'", Sha256Base64(script));
  }
  return fmt::format(
      "default-src 'self'; script-src 'self'{}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
      "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
      "form-action 'self'; frame-ancestors 'none'",
      hashes);
}

bool Matches(std::string_view if_none_match, std::string_view etag) {
  if (Trim(if_none_match) == "*") return true;
  for (std::string_view tag : Split(if_none_match, ',')) {
    tag = Trim(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StaticFiles>> StaticFiles::Load(const std::string& folder) {
  namespace fs = std::filesystem;
  auto files = std::make_unique<StaticFiles>();
  std::error_code error;
  StringMap<std::shared_ptr<const std::string>> contents;
  size_t bytes = 0;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    std::ifstream in(it->path(), std::ios::binary);
    auto content =
        std::make_shared<const std::string>((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    bytes += content->size();
    if (bytes > kMaxBytes) return absl::ResourceExhaustedError(fmt::format("{} is over {} bytes", folder, kMaxBytes));
    contents.emplace("/" + fs::relative(it->path(), folder, error).generic_string(), std::move(content));
  }
  if (error || !contents.contains("/index.html")) {
    return absl::NotFoundError(fmt::format("gateway.web_folder: no web app in {}", folder));
  }
  for (const auto& [path, content] : contents) {
    const auto form = [&contents, &plain = path](std::string_view ending) {
      const auto found = contents.find(plain + std::string(ending));
      return found == contents.end() ? nullptr : found->second;
    };
    const bool is_form = (path.ends_with(".br") || path.ends_with(".gz")) &&
                         contents.contains(std::string_view(path).substr(0, path.size() - 3));
    if (is_form) continue;
    files->files_.emplace(path, File{.content_type = ContentTypeOf(path),
                                     .etag = fmt::format("\"{}\"", Sha256Base64(*content).substr(0, 22)),
                                     .plain = content,
                                     .brotli = form(".br"),
                                     .gzip = form(".gz"),
                                     .immutable = path.starts_with("/assets/")});
  }
  files->content_security_policy_ = PolicyFor(*contents.find("/index.html")->second);
  return files;
}

void StaticFiles::AddSecurity(const File& file, net::Response& response) const {
  if (!file.content_type.starts_with("text/html")) return;
  response.Set("Content-Security-Policy", content_security_policy_);
  response.Set("Referrer-Policy", "same-origin");
  response.Set("Cross-Origin-Opener-Policy", "same-origin");
  response.Set("X-Frame-Options", "DENY");
  response.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
}

net::Response StaticFiles::Serve(const net::RequestHead& head) const {
  const std::optional<std::string> path = net::PercentDecode(head.path);
  auto it = path ? files_.find(*path) : files_.end();
  if (it == files_.end()) {
    // A path of the app's own has no dot in its last part; a missing file is missing.
    const std::string_view last = head.path.substr(head.path.rfind('/') + 1);
    if (!path || last.find('.') != std::string_view::npos) return net::ProblemResponse({.status = 404});
    it = files_.find("/index.html");
  }
  const File& file = it->second;
  net::Response response;
  response.Set("ETag", file.etag);
  response.Set("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  AddSecurity(file, response);
  if (const auto tags = head.Find("if-none-match"); tags && Matches(*tags, file.etag)) {
    response.status = 304;
    return response;
  }
  response.Set("Content-Type", file.content_type);
  const std::string_view accepted = head.Find("accept-encoding").value_or("");
  response.shared_body = file.plain;
  if (file.brotli != nullptr || file.gzip != nullptr) response.Set("Vary", "Accept-Encoding");
  if (file.brotli != nullptr && net::Accepts(accepted, "br")) {
    response.Set("Content-Encoding", "br");
    response.shared_body = file.brotli;
  } else if (file.gzip != nullptr && net::Accepts(accepted, "gzip")) {
    response.Set("Content-Encoding", "gzip");
    response.shared_body = file.gzip;
  }
  return response;
}

}  // namespace rivermeet::gateway
