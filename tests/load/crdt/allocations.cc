#include "allocations.h"

#include <malloc.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rivermeet::load {
namespace {

bool counting = false;
int64_t live = 0;
int64_t peak = 0;

void Add(void* block) {
  if (!counting || block == nullptr) return;
  live += static_cast<int64_t>(malloc_usable_size(block));
  if (live > peak) peak = live;
}

void Take(void* block) {
  if (counting && block != nullptr) live -= static_cast<int64_t>(malloc_usable_size(block));
}

// Old and new exist side by side while they are copied.
void Moved(int64_t old_size, void* block) {
  if (!counting) return;
  Add(block);
  live -= old_size;
}

int64_t SizeOf(void* block) {
  return counting && block != nullptr ? static_cast<int64_t>(malloc_usable_size(block)) : 0;
}

}  // namespace

void StartCounting() {
  live = peak = 0;
  counting = true;
}
int64_t LiveBytes() { return live; }
int64_t PeakBytes() { return peak; }

int64_t StatusBytes(std::string_view name) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  int64_t bytes = 0;
  for (char line[256]; std::fgets(line, sizeof(line), file) != nullptr;) {
    if (std::strncmp(line, name.data(), name.size()) != 0 || line[name.size()] != ':') continue;
    bytes = std::strtoll(line + name.size() + 1, nullptr, 10) * 1024;
    break;
  }
  std::fclose(file);
  return bytes;
}

void ResetResidentPeak() {
  std::FILE* file = std::fopen("/proc/self/clear_refs", "w");
  if (file == nullptr) return;
  std::fputs("5", file);
  std::fclose(file);
}

}  // namespace rivermeet::load

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

using rivermeet::load::Add;
using rivermeet::load::Moved;
using rivermeet::load::SizeOf;
using rivermeet::load::Take;

// What glibc calls its own, so that a program may define the family anew.
extern "C" {
void* __libc_malloc(size_t size);
void __libc_free(void* block);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  void* block = __libc_malloc(size);
  Add(block);
  return block;
}

void free(void* block) {
  Take(block);
  __libc_free(block);
}

void* calloc(size_t count, size_t size) {
  void* block = __libc_calloc(count, size);
  Add(block);
  return block;
}

void* realloc(void* block, size_t size) {
  const int64_t old_size = SizeOf(block);
  void* moved = __libc_realloc(block, size);
  if (moved != nullptr || size == 0) Moved(old_size, moved);
  return moved;
}

void* memalign(size_t alignment, size_t size) {
  void* block = __libc_memalign(alignment, size);
  Add(block);
  return block;
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}
}

#endif
