// Little-endian integers in byte strings: what every file format of ours is made of.
#ifndef RIVERMEET_BASE_BYTES_H_
#define RIVERMEET_BASE_BYTES_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace rivermeet {

static_assert(std::endian::native == std::endian::little, "big-endian machines need a byte swap here");

template <typename T>
T LoadLittleEndian(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void AppendLittleEndian(std::string& to, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace rivermeet

#endif  // RIVERMEET_BASE_BYTES_H_
