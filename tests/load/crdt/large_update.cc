#include "large_update.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/internal/wire/update_reader.h"
#include "crdt/internal/wire/update_writer.h"
#include "crdt/update.h"
#include "trace_files.h"

namespace rivermeet::load {
namespace {

namespace wire = crdt::internal;

// As yjs draws them, client ids take five bytes.
constexpr uint64_t kFirstClient = uint64_t{1} << 31;

// Of one document: its clients, and its update's blocks and deletions with their clients numbered.
class Original {
 public:
  static absl::StatusOr<Original> Read(const std::string& path) {
    RM_ASSIGN_OR_RETURN(const std::string v2, ReadWholeFile(path));
    Original original;
    RM_ASSIGN_OR_RETURN(original.update_, crdt::ConvertUpdate(v2, crdt::UpdateFormat::kV2, crdt::UpdateFormat::kV1));
    original.NumberClients();
    wire::WriterV1 copy;
    original.WriteBlocks(kFirstClient, copy);
    original.WriteDeletes(kFirstClient, copy);
    original.copy_size_ = copy.rest().size();
    return original;
  }

  size_t clients() const { return clients_.size(); }
  size_t blocks() const { return blocks_; }
  size_t deleting_clients() const { return deletes_.clients.size(); }
  uint64_t structs() const { return structs_; }
  uint64_t text_bytes() const { return text_bytes_; }
  uint64_t copy_size() const { return copy_size_; }

  // Writes the blocks of a copy whose clients are numbered from `first` on.
  void WriteBlocks(uint64_t first, wire::WriterV1& writer) const {
    const crdt::Limits limits;
    wire::UpdateReader<wire::FieldsV1> reader(update_, limits);
    wire::WireStruct item;
    for (uint64_t blocks = reader.ReadCount(); blocks > 0; --blocks) {
      const auto block = reader.ReadBlock();
      wire::WriteVarUint(writer.rest(), block.structs);
      writer.WriteClient(first + NumberOf(block.client));
      wire::WriteVarUint(writer.rest(), block.clock);
      uint64_t clock = block.clock;
      for (uint64_t s = 0; s < block.structs; ++s) {
        reader.ReadStruct(block.client, clock, item);
        clock = item.end_clock();
        for (crdt::UnitId* id : {&item.id, &item.origin, &item.right_origin, &item.parent}) {
          id->client = first + NumberOf(id->client);
        }
        wire::WriteStruct(writer, item, 0);
      }
    }
  }
  void WriteDeletes(uint64_t first, wire::WriterV1& writer) const {
    for (const auto& [client, ranges] : deletes_.clients) wire::WriteDeleted(writer, first + NumberOf(client), ranges);
  }

 private:
  uint64_t NumberOf(uint64_t client) const {
    return static_cast<uint64_t>(std::lower_bound(clients_.begin(), clients_.end(), client) - clients_.begin());
  }

  void NumberClients() {
    const crdt::Limits limits;
    wire::UpdateReader<wire::FieldsV1> reader(update_, limits);
    wire::WireStruct item;
    blocks_ = reader.ReadCount();
    for (size_t b = 0; b < blocks_; ++b) {
      const auto block = reader.ReadBlock();
      clients_.push_back(block.client);
      structs_ += block.structs;
      uint64_t clock = block.clock;
      for (uint64_t s = 0; s < block.structs; ++s) {
        reader.ReadStruct(block.client, clock, item);
        clock = item.end_clock();
        text_bytes_ += item.content.data.size();
      }
    }
    reader.ReadDeleteSet(deletes_);
    for (const auto& [client, ranges] : deletes_.clients) clients_.push_back(client);
    std::sort(clients_.begin(), clients_.end());
    clients_.erase(std::unique(clients_.begin(), clients_.end()), clients_.end());
  }

  std::string update_;
  std::vector<uint64_t> clients_;  // in ascending order
  wire::WireDeleteSet deletes_;
  size_t blocks_ = 0;
  uint64_t structs_ = 0;
  uint64_t text_bytes_ = 0;
  uint64_t copy_size_ = 0;
};

}  // namespace

absl::StatusOr<LargeUpdate> MakeLargeUpdate(const std::string& data, uint64_t bytes) {
  std::vector<Original> originals;
  for (const char* name : {"S1", "S3", "A1"}) {
    RM_ASSIGN_OR_RETURN(Original original, Original::Read(data + "/yjs/" + name + ".yjs"));
    originals.push_back(std::move(original));
  }
  std::vector<std::pair<const Original*, uint64_t>> copies;  // each with its first client
  LargeUpdate large;
  uint64_t blocks = 0, deleting_clients = 0, client = kFirstClient, size = 0;
  for (size_t i = 0; size < bytes; ++i) {
    const Original& original = originals[i % originals.size()];
    copies.emplace_back(&original, client);
    client += original.clients();
    blocks += original.blocks();
    deleting_clients += original.deleting_clients();
    large.structs += original.structs();
    large.text_bytes += original.text_bytes();
    size += original.copy_size();
  }
  std::reverse(copies.begin(), copies.end());  // clients descend, as yjs writes them
  wire::WriterV1 writer;
  writer.rest().reserve(size + 32);
  wire::WriteVarUint(writer.rest(), blocks);
  for (const auto& [original, first] : copies) original->WriteBlocks(first, writer);
  wire::WriteVarUint(writer.rest(), deleting_clients);
  for (const auto& [original, first] : copies) original->WriteDeletes(first, writer);
  large.bytes = writer.Take();
  return large;
}

}  // namespace rivermeet::load
