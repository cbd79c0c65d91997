#include "windows/state_image.h"

#include <algorithm>

#include "windows/internal/blob.h"

namespace rivermeet::windows {
namespace {

// The columns of MeasureCell, one after the other: alike values side by side compress far better than cells.
template <typename Visit>
void ForEachColumn(Visit visit) {
  visit([](auto& cell) -> auto& { return cell.sum.i64; });
  visit([](auto& cell) -> auto& { return cell.min.i64; });
  visit([](auto& cell) -> auto& { return cell.max.i64; });
  visit([](auto& cell) -> auto& { return cell.first.i64; });
  visit([](auto& cell) -> auto& { return cell.last.i64; });
  visit([](auto& cell) -> auto& { return cell.resets.i64; });
  visit([](auto& cell) -> auto& { return cell.sum_high; });
  visit([](auto& cell) -> auto& { return cell.first_us; });
  visit([](auto& cell) -> auto& { return cell.first_order; });
  visit([](auto& cell) -> auto& { return cell.last_us; });
  visit([](auto& cell) -> auto& { return cell.last_order; });
}

template <typename Field>
using FieldType = std::remove_cvref_t<std::invoke_result_t<Field, MeasureCell&>>;

void EncodeSeries(const SeriesView& series, BlobWriter& out) {
  out.Varint(series.count);
  out.Varint(series.dimensions.size());
  for (const DimensionView& dimension : series.dimensions) {
    out.Text(dimension.name);
    out.Varint(dimension.base);
    out.Varint(dimension.values.size());
    for (size_t v = 0; v < dimension.values.size(); ++v) out.Text(dimension.values[v]);
    for (uint32_t s = dimension.base; s < series.count; ++s) out.Varint(dimension.ValueOf(s));
  }
}

void EncodePane(const Pane& pane, size_t measures, BlobWriter& out) {
  std::vector<uint32_t> series;
  std::vector<const CellHeader*> cells;
  std::vector<uint32_t> widths;
  for (uint32_t p = 0; p < pane.page_count(); ++p) {
    const Page* const page = pane.page(p);
    if (page == nullptr) continue;
    for (uint32_t slot = 0; slot < kPageCells; ++slot) {
      if (page->cell(slot).events == 0) continue;
      series.push_back(p * kPageCells + slot);
      cells.push_back(&page->cell(slot));
      widths.push_back(page->measures());
    }
  }
  out.Fixed(pane.start_us());
  out.Varint(pane.events());
  out.Varint(cells.size());
  out.Column(series);
  for (const CellHeader* cell : cells) out.Varint(cell->events);
  std::vector<const MeasureCell*> filled;
  for (uint32_t m = 0; m < measures; ++m) {
    filled.clear();
    for (size_t c = 0; c < cells.size(); ++c) {
      const MeasureCell* const cell = m < widths[c] ? &Page::MeasuresOf(*cells[c])[m] : nullptr;
      out.Varint(cell == nullptr ? 0 : cell->count);
      if (cell != nullptr && cell->count > 0) filled.push_back(cell);
    }
    ForEachColumn([&](auto field) {
      std::vector<FieldType<decltype(field)>> column;
      column.reserve(filled.size());
      for (const MeasureCell* cell : filled) column.push_back(field(*cell));
      out.Column(column);
    });
  }
}

// Without what stands for nothing at the ends, so that equal states give equal bytes however often panes were stored.
void EncodeCarry(const Carry* carry, BlobWriter& out) {
  std::vector<size_t> sizes;
  for (size_t m = 0; carry != nullptr && m < carry->measures.size(); ++m) {
    const std::vector<CarriedValue>& values = carry->measures[m];
    size_t size = values.size();
    while (size > 0 && values[size - 1].time_us == kNoTime) --size;
    sizes.push_back(size);
  }
  while (!sizes.empty() && sizes.back() == 0) sizes.pop_back();
  out.Varint(sizes.size());
  for (size_t m = 0; m < sizes.size(); ++m) {
    out.Varint(sizes[m]);
    for (size_t s = 0; s < sizes[m]; ++s) {
      const CarriedValue& value = carry->measures[m][s];
      out.Fixed(value.time_us);
      if (value.time_us != kNoTime) out.Fixed(value.value.i64);
    }
  }
}

void EncodeStream(const StreamImage& stream, BlobWriter& out) {
  const StreamView& view = stream.view;
  out.Varint(view.stream_id);
  out.Text(view.tenant);
  out.Text(view.stream);
  out.Fixed(stream.lateness_us);
  out.Fixed(view.watermark_us);
  out.Fixed(view.closed_until_us);
  out.Fixed(view.stored_until_us);
  for (const uint64_t count : {view.ledger.appended, view.ledger.rejected, view.ledger.folded, view.ledger.deduplicated,
                               view.ledger.stale, view.ledger.too_late, view.ledger.over_series_limit}) {
    out.Varint(count);
  }
  EncodeSeries(view.series, out);
  out.Varint(view.measures.size());
  for (const Measure& measure : view.measures) {
    out.Text(measure.name);
    out.Fixed(static_cast<uint8_t>(measure.is_int64));
  }
  EncodeCarry(view.carry.get(), out);
  out.Varint(view.panes.size());
  for (const auto& pane : view.panes) EncodePane(*pane, view.measures.size(), out);
}

}  // namespace

StateImage StateImage::Capture(const PartitionState& state) {
  StateImage image;
  image.through_offset = state.through_offset();
  image.append_time_us = state.append_time_us();
  image.producers = state.producers().Sorted(state.append_time_us());
  for (const auto& [id, stream] : state.streams()) image.streams.push_back({stream->View(), stream->lateness_us()});
  return image;
}

std::string EncodeState(const StateImage& image) {
  BlobWriter out;
  out.Fixed(image.through_offset);
  out.Fixed(image.append_time_us);
  out.Varint(image.producers.size());
  for (const auto& [id, producer] : image.producers) {
    out.Fixed(id);
    out.Fixed(producer.highest);
    out.Fixed(producer.seen_us);
    out.Raw(producer.seen.data(), sizeof producer.seen);
  }
  out.Varint(image.streams.size());
  for (const StreamImage& stream : image.streams) EncodeStream(stream, out);
  return out.Finish();
}

// Builds a state from a blob that passed its checksum; still believes no count or number in it.
class StateReader {
 public:
  explicit StateReader(BlobReader& in) : in_(in) {}

