#include "crdt/internal/wire/update_merge.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crdt/internal/wire/content_slice.h"
#include "crdt/internal/wire/held_struct.h"
#include "crdt/internal/wire/merge_order.h"
#include "crdt/internal/wire/struct_stream.h"
#include "crdt/internal/wire/struct_writer.h"
#include "crdt/internal/wire/update_reader.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {

namespace {

// One update, read up to a struct. Skips are passed over.
template <class Fields>
class Source {
 public:
  // `update` and `limits` outlive this.
  Source(std::string_view update, const Limits& limits) : input_(update), stream_(update, limits) { Next(); }

  std::string_view input() const { return input_; }
  bool has_current() const { return has_current_; }  // not at the end, nor after an error
  const WireStruct& current() const { return current_; }
  MergeHead head(uint32_t number) const {
    return {current_.id.client, current_.id.clock, number, current_.content.kind == ContentKind::kGc};
  }
  void Next() {
    do {
      has_current_ = stream_.Next(current_);
    } while (has_current_ && current_.content.kind == ContentKind::kSkip);
  }
  // For what follows the structs.
  UpdateReader<Fields>& reader() { return stream_.reader(); }

 private:
  std::string_view input_;
  StructStream<Fields> stream_;
  WireStruct current_;
  bool has_current_ = false;
};

template <class Fields, class Writer>
class Merger {
 public:
  Merger(absl::Span<const std::string_view> updates, const Limits& limits) : updates_(updates), limits_(limits) {}

  absl::StatusOr<std::string> Run() {
    RM_RETURN_IF_ERROR(ReadAll());
    MergeOrder order(std::move(heads_));
    std::vector<std::unique_ptr<Source<Fields>>> sources(updates_.size());  // those begun, but not at their end
    while (!order.empty()) {
      const uint32_t number = order.front().source;
      std::unique_ptr<Source<Fields>>& source = sources[number];
      if (source == nullptr) source = std::make_unique<Source<Fields>>(updates_[number], limits_);
      source_ = source.get();
      Take();
      if (source_->has_current()) {
        order.ReplaceFront(source_->head(number));
      } else {
        order.RemoveFront();
        source.reset();
      }
    }
    if (holds_) Flush();
    deletes_.SortAndMerge();
    return structs_.Finish(deletes_);
  }

 private:
  // Checks all updates, and gathers from them what needs no order.
  absl::Status ReadAll() {
    for (size_t i = 0; i < updates_.size(); ++i) {
      Source<Fields> source(updates_[i], limits_);
      if (source.has_current()) heads_.push_back(source.head(static_cast<uint32_t>(i)));
      while (source.has_current()) source.Next();
      source.reader().ReadDeleteSet(deletes_);
      source.reader().Finish();
      if (!source.reader().ok()) return Annotate(source.reader().status(), fmt::format("update {}", i));
    }
    return absl::OkStatus();
  }

  // --- writing; a struct is held back until it is clear that the next one doesn't change it
  void Flush() { structs_.Write(*held_, 0); }
  void HoldCurrent() {
    held_ = HeldStruct(source_->current(), source_->input());
    holds_ = true;
    source_->Next();
  }

  // Takes from the source in front what no other can come before.
  void Take() {
    const WireStruct& current = source_->current();
    const uint64_t client = current.id.client;
    if (!holds_) {
      HoldCurrent();
    } else {
      bool stepped = false;
      while (source_->has_current() && current.end_clock() <= held_->end_clock() &&
             current.id.client >= held_->id.client) {
        source_->Next();
        stepped = true;
      }
      // Perhaps another source has what comes next.
      if (!source_->has_current() || current.id.client != client ||
          (stepped && current.id.clock > held_->end_clock())) {
        return;
      }
      if (client != held_->id.client) {
        Flush();
        HoldCurrent();
      } else if (held_->end_clock() < current.id.clock) {
        Flush();
        // Never held itself, so that nothing has to overlap it.
        structs_.WriteSkip({client, held_->end_clock()}, current.id.clock);
        HoldCurrent();
      } else {
        TakeOverlapping();
      }
    }
    while (source_->has_current() && current.id.client == client && current.id.clock == held_->end_clock()) {
      Flush();
      HoldCurrent();
    }
  }

  void TakeOverlapping() {
    const WireStruct& current = source_->current();
    const uint64_t known = held_->end_clock() - current.id.clock;
    WireStruct& held = *held_;
    WireStruct rest = current;
    std::string scratch;
    if (known > 0) Slice(rest, known, scratch);
    if (held.content.kind == ContentKind::kGc && rest.content.kind == ContentKind::kGc) {
      held.content.length += rest.content.length;
      return;
    }
    Flush();
    held_ = HeldStruct(rest, source_->input());
    source_->Next();
  }

  static void Slice(WireStruct& item, uint64_t known, std::string& scratch) {
    item.id.clock += known;
    if (item.is_item()) {
      item.has_origin = true;
      item.origin = {item.id.client, item.id.clock - 1};
      item.content = SliceFrom(item.content, known, scratch);
    } else {
      item.content.length -= known;
    }
  }

  const absl::Span<const std::string_view> updates_;
  const Limits& limits_;
  std::vector<MergeHead> heads_;
  WireDeleteSet deletes_;

  Source<Fields>* source_ = nullptr;  // the one in front
  HeldStruct held_;
  bool holds_ = false;
  StructWriter<Writer> structs_;
};

}  // namespace

template <class Fields, class Writer>
absl::StatusOr<std::string> Merge(absl::Span<const std::string_view> updates, const Limits& limits) {
  return Merger<Fields, Writer>(updates, limits).Run();
}

template absl::StatusOr<std::string> Merge<FieldsV1, WriterV1>(absl::Span<const std::string_view>, const Limits&);
template absl::StatusOr<std::string> Merge<FieldsV2, WriterV2>(absl::Span<const std::string_view>, const Limits&);

}  // namespace rivermeet::crdt::internal
