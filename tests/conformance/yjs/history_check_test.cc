#include "yjs/history_check.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/doc.h"
#include "crdt/update.h"

namespace rivermeet::yjs {
namespace {

// One of the sample, counted from 1.
class SampleHistory {
 public:
  explicit SampleHistory(int number)
      : file_(std::fopen("tests/conformance/yjs/testdata/sample.bin", "rb")), stream_(file_.get()) {
    REQUIRE(file_ != nullptr);
    for (int i = 0; i < number; ++i) REQUIRE(stream_.Next().value());
  }

  const History& operator*() const { return stream_.history(); }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Closer> file_;
  HistoryStream stream_;
};

// One that yjs fell behind in.
class BehindHistory : public SampleHistory {
 public:
  BehindHistory() : SampleHistory(1) { REQUIRE((**this).causal_result.has_value()); }
};

// A causal one, with what yrs has of it.
class CausalHistory : public SampleHistory {
 public:
  CausalHistory() : SampleHistory(2) { REQUIRE((**this).yrs.size() >= 2); }
};

TEST_CASE("what yjs and yrs have of a history comes out again", "[yjs]") {
  const CausalHistory history;
  CheckCounts counts;
  CHECK(CheckHistory(*history, counts).empty());
  CHECK(counts.steps == (*history).steps.size());
  CHECK(counts.yrs.histories == 1);
  CHECK(counts.yrs.answers == (*history).yrs.size());
  CHECK(counts.yrs.differences.empty());
}

TEST_CASE("another state vector of yjs is a difference, with its step", "[yjs]") {
  const CausalHistory sample;
  History history = *sample;
  history.steps[5].results.state_vector = "\0";
  CheckCounts counts;
  CHECK(CheckHistory(history, counts).find("step 5") == 0);
}

TEST_CASE("from where yjs's search markers lost their places a difference ends the history, and is counted", "[yjs]") {
  const CausalHistory sample;
  History history = *sample;
  CheckCounts counts;
  SECTION("none") {
    for (Step& step : history.steps) step.results.misplaced = true;
    CHECK(CheckHistory(history, counts).empty());
    CHECK(counts.steps == history.steps.size());
    CHECK(counts.misplaced == 0);
  }
  history.steps[5].results.state_vector = "\0";
  SECTION("before") {
    for (size_t i = 6; i < history.steps.size(); ++i) history.steps[i].results.misplaced = true;
    CHECK(CheckHistory(history, counts).find("step 5") == 0);
    CHECK(counts.misplaced == 0);
  }
  SECTION("behind") {
    history.steps[4].results.misplaced = true;
    CHECK(CheckHistory(history, counts).empty());
    CHECK(counts.steps == 6);
    CHECK(counts.misplaced == 1);
  }
}

TEST_CASE("an edit that is refused is a difference, unless yjs's search markers lost their places", "[yjs]") {
  History history;
  history.kind = History::Kind::kLocal;
  Step& step = history.steps.emplace_back();
  step.kind = StepKind::kTransact;
  Edit& edit = step.edits.emplace_back();
  edit.kind = EditKind::kListDelete;
  edit.root = {"a", SharedType::kArray};
  edit.length = 1;
  CheckCounts counts;
  CHECK(CheckHistory(history, counts).find("step 0 (kind 5): refused") == 0);
  CHECK(counts.misplaced == 0);
  step.results.misplaced = true;
  CHECK(CheckHistory(history, counts).empty());
  CHECK(counts.misplaced == 1);
}

TEST_CASE("where yjs fell behind, other content than causal delivery gives is a difference", "[yjs]") {
  const BehindHistory sample;
  History history = *sample;
  CheckCounts counts;
  CHECK(CheckHistory(history, counts).empty());
  SECTION("but for the order of keys") {
    std::string_view& json = history.causal_result->json.at(0).second;
    crdt::Any value = *crdt::Any::FromJson(json);
    REQUIRE(value.object() != nullptr);
    std::reverse(value.object()->begin(), value.object()->end());
    const std::string reversed = *value.ToJson();
    REQUIRE(reversed != json);
    json = reversed;
    CHECK(CheckHistory(history, counts).empty());
  }
  SECTION("JSON") {
    history.causal_result->json.at(0).second = "\"other\"";
    CHECK(CheckHistory(history, counts).find("JSON of ") == 0);
  }
  SECTION("none") {
    history.causal_result->json.at(0).second = "";
    CHECK(CheckHistory(history, counts).find("JSON of ") == 0);
  }
  SECTION("state") {
    history.causal_result->state_v1 = std::string_view("\0\0", 2);
    CHECK(CheckHistory(history, counts).find("content of ") == 0);
  }
}

TEST_CASE("a root that can't be what yjs told its JSON of is a difference", "[yjs]") {
  History history;
  history.kind = History::Kind::kLocal;
  Step& step = history.steps.emplace_back();
  step.kind = StepKind::kTypeRoot;
  step.root = {"t", SharedType::kText};
  step.results.json.emplace_back(Root{"t", SharedType::kArray}, Digest());
  CheckCounts counts;
  CHECK(CheckHistory(history, counts).find("t is refused") != std::string::npos);
}

TEST_CASE("an edit of another type than yjs's at the same path is refused", "[yjs]") {
  const SampleHistory sample(4);
  History history = *sample;
  REQUIRE(history.kind == History::Kind::kLocal);
  const auto is_nested = [](const Edit& edit) { return !edit.path.empty(); };
  const auto edits_nested = [&](const Step& step) {
    return std::any_of(step.edits.begin(), step.edits.end(), is_nested);
  };
  const auto step = std::find_if(history.steps.begin(), history.steps.end(), edits_nested);
  REQUIRE(step != history.steps.end());
  ++std::find_if(step->edits.begin(), step->edits.end(), is_nested)->clock;
  CheckCounts counts;
  CHECK(CheckHistory(history, counts).find("refused: another type at the path") != std::string::npos);
}

TEST_CASE("an update too many is a difference", "[yjs]") {
  const CausalHistory sample;
  History history = *sample;
  REQUIRE(history.has_listener);
  const auto emits = [](const Step& step) { return !step.results.emitted.empty(); };
  const auto step = std::find_if(history.steps.begin(), history.steps.end(), emits);
  REQUIRE(step != history.steps.end());
  step->results.emitted.pop_back();
  CheckCounts counts;
  CHECK(CheckHistory(history, counts).find("emitted updates: yjs 0, ours 1 V1 and 1 V2") != std::string::npos);
}

TEST_CASE("another content or state vector of yrs is a difference, with its seed", "[yjs]") {
  const CausalHistory sample;
  History history = *sample;
  CheckCounts counts;
  SECTION("content") {
    REQUIRE_FALSE(history.yrs.back().contents.empty());
    history.yrs.back().contents[0].second.remove_suffix(1);
    CHECK(CheckHistory(history, counts).empty());
    REQUIRE(counts.yrs.differences.count("content") == 1);
    CHECK(counts.yrs.differences.at("content").example.find("seed 3 ") == 0);
  }
  SECTION("state vector") {
    history.yrs.back().state_vector.remove_suffix(1);
    CHECK(CheckHistory(history, counts).empty());
    CHECK(counts.yrs.differences.count("state vector") == 1);
  }
  SECTION("gave up") {
    history.yrs.back().refused = "after 17 bytes";
    CHECK(CheckHistory(history, counts).empty());
    CHECK(counts.yrs.differences.count("yrs gave up: after # bytes") == 1);
  }
  CHECK(counts.yrs.differences.size() == 1);
}

TEST_CASE("a merge of more than 16,000 updates has to have yjs's effect, of fewer its bytes", "[yjs]") {
  crdt::Doc doc({.client_id = 1});
  std::vector<std::string> updates;
  const crdt::Subscription listening = doc.OnUpdate(
      crdt::UpdateFormat::kV1, [&](std::string_view update, std::string_view) { updates.emplace_back(update); });
  REQUIRE(doc.GetText("t")->Insert(0, "a").ok());
  REQUIRE(doc.GetText("t")->Insert(1, "b").ok());
  const std::string whole = doc.EncodeState(crdt::UpdateFormat::kV1);
  // The same in two structs.
  const std::string_view parts[] = {updates[0], updates[1]};
  const std::string other = *crdt::MergeUpdates(parts, crdt::UpdateFormat::kV1);
  REQUIRE(other != whole);

  History history;
  history.kind = History::Kind::kMerges;
  FunctionCall& call = history.calls.emplace_back();
  call.inputs.assign(16'001, whole);
  CheckCounts counts;
  call.output = other;
  CHECK(CheckHistory(history, counts).empty());
  call.output = updates[0];
  CHECK_FALSE(CheckHistory(history, counts).empty());
  call.inputs.pop_back();
  call.output = other;
  CHECK_FALSE(CheckHistory(history, counts).empty());
  call.output = whole;
  CHECK(CheckHistory(history, counts).empty());
}

}  // namespace
}  // namespace rivermeet::yjs
