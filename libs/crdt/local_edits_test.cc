// Local edits whose end is known beforehand, so that nothing is made, cut and merged for them: nobody sees that.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "catch2/catch.hpp"
#include "crdt/doc.h"
#include "crdt/testing/document_check.h"
#include "crdt/testing/undo_fixture.h"

namespace rivermeet::crdt {
namespace {

// A document that somebody types in.
struct Desk {
  Desk(bool gc, bool watched, uint64_t client = 7) : doc({.client_id = client, .gc = gc}), text(*doc.GetText("t")) {
    listening = doc.OnUpdate(UpdateFormat::kV1,
                             [this](std::string_view update, std::string_view) { updates.emplace_back(update); });
    if (watched) watching = text.Observe([](const Event&) {});
  }

  Doc doc;
  Text text;
  Subscription listening, watching;
  std::vector<std::string> updates;
};

// Types and deletes at a cursor that seldom jumps, as people do; now and then somebody else does.
class Typist {
 public:
  // Besides there come formats, or what a list holds.
  enum class Besides { kNothing, kFormats, kListed };

  Typist(uint32_t seed, Besides besides) : random_(seed), besides_(besides) {}

  void Step(std::vector<Desk*> desks) {
    const uint64_t length = desks[0]->text.length();
    const uint32_t choice = random_() % 40;
    if (choice == 0) cursor_ = random_() % (length + 1);
    if (choice == 1) mode_ = random_() % 3;
    if (choice == 2) return Interfere(desks);
    if (choice == 3) {
      for (Desk* desk : desks) Ok(desk->text.InsertEmbed(cursor_, Any(1)));
      ++cursor_;
      return;
    }
    if (choice == 5 && besides_ == Besides::kFormats) {
      const uint64_t from = cursor_ - std::min<uint64_t>(cursor_, 1 + random_() % 3);
      const Attributes bold = {{"bold", random_() % 3 == 0 ? Any(Any::Null()) : Any(true)}};
      for (Desk* desk : desks) Ok(desk->text.Format(from, 1, bold));
      return;
    }
    const uint64_t units = 1 + random_() % 8 / 7;
    if (mode_ == 1 && cursor_ >= units) {
      cursor_ -= units;
      for (Desk* desk : desks) Ok(desk->text.Delete(cursor_, units));
    } else if (mode_ == 2 && cursor_ + units <= length) {
      for (Desk* desk : desks) Ok(desk->text.Delete(cursor_, units));
    } else {
      const std::string typed = choice == 4 ? "\u00e9" : std::string(units, static_cast<char>('a' + random_() % 26));
      for (Desk* desk : desks) Ok(desk->text.Insert(cursor_, typed));
      cursor_ += choice == 4 ? 1 : units;
    }
  }

