// The cases of yjs's own tests of updates (tests/updates.tests.js, tests/encoding.tests.js): what is merged, taken
// apart and asked without a document must be what a document makes of it.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "catch2/catch.hpp"
#include "crdt/testing/peers.h"
#include "crdt/update.h"

namespace rivermeet::crdt {
namespace {

using Updates = std::vector<std::string>;

constexpr UpdateFormat kFormats[] = {UpdateFormat::kV1, UpdateFormat::kV2};

// How updates are merged and what somebody lacks is found: without a document, or with one.
class Merger {
 public:
  explicit Merger(UpdateFormat format, bool with_document = false) : format_(format), with_document_(with_document) {}

  UpdateFormat format() const { return format_; }
  std::string Merge(const Updates& updates) const {
    if (with_document_) return DocumentOf(updates).EncodeState(format_);
    const std::vector<std::string_view> views(updates.begin(), updates.end());
    return *MergeUpdates(views, format_);
  }
  std::string Diff(const std::string& update, std::string_view state_vector) const {
    if (with_document_) return *DocumentOf({update}).EncodeStateSince(format_, state_vector);
    return *DiffUpdate(update, state_vector, format_);
  }
  std::string StateVector(const std::string& update) const { return *EncodeStateVectorFromUpdate(update, format_); }
  std::vector<ClientClocks> Clients(const std::string& update) const { return *ClientsOfUpdate(update, format_); }

  Doc DocumentOf(const Updates& updates) const {
    Doc doc({.gc = false});
    for (const std::string& update : updates) Ok(doc.Apply(update, format_));
    return doc;
  }

