#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/internal/commands.h"
#include "cli/text_table.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"
#include "commandline/durations.h"
#include "google/protobuf/util/json_util.h"

namespace rivermeet::cli {
namespace {

using events::v1::Field;
using events::v1::Stream;

std::string TypeText(const Field& field) {
  switch (field.type()) {
    case events::v1::FIELD_TYPE_DIMENSION:
      return "dimension";
    case events::v1::FIELD_TYPE_FLOAT64:
      return "float64";
    case events::v1::FIELD_TYPE_INT64:
      return "int64";
    case events::v1::FIELD_TYPE_ATTRIBUTE:
      return "attribute";
    default:
      return "?";
  }
}

std::string KindText(const Field& field) {
  if (field.type() != events::v1::FIELD_TYPE_FLOAT64 && field.type() != events::v1::FIELD_TYPE_INT64) return "";
  switch (field.kind()) {
    case events::v1::MEASURE_KIND_COUNTER:
      return "counter";
    case events::v1::MEASURE_KIND_DELTA:
      return "delta";
    default:
      return "gauge";
  }
}

std::string JsonOf(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  RM_CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
  return json;
}

absl::Status List(const client::ConnectionFlags& connection, bool json) {
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_ASSIGN_OR_RETURN(const auto answer, client->ListStreams(absl::Now() + kAnswerTimeout));
  if (json) {
    fmt::print("{}", JsonOf(answer));
    return absl::OkStatus();
  }
  TextTable table({"stream", "dimensions", "measures", "partitions", "version", "retention"},
                  {false, true, true, true, true, false});
  for (const Stream& stream : answer.streams()) {
    int dimensions = 0;
    int measures = 0;
    for (const Field& field : stream.fields()) {
      dimensions += field.type() == events::v1::FIELD_TYPE_DIMENSION ? 1 : 0;
      measures += KindText(field).empty() ? 0 : 1;
    }
    table.AddRow({stream.name(), std::to_string(dimensions), std::to_string(measures),
                  std::to_string(stream.partitions()), std::to_string(stream.version()),
                  stream.has_retention() ? commandline::FormatBriefly(FromProto(stream.retention())) : "for ever"});
  }
  fmt::print("{}", table.ToString());
  return absl::OkStatus();
}

void PrintStream(const Stream& stream) {
  fmt::print("{}: version {}, {} partitions, late by at most {}, kept {}\n", ForTerminal(stream.name()),
             stream.version(), stream.partitions(),
             stream.has_allowed_lateness() ? commandline::FormatBriefly(FromProto(stream.allowed_lateness())) : "60 s",
             stream.has_retention() ? commandline::FormatBriefly(FromProto(stream.retention())) : "for ever");
  TextTable table({"field", "type", "kind", "unit"});
  for (const Field& field : stream.fields()) {
    table.AddRow({field.name(), TypeText(field), KindText(field), field.unit()});
  }
  fmt::print("{}", table.ToString());
}

absl::Status Show(const std::string& name, const client::ConnectionFlags& connection, bool json) {
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  RM_ASSIGN_OR_RETURN(const Stream stream, client->GetStream(name, absl::Now() + kAnswerTimeout));
  if (json) {
    fmt::print("{}", JsonOf(stream));
  } else {
    PrintStream(stream);
  }
  return absl::OkStatus();
}

constexpr char kForEver[] = "forever";

struct DeclareFlags {
  std::string name;
  std::string file;
  std::vector<std::string> dimensions, float64s, int64s, attributes;
  std::string retention, lateness;
  uint32_t partitions = 0;
};

// "NAME", "NAME:UNIT" or "NAME:UNIT:KIND".
absl::Status AddField(const std::string& text, events::v1::FieldType type, Stream& stream) {
  const std::vector<std::string_view> parts = Split(text, ':');
  Field& field = *stream.add_fields();
  field.set_name(std::string(parts[0]));
  field.set_type(type);
  if (parts.size() > 1) field.set_unit(std::string(parts[1]));
  if (parts.size() > 2) {
    if (parts[2] == "gauge")
      field.set_kind(events::v1::MEASURE_KIND_GAUGE);
    else if (parts[2] == "counter")
      field.set_kind(events::v1::MEASURE_KIND_COUNTER);
    else if (parts[2] == "delta")
      field.set_kind(events::v1::MEASURE_KIND_DELTA);
    else
      return absl::InvalidArgumentError(fmt::format("\"{}\" is no kind: gauge, counter or delta", parts[2]));
  }
  if (parts.size() > 3 || parts[0].empty()) {
    return absl::InvalidArgumentError(fmt::format("\"{}\" is not NAME, NAME:UNIT or NAME:UNIT:KIND", text));
  }
  return absl::OkStatus();
}

absl::StatusOr<Stream> ReadDeclaration(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& in = file == "-" ? std::cin : opened;
  if (!in) return absl::NotFoundError(fmt::format("can't read {}", file));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  Stream stream;
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, &stream);
  if (!parsed.ok()) return absl::InvalidArgumentError(fmt::format("{}: {}", file, parsed.ToString()));
  return stream;
}

absl::StatusOr<Stream> BuildDeclaration(const DeclareFlags& flags) {
  Stream stream;
  if (!flags.file.empty()) {
    RM_ASSIGN_OR_RETURN(stream, ReadDeclaration(flags.file));
    stream.clear_version();
  }
  if (!stream.name().empty() && stream.name() != flags.name) {
    return absl::InvalidArgumentError(
        fmt::format("{} declares \"{}\", not \"{}\"", flags.file, stream.name(), flags.name));
  }
  stream.set_name(flags.name);
  const auto add = [&](const std::vector<std::string>& fields, events::v1::FieldType type) {
    absl::Status status;
    for (const std::string& field : fields) status.Update(AddField(field, type, stream));
    return status;
  };
  RM_RETURN_IF_ERROR(add(flags.dimensions, events::v1::FIELD_TYPE_DIMENSION));
  RM_RETURN_IF_ERROR(add(flags.float64s, events::v1::FIELD_TYPE_FLOAT64));
  RM_RETURN_IF_ERROR(add(flags.int64s, events::v1::FIELD_TYPE_INT64));
  RM_RETURN_IF_ERROR(add(flags.attributes, events::v1::FIELD_TYPE_ATTRIBUTE));
  if (!flags.retention.empty() && flags.retention != kForEver) {
    RM_ASSIGN_OR_RETURN(const absl::Duration retention, commandline::ParseDuration(flags.retention));
    *stream.mutable_retention() = ToProto(retention);
  }
  if (!flags.lateness.empty()) {
    RM_ASSIGN_OR_RETURN(const absl::Duration lateness, commandline::ParseDuration(flags.lateness));
    *stream.mutable_allowed_lateness() = ToProto(lateness);
  }
  if (flags.partitions > 0) stream.set_partitions(flags.partitions);
  return stream;
}

// A declaration replaces the one before; flags change what they name.
absl::Status KeepWhatIsNotNamed(const DeclareFlags& flags, client::RivermeetClient& client, Stream& wanted) {
  const absl::StatusOr<Stream> present = client.GetStream(flags.name, absl::Now() + kAnswerTimeout);
  if (absl::IsNotFound(present.status())) return absl::OkStatus();
  RM_RETURN_IF_ERROR(present.status());
  if (flags.retention.empty() && present->has_retention()) *wanted.mutable_retention() = present->retention();
  if (flags.lateness.empty() && present->has_allowed_lateness()) {
    *wanted.mutable_allowed_lateness() = present->allowed_lateness();
  }
  return absl::OkStatus();
}

absl::Status Declare(const DeclareFlags& flags, const client::ConnectionFlags& connection, int& exit_code) {
  const absl::StatusOr<Stream> declaration = BuildDeclaration(flags);
  if (!declaration.ok()) return exit_code = commandline::kUsage, declaration.status();
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  Stream wanted = *declaration;
  if (flags.file.empty()) RM_RETURN_IF_ERROR(KeepWhatIsNotNamed(flags, *client, wanted));
  RM_ASSIGN_OR_RETURN(const Stream stream, client->PutStream(wanted, absl::Now() + kAnswerTimeout));
  PrintStream(stream);
  return absl::OkStatus();
}

absl::Status Delete(const std::string& name, bool yes, const client::ConnectionFlags& connection, int& exit_code) {
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(connection));
  if (!yes) {
    if (isatty(STDIN_FILENO) == 0) {
      exit_code = commandline::kUsage;
      return absl::InvalidArgumentError("deleting a stream can't be undone: add --yes");
    }
    fmt::print(stderr, "This deletes \"{}\" and everything stored of it, for ever. Type its name to go on: ",
               ForTerminal(name));
    std::string typed;
    std::getline(std::cin, typed);
    if (typed != name) return absl::CancelledError("nothing was deleted");
  }
  RM_RETURN_IF_ERROR(client->DeleteStream(name, absl::Now() + kAnswerTimeout));
  fmt::print("Deleted {}.\n", ForTerminal(name));
  return absl::OkStatus();
}

