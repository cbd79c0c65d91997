#include "net/internal/worker.h"

#include <pthread.h>

#include <ctime>

namespace rivermeet::net::internal {
namespace {
constexpr std::chrono::milliseconds kTick(250);
}

Worker::Worker(std::shared_ptr<Core> core, int index)
    : core_(std::move(core)),
      index_(index),
      work_(boost::asio::make_work_guard(context_)),
      timer_(context_),
      scratch_(new char[kScratchBytes]) {}

Worker::~Worker() { Join(); }

void Worker::Run() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "net");
    context_.run();
  });
}

void Worker::Join() {
  work_.reset();
  boost::asio::post(context_, [this] { timer_.cancel(); });
  if (thread_.joinable()) thread_.join();
}

void Worker::Add(Member& member) {
  members_.push_back(member);
  if (draining_) member.OnDrain();
  if (ticking_) return;
  ticking_ = true;
  Tick();
}

void Worker::Remove(Member& member) {
  members_.erase(members_.iterator_to(member));
  if (!members_.empty()) return;
  MutexLock lock(core_->mutex);
  core_->quiet.NotifyAll();
}

template <typename Call>
void Worker::ForEach(Call call) {
  for (auto it = members_.begin(); it != members_.end();) call(*it++);
}

void Worker::Tick() {
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || members_.empty()) {
      ticking_ = false;
      return;
    }
    const absl::Duration now = this->now();
    ForEach([now](Member& member) { member.OnTick(now); });
    Tick();
  });
}

void Worker::Drain() {
  draining_ = true;
  ForEach([](Member& member) { member.OnDrain(); });
}

void Worker::Force() {
  ForEach([](Member& member) { member.OnForce(); });
}

const std::string& Worker::Date() {
  const std::time_t now = absl::ToTimeT(core_->options.clock->Now());
  if (now != date_second_) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[64];
    // The C locale's names are English, as RFC 9110 section 5.6.7 wants them; the process never sets another.
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_ = text;
    date_second_ = now;
  }
  return date_;
}

}  // namespace rivermeet::net::internal
