#include "gateway/transcoder.h"

#include "base/json_string.h"
#include "base/status.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"
#include "net/http.h"

namespace rivermeet::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status WrongType(std::string_view path, std::string_view wanted) {
  return absl::InvalidArgumentError(fmt::format("{}: expected {}", path, wanted));
}

// A number's text as `Number`, set or added to `field`.
template <typename Number, typename Set, typename Add>
absl::Status SetNumber(std::string_view path, std::string_view text, std::string_view wanted, bool repeated, Set set,
                       Add add) {
  Number value{};
  if (!ParseNumber(text, value)) return WrongType(path, wanted);
  repeated ? add(value) : set(value);
  return absl::OkStatus();
}

#define GATEWAY_NUMBER(Type, Name, wanted)                                                                          \
  return SetNumber<Type>(                                                                                           \
      path, text, wanted, field->is_repeated(), [&](Type value) { reflection->Set##Name(&message, field, value); }, \
      [&](Type value) { reflection->Add##Name(&message, field, value); })

// Sets one field from a path's or a query's text.
absl::Status SetFromText(Message& message, const FieldDescriptor* field, std::string_view path, std::string_view text) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      GATEWAY_NUMBER(int32_t, Int32, "a whole number");
    case FieldDescriptor::CPPTYPE_INT64:
      GATEWAY_NUMBER(int64_t, Int64, "a whole number");
    case FieldDescriptor::CPPTYPE_UINT32:
      GATEWAY_NUMBER(uint32_t, UInt32, "a whole number from 0");
    case FieldDescriptor::CPPTYPE_UINT64:
      GATEWAY_NUMBER(uint64_t, UInt64, "a whole number from 0");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      GATEWAY_NUMBER(double, Double, "a number");
    case FieldDescriptor::CPPTYPE_FLOAT:
      GATEWAY_NUMBER(float, Float, "a number");
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return WrongType(path, "true or false");
      field->is_repeated() ? reflection->AddBool(&message, field, text == "true")
                           : reflection->SetBool(&message, field, text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = field->enum_type()->FindValueByName(std::string(text));
      if (value == nullptr) return WrongType(path, fmt::format("a name of {}", field->enum_type()->name()));
      field->is_repeated() ? reflection->AddEnum(&message, field, value) : reflection->SetEnum(&message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_STRING && !IsUtf8(text)) return WrongType(path, "UTF-8");
      field->is_repeated() ? reflection->AddString(&message, field, std::string(text))
                           : reflection->SetString(&message, field, std::string(text));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      // A time, a duration and the like have a text form in JSON.
      Message* part =
          field->is_repeated() ? reflection->AddMessage(&message, field) : reflection->MutableMessage(&message, field);
      if (!MessageFromJson(JsonString(text), *part).ok()) return WrongType(path, field->message_type()->name());
      return absl::OkStatus();
    }
  }
  return WrongType(path, "something else");
}
#undef GATEWAY_NUMBER

absl::Status SetByPath(Message& message, std::string_view path, std::string_view text) {
  Message* at = &message;
  const auto names = Split(path, '.');
  for (size_t i = 0; i < names.size(); ++i) {
    const auto* type = at->GetDescriptor();
    const FieldDescriptor* field = type->FindFieldByName(std::string(names[i]));
    if (field == nullptr) field = type->FindFieldByCamelcaseName(std::string(names[i]));
    if (field == nullptr) return absl::InvalidArgumentError(fmt::format("{}: no such parameter", path));
    if (i + 1 == names.size()) return SetFromText(*at, field, path, text);
    if (field->message_type() == nullptr || field->is_repeated()) {
      return absl::InvalidArgumentError(fmt::format("{}: no such parameter", path));
    }
    at = at->GetReflection()->MutableMessage(at, field);
  }
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor& type) {
  const Message* prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type);
  RM_CHECK(prototype != nullptr);
  return std::unique_ptr<Message>(prototype->New());
}

absl::Status MessageFromJson(std::string_view json, Message& message) {
  if (Trim(json).empty()) return absl::OkStatus();
  if (size_t bad = 0; !IsUtf8(json, &bad)) {
    return absl::InvalidArgumentError(fmt::format("The JSON is not UTF-8 at byte {}.", bad));
  }
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message);
  if (!status.ok()) {
    std::string why(status.message().data(), status.message().size());
    return absl::InvalidArgumentError(why.empty() ? "The JSON is malformed." : why.substr(0, 500));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MessageToJson(const Message& message, JsonZeros zeros) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = zeros == JsonZeros::kWritten;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(fmt::format("{} as JSON", message.GetTypeName()));
  return json;
}

absl::StatusOr<std::unique_ptr<Message>> RequestFromRest(const HttpRule& rule, const PathTemplate::Bindings& bindings,
                                                         std::string_view query, std::string_view body) {
  std::unique_ptr<Message> request = NewMessage(*rule.method->descriptor->input_type());
  if (rule.body == "*") {
    RM_RETURN_IF_ERROR(MessageFromJson(body, *request));
  } else if (!rule.body.empty()) {
    const FieldDescriptor* field = request->GetDescriptor()->FindFieldByName(rule.body);
    RM_RETURN_IF_ERROR(MessageFromJson(body, *request->GetReflection()->MutableMessage(request.get(), field)));
  } else if (!body.empty()) {
    return absl::InvalidArgumentError("This request takes no body.");
  }
  const auto parameters = net::ParseQuery(query);
  if (!parameters) return absl::InvalidArgumentError("The query string's percent-encoding is malformed.");
  for (const auto& [name, value] : *parameters) {
    const std::string_view first = std::string_view(name).substr(0, name.find('.'));
    if (rule.body == "*" || first == rule.body) {
      return absl::InvalidArgumentError(fmt::format("{}: belongs in the body", name));
    }
    RM_RETURN_IF_ERROR(SetByPath(*request, name, value));
  }
  // Last, so that nothing can say otherwise than the path.
  for (const auto& [path, value] : bindings) RM_RETURN_IF_ERROR(SetByPath(*request, path, value));
  return request;
}

absl::StatusOr<std::string> ResponseToRest(const HttpRule& rule, const Message& message) {
  if (!rule.response_body.empty()) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(rule.response_body);
    return MessageToJson(message.GetReflection()->GetMessage(message, field), JsonZeros::kWritten);
  }
  return MessageToJson(message, JsonZeros::kWritten);
}

}  // namespace rivermeet::gateway
