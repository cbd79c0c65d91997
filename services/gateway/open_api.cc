#include "gateway/open_api.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/json_string.h"
#include "fmt/format.h"
#include "gateway/proto_comments.h"
#include "net/http.h"

namespace rivermeet::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string Ref(const std::string& name) { return fmt::format("{{\"$ref\":\"#/components/schemas/{}\"}}", name); }

// What protobuf's JSON mapping writes for the well-known types that our messages use; "" for others.
std::string WellKnown(const std::string& name) {
  if (name == "google.protobuf.Timestamp") return R"({"type":"string","format":"date-time"})";
  if (name == "google.protobuf.Duration") return R"({"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?s$"})";
  if (name == "google.protobuf.Struct") return R"({"type":"object"})";
  if (name == "google.protobuf.Empty") return R"({"type":"object"})";
  if (name == "google.protobuf.FieldMask") return R"({"type":"string"})";
  return "";
}

// The schema with what is said about it.
std::string Described(std::string schema, const std::string& comment) {
  if (comment.empty()) return schema;
  schema.pop_back();
  return fmt::format("{},\"description\":{}}}", schema, JsonString(comment));
}

// The first sentence, without its stop.
std::string_view Summary(std::string_view comment) {
  const size_t end = comment.find(". ");
  if (end != std::string_view::npos) return comment.substr(0, end);
  return comment.ends_with('.') ? comment.substr(0, comment.size() - 1) : comment;
}

// Collects the schemas that the document refers to.
class Schemas {
 public:
  const ProtoComments& comments() const { return comments_; }

  std::string OfField(const FieldDescriptor& field) {
    if (field.is_map()) {
      return fmt::format("{{\"type\":\"object\",\"additionalProperties\":{}}}",
                         OfOne(*field.message_type()->map_value()));
    }
    if (field.is_repeated()) return fmt::format("{{\"type\":\"array\",\"items\":{}}}", OfOne(field));
    return OfOne(field);
  }

  std::string OfMessage(const Descriptor& type) {
    if (std::string known = WellKnown(type.full_name()); !known.empty()) return known;
    if (!written_.contains(type.full_name())) {
      written_[type.full_name()];  // Before its fields: a message may hold itself.
      std::string properties;
      for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& field = *type.field(i);
        properties += fmt::format("{}{}:{}", i == 0 ? "" : ",", JsonString(field.json_name()),
                                  Described(OfField(field), comments_.OfField(field.full_name())));
      }
      written_[type.full_name()] = Described(
          fmt::format("{{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{{{}}}}}", properties),
          comments_.OfMessage(type.full_name()));
    }
    return Ref(type.full_name());
  }

  std::string ToJson() const {
    std::string json;
    for (const auto& [name, schema] : written_) {
      json += fmt::format("{}{}:{}", json.empty() ? "" : ",", JsonString(name), schema);
    }
    return json;
  }
  void Add(const std::string& name, std::string schema) { written_[name] = std::move(schema); }

 private:
  std::string OfOne(const FieldDescriptor& field) {
    switch (field.type()) {
      case FieldDescriptor::TYPE_BOOL:
        return R"({"type":"boolean"})";
      case FieldDescriptor::TYPE_DOUBLE:
      case FieldDescriptor::TYPE_FLOAT:
        return R"({"oneOf":[{"type":"number"},{"type":"string","enum":["NaN","Infinity","-Infinity"]}]})";
      case FieldDescriptor::TYPE_STRING:
        return R"({"type":"string"})";
      case FieldDescriptor::TYPE_BYTES:
        return R"({"type":"string","contentEncoding":"base64"})";
      case FieldDescriptor::TYPE_MESSAGE:
      case FieldDescriptor::TYPE_GROUP:
        return OfMessage(*field.message_type());
      case FieldDescriptor::TYPE_ENUM: {
        std::string values;
        for (int i = 0; i < field.enum_type()->value_count(); ++i) {
          values += fmt::format("{}{}", i == 0 ? "" : ",", JsonString(field.enum_type()->value(i)->name()));
        }
        return fmt::format("{{\"type\":\"string\",\"enum\":[{}]}}", values);
      }
      case FieldDescriptor::TYPE_INT32:
      case FieldDescriptor::TYPE_SINT32:
      case FieldDescriptor::TYPE_SFIXED32:
        return R"({"type":"integer","format":"int32"})";
      case FieldDescriptor::TYPE_UINT32:
      case FieldDescriptor::TYPE_FIXED32:
        return R"({"type":"integer","format":"int32","minimum":0})";
      default:
        return R"({"type":"string","format":"int64","pattern":"^-?[0-9]+$"})";
    }
  }

  const ProtoComments comments_;
  std::map<std::string, std::string> written_;
};

