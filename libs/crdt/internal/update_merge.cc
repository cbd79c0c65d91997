#include "crdt/internal/update_merge.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "crdt/internal/content_slice.h"
#include "crdt/internal/struct_writer.h"
#include "crdt/internal/update_reader.h"

namespace rivermeet::crdt::internal {

namespace {

Limits NoLimits() {
  Limits limits;
  limits.max_update_bytes = limits.max_structs = limits.max_clients = ~uint64_t{0};
  limits.max_depth = std::numeric_limits<int>::max();
  return limits;
}

// A struct that is kept while its reader reads on.
class HeldStruct {
 public:
  // Views of `input` stay what they are; others are copied.
  void Hold(const WireStruct& item, std::string_view input) {
    item_ = item;
    KeepView(item_.root, root_, input);
    KeepView(item_.parent_sub, sub_, input);
    KeepView(item_.content.data, data_, input);
    KeepView(item_.content.name, name_, input);
  }
  WireStruct& operator*() { return item_; }
  WireStruct* operator->() { return &item_; }

 private:
  static void KeepView(std::string_view& view, std::string& copy, std::string_view input) {
    if (view.data() >= input.data() && view.data() < input.data() + input.size()) return;
    copy.assign(view);
    view = copy;
  }

  WireStruct item_;
  std::string root_, sub_, data_, name_;
};

template <class Columns, class Writer>
class Merger {
 public:
  explicit Merger(absl::Span<const std::string_view> updates) : updates_(updates), reader_({}, limits_) {
    sources_.reserve(updates.size());
    for (const std::string_view update : updates) {
      UpdateReader<Columns> reader(update, limits_);
      const uint64_t blocks = reader.ReadCount();
      const uint32_t source = static_cast<uint32_t>(sources_.size());
      sources_.push_back({reader.place(), blocks});
      order_.push_back(source);
      Open(source);
      Close();
    }
  }

  std::string Run() {
    while (!heap_.empty()) {
      Open(Pop());
      Take();
      Close();
    }
    if (holds_) Flush();
    WireDeleteSet deletes;
    for (const Source& source : sources_) {
      reader_.Resume(source.place);
      reader_.ReadDeleteSet(deletes);
    }
    deletes.SortAndMerge();
    return structs_.Finish(deletes);
  }

 private:
  // One of the updates, read up to a struct.
  struct Source {
    Columns place;         // of that struct; at the end of the delete set
    uint64_t blocks = 0;   // after this one
    uint64_t structs = 0;  // of this one, from that struct on
    uint64_t client = 0;
    uint64_t clock = 0;
    bool is_collected = false;
  };

