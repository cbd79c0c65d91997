// The cells of one second, in pages that readers share and the fold copies when it has to.
//
// A pane holds its cells by series number in pages of kPageCells. Whoever holds a Ref<const Pane> reads it on any
// thread without a lock: the fold never writes to a pane or page that somebody else holds, it clones it first.
#ifndef RIVERMEET_WINDOWS_PANE_H_
#define RIVERMEET_WINDOWS_PANE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "windows/cell.h"

namespace rivermeet::windows {

inline constexpr int64_t kPaneUs = 1'000'000;
inline constexpr uint32_t kPageShift = 5;
inline constexpr uint32_t kPageCells = 1u << kPageShift;

// The start of the second that `time_us` lies in; correct before 1970 too.
inline int64_t PaneStart(int64_t time_us) {
  const int64_t rest = time_us % kPaneUs;
  return time_us - (rest < 0 ? rest + kPaneUs : rest);
}

// Counts the holders of a T, which has AddRef(), Release() and unique().
template <typename T>
class Ref {
 public:
  Ref() = default;
  // Takes over one count.
  explicit Ref(T* object) : object_(object) {}
  Ref(const Ref& other) : object_(other.object_) {
    if (object_ != nullptr) object_->AddRef();
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <typename U>
  Ref(const Ref<U>& other) : object_(other.get()) {  // NOLINT: a const view of the same
    if (object_ != nullptr) object_->AddRef();
  }
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->Release();
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

// kPageCells cells of `measures` measures each.
class Page {
 public:
  static Ref<Page> Make(uint32_t measures);
  // With room for `measures`, at least as many as here.
  Ref<Page> Clone(uint32_t measures) const;

  uint32_t measures() const { return measures_; }
  size_t bytes() const;

  CellHeader& cell(uint32_t slot) { return *reinterpret_cast<CellHeader*>(data() + slot * stride_); }
  const CellHeader& cell(uint32_t slot) const {
    return *reinterpret_cast<const CellHeader*>(const_cast<Page*>(this)->data() + slot * stride_);
  }
  // The measures of a cell, in the stream's order; measures() of them.
  static MeasureCell* MeasuresOf(CellHeader& cell) { return reinterpret_cast<MeasureCell*>(&cell + 1); }
  static const MeasureCell* MeasuresOf(const CellHeader& cell) {
    return reinterpret_cast<const MeasureCell*>(&cell + 1);
  }

  void AddRef() const { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release() const;
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

 private:
  explicit Page(uint32_t measures);
  std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }

  mutable std::atomic<uint32_t> references_{1};
  uint32_t measures_;
  uint32_t stride_;
  [[maybe_unused]] uint32_t unused_ = 0;  // The cells behind it begin at a multiple of 8.
};
static_assert(sizeof(Page) == 16);

// The fold is its only writer.
class Pane {
 public:
  explicit Pane(int64_t start_us) : start_us_(start_us) {}
  ~Pane();
  Pane& operator=(const Pane&) = delete;

  // Shares all pages.
  Ref<Pane> Clone() const { return Ref<Pane>(new Pane(*this)); }

  int64_t start_us() const { return start_us_; }
  // The stream's generation when it last changed.
  uint32_t generation() const { return generation_; }
  // How many events it has taken in; the number of the next one.
  uint32_t events() const { return events_; }
  size_t bytes() const { return bytes_ + slots_.capacity() * sizeof(Slot) + sizeof(Pane); }

  // For readers.
  uint32_t page_count() const { return static_cast<uint32_t>(slots_.size()); }
  // Null where no cell of the page was ever written.
  const Page* page(uint32_t index) const { return slots_[index].page; }
  uint32_t page_generation(uint32_t index) const { return slots_[index].generation; }
  // Null when the series has no event here.
  const CellHeader* Find(uint32_t series) const {
    const uint32_t index = series >> kPageShift;
    if (index >= slots_.size() || slots_[index].page == nullptr) return nullptr;
    const CellHeader& cell = slots_[index].page->cell(series & (kPageCells - 1));
    return cell.events == 0 ? nullptr : &cell;
  }

  // For the fold, on a pane that is its own (Ref::unique()).
  void Prepare(uint32_t series_count, uint32_t measures, uint32_t generation);
  // After Prepare(): the cell to write, in a page of its own with room for the measures.
  CellHeader& Writable(uint32_t series) {
    Slot& slot = slots_[series >> kPageShift];
    if (!slot.owned) Own(slot);
    slot.generation = generation_;
    return slot.page->cell(series & (kPageCells - 1));
  }
  uint32_t NextOrder() { return events_++; }
  // For restoring a snapshot.
  void set_events(uint32_t events) { events_ = events; }

  void AddRef() const { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release() const {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

 private:
  struct Slot {
    Page* page = nullptr;
    uint32_t generation = 0;
    bool owned = false;  // by this pane alone, and wide enough
  };

  Pane(const Pane& other);
  void Own(Slot& slot);

  mutable std::atomic<uint32_t> references_{1};
  uint32_t generation_ = 0;
  int64_t start_us_;
  uint32_t events_ = 0;
  uint32_t measures_ = 0;
  size_t bytes_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace rivermeet::windows

#endif  // RIVERMEET_WINDOWS_PANE_H_