void AddDeclare(CLI::App& streams) {
  auto flags = std::make_shared<DeclareFlags>();
  CLI::App& declare = *streams.add_subcommand(
      "declare", "Declare a stream or change its schema; fields are added, never removed or retyped");
  declare.add_option("name", flags->name, "The stream's name")->required()->type_name("STREAM");
  const auto list = [&](const char* name, std::vector<std::string>& to, const char* help, const char* type) {
    declare.add_option(name, to, help)->delimiter(',')->type_name(type)->allow_extra_args(false);
  };
  list("--dimension", flags->dimensions, "Dimensions, with commas", "NAME");
  list("--float64", flags->float64s, "Measures, with commas; KIND is gauge, counter or delta", "NAME[:UNIT[:KIND]]");
  list("--int64", flags->int64s, "The same for whole numbers", "NAME[:UNIT[:KIND]]");
  list("--attribute", flags->attributes, "Attributes, with commas", "NAME");
  declare
      .add_option("--retention", flags->retention,
                  "How long results are kept, or forever; else as it is, at first for ever")
      ->type_name("DURATION");
  declare.add_option("--lateness", flags->lateness, "How late events may be, at most 1h; else as it is, at first 60s")
      ->type_name("DURATION");
  declare.add_option("--partitions", flags->partitions, "Fixed when the stream is made; else the log's")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1024));
  declare
      .add_option("--file", flags->file,
                  "The declaration as JSON, as `show --json` prints it; - reads it from "
                  "standard input")
      ->type_name("FILE");
  const auto connection = client::AddConnectionFlags(declare);
  declare.footer(
      "Example:\n"
      "  rivermeet streams declare line4 --dimension machine,shift --float64 temperature:celsius \\\n"
      "      --int64 pieces::counter --retention 90d");
  SetForegroundAction(declare, [flags, connection](int& exit_code) { return Declare(*flags, *connection, exit_code); });
}

}  // namespace

