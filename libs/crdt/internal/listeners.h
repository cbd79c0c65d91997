// Callbacks that come and go, also while they are called.
#ifndef RIVERMEET_CRDT_INTERNAL_LISTENERS_H_
#define RIVERMEET_CRDT_INTERNAL_LISTENERS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "crdt/events.h"

namespace rivermeet::crdt::internal {

// What a Subscription keeps of a callback.
struct Listener {
  bool cancelled = false;
};

// Who calls listeners. Their subscriptions may outlive it.
class Announcer : public std::enable_shared_from_this<Announcer> {
 public:
  // It isn't called any more.
  virtual void Forget(const Listener& listener) = 0;

 protected:
  ~Announcer() = default;

  Subscription Subscribe(std::shared_ptr<Listener> listener) { return {weak_from_this(), std::move(listener)}; }
};

// Those of one event. They are called in the order in which they came; one that is added on the way, too. They don't
// throw.
template <class... Arguments>
class Listeners {
 public:
  using Callback = std::function<void(Arguments...)>;

  Subscription Add(Callback callback) {
    if (list_ == nullptr) list_ = std::make_shared<List>();
    return list_->Add(std::move(callback));
  }
  bool empty() const { return list_ == nullptr || list_->empty(); }
  void Tell(Arguments... arguments) const {
    if (list_ != nullptr) list_->Tell(arguments...);
  }

 private:
  struct Told : Listener {
    Callback callback;
  };

  class List final : public Announcer {
   public:
    Subscription Add(Callback callback) {
      auto told = std::make_shared<Told>();
      told->callback = std::move(callback);
      told_.push_back(told);
      return Subscribe(std::move(told));
    }
    bool empty() const { return told_.empty(); }
    void Tell(Arguments... arguments) {
      ++telling_;
      for (size_t i = 0; i < told_.size(); ++i) {
        const Told& told = *told_[i];
        if (!told.cancelled) told.callback(arguments...);
      }
      if (--telling_ == 0 && has_cancelled_) EraseCancelled();
    }
    void Forget(const Listener&) override {
      has_cancelled_ = true;
      if (telling_ == 0) EraseCancelled();
    }

   private:
    void EraseCancelled() {
      std::erase_if(told_, [](const auto& told) { return told->cancelled; });
      has_cancelled_ = false;
    }

    std::vector<std::shared_ptr<Told>> told_;
    int telling_ = 0;  // calls that are under way
    bool has_cancelled_ = false;
  };

  std::shared_ptr<List> list_;  // null while nobody ever listened
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_INTERNAL_LISTENERS_H_
