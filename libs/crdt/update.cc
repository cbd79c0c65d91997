#include "crdt/update.h"

#include <optional>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "crdt/internal/wire/obfuscator.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/internal/wire/struct_writer.h"
#include "crdt/internal/wire/update_merge.h"
#include "crdt/internal/wire/update_reader.h"
#include "crdt/internal/wire/update_writer.h"

namespace rivermeet::crdt {

using internal::ContentKind;
using internal::FieldsV1;
using internal::FieldsV2;
using internal::StructStream;
using internal::StructWriter;
using internal::UpdateReader;
using internal::WireDeleteSet;
using internal::WireStruct;
using internal::WriterV1;
using internal::WriterV2;

namespace {

// Reads to the end what the structs leave, and writes it.
template <class Fields, class Writer>
absl::StatusOr<std::string> Finish(UpdateReader<Fields>& reader, StructWriter<Writer>& structs) {
  WireDeleteSet deletes;
  reader.ReadDeleteSet(deletes);
  reader.Finish();
  RM_RETURN_IF_ERROR(reader.status());
  // V2 can't say what V1 can.
  if constexpr (std::is_same_v<Writer, WriterV2>) deletes.KeepApart();
  return structs.Finish(deletes);
}

// Reads to the end what the structs leave.
template <class Fields>
absl::Status CheckRest(UpdateReader<Fields>& reader) {
  reader.ReadDeletes([](uint64_t, uint64_t, uint64_t) {});
  reader.Finish();
  return reader.status();
}

template <class Fields, class Writer>
absl::StatusOr<std::string> Convert(std::string_view update, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  StructWriter<Writer> structs;
  for (WireStruct item; stream.Next(item);) structs.Write(item, 0);
  return Finish(stream.reader(), structs);
}

template <class Fields, class Writer>
absl::StatusOr<std::string> Obfuscate(std::string_view update, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  StructWriter<Writer> structs;
  internal::Obfuscator obfuscator;
  for (WireStruct item; stream.Next(item);) {
    obfuscator.Replace(item);
    structs.Write(item, 0);
  }
  return Finish(stream.reader(), structs);
}

template <class Fields, class Writer>
absl::StatusOr<std::string> Diff(std::string_view update, const std::vector<ClientState>& since, const Limits& limits) {
  absl::flat_hash_map<uint64_t, uint64_t> state;
  for (const ClientState& entry : since) state[entry.client] = entry.clock;
  StructStream<Fields> stream(update, limits);
  StructWriter<Writer> structs;
  std::optional<uint64_t> open;  // the client of which everything is written from here on
  uint64_t known = 0;
  std::optional<uint64_t> client;
  for (WireStruct item; stream.Next(item);) {
    if (client != item.id.client) {
      client = item.id.client;
      open.reset();
      const auto entry = state.find(item.id.client);
      known = entry == state.end() ? 0 : entry->second;
    }
    if (open.has_value()) {
      structs.Write(item, 0);
    } else if (item.content.kind != ContentKind::kSkip && item.end_clock() > known) {
      structs.Write(item, known > item.id.clock ? known - item.id.clock : 0);
      open = client;
    }
  }
  return Finish(stream.reader(), structs);
}

template <class Fields>
absl::StatusOr<std::string> StateVectorOf(std::string_view update, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  std::vector<ClientState> entries;  // in the order of the update, which yjs keeps here
  std::optional<uint64_t> client;
  bool gap = false;
  for (WireStruct item; stream.Next(item);) {
    if (client != item.id.client) {
      client = item.id.client;
      gap = item.id.clock != 0;
      // yjs counts the first struct of all whatever it is, also a Skip.
      entries.push_back({item.id.client, entries.empty() && !gap ? item.end_clock() : 0});
    }
    gap |= item.content.kind == ContentKind::kSkip;
    if (!gap) entries.back().clock = item.end_clock();
  }
  RM_RETURN_IF_ERROR(CheckRest(stream.reader()));
  std::erase_if(entries, [](const ClientState& entry) { return entry.clock == 0; });
  return internal::WriteStateVectorAsIs(entries);
}

template <class Fields>
absl::StatusOr<std::vector<ClientClocks>> ClientsOf(std::string_view update, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  std::vector<ClientClocks> clients;
  for (WireStruct item; stream.Next(item);) {
    if (clients.empty() || clients.back().client != item.id.client) clients.push_back({item.id.client, item.id.clock});
    clients.back().to = item.end_clock();
  }
  RM_RETURN_IF_ERROR(CheckRest(stream.reader()));
  return clients;
}

template <class Fields>
absl::Status Check(std::string_view update, const Limits& limits) {
  StructStream<Fields> stream(update, limits);
  for (WireStruct item; stream.Next(item);) continue;
  return CheckRest(stream.reader());
}

}  // namespace

absl::StatusOr<std::string> MergeUpdates(absl::Span<const std::string_view> updates, UpdateFormat format,
                                         const Limits& limits) {
  if (updates.size() == 1) return std::string(updates[0]);
  return format == UpdateFormat::kV1 ? internal::Merge<FieldsV1, WriterV1>(updates, limits)
                                     : internal::Merge<FieldsV2, WriterV2>(updates, limits);
}

absl::StatusOr<std::string> DiffUpdate(std::string_view update, std::string_view state_vector, UpdateFormat format,
                                       const Limits& limits) {
  const absl::StatusOr<std::vector<ClientState>> since = internal::ReadStateVector(state_vector, limits);
  if (!since.ok()) return Annotate(since.status(), "state vector");
  return format == UpdateFormat::kV1 ? Diff<FieldsV1, WriterV1>(update, *since, limits)
                                     : Diff<FieldsV2, WriterV2>(update, *since, limits);
}

absl::StatusOr<std::string> ConvertUpdate(std::string_view update, UpdateFormat from, UpdateFormat to,
                                          const Limits& limits) {
  if (from == UpdateFormat::kV1) {
    return to == UpdateFormat::kV1 ? Convert<FieldsV1, WriterV1>(update, limits)
                                   : Convert<FieldsV1, WriterV2>(update, limits);
  }
  return to == UpdateFormat::kV1 ? Convert<FieldsV2, WriterV1>(update, limits)
                                 : Convert<FieldsV2, WriterV2>(update, limits);
}

absl::StatusOr<std::string> ObfuscateUpdate(std::string_view update, UpdateFormat format, const Limits& limits) {
  return format == UpdateFormat::kV1 ? Obfuscate<FieldsV1, WriterV1>(update, limits)
                                     : Obfuscate<FieldsV2, WriterV2>(update, limits);
}

absl::StatusOr<std::string> EncodeStateVectorFromUpdate(std::string_view update, UpdateFormat format,
                                                        const Limits& limits) {
  return format == UpdateFormat::kV1 ? StateVectorOf<FieldsV1>(update, limits)
                                     : StateVectorOf<FieldsV2>(update, limits);
}

absl::StatusOr<std::vector<ClientClocks>> ClientsOfUpdate(std::string_view update, UpdateFormat format,
                                                          const Limits& limits) {
  return format == UpdateFormat::kV1 ? ClientsOf<FieldsV1>(update, limits) : ClientsOf<FieldsV2>(update, limits);
}

absl::Status CheckUpdate(std::string_view update, UpdateFormat format, const Limits& limits) {
  return format == UpdateFormat::kV1 ? Check<FieldsV1>(update, limits) : Check<FieldsV2>(update, limits);
}

}  // namespace rivermeet::crdt