void AddStreams(CLI::App& app) {
  CLI::App& streams = *app.add_subcommand("streams", "Streams and their schemas: list, show, declare, delete");
  streams.require_subcommand(1);
  auto json = std::make_shared<bool>(false);
  auto name = std::make_shared<std::string>();

  CLI::App& list = *streams.add_subcommand("list", "List the streams");
  list.add_flag("--json", *json, "As JSON");
  auto connection = client::AddConnectionFlags(list);
  SetForegroundAction(list, [connection, json](int&) { return List(*connection, *json); });

  CLI::App& show = *streams.add_subcommand("show", "Show a stream's fields and settings");
  show.add_option("name", *name, "The stream's name")->required()->type_name("STREAM");
  show.add_flag("--json", *json, "As JSON");
  connection = client::AddConnectionFlags(show);
  SetForegroundAction(show, [name, connection, json](int&) { return Show(*name, *connection, *json); });

  AddDeclare(streams);

  auto yes = std::make_shared<bool>(false);
  CLI::App& remove = *streams.add_subcommand("delete", "Delete a stream and everything stored of it");
  remove.add_option("name", *name, "The stream's name")->required()->type_name("STREAM");
  remove.add_flag("--yes", *yes, "Don't ask");
  connection = client::AddConnectionFlags(remove);
  SetForegroundAction(remove,
                      [name, yes, connection](int& exit_code) { return Delete(*name, *yes, *connection, exit_code); });
}

}  // namespace rivermeet::cli
