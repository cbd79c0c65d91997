#include "crdt/internal/store/run_marks.h"

#include <algorithm>
#include <iterator>

#include "crdt/internal/wire/any_walk.h"

namespace rivermeet::crdt::internal {

namespace {

uint64_t CountedIn(TextUnit unit, uint64_t utf16, uint64_t astral) {
  return unit == TextUnit::kCodePoint ? utf16 - astral : utf16;
}

// The run that byte `at` lies in, or the end.
template <class Mark>
auto RunAt(MarkedRuns<Mark>& runs, const char* at) {
  auto run = runs.upper_bound(at);
  if (run == runs.begin()) return runs.end();
  --run;
  return at < run->second.end ? run : runs.end();
}

// The run that `piece` is of, or goes on from; a new one, added to `bytes`, when it isn't known.
template <class Mark>
auto RunWith(MarkedRuns<Mark>& runs, std::string_view piece, uint64_t& bytes) {
  const char* end = piece.data() + piece.size();
  auto run = RunAt(runs, piece.data());
  if (run == runs.end()) {
    run = runs.try_emplace(piece.data()).first;
    bytes += sizeof(*run);
  }
  run->second.end = std::max(run->second.end, end);
  return run;
}

}  // namespace

std::string_view RunMarks::Skip(std::string_view values, uint64_t count) {
  if (count < kMarkedValues) return SkipValues(values, count);
  const auto found = RunWith(values_, values, bytes_);
  const std::string_view run(found->first, values.data() + values.size() - found->first);
  std::vector<uint32_t>& marks = found->second.marks;
  const auto mark_next = [&] {
    const uint32_t last = marks.empty() ? 0 : marks.back();
    const std::string_view rest = run.substr(last);
    marks.push_back(static_cast<uint32_t>(last + rest.size() - SkipValues(rest, kMarkedValues).size()));
    bytes_ += sizeof(uint32_t);
  };
  // Which value of the run is the first of these.
  const auto start = static_cast<uint32_t>(values.data() - run.data());
  while ((marks.empty() ? 0 : marks.back()) + kMarkedValues <= start && run.size() > start) mark_next();
  const size_t before = std::upper_bound(marks.begin(), marks.end(), start) - marks.begin();
  uint64_t first = before * kMarkedValues;
  for (uint32_t at = before == 0 ? 0 : marks[before - 1]; at < start; ++first) {
    at = static_cast<uint32_t>(run.size() - SkipValues(run.substr(at), 1).size());
  }
  const uint64_t wanted = first + count;
  while (marks.size() < wanted / kMarkedValues) mark_next();
  return SkipValues(run.substr(marks[wanted / kMarkedValues - 1]), wanted % kMarkedValues);
}

TextSize RunMarks::MeasureUpTo(const char* run, const MarkedRun<SmallSize>& of, size_t bytes) const {
  const size_t marks = std::min(bytes / kMarkedBytes, of.marks.size());
  TextSize size = Measure({run + marks * kMarkedBytes, bytes - marks * kMarkedBytes});
  if (marks == 0) return size;
  size.utf16 += of.marks[marks - 1].utf16;
  size.astral += of.marks[marks - 1].astral;
  return size;
}

void RunMarks::MarkUpTo(const char* run, MarkedRun<SmallSize>& of, size_t bytes) {
  while ((of.marks.size() + 1) * kMarkedBytes <= bytes) {
    const TextSize size = MeasureUpTo(run, of, (of.marks.size() + 1) * kMarkedBytes);
    of.marks.push_back({static_cast<uint32_t>(size.utf16), static_cast<uint32_t>(size.astral)});
    bytes_ += sizeof(SmallSize);
  }
}

TextPlace RunMarks::Find(std::string_view text, TextUnit unit, uint64_t count) {
  if (text.size() <= 2 * kMarkedBytes) return FindPlace(text, unit, count);
  const auto found = RunWith(texts_, text, bytes_);
  const char* run = found->first;
  MarkedRun<SmallSize>& of = found->second;
  const size_t start = text.data() - run;
  MarkUpTo(run, of, start + text.size());
  const TextSize before = MeasureUpTo(run, of, start);
  if (unit == TextUnit::kUtf8) {
    size_t byte = std::min<uint64_t>(count, text.size());
    while (byte < text.size() && (text[byte] & 0xc0) == 0x80) --byte;
    const TextSize size = MeasureUpTo(run, of, start + byte);
    return {byte, {size.utf16 - before.utf16, size.astral - before.astral}, false};
  }
  // On from the last mark that isn't behind the place.
  const uint64_t wanted = CountedIn(unit, before.utf16, before.astral) + count;
  const auto last = of.marks.begin() + (start + text.size()) / kMarkedBytes;  // others may go on from this piece
  const auto behind = std::upper_bound(of.marks.begin(), last, wanted, [unit](uint64_t w, const SmallSize& mark) {
    return w < CountedIn(unit, mark.utf16, mark.astral);
  });
  const size_t marks = behind - of.marks.begin();
  const size_t from = marks * kMarkedBytes;
  if (from <= start) return FindPlace(text, unit, count);
  const SmallSize& mark = of.marks[marks - 1];
  const std::string_view rest = text.substr(from - start);
  TextPlace place = FindPlace(rest, unit, wanted - CountedIn(unit, mark.utf16, mark.astral));
  place.byte += text.size() - rest.size();
  place.before.utf16 += mark.utf16 - before.utf16;
  place.before.astral += mark.astral - before.astral;
  return place;
}

void RunMarks::LoseAstral(const char* at) {
  const auto run = RunAt(texts_, at);
  if (run == texts_.end()) return;
  for (size_t mark = (at - run->first) / kMarkedBytes; mark < run->second.marks.size(); ++mark) {
    --run->second.marks[mark].astral;
  }
}

void RunMarks::Forget(const char* at) {
  const auto run = RunAt(texts_, at);
  if (run == texts_.end()) return;
  const size_t kept = (at - run->first) / kMarkedBytes;
  if (kept < run->second.marks.size()) run->second.marks.resize(kept);
}

void RunMarks::Clear() {
  values_.clear();
  texts_.clear();
  bytes_ = 0;
}

}  // namespace rivermeet::crdt::internal