  std::unique_ptr<PartitionState> Read(FoldOptions options) {
    auto state = std::make_unique<PartitionState>(options);
    state->through_offset_ = in_.Fixed<int64_t>();
    state->append_time_us_ = in_.Fixed<int64_t>();
    const uint64_t producers = in_.Count(24 + sizeof(ProducerTable::Producer::seen));
    for (uint64_t i = 0; i < producers; ++i) {
      const uint64_t id = in_.Fixed<uint64_t>();
      ProducerTable::Producer producer;
      producer.highest = in_.Fixed<uint64_t>();
      producer.seen_us = in_.Fixed<int64_t>();
      in_.Raw(producer.seen.data(), sizeof producer.seen);
      state->producers_.Restore(id, producer);
    }
    const uint64_t streams = in_.Count(1);
    for (uint64_t i = 0; i < streams && in_.ok(); ++i) {
      auto stream = ReadStream();
      const uint64_t id = stream->stream_id_;
      state->streams_[id] = std::move(stream);
    }
    return state;
  }

 private:
  std::unique_ptr<StreamState> ReadStream() {
    const uint64_t id = in_.Varint();
    auto stream = std::make_unique<StreamState>(in_.Text(), id);
    stream->name_ = in_.Text();
    stream->lateness_us_ = in_.Fixed<int64_t>();
    stream->watermark_us_ = in_.Fixed<int64_t>();
    stream->closed_until_us_ = in_.Fixed<int64_t>();
    stream->stored_until_us_ = in_.Fixed<int64_t>();
    for (uint64_t* count : {&stream->ledger_.appended, &stream->ledger_.rejected, &stream->ledger_.folded,
                            &stream->ledger_.deduplicated, &stream->ledger_.stale, &stream->ledger_.too_late}) {
      *count = in_.Varint();
    }
    if (in_.version() >= 2) stream->ledger_.over_series_limit = in_.Varint();
    ReadSeries(stream->series_);
    const uint64_t measures = in_.Count(2);
    for (uint64_t m = 0; m < measures; ++m) {
      std::string name = in_.Text();
      stream->measures_.push_back({std::move(name), in_.Fixed<uint8_t>() != 0});
    }
    stream->carry_ = ReadCarry();
    const uint64_t panes = in_.Count(1);
    for (uint64_t p = 0; p < panes && in_.ok(); ++p) ReadPane(*stream);
    return stream;
  }

