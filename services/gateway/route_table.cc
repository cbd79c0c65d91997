#include "gateway/route_table.h"

#include <algorithm>

#include "base/status.h"
#include "fmt/format.h"
#include "google/api/annotations.pb.h"
#include "net/http.h"
#include "rpc/authorizer.h"

namespace rivermeet::gateway {
namespace {

using google::protobuf::FieldDescriptor;

std::pair<std::string, std::string> MethodAndPattern(const google::api::HttpRule& rule) {
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      return {"GET", rule.get()};
    case google::api::HttpRule::kPut:
      return {"PUT", rule.put()};
    case google::api::HttpRule::kPost:
      return {"POST", rule.post()};
    case google::api::HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case google::api::HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    default:
      return {"", ""};
  }
}

// Whether a dotted path names a singular field, through singular messages.
bool NamesField(const google::protobuf::Descriptor* message, std::string_view path) {
  const auto names = Split(path, '.');
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* field = message == nullptr ? nullptr : message->FindFieldByName(std::string(names[i]));
    if (field == nullptr || field->is_repeated()) return false;
    message = field->message_type();
  }
  return true;
}

absl::Status CheckRule(const HttpRule& rule, const google::protobuf::MethodDescriptor& descriptor) {
  for (const std::string& variable : rule.path.Variables()) {
    if (!NamesField(descriptor.input_type(), variable)) {
      return absl::InvalidArgumentError(fmt::format("{}: no field {}", descriptor.full_name(), variable));
    }
  }
  if (!rule.body.empty() && rule.body != "*") {
    const FieldDescriptor* field = descriptor.input_type()->FindFieldByName(rule.body);
    if (field == nullptr || field->message_type() == nullptr || field->is_repeated()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: body \"{}\" is not a message field", descriptor.full_name(), rule.body));
    }
  }
  if (!rule.response_body.empty()) {
    const FieldDescriptor* field = descriptor.output_type()->FindFieldByName(rule.response_body);
    if (field == nullptr || field->message_type() == nullptr || field->is_repeated()) {
      return absl::InvalidArgumentError(
          fmt::format("{}: response_body \"{}\" is not a message field", descriptor.full_name(), rule.response_body));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PathTemplate::ParseSegment(std::string_view text) {
  if (text == "**") {
    segments_.push_back({Kind::kRest, ""});
  } else if (text == "*") {
    segments_.push_back({Kind::kOne, ""});
  } else if (text.empty() || text.find_first_of("{}*=") != std::string_view::npos) {
    return absl::InvalidArgumentError(fmt::format("\"{}\" is no path segment", text));
  } else {
    segments_.push_back({Kind::kLiteral, std::string(text)});
  }
  return absl::OkStatus();
}

absl::StatusOr<PathTemplate> PathTemplate::Parse(std::string_view text) {
  PathTemplate parsed;
  const auto malformed = [&](std::string_view why) {
    return absl::InvalidArgumentError(fmt::format("path template \"{}\": {}", text, why));
  };
  if (!text.starts_with('/')) return malformed("must start with /");
  std::string_view rest = text.substr(1);
  const size_t last_brace = rest.rfind('}');
  const size_t colon = rest.find(':', last_brace == std::string_view::npos ? 0 : last_brace);
  if (colon != std::string_view::npos) {
    parsed.verb_ = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  while (!rest.empty()) {
    if (rest.front() != '{') {
      const size_t end = std::min(rest.find('/'), rest.size());
      if (auto status = parsed.ParseSegment(rest.substr(0, end)); !status.ok()) return malformed(MessageOf(status));
      rest.remove_prefix(end);
    } else {
      const size_t end = rest.find('}');
      if (end == std::string_view::npos) return malformed("a brace is open");
      const std::string_view inside = rest.substr(1, end - 1);
      const size_t equals = inside.find('=');
      Variable variable{std::string(inside.substr(0, equals)), parsed.segments_.size(), 0};
      const std::string_view pattern = equals == std::string_view::npos ? "*" : inside.substr(equals + 1);
      for (const std::string_view segment : Split(pattern, '/')) {
        if (auto status = parsed.ParseSegment(segment); !status.ok()) return malformed(MessageOf(status));
      }
      variable.count = parsed.segments_.size() - variable.first;
      parsed.variables_.push_back(std::move(variable));
      rest.remove_prefix(end + 1);
    }
    if (rest.empty()) break;
    if (rest.front() != '/' || rest.size() == 1) return malformed("segments are parted by one /");
    rest.remove_prefix(1);
  }
  for (size_t i = 0; i + 1 < parsed.segments_.size(); ++i) {
    if (parsed.segments_[i].kind == Kind::kRest) return malformed("** must be last");
  }
  return parsed;
}

bool PathTemplate::Match(std::string_view path, Bindings& bindings) const {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  if (!verb_.empty()) {
    if (path.size() <= verb_.size() || !path.ends_with(verb_) || path[path.size() - verb_.size() - 1] != ':') {
      return false;
    }
    path.remove_suffix(verb_.size() + 1);
  }
  const auto pieces = Split(path, '/');
  const bool open = !segments_.empty() && segments_.back().kind == Kind::kRest;
  if (open ? pieces.size() + 1 < segments_.size() : pieces.size() != segments_.size()) return false;
  for (size_t i = 0; i < segments_.size() && segments_[i].kind != Kind::kRest; ++i) {
    if (pieces[i].empty()) return false;
    if (segments_[i].kind == Kind::kLiteral && segments_[i].literal != pieces[i]) return false;
  }
  bindings.clear();
  for (const Variable& variable : variables_) {
    const bool rest = segments_[variable.first + variable.count - 1].kind == Kind::kRest;
    const size_t end = rest ? pieces.size() : variable.first + variable.count;
    std::string value;
    for (size_t i = variable.first; i < end; ++i) {
      const auto decoded = net::PercentDecode(pieces[i]);
      if (!decoded) return false;
      if (i > variable.first) value.push_back('/');
      value += *decoded;
    }
    bindings.emplace_back(variable.field_path, std::move(value));
  }
  return true;
}

std::string PathTemplate::SortKey() const {
  std::string key;
  for (const Segment& segment : segments_) {
    key.push_back(segment.kind == Kind::kLiteral ? '0' : segment.kind == Kind::kOne ? '1' : '2');
  }
  // A template with a verb before the same one without.
  key.push_back(verb_.empty() ? '1' : '0');
  return key;
}

std::vector<std::string> PathTemplate::Variables() const {
  std::vector<std::string> names;
  for (const Variable& variable : variables_) names.push_back(variable.field_path);
  return names;
}

absl::Status RouteTable::Add(const google::protobuf::MethodDescriptor& descriptor) {
  const options::v1::Access access = rpc::AccessOf(descriptor);
  if (access == options::v1::ACCESS_UNSPECIFIED || access == options::v1::ACCESS_INTERNAL) return absl::OkStatus();
  auto method = std::make_unique<Method>(
      Method{&descriptor, access, fmt::format("/{}/{}", descriptor.service()->full_name(), descriptor.name())});
  by_path_[method->grpc_path] = method.get();
  const Method* added = methods_.emplace_back(std::move(method)).get();
  if (!descriptor.options().HasExtension(google::api::http) || descriptor.client_streaming()) return absl::OkStatus();
  const google::api::HttpRule& first = descriptor.options().GetExtension(google::api::http);
  std::vector<const google::api::HttpRule*> annotations = {&first};
  for (const auto& more : first.additional_bindings()) annotations.push_back(&more);
  for (const google::api::HttpRule* annotation : annotations) {
    const auto [http_method, pattern] = MethodAndPattern(*annotation);
    auto path = PathTemplate::Parse(pattern);
    if (!path.ok()) return Annotate(path.status(), descriptor.full_name());
    HttpRule rule{http_method, pattern, std::move(*path), annotation->body(), annotation->response_body(), added};
    RM_RETURN_IF_ERROR(CheckRule(rule, descriptor));
    rules_.push_back(std::move(rule));
  }
  return absl::OkStatus();
}

absl::StatusOr<RouteTable> RouteTable::Make(const std::vector<const google::protobuf::ServiceDescriptor*>& services) {
  RouteTable table;
  for (const auto* service : services) {
    for (int i = 0; i < service->method_count(); ++i) RM_RETURN_IF_ERROR(table.Add(*service->method(i)));
  }
  std::stable_sort(table.rules_.begin(), table.rules_.end(),
                   [](const HttpRule& a, const HttpRule& b) { return a.path.SortKey() < b.path.SortKey(); });
  return table;
}

RouteTable::Found RouteTable::FindRest(std::string_view http_method, std::string_view path) const {
  Found found;
  PathTemplate::Bindings bindings;
  for (const HttpRule& rule : rules_) {
    if (!rule.path.Match(path, bindings)) continue;
    found.allowed.push_back(rule.http_method);
    if (rule.http_method != http_method) continue;
    found.rule = &rule;
    found.bindings = std::move(bindings);
    return found;
  }
  return found;
}

const Method* RouteTable::FindRpc(std::string_view path) const {
  const auto it = by_path_.find(path);
  return it == by_path_.end() ? nullptr : it->second;
}

}  // namespace rivermeet::gateway