 private:
  UpdateFormat format_;
  bool with_document_;
};

// Five ways to merge the same, of at least four updates.
Updates MergedInAllWays(const Merger& merger, const Updates& updates) {
  const auto part = [&](size_t from, size_t to) {
    return merger.Merge(
        Updates(updates.begin() + static_cast<ptrdiff_t>(from), updates.begin() + static_cast<ptrdiff_t>(to)));
  };
  const size_t all = updates.size();
  Updates merged = {
      merger.Merge(updates),
      merger.Merge({part(2, all), part(0, 2)}),
      merger.Merge({part(2, all), part(1, 3), updates[0]}),
      // With holes in between.
      merger.Merge({merger.Merge({updates[0], updates[2]}), merger.Merge({updates[1], updates[3]}), part(4, all)}),
  };
  merged.push_back(merger.Merge(merged));
  return merged;
}

// Checks what was merged of all `updates` against those from number `from` on; `exactly`, to the byte.
void CheckDifference(const Merger& merger, const std::string& merged, const Updates& updates, size_t from,
                     bool exactly) {
  const auto middle = updates.begin() + static_cast<ptrdiff_t>(from);
  const std::string rest = merger.Merge(Updates(middle, updates.end()));
  const std::string known = merger.StateVector(Merger(merger.format()).Merge(Updates(updates.begin(), middle)));
  const std::string difference = merger.Diff(merged, known);
  CHECK(merger.Clients(difference) == merger.Clients(rest));
  if (!exactly) return;
  // A difference has all deletions, whoever knows them.
  const std::string deletes = *DiffUpdate(merged, merger.StateVector(merged), merger.format());
  CHECK(merger.Clients(deletes).empty());
  CHECK(difference == Merger(merger.format()).Merge({deletes, rest}));
}

// Merges the four updates that come of what `edit` does to an array.
template <class Edit>
void CheckMerges(const Merger& merger, Edit edit, bool exactly = true) {
  Doc doc({.client_id = 1, .gc = false});
  Updates updates;
  const Subscription listening =
      doc.OnUpdate(merger.format(), [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  List array = *doc.GetArray("");
  edit(array);
  REQUIRE(updates.size() == 4);
  for (const std::string& merged : MergedInAllWays(merger, updates)) {
    Doc copy = merger.DocumentOf({merged});
    CHECK(*copy.GetArray("")->ToJson() == *array.ToJson());
    CHECK(copy.EncodeStateVector() == merger.StateVector(merged));
    CHECK(copy.EncodeStateVector() == doc.EncodeStateVector());
    CHECK(merger.Clients(merged) == std::vector<ClientClocks>{{1, 0, 4}});
    for (size_t from = 1; from < updates.size(); ++from) CheckDifference(merger, merged, updates, from, exactly);
  }
}

TEST_CASE("insertions come out the same however their updates are merged", "[crdt]") {
  const auto edit = [](List& array) {
    for (int value = 1; value <= 4; ++value) Ok(array.Insert(0, {Any(value)}));
  };
  for (const UpdateFormat format : kFormats) CheckMerges(Merger(format), edit);
  CheckMerges(Merger(UpdateFormat::kV2, /*with_document=*/true), edit);
}

TEST_CASE("insertions and deletions come out the same however their updates are merged", "[crdt]") {
  const auto edit = [](List& array) {
    Ok(array.Insert(0, {Any(1), Any(2)}));
    Ok(array.Delete(1, 1));
    Ok(array.Insert(0, {Any(3), Any(4)}));
    Ok(array.Delete(1, 2));
  };
  for (const UpdateFormat format : kFormats) CheckMerges(Merger(format), edit);
  // A document joins what was deleted, which updates have apart.
  CheckMerges(Merger(UpdateFormat::kV2, /*with_document=*/true), edit, /*exactly=*/false);
}

TEST_CASE("the states of several, merged, are what all of them have", "[crdt]") {
  Peers peers(3);
  Ok(peers.array(0).Insert(0, {Any(1)}));
  Ok(peers.array(1).Insert(0, {Any(2)}));
  for (const bool with_document : {false, true}) {
    const Merger merger(UpdateFormat::kV2, with_document);
    Updates states;
    for (size_t peer = 0; peer < 3; ++peer) states.push_back(peers.doc(peer).EncodeState(UpdateFormat::kV2));
    Doc merged = merger.DocumentOf({merger.Merge(states)});
    CHECK(*merged.GetArray("array")->ToJson() == "[1,2]");
  }
  peers.CheckAgree();
  CHECK(*peers.array(2).ToJson() == "[1,2]");
}

TEST_CASE("a format's name that V2 writes once comes back at each of its uses", "[crdt]") {
  Peers peers(2);
  const Attributes italic = {{"italic", true}};
  Ok(peers.text(0).Insert(0, "a", italic));
  Ok(peers.text(0).Insert(0, "b"));
  Ok(peers.text(0).Insert(0, "c", italic));
  Ok(peers.doc(1).Apply(peers.doc(0).EncodeState(UpdateFormat::kV2), UpdateFormat::kV2));
  CHECK(Told(peers.text(1).ToDelta()) == R"(+"c"{"italic":true} +"b" +"a"{"italic":true})");
  peers.CheckAgree();
}

TEST_CASE("what waits for an update travels on with the state and comes in when that arrives", "[crdt]") {
  Doc doc;
  Updates updates;
  const Subscription listening =
      doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  Text text = *doc.GetText("textBlock");
  for (const char* letter : {"r", "o", "n", "e", "n"}) Ok(text.Insert(0, letter));
  REQUIRE(updates.size() == 5);
  std::string state = updates[0];
  std::string waiting;
  for (const size_t next : {1, 3, 2, 4}) {
    Doc copy;
    Ok(copy.Apply(state, UpdateFormat::kV1));
    Ok(copy.Apply(updates[next], UpdateFormat::kV1));
    waiting += copy.HasPending() ? 'y' : 'n';
    state = copy.EncodeState(UpdateFormat::kV1);
  }
  CHECK(waiting == "nynn");
  Doc last;
  Ok(last.Apply(state, UpdateFormat::kV1));
  CHECK(last.GetText("textBlock")->PlainText() == "nenor");
}

TEST_CASE("an update that goes on from others reaches no state by itself", "[crdt]") {
  for (const UpdateFormat format : kFormats) {
    Doc doc({.client_id = 7});
    Updates updates;
    const Subscription listening =
        doc.OnUpdate(format, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
    for (const char* letter : {"a", "b", "c"}) Ok(doc.GetText("")->Insert(0, letter));
    const Merger merger(format);
    CHECK(absl::BytesToHexString(merger.StateVector(updates[1])) == "00");
    CHECK(merger.Clients(updates[1]) == std::vector<ClientClocks>{{7, 1, 2}});
    // Nor does what comes behind a hole.
    const std::string with_hole = merger.Merge({updates[0], updates[2]});
    CHECK(absl::BytesToHexString(merger.StateVector(with_hole)) == "010701");
    CHECK(merger.Clients(with_hole) == std::vector<ClientClocks>{{7, 0, 3}});
  }
}

// A document of client 1 with something of each kind.
Doc Secrets() {
  Doc doc({.client_id = 1});
  const auto put = [](Insertable what, Attributes attributes = {}) {
    return DeltaStep{DeltaStep::Kind::kInsert, 0, std::move(what), std::move(attributes)};
  };
  Ok(doc.GetText("text")->ApplyDelta(
      {put(Any("text"), {{"bold", true}}), put(Any(Any::Object{{"href", "supersecreturl"}})),
       put(Any("more"), {{"bold", true}, {"size", 0}}),
       put(Any("\U0001f600"), {{"size", -0.0}, {"link", Any(Any::Object{{"href", "x"}})}})}));
  Map map = *doc.GetMap("map");
  Ok(map.Set("key", Any("secret1")));
  Ok(map.Set("key", Any("secret2")));
  Ok(map.Set("", Any("empty")));
  Ok(map.Set("bytes", Any(Any::Bytes{"\x01\x02"})));
  const NewType element = {.kind = SharedKind::kXmlElement, .name = "secretnodename"};
  NewType with_attributes = element;
  with_attributes.entries = {{"attr", Any("val")}, {"key", Any("v")}};
  const NewType hook = {.kind = SharedKind::kXmlHook, .name = "secrethook"};
  const NewSubdocument secret = {.guid = "secret", .options = Any(Any::Object{{"gc", false}, {"autoLoad", true}})};
  Ok(doc.GetArray("array")->Insert(0, {Any("teststring"), Any(42), with_attributes, secret}));
  Ok(doc.GetArray("array")->Insert(4, {element, hook}));
  Ok(doc.GetArray("array")->Delete(0, 1));
  return doc;
}

TEST_CASE("an obfuscated update has yjs's bytes: numbers in place of what was said, and all else as it was", "[crdt]") {
  const Doc secrets = Secrets();
  const std::string v1 = *ObfuscateUpdate(secrets.EncodeState(UpdateFormat::kV1), UpdateFormat::kV1);
  CHECK(
      absl::BytesToHexString(v1) ==
      "011a0100060104746578740130077b2269223a307d84010004313131318601040130046e756c6c850105027b7d8601060130077b2269223a"
      "307d8601070135077b2269223a357d840108043636363686010c0130046e756c6c86010d0135046e756c6c86010e0135077b2269223a357d"
      "86010f023130087b2269223a31307d8401100231318601120135046e756c6c860113023130046e756c6c2101036d61700231340188011501"
      "7d0f2801036d617000017d102301036d61700231370111010105617272617901880119017d1387011a03076e6f64652d32302800011b0232"
      "31017d152800011b023134017d1689011b023233760087011e03076e6f64652d323087011f0507686f6f6b2d323501010215011901");
  const std::string v2 = *ObfuscateUpdate(secrets.EncodeState(UpdateFormat::kV2), UpdateFormat::kV2);
  CHECK(
      absl::BytesToHexString(v2) ==
      "000300030a024114110008030208030204020408030001000602002506008400860085008601840086038400860121008800280023000100"
      "880087002801890087604774657874303131313130303536363636303535313031313531306d617031346d61706d6170313761727261796e"
      "6f64652d32303231313432336e6f64652d3230686f6f6b2d3235040104410104410142000102030203000302050742014700030104000343"
      "0005024105011a00760101697d007e7600760101697d00760101697d057e7e760101697d05760101697d0a7e7e7d0f7d1001117d137d157d"
      "16760001010215000300");
  Doc doc;
  Ok(doc.Apply(v1, UpdateFormat::kV1));
  CHECK(doc.EncodeStateVector() == secrets.EncodeStateVector());
  CHECK(Told(doc.GetText("text")->ToDelta()) ==
        R"(+"1111"{"0":{"i":0}} +{} +"6666"{"0":{"i":0},"5":{"i":5}} +"11"{"5":{"i":5},"10":{"i":10}})");
  CHECK(*doc.GetMap("map")->ToJson() == R"({"14":15,"17":{"0":17},"":16})");
  CHECK(*TypeAt(*doc.GetArray("array"), 1).ToXml() == R"(<node-20 14="22" 21="21"></node-20>)");
  CHECK(std::get<Subdocument>(*doc.GetArray("array")->At(2)).guid == "23");
  CHECK(TypeAt(*doc.GetArray("array"), 4).name() == "hook-25");
}

TEST_CASE("what waits in an update is obfuscated, too, and what is no update refused", "[crdt]") {
  Doc doc;
  Updates updates;
  const Subscription listening =
      doc.OnUpdate(UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  for (const char* letter : {"a", "b", "c"}) Ok(doc.GetText("t")->Insert(0, letter));
  const std::string with_hole = Merger(UpdateFormat::kV1).Merge({updates[0], updates[2]});
  const std::string obfuscated = *ObfuscateUpdate(with_hole, UpdateFormat::kV1);
  CHECK(*ClientsOfUpdate(obfuscated, UpdateFormat::kV1) == *ClientsOfUpdate(with_hole, UpdateFormat::kV1));
  Doc copy;
  Ok(copy.Apply(obfuscated, UpdateFormat::kV1));
  CHECK(copy.HasPending());
  CHECK(copy.GetText("t")->PlainText() == "0");
  Ok(copy.Apply(updates[1], UpdateFormat::kV1));
  CHECK(copy.GetText("t")->PlainText() == "1b0");
  for (size_t length = 0; length < with_hole.size(); ++length) {
    CHECK(ObfuscateUpdate(with_hole.substr(0, length), UpdateFormat::kV1).status().code() ==
          absl::StatusCode::kInvalidArgument);
  }
}

TEST_CASE("an update tells whose structs it has, and is refused where it isn't one", "[crdt]") {
  Doc first({.client_id = 1}), second({.client_id = 2});
  Ok(first.GetText("t")->Insert(0, "abc"));
  Send(first, second);
  Ok(second.GetText("t")->Insert(1, "de"));
  Ok(second.GetText("t")->Delete(0, 1));
  for (const UpdateFormat format : kFormats) {
    const std::string state = second.EncodeState(format);
    CHECK(*ClientsOfUpdate(state, format) == std::vector<ClientClocks>{{2, 0, 2}, {1, 0, 3}});
    const std::string lacking = *second.EncodeStateSince(format, first.EncodeStateVector());
    CHECK(*ClientsOfUpdate(lacking, format) == std::vector<ClientClocks>{{2, 0, 2}});
    for (size_t length = 0; length < state.size(); ++length) {
      CHECK(ClientsOfUpdate(state.substr(0, length), format).status().code() == absl::StatusCode::kInvalidArgument);
    }
    CHECK(ClientsOfUpdate(state, format, {.max_structs = 1}).status().code() == absl::StatusCode::kResourceExhausted);
  }
}

}  // namespace
}  // namespace rivermeet::crdt