// "stream.name" as "name": paths that differ in their variables' names alone are one to OpenAPI.
std::string_view VariableName(std::string_view field_path) { return field_path.substr(field_path.rfind('.') + 1); }

// The template as OpenAPI writes it: variables by name only.
std::string PathOf(std::string_view text) {
  std::string path;
  while (!text.empty()) {
    const size_t begin = std::min(text.find('{'), text.size());
    path += text.substr(0, begin);
    text.remove_prefix(begin);
    if (text.empty()) break;
    const size_t end = text.find('}');
    path += fmt::format("{{{}}}", VariableName(text.substr(1, std::min(text.find('='), end) - 1)));
    text.remove_prefix(end + 1);
  }
  return path;
}

const FieldDescriptor* FieldAt(const Descriptor& type, std::string_view path) {
  const Descriptor* at = &type;
  const FieldDescriptor* field = nullptr;
  for (const std::string_view name : Split(path, '.')) {
    field = at->FindFieldByName(std::string(name));
    at = field->message_type();
  }
  return field;
}

std::string Parameters(const HttpRule& rule, Schemas& schemas) {
  std::string json;
  const auto add = [&](std::string_view name, std::string_view in, const FieldDescriptor& field) {
    json += json.empty() ? "" : ",";
    json += Described(fmt::format("{{\"name\":{},\"in\":\"{}\",\"required\":{},\"schema\":{}}}", JsonString(name), in,
                                  in == "path", schemas.OfField(field)),
                      schemas.comments().OfField(field.full_name()));
  };
  const Descriptor& input = *rule.method->descriptor->input_type();
  const std::vector<std::string> variables = rule.path.Variables();
  for (const std::string& variable : variables) add(VariableName(variable), "path", *FieldAt(input, variable));
  if (rule.body == "*") return json;
  for (int i = 0; i < input.field_count(); ++i) {
    const FieldDescriptor& field = *input.field(i);
    const bool taken = field.name() == rule.body || std::any_of(variables.begin(), variables.end(), [&](const auto& v) {
                         return std::string_view(v).substr(0, v.find('.')) == field.name();
                       });
    const bool composite = field.message_type() != nullptr && WellKnown(field.message_type()->full_name()).empty();
    if (!taken && !composite) add(field.json_name(), "query", field);
  }
  return json;
}

std::string Operation(const HttpRule& rule, Schemas& schemas) {
  const auto& descriptor = *rule.method->descriptor;
  const std::string comment = schemas.comments().OfMethod(descriptor.full_name());
  std::string operation = fmt::format("{{\"operationId\":{},\"tags\":[{}]",
                                      JsonString(descriptor.service()->name() + "_" + descriptor.name()),
                                      JsonString(descriptor.service()->name()));
  if (!comment.empty()) {
    operation += fmt::format(",\"summary\":{},\"description\":{}", JsonString(Summary(comment)), JsonString(comment));
  }
  if (const std::string parameters = Parameters(rule, schemas); !parameters.empty()) {
    operation += fmt::format(",\"parameters\":[{}]", parameters);
  }
  if (!rule.body.empty()) {
    const std::string body = rule.body == "*" ? schemas.OfMessage(*descriptor.input_type())
                                              : schemas.OfField(*FieldAt(*descriptor.input_type(), rule.body));
    operation += fmt::format(",\"requestBody\":{{\"content\":{{\"application/json\":{{\"schema\":{}}}}}}}", body);
  }
  const std::string schema = rule.response_body.empty()
                                 ? schemas.OfMessage(*descriptor.output_type())
                                 : schemas.OfField(*FieldAt(*descriptor.output_type(), rule.response_body));
  const std::string content =
      descriptor.server_streaming()
          ? fmt::format("\"application/x-ndjson\":{{\"schema\":{0}}},\"text/event-stream\":{{\"schema\":{0}}}", schema)
          : fmt::format("\"application/json\":{{\"schema\":{}}}", schema);
  operation += fmt::format(
      ",\"responses\":{{\"200\":{{\"description\":\"OK\",\"content\":{{{}}}}},"
      "\"default\":{{\"$ref\":\"#/components/responses/Problem\"}}}}",
      content);
  if (rule.method->access == options::v1::ACCESS_ANYONE) operation += ",\"security\":[]";
  return operation + "}";
}

