// Ctrl-C as a question instead of a handler.
#ifndef RIVERMEET_CLI_INTERNAL_INTERRUPTS_H_
#define RIVERMEET_CLI_INTERNAL_INTERRUPTS_H_

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <ctime>

namespace rivermeet::cli {

// Blocks SIGINT and SIGTERM in this thread and those it starts later; make it before any of them.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  // Whether one of them has come. Thread-safe; true for ever after.
  bool Happened() {
    const timespec none{};
    if (sigtimedwait(&signals_, nullptr, &none) > 0) happened_.store(true);
    return happened_.load();
  }

 private:
  sigset_t signals_;
  std::atomic<bool> happened_ = false;
};

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_INTERNAL_INTERRUPTS_H_
