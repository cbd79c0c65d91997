// The server's side of a WebSocket (RFC 6455), made for very many sockets that mostly listen.
//
// An idle socket owns no buffer: frames are read through one buffer of its thread and written from buffers that all
// sockets share. What a slow client has not taken yet is bounded, and is state, not history: see SendState().
#ifndef RIVERMEET_NET_WEBSOCKET_H_
#define RIVERMEET_NET_WEBSOCKET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace rivermeet::net {

// One whole frame as it goes over the wire, encoded once for all the sockets it is sent to.
using Frame = std::shared_ptr<const std::string>;
Frame BinaryFrame(std::string_view payload);
Frame TextFrame(std::string_view payload);  // `payload` is UTF-8.

enum CloseCode : uint16_t {
  kNormalClosure = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kMessageTooBig = 1009,
  kInternalError = 1011,
  kTryAgainLater = 1013,
};

class WebSocket;

// What an application does with a socket. All calls come on the socket's worker thread, one at a time; none may block.
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;

  // The handshake is done: the socket can be sent to.
  virtual void OnOpen(const std::shared_ptr<WebSocket>& socket) = 0;

  // A whole message; `payload` is borrowed. Text has been checked to be UTF-8.
  virtual void OnMessage(std::string_view payload, bool text) = 0;

  // Frames of `key` were dropped because the client is slow, and it can take one again now. Returns the newest whole
  // state as a frame, or nullptr when there is none (the key is then forgotten).
  virtual Frame OnStateWanted(uint64_t key) = 0;

  // The last call: let go of the socket. `code` is the peer's close code, ours where we closed, or 1006 where the
  // connection just ended.
  virtual void OnClosed(uint16_t code) = 0;
};

// How requests become sockets, and what these may cost. One object serves all sockets of a kind.
struct WebSocketRules {
  // The Origin fields that are let in, for example "https://example.org"; a request with another one is answered
  // with 403. A request without Origin is no browser's and is let in. The server's own origin is always allowed.
  std::vector<std::string> allowed_origins;
  // The first of the client's subprotocols that is in here is taken; a client that offers only others is refused.
  std::vector<std::string> subprotocols;
  size_t max_message_bytes = 64 * 1024;  // Larger messages close the socket with 1009.
  size_t max_unsent_bytes = 256 * 1024;  // What Send() may leave waiting before the socket is closed with 1013.
  size_t max_unsent_states = 4;          // Frames a key may leave waiting before it is replaced by its newest state.
  absl::Duration ping_interval = absl::Seconds(30);
  absl::Duration idle_timeout = absl::Seconds(75);  // Nothing heard, not even a pong: the socket is dropped.
  absl::Duration slow_timeout = absl::Seconds(15);  // Nothing taken for so long: closed with 1013.
};

// An open socket. Thread-safe: from any thread but its own worker the calls are posted there, in order. Calls on a
// closed socket do nothing.
class WebSocket : public std::enable_shared_from_this<WebSocket> {
 public:
  virtual ~WebSocket() = default;

  // Sends a frame that must arrive. More than max_unsent_bytes waiting closes the socket with 1013.
  virtual void Send(Frame frame) = 0;

  // Sends a frame of the state `key`: `whole` frames replace every earlier frame of the key, others build on them.
  // While the client is slow, a whole frame takes the place of the unsent ones; when more than max_unsent_states
  // wait, they are all dropped and OnStateWanted() is asked as soon as the client takes frames again.
  virtual void SendState(uint64_t key, Frame frame, bool whole) = 0;

  // Drops what waits for `key`.
  virtual void Forget(uint64_t key) = 0;

  // Starts the closing handshake; `reason` at most 123 bytes of UTF-8.
  virtual void Close(uint16_t code, std::string_view reason) = 0;

  // The worker thread it lives on: 0 to threads - 1.
  virtual int worker() const = 0;
  virtual const std::string& subprotocol() const = 0;
};

}  // namespace rivermeet::net

#endif  // RIVERMEET_NET_WEBSOCKET_H_
