// The coroutine type of everything that waits for the network, and the way to wait in one for a callback.
#ifndef RIVERMEET_NET_TASK_H_
#define RIVERMEET_NET_TASK_H_

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace rivermeet::net {

// A coroutine that runs on one worker thread of a Server from its start to its end. It must never block.
template <typename T>
using Task = boost::asio::awaitable<T>;

// Calls `start(done)` and suspends the coroutine until `done(value)` is called, from any thread, exactly once; then
// resumes it on its own worker thread. The way to await a gRPC call:
//
//   Status status = co_await Await<Status>([&](auto done) { stub.Call(&context, &request, &reply, done); });
template <typename T, typename Start>
Task<T> Await(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    using Handler = std::decay_t<decltype(handler)>;
    struct State {
      Handler handler;
      boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work;
    };
    auto executor = boost::asio::get_associated_executor(handler);
    auto state = std::make_shared<State>(State{std::move(handler), boost::asio::make_work_guard(executor)});
    start([state](T value) {
      auto executor = state->work.get_executor();
      boost::asio::post(executor, [state, value = std::move(value)]() mutable {
        Handler handler = std::move(state->handler);
        state->work.reset();
        std::move(handler)(std::move(value));
      });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      std::move(initiate), boost::asio::use_awaitable);
}

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_TASK_H_