  // --- the sources in yjs's order: higher clients first, then lower clocks; of equals the one that was in front last.
  bool IsAfter(uint32_t a, uint32_t b) const {
    const Source& x = sources_[a];
    const Source& y = sources_[b];
    if (x.client != y.client) return x.client < y.client;
    if (x.clock != y.clock) return x.clock > y.clock;
    // There yjs's comparison says that each comes first; of two, the sort then takes the one behind.
    if (x.is_collected != y.is_collected) return order_[a] < order_[b];
    return order_[a] > order_[b];
  }
  void Push(uint32_t source) {
    heap_.push_back(source);
    std::push_heap(heap_.begin(), heap_.end(), [this](uint32_t a, uint32_t b) { return IsAfter(a, b); });
  }
  uint32_t Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), [this](uint32_t a, uint32_t b) { return IsAfter(a, b); });
    const uint32_t source = heap_.back();
    heap_.pop_back();
    order_[source] = --front_;
    return source;
  }

  // --- reading the source in front
  void Open(uint32_t source) {
    active_ = source;
    reader_.Resume(sources_[source].place);
    ReadCurrent();
  }
  void Close() {
    sources_[active_].place = has_current_ ? before_current_ : reader_.place();
    if (has_current_) Push(active_);
  }
  void ReadCurrent() {
    Source& source = sources_[active_];
    for (;;) {
      while (source.structs == 0) {
        has_current_ = source.blocks > 0;
        if (!has_current_) return;
        --source.blocks;
        const auto block = reader_.ReadBlock();
        source.structs = block.structs;
        source.client = block.client;
        source.clock = block.clock;
      }
      before_current_ = reader_.place();
      reader_.ReadStruct(source.client, source.clock, current_);
      has_current_ = true;
      source.is_collected = current_.content.kind == ContentKind::kGc;
      if (current_.content.kind != ContentKind::kSkip) return;
      Step();
    }
  }
  void Step() {
    Source& source = sources_[active_];
    source.clock = current_.end_clock();
    --source.structs;
  }
  void Next() {
    Step();
    ReadCurrent();
  }

  // --- writing; a struct is held back until it is clear that the next one doesn't change it
  void Flush() { structs_.Write(*held_, 0); }
  void HoldCurrent() {
    held_.Hold(current_, updates_[active_]);
    holds_ = true;
    Next();
  }

  // Takes from the source in front what no other can come before.
  void Take() {
    const uint64_t client = current_.id.client;
    if (!holds_) {
      HoldCurrent();
    } else {
      bool stepped = false;
      while (has_current_ && current_.end_clock() <= held_->end_clock() && current_.id.client >= held_->id.client) {
        Next();
        stepped = true;
      }
      // Perhaps another source has what comes next.
      if (!has_current_ || current_.id.client != client || (stepped && current_.id.clock > held_->end_clock())) return;
      if (client != held_->id.client) {
        Flush();
        HoldCurrent();
      } else if (held_->end_clock() < current_.id.clock) {
        BridgeGap();
      } else {
        TakeOverlapping();
      }
    }
    while (has_current_ && current_.id.client == client && current_.id.clock == held_->end_clock()) {
      Flush();
      HoldCurrent();
    }
  }

  // Between what is held and the current struct something is missing: a skip stands for it.
  void BridgeGap() {
    if (held_->content.kind == ContentKind::kSkip) {
      held_->content.length = current_.end_clock() - held_->id.clock;
      return;
    }
    const WireId end{held_->id.client, held_->end_clock()};
    Flush();
    WireStruct skip;
    skip.id = end;
    skip.content.kind = ContentKind::kSkip;
    skip.content.length = current_.id.clock - end.clock;
    held_.Hold(skip, {});
  }

  void TakeOverlapping() {
    const uint64_t known = held_->end_clock() - current_.id.clock;
    WireStruct& held = *held_;
    WireStruct rest = current_;
    std::string scratch;
    if (known > 0) {
      if (held.content.kind == ContentKind::kSkip) {
        held.content.length -= known;  // the other one says more
      } else {
        Slice(rest, known, scratch);
      }
    }
    if (held.content.kind == ContentKind::kGc && rest.content.kind == ContentKind::kGc) {
      held.content.length += rest.content.length;
      return;
    }
    Flush();
    held_.Hold(rest, updates_[active_]);
    Next();
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

  absl::Span<const std::string_view> updates_;
  const Limits limits_ = NoLimits();
  UpdateReader<Columns> reader_;
  std::vector<Source> sources_;
  std::vector<uint32_t> heap_;
  std::vector<int64_t> order_;
  int64_t front_ = 0;

  uint32_t active_ = 0;
  WireStruct current_;
  Columns before_current_{{}};
  bool has_current_ = false;

  HeldStruct held_;
  bool holds_ = false;
  StructWriter<Writer> structs_;
};

}  // namespace

template <class Columns, class Writer>
std::string Merge(absl::Span<const std::string_view> updates) {
  return Merger<Columns, Writer>(updates).Run();
}

template std::string Merge<ColumnsV1, WriterV1>(absl::Span<const std::string_view>);
template std::string Merge<ColumnsV2, WriterV2>(absl::Span<const std::string_view>);

}  // namespace rivermeet::crdt::internal