  void ReadSeries(SeriesTable& table) {
    const uint64_t count = in_.Count(0);
    const uint64_t dimensions = in_.Count(1);
    std::vector<std::vector<uint32_t>> columns;
    std::vector<uint64_t> bases;
    for (uint64_t d = 0; d < dimensions && in_.ok(); ++d) {
      const std::string name = in_.Text();
      const uint64_t base = in_.Varint();
      table.AddDimension(name, static_cast<uint32_t>(base));
      const uint64_t values = in_.Count(1);
      for (uint64_t v = 0; v < values; ++v) table.AddValue(static_cast<uint32_t>(d), in_.Text());
      if (base > count) in_.Fail();
      std::vector<uint32_t>& column = columns.emplace_back();
      for (uint64_t s = base; s < count && in_.ok(); ++s) {
        column.push_back(static_cast<uint32_t>(in_.Varint()));
        if (column.back() > values) in_.Fail();
      }
      bases.push_back(base);
    }
    // One series at most has no dimension: what takes no bytes in the blob must not take time and memory.
    if (count > 1 && (bases.empty() || *std::min_element(bases.begin(), bases.end()) > 1)) in_.Fail();
    std::vector<uint32_t> tuple;
    for (uint64_t s = 0; s < count && in_.ok(); ++s) {
      tuple.clear();
      for (size_t d = 0; d < columns.size(); ++d) {
        if (s >= bases[d]) tuple.push_back(columns[d][s - bases[d]]);
      }
      table.AddSeries(tuple);
    }
  }

  std::shared_ptr<const Carry> ReadCarry() {
    const uint64_t measures = in_.Count(1);
    if (measures == 0) return nullptr;
    auto carry = std::make_shared<Carry>();
    for (uint64_t m = 0; m < measures; ++m) {
      auto& values = carry->measures.emplace_back(in_.Count(8));
      for (CarriedValue& value : values) {
        value.time_us = in_.Fixed<int64_t>();
        if (value.time_us != kNoTime) value.value.i64 = in_.Fixed<int64_t>();
      }
    }
    return carry;
  }

  void ReadPane(StreamState& stream) {
    const int64_t start_us = in_.Fixed<int64_t>();
    Ref<Pane> pane(new Pane(start_us));
    pane->set_events(static_cast<uint32_t>(in_.Varint()));
    const uint64_t count = in_.Count(4);
    std::vector<uint32_t> series;
    in_.Column(series, count);
    const uint32_t known = stream.series_.count();
    if (!in_.ok() || std::any_of(series.begin(), series.end(), [&](uint32_t s) { return s >= known; })) {
      in_.Fail();
      return;
    }
    pane->Prepare(known, static_cast<uint32_t>(stream.measures_.size()), stream.generation_);
    std::vector<CellHeader*> cells;
    for (const uint32_t s : series) {
      cells.push_back(&pane->Writable(s));
      cells.back()->events = static_cast<uint32_t>(in_.Varint());
    }
    std::vector<MeasureCell*> filled;
    for (size_t m = 0; m < stream.measures_.size(); ++m) {
      filled.clear();
      for (CellHeader* cell : cells) {
        MeasureCell& measure = Page::MeasuresOf(*cell)[m];
        measure.count = static_cast<uint32_t>(in_.Varint());
        if (measure.count > 0) filled.push_back(&measure);
      }
      ForEachColumn([&](auto field) {
        std::vector<FieldType<decltype(field)>> column;
        in_.Column(column, filled.size());
        for (size_t c = 0; c < column.size(); ++c) field(*filled[c]) = column[c];
      });
    }
    stream.panes_[start_us] = std::move(pane);
  }

  BlobReader& in_;
};

absl::StatusOr<std::unique_ptr<PartitionState>> DecodeState(std::string_view blob, FoldOptions options) {
  auto reader = BlobReader::Open(blob);
  if (!reader.ok()) return reader.status();
  std::unique_ptr<PartitionState> state = StateReader(**reader).Read(options);
  if (!(*reader)->done()) return absl::DataLossError("the snapshot contradicts itself: written by a faulty program");
  return state;
}

}  // namespace rivermeet::windows
