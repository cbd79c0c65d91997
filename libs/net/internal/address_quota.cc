#include "net/internal/address_quota.h"

namespace rivermeet::net::internal {

uint64_t ClientKey(const boost::asio::ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  const boost::asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_uint();
  uint64_t prefix = 0;
  const auto bytes = v6.to_bytes();
  for (size_t i = 0; i < 8; ++i) prefix = prefix << 8 | bytes[i];
  return prefix;
}

std::pair<AddressQuota::Place, size_t> AddressQuota::Take(const boost::asio::ip::address& address) {
  const uint64_t key = ClientKey(address);
  MutexLock lock(mutex_);
  return {Place(*this, key), ++places_[key]};
}

void AddressQuota::GiveBack(uint64_t key) {
  MutexLock lock(mutex_);
  const auto found = places_.find(key);
  if (--found->second == 0) places_.erase(found);
}

}  // namespace rivermeet::net::internal
