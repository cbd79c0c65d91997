#include "base/config.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/status.h"
#include "base/strings.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/type_resolver.h"
#include "google/protobuf/util/type_resolver_util.h"

extern char** environ;

namespace rivermeet {
namespace {

constexpr std::string_view kPrefix = "RIVERMEET_";

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status SetScalar(const FieldDescriptor& field, std::string_view path, std::string_view value, Message& message) {
  const auto& reflection = *message.GetReflection();
  const auto wrong = [&](std::string_view wanted) {
    return absl::InvalidArgumentError(fmt::format("setting {}: \"{}\" is not {}", path, value, wanted));
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      reflection.SetString(&message, &field, std::string(value));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL: {
      if (value != "true" && value != "false") return wrong("true or false");
      reflection.SetBool(&message, &field, value == "true");
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t parsed;
      if (!ParseNumber(value, parsed)) return wrong("a whole number");
      reflection.SetInt32(&message, &field, parsed);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      uint32_t parsed;
      if (!ParseNumber(value, parsed)) return wrong("a whole number from 0");
      reflection.SetUInt32(&message, &field, parsed);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      int64_t parsed;
      if (!ParseNumber(value, parsed)) return wrong("a whole number");
      reflection.SetInt64(&message, &field, parsed);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      uint64_t parsed;
      if (!ParseNumber(value, parsed)) return wrong("a whole number from 0");
      reflection.SetUInt64(&message, &field, parsed);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double parsed;
      if (!ParseNumber(value, parsed)) return wrong("a number");
      reflection.SetDouble(&message, &field, parsed);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* member = field.enum_type()->FindValueByName(std::string(value));
      if (member == nullptr) return wrong(fmt::format("a value of {}", field.enum_type()->name()));
      reflection.SetEnum(&message, &field, member);
      return absl::OkStatus();
    }
    default:
      // Durations and other messages are written as in JSON.
      return Annotate(MergeJson(fmt::format(R"({{"{}":"{}"}})", field.name(), value), message),
                      fmt::format("setting {}", path));
  }
}

}  // namespace

absl::Status MergeJson(std::string_view json, Message& config) {
  // By way of the wire format, because JsonStringToMessage() would first clear what is there.
  static const std::unique_ptr<google::protobuf::util::TypeResolver> resolver(
      google::protobuf::util::NewTypeResolverForDescriptorPool("type.googleapis.com",
                                                               google::protobuf::DescriptorPool::generated_pool()));
  std::string wire;
  const auto status = google::protobuf::util::JsonToBinaryString(
      resolver.get(), "type.googleapis.com/" + config.GetDescriptor()->full_name(), std::string(json), &wire);
  if (status.ok() && config.MergeFromString(wire)) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(status.message()));
}

absl::Status SetField(std::string_view path, std::string_view value, Message& config) {
  Message* message = &config;
  const std::vector<std::string_view> elements = Split(path, '.');
  for (size_t i = 0; i < elements.size(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(std::string(elements[i]));
    if (field == nullptr || field->is_repeated()) {
      return absl::InvalidArgumentError(fmt::format("no setting named {}", path));
    }
    if (i + 1 == elements.size()) return SetScalar(*field, path, value, *message);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return absl::InvalidArgumentError(fmt::format("no setting named {}", path));
    }
    message = message->GetReflection()->MutableMessage(message, field);
  }
  return absl::OkStatus();
}

absl::Status MergeEnvironment(const std::vector<std::string>& environment, const std::vector<std::string>& reserved,
                              Message& config) {
  for (const std::string& entry : environment) {
    std::string_view name = entry;
    if (!name.starts_with(kPrefix)) continue;
    name.remove_prefix(kPrefix.size());
    const size_t equals = name.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view value = name.substr(equals + 1);
    name = name.substr(0, equals);
    const std::string full = fmt::format("{}{}", kPrefix, name);
    if (std::find(reserved.begin(), reserved.end(), full) != reserved.end()) continue;
    std::string path = ToLower(name);
    for (size_t at; (at = path.find("__")) != std::string::npos;) path.replace(at, 2, ".");
    RM_RETURN_IF_ERROR(Annotate(SetField(path, value, config), full));
  }
  return absl::OkStatus();
}

std::vector<std::string> Environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return absl::NotFoundError(fmt::format("no secret file {}", path));
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(fmt::format("secret file {0} is readable by others: run chmod 600 {0}", path));
  }
  std::ifstream in(path, std::ios::binary);
  std::string secret((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

}  // namespace rivermeet
