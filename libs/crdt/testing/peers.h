// What the tests of several who edit one document need: each has a copy and sends the others what he changes.
#ifndef RIVERMEET_CRDT_TESTING_PEERS_H_
#define RIVERMEET_CRDT_TESTING_PEERS_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/testing/events.h"
#include "crdt/testing/in_order.h"
#include "crdt/update.h"

namespace rivermeet::crdt {

// Clients 0, 1, ..., each with the roots `text`, `array`, `map` and `xml`, an element. Updates come in the order in
// which they were sent by one, and otherwise in any; to peers of odd numbers in V2.
class Peers {
 public:
  explicit Peers(size_t count) : peers_(count) {
    for (size_t number = 0; number < count; ++number) {
      Peer& peer = peers_[number];
      peer.doc = Doc({.client_id = number});
      Show(peer.doc);  // makes the roots
      peer.listening = peer.doc.OnUpdate(UpdateFormat::kV1, [this, number](std::string_view update, std::string_view) {
        Send(number, std::string(update));
      });
    }
  }

  Doc& doc(size_t peer) { return peers_[peer].doc; }
  Text text(size_t peer) { return *doc(peer).GetText("text"); }
  List array(size_t peer) { return *doc(peer).GetArray("array"); }
  Map map(size_t peer) { return *doc(peer).GetMap("map"); }
  SharedType xml(size_t peer) { return *doc(peer).GetRoot("xml", SharedKind::kXmlElement); }

  // He sends and gets nothing, and loses what is under way to him.
  void Disconnect(size_t peer) {
    peers_[peer].away = true;
    peers_[peer].inbox.clear();
  }
  // He and all others who are connected give each other what they lack.
  void Connect(size_t number) {
    Peer& peer = peers_[number];
    peer.away = false;
    for (Peer& other : peers_) {
      if (&other == &peer || other.away) continue;
      Receive(other, *peer.doc.EncodeStateSince(UpdateFormat::kV1, other.doc.EncodeStateVector()), UpdateFormat::kV1);
      Receive(peer, *other.doc.EncodeStateSince(UpdateFormat::kV2, peer.doc.EncodeStateVector()), UpdateFormat::kV2);
    }
  }

  void Deliver() {
    for (;;) {
      std::vector<std::pair<size_t, size_t>> ways;
      for (size_t to = 0; to < peers_.size(); ++to) {
        for (const auto& [from, sent] : peers_[to].inbox) {
          if (!sent.empty()) ways.emplace_back(to, from);
        }
      }
      if (ways.empty()) return;
      const auto [to, from] = ways[random_() % ways.size()];
      std::deque<std::string>& sent = peers_[to].inbox[from];
      const std::string update = std::exchange(sent.front(), {});
      sent.pop_front();
      const UpdateFormat format = to % 2 == 0 ? UpdateFormat::kV1 : UpdateFormat::kV2;
      Receive(peers_[to], *ConvertUpdate(update, UpdateFormat::kV1, format), format);
    }
  }

  // Connects all, delivers all, and checks that all have the same then, also who has only what one of them heard of,
  // merged.
  void CheckAgree() {
    for (size_t number = 0; number < peers_.size(); ++number) {
      if (peers_[number].away) Connect(number);
    }
    Deliver();
    const std::string shown = Show(peers_[0].doc);
    const std::string state = peers_[0].doc.EncodeState(UpdateFormat::kV1);
    for (Peer& peer : peers_) {
      CHECK(Show(peer.doc) == shown);
      CHECK(peer.doc.EncodeState(UpdateFormat::kV1) == state);
      CHECK(peer.doc.TakeSnapshot() == peers_[0].doc.TakeSnapshot());
      Doc merged;
      const std::vector<std::string_view> heard(peer.heard.begin(), peer.heard.end());
      Ok(merged.Apply(*MergeUpdates(heard, UpdateFormat::kV1), UpdateFormat::kV1));
      CHECK(Show(merged) == shown);
      CHECK(merged.EncodeState(UpdateFormat::kV1) == state);
    }
  }

 private:
  struct Peer {
    Doc doc;
    Subscription listening{};
    bool away = false;
    bool receiving = false;
    std::vector<std::string> heard;                     // all that changed his document, of others and his own
    std::map<size_t, std::deque<std::string>> inbox{};  // by who sent it
  };

  static std::string Show(Doc& doc) {
    CHECK_FALSE(doc.HasPending());
    const absl::StatusOr<SharedType> xml = doc.GetRoot("xml", SharedKind::kXmlElement);
    const Any map = InOrder(*Any::FromJson(*doc.GetMap("map")->ToJson()));
    return Told(doc.GetText("text")->ToDelta()) + *doc.GetArray("array")->ToJson() + *map.ToJson() + *xml->ToXml();
  }

  void Send(size_t from, std::string update) {
    Peer& peer = peers_[from];
    peer.heard.push_back(update);
    // What somebody else sent needn't be sent again; what a document tidies up because of it is his own.
    if (std::exchange(peer.receiving, false) || peer.away) return;
    for (size_t to = 0; to < peers_.size(); ++to) {
      if (to != from && !peers_[to].away) peers_[to].inbox[from].push_back(update);
    }
  }

  static void Receive(Peer& peer, std::string_view update, UpdateFormat format) {
    peer.receiving = true;
    Ok(peer.doc.Apply(update, format));
    peer.receiving = false;
  }

  std::deque<Peer> peers_;
  std::minstd_rand random_{1};
};

}  // namespace rivermeet::crdt

#endif  // RIVERMEET_CRDT_TESTING_PEERS_H_