// The bulk path is no RPC's annotation: its body is not JSON of a message.
constexpr char kBulk[] =
    R"("/v1/streams/{stream}/events":{"post":{"operationId":"IngestService_IngestRaw","tags":["IngestService"],)"
    R"("summary":"Ingests a body of events: JSON, NDJSON or CSV",)"
    R"("parameters":[{"name":"stream","in":"path","required":true,"schema":{"type":"string"}},)"
    R"({"name":"producerId","in":"query","schema":{"type":"string","format":"int64"}},)"
    R"({"name":"sequence","in":"query","schema":{"type":"string","format":"int64"}}],)"
    R"("requestBody":{"required":true,"content":{"application/json":{},"application/x-ndjson":{},"text/csv":{}}},)"
    R"("responses":{"200":{"description":"What became of each event.","content":{"application/json":)"
    R"({"schema":{"$ref":"#/components/schemas/BulkAnswer"}}}},)"
    R"("default":{"$ref":"#/components/responses/Problem"}}}})";
constexpr char kBulkAnswer[] =
    R"({"type":"object","required":["receipt"],"properties":{"receipt":{"type":"object",)"
    R"("required":["accepted","rejected","errors","visibilityToken"],"properties":{)"
    R"("accepted":{"type":"integer"},"rejected":{"type":"integer"},"visibilityToken":{"type":"string"},)"
    R"("errors":{"type":"array","items":{"type":"object","required":["index","field","reason"],"properties":{)"
    R"("index":{"type":"integer"},"field":{"type":"string"},"reason":{"type":"string"},)"
    R"("code":{"type":"string"},"byteOffset":{"type":"integer"}}}}}}}})";
constexpr char kProblem[] =
    R"({"type":"object","required":["type","title","status","code"],"properties":{"type":{"type":"string"},)"
    R"("title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},)"
    R"("code":{"type":"string"},"requestId":{"type":"string"}}})";

}  // namespace

std::string OpenApiDocument(const RouteTable& routes) {
  Schemas schemas;
  schemas.Add("BulkAnswer", kBulkAnswer);
  schemas.Add("Problem", kProblem);
  std::map<std::string, std::string> operations;
  for (const HttpRule& rule : routes.rules()) {
    std::string& path = operations[PathOf(rule.text)];
    path += fmt::format("{}{}:{}", path.empty() ? "" : ",", JsonString(ToLower(rule.http_method)),
                        Operation(rule, schemas));
  }
  std::string paths = kBulk;
  for (const auto& [path, methods] : operations) paths += fmt::format(",{}:{{{}}}", JsonString(path), methods);
  return fmt::format(
      "{{\"openapi\":\"3.1.0\",\"info\":{{\"title\":\"Rivermeet\",\"version\":\"1\"}},"
      "\"security\":[{{\"bearer\":[]}}],\"paths\":{{{}}},\"components\":{{"
      "\"securitySchemes\":{{\"bearer\":{{\"type\":\"http\",\"scheme\":\"bearer\"}}}},"
      "\"responses\":{{\"Problem\":{{\"description\":\"What went wrong (RFC 9457).\",\"content\":{{"
      "\"application/problem+json\":{{\"schema\":{{\"$ref\":\"#/components/schemas/Problem\"}}}}}}}}}},"
      "\"schemas\":{{{}}}}}}}\n",
      paths, schemas.ToJson());
}

}  // namespace rivermeet::gateway