 private:
  void Interfere(const std::vector<Desk*>& desks) {
    Doc other({.client_id = 1 + random_() % 12});
    if (other.client_id() == 7) return;
    Ok(other.Apply(desks[0]->doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
    if (besides_ == Besides::kListed && random_() % 2 == 0) {
      auto list = other.GetArray("t");
      Ok(list->Insert(std::min(cursor_, list->length()), {Any(1)}));
      for (Desk* desk : desks) Ok(desk->doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
      return;
    }
    auto text = other.GetText("t");
    const uint64_t at = random_() % 2 == 0 ? cursor_ : random_() % (text->length() + 1);
    if (at < text->length() && random_() % 2 == 0) {
      Ok(text->Delete(at, 1));
    } else {
      Ok(text->Insert(at, "-"));
    }
    for (Desk* desk : desks) Ok(desk->doc.Apply(other.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
    cursor_ = std::min<uint64_t>(cursor_, desks[0]->text.length());
  }

  std::mt19937 random_;
  Besides besides_;
  uint64_t cursor_ = 0;
  uint32_t mode_ = 0;  // types, deletes backwards, deletes forwards
};

TEST_CASE("typing and deleting on give the same bytes, whether or not somebody watches", "[crdt]") {
  const uint32_t seed = std::random_device()();
  for (uint32_t history = 0; history < 40; ++history) {
    const bool gc = history % 4 != 0;
    INFO("seed " << seed + history << ", gc " << gc);
    Desk before(/*gc=*/true, /*watched=*/true, /*client=*/9);
    Desk alone(gc, /*watched=*/false), watched(gc, /*watched=*/true);
    Typist typist(seed + history, static_cast<Typist::Besides>(history % 3));
    for (int step = 0; step < 100; ++step) typist.Step({&before});
    for (Desk* desk : {&alone, &watched})
      Ok(desk->doc.Apply(before.doc.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1));
    for (int step = 0; step < 400; ++step) {
      typist.Step({&alone, &watched});
      REQUIRE(alone.updates == watched.updates);
      alone.updates.clear();
      watched.updates.clear();
      if (step % 20 > 0) continue;
      REQUIRE(alone.doc.EncodeState(UpdateFormat::kV2) == watched.doc.EncodeState(UpdateFormat::kV2));
      REQUIRE(alone.doc.StructCount() == watched.doc.StructCount());
      REQUIRE(internal::FindFault(internal::DocInside::Of(alone.doc)).empty());
    }
  }
}

TEST_CASE("deleting on takes away the formats behind that say nothing", "[crdt]") {
  const Attributes bold = {{"bold", true}};
  Desk start(/*gc=*/true, /*watched=*/false, 9), first(/*gc=*/true, /*watched=*/false, 1);
  Ok(start.text.Insert(0, "abdxc"));
  Ok(start.text.Delete(2, 1));
  Send(start.doc, first.doc);
  Ok(start.text.Format(0, 2, bold));
  Ok(first.text.Format(2, 1, bold));
  // The formats of both meet behind what was deleted, in a root that isn't a text yet.
  Doc alone({.client_id = 7}), watched({.client_id = 7});
  Subscription watching;
  for (Doc* doc : {&alone, &watched}) {
    Send(start.doc, *doc);
    Send(first.doc, *doc);
    auto text = doc->GetText("t");
    if (doc == &watched) watching = text->Observe([](const Event&) {});
    Ok(text->Format(3, 1, {{"italic", true}}));
    Ok(text->Delete(1, 1));
  }
  CHECK(alone.EncodeState(UpdateFormat::kV1) == watched.EncodeState(UpdateFormat::kV1));
}

TEST_CASE("what an undo manager wants kept stays once that is gone", "[crdt]") {
  Desk alone(/*gc=*/true, /*watched=*/false), watched(/*gc=*/true, /*watched=*/true);
  for (Desk* desk : {&alone, &watched}) {
    Ok(desk->text.Insert(0, "qabc"));
    Ok(desk->text.Insert(1, "d"));
    {
      UndoManager undo(desk->doc, {desk->text});
      Ok(desk->text.Delete(2, 3));
      desk->doc.Transact([&] { Ok(desk->text.Delete(1, 1)); }, "not undone");
      REQUIRE(*undo.Undo());
    }
    Ok(desk->text.Delete(1, 1));
    REQUIRE(desk->text.PlainText() == "qbc");
  }
  CHECK(alone.doc.EncodeState(UpdateFormat::kV1) == watched.doc.EncodeState(UpdateFormat::kV1));
}

TEST_CASE("what was deleted one by one comes back whole", "[crdt]") {
  Fixture fixture;
  Text text = *fixture.root.AsText();
  Ok(text.Insert(0, "abcd"));
  fixture.undo.StopCapturing();
  Ok(text.Delete(3, 1));
  Ok(text.Delete(2, 1));
  Ok(text.Delete(0, 1));
  Ok(text.Delete(0, 1));
  REQUIRE(text.PlainText().empty());
  REQUIRE(fixture.Undo());
  CHECK(text.PlainText() == "abcd");
}

}  // namespace
}  // namespace rivermeet::crdt
