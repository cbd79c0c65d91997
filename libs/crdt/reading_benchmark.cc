// How fast shared types are read whole, and what observers add to an edit.
#include <benchmark/benchmark.h>

#include "base/status.h"
#include "crdt/doc.h"

namespace rivermeet::crdt {
namespace {

constexpr int kMaps = 10'000;

// An array of maps of four keys, as a canvas or a table is.
Doc TableOf(int maps) {
  Doc doc({.client_id = 1});
  auto array = doc.GetArray("a");
  doc.Transact([&] {
    for (int i = 0; i < maps; ++i) {
      NewType map;
      map.kind = SharedKind::kMap;
      map.entries = {{"id", Any(i)}, {"title", Any("quarterly")}, {"width", Any(0.5)}, {"visible", Any(true)}};
      RM_CHECK_OK(array->Push({map}));
    }
  });
  return doc;
}

void MapsToJson(benchmark::State& state) {
  const Doc doc = TableOf(kMaps);
  for (auto _ : state) benchmark::DoNotOptimize(doc.ToJson());
  state.SetItemsProcessed(state.iterations() * kMaps * 5);  // each map and each of its values is an item
}
BENCHMARK(MapsToJson);

void NumbersToJson(benchmark::State& state) {
  Doc doc({.client_id = 1});
  auto array = doc.GetArray("a");
  const Any number = 12345;
  const std::vector<Insertable> numbers(100'000, Insertable(number));
  RM_CHECK_OK(array->Push(numbers));
  for (auto _ : state) benchmark::DoNotOptimize(doc.ToJson());
  state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(NumbersToJson);

void FormattedTextToXml(benchmark::State& state) {
  Doc doc({.client_id = 1});
  auto text = doc.GetRoot("t", SharedKind::kXmlText)->AsText();
  for (int i = 0; i < 2'000; ++i) {
    RM_CHECK_OK(text->Insert(text->length(), "plain ", {}));
    RM_CHECK_OK(text->Insert(text->length(), "bold ", {{"strong", true}}));
  }
  for (auto _ : state) benchmark::DoNotOptimize(text->ToXml());
  state.SetItemsProcessed(state.iterations() * 8'000);  // with the formats
}
BENCHMARK(FormattedTextToXml);

// Setting a key: nobody observes, somebody does, somebody does from above and asks.
void SetObserved(benchmark::State& state) {
  Doc doc = TableOf(1'000);
  auto map = std::get<SharedType>(*doc.GetArray("a")->At(500)).AsMap();
  std::vector<Subscription> subscriptions;
  if (state.range(0) == 1) subscriptions.push_back(map->Observe([](const Event&) {}));
  if (state.range(0) == 2) {
    subscriptions.push_back(doc.FindRoot("a")->ObserveDeep(
        [](absl::Span<const Event> events) { benchmark::DoNotOptimize(events[0].Keys()); }));
  }
  for (auto _ : state) RM_CHECK_OK(map->Set("width", Any(1)));
}
BENCHMARK(SetObserved)->Arg(0)->Arg(1)->Arg(2);

}  // namespace
}  // namespace rivermeet::crdt

BENCHMARK_MAIN();
