// How many connections each client has, by its address.
#ifndef RIVERMEET_NET_INTERNAL_ADDRESS_QUOTA_H_
#define RIVERMEET_NET_INTERNAL_ADDRESS_QUOTA_H_

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"

namespace rivermeet::net::internal {

// What one client can be told by: an IPv4 address, or the first 64 bits of an IPv6 address, of which a client has
// all the rest (RFC 6177). An IPv4 address in IPv6's clothes (::ffff:a.b.c.d) is the IPv4 address.
uint64_t ClientKey(const boost::asio::ip::address& address);

// Thread-safe. Its memory is bounded by the number of connections.
class AddressQuota {
 public:
  // A connection's place; given back when it is destroyed, before the quota is.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)), key_(other.key_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (quota_ != nullptr) quota_->GiveBack(key_);
    }

   private:
    friend class AddressQuota;
    Place(AddressQuota& quota, uint64_t key) : quota_(&quota), key_(key) {}

    AddressQuota* quota_ = nullptr;
    uint64_t key_ = 0;
  };

  // The place, and how many its client has with it.
  std::pair<Place, size_t> Take(const boost::asio::ip::address& address);

 private:
  void GiveBack(uint64_t key);

  Mutex mutex_;
  std::unordered_map<uint64_t, size_t> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rivermeet::net::internal

#endif  // RIVERMEET_NET_INTERNAL_ADDRESS_QUOTA_H_
