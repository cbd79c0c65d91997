#include "windows/pane.h"

#include <cstring>
#include <new>

namespace rivermeet::windows {
namespace {

size_t StrideOf(uint32_t measures) { return sizeof(CellHeader) + measures * sizeof(MeasureCell); }

}  // namespace

Page::Page(uint32_t measures) : measures_(measures), stride_(static_cast<uint32_t>(StrideOf(measures))) {}

size_t Page::bytes() const { return sizeof(Page) + kPageCells * stride_; }

Ref<Page> Page::Make(uint32_t measures) {
  const size_t bytes = sizeof(Page) + kPageCells * StrideOf(measures);
  void* memory = ::operator new(bytes);
  std::memset(memory, 0, bytes);
  return Ref<Page>(new (memory) Page(measures));
}

Ref<Page> Page::Clone(uint32_t measures) const {
  Ref<Page> copy = Make(measures);
  if (measures == measures_) {
    std::memcpy(copy->data(), this + 1, kPageCells * stride_);
    return copy;
  }
  for (uint32_t slot = 0; slot < kPageCells; ++slot) std::memcpy(&copy->cell(slot), &cell(slot), stride_);
  return copy;
}

void Page::Release() const {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~Page();
  ::operator delete(const_cast<Page*>(this));
}

Pane::Pane(const Pane& other)
    : generation_(other.generation_),
      start_us_(other.start_us_),
      events_(other.events_),
      measures_(other.measures_),
      bytes_(other.bytes_),
      slots_(other.slots_) {
  for (Slot& slot : slots_) {
    slot.owned = false;
    if (slot.page != nullptr) slot.page->AddRef();
  }
}

Pane::~Pane() {
  for (Slot& slot : slots_) {
    if (slot.page != nullptr) slot.page->Release();
  }
}

void Pane::Prepare(uint32_t series_count, uint32_t measures, uint32_t generation) {
  generation_ = generation;
  const uint32_t pages = (series_count + kPageCells - 1) >> kPageShift;
  if (pages > slots_.size()) slots_.resize(pages);
  if (measures > measures_) {
    measures_ = measures;
    for (Slot& slot : slots_) slot.owned = false;
  }
}

void Pane::Own(Slot& slot) {
  slot.owned = true;
  if (slot.page == nullptr) {
    Ref<Page> made = Page::Make(measures_);
    made->AddRef();
    slot.page = made.get();
    bytes_ += slot.page->bytes();
    return;
  }
  if (slot.page->unique() && slot.page->measures() == measures_) return;
  Ref<Page> copy = slot.page->Clone(measures_);
  bytes_ += copy->bytes() - slot.page->bytes();
  slot.page->Release();
  copy->AddRef();
  slot.page = copy.get();
}

}  // namespace rivermeet::windows
