#include "crdt/versions.h"

#include <deque>

#include "crdt/internal/read/reading.h"
#include "crdt/internal/read/snapshot_view.h"
#include "crdt/internal/session.h"
#include "crdt/internal/store/attributes.h"
#include "crdt/internal/wire/any_walk.h"
#include "crdt/internal/wire/utf.h"

namespace rivermeet::crdt {

using internal::AttributeMap;
using internal::ContentKind;
using internal::Document;
using internal::ForEachStretch;
using internal::ForEachValueIn;
using internal::HandleAccess;
using internal::Item;
using internal::ItemRef;
using internal::KeyIndex;
using internal::kNoItem;
using internal::Session;
using internal::SnapshotView;
using internal::Type;

namespace {

// Whether `item` still has what a reader sees of it.
bool HasValues(const Item& item) { return item.countable() && item.kind != ContentKind::kDeleted; }

Authorship AuthorOf(const Document& document, const Item& item, uint32_t unit, bool removed) {
  Authorship author;
  author.client = document.structs[item.id.client].id;
  author.clock = item.id.clock + unit;
  if (document.attribution == nullptr) return author;
  author.written = document.attribution->WrittenAt(author.client, author.clock);
  if (removed) author.removed = document.attribution->RemovedBy(author.client, author.clock);
  return author;
}

// The end of the units from `unit` on, at most `to`, that the attribution says the same of.
uint32_t SameAuthorUntil(const Document& document, const Item& item, uint32_t unit, uint32_t to) {
  if (document.attribution == nullptr) return to;
  const uint64_t end = document.attribution->SameUntil(document.structs[item.id.client].id, item.id.clock + unit,
                                                       uint64_t{item.id.clock} + to);
  return static_cast<uint32_t>(end - item.id.clock);
}

Change ChangeOf(bool before, bool after) {
  if (before == after) return Change::kNone;
  return after ? Change::kAdded : Change::kRemoved;
}

// Makes runs of a text from its pieces.
class TextRuns {
 public:
  TextRuns(Session& session, uint32_t text) : session_(session), text_(text) {}

  std::vector<TextRun> Between(const SnapshotView& before, const SnapshotView& after) {
    const Document& document = session_.document;
    for (ItemRef ref = document.types[text_].start; ref != kNoItem; ref = document.items[ref].right) {
      const Item& item = document.items[ref];
      if (item.kind == ContentKind::kFormat) {
        if (after.Shows(item, item.id.clock)) Format(item);
        continue;
      }
      if (!HasValues(item)) continue;
      ForEachStretch(item, before, after, [&](uint32_t from, uint32_t to, bool was, bool is) {
        if (was || is) Add(item, from, to, ChangeOf(was, is));
      });
    }
    EndText();
    return std::move(runs_);
  }

 private:
  void Format(const Item& item) {
    attributes_.Apply(item.extra, item.bytes());
    given_.reset();
    open_ = false;  // unless the attributes turn out the same
  }

  void Add(const Item& item, uint32_t from, uint32_t to, Change change) {
    const Document& document = session_.document;
    const bool text = item.kind == ContentKind::kString;
    // yjs's deltas pass over what else could stand in a list.
    if (!text && item.kind != ContentKind::kEmbed && item.kind != ContentKind::kType) return;
    if (!given_.has_value()) {
      given_ = internal::ReadAttributes(document, attributes_);
      open_ = !runs_.empty() && runs_.back().attributes == *given_;
    }
    while (from < to) {
      const uint32_t end = SameAuthorUntil(document, item, from, to);
      Authorship author = AuthorOf(document, item, from, change == Change::kRemoved);
      if (!text || !Continue(author, change)) {
        EndText();
        TextRun& run = runs_.emplace_back();
        run.is_text = text;
        if (!text) run.content = internal::ValueIn(session_, item, from);
        run.attributes = *given_;
        run.change = change;
        run.author = std::move(author);
        open_ = text;
      }
      runs_.back().length += end - from;
      if (text) Append(item, from, end);
      from = end;
    }
  }

  bool Continue(const Authorship& author, Change change) const {
    if (!open_ || !runs_.back().is_text || runs_.back().change != change) return false;
    const Authorship& last = runs_.back().author;
    return last.client == author.client && last.written == author.written && last.removed == author.removed;
  }

  void Append(const Item& item, uint32_t from, uint32_t to) {
    if (from == 0 && to == item.length) return internal::AppendJoined(item.bytes(), text_so_far_);
    std::string slice;
    internal::AppendSlice(item.bytes(), from, to, slice);
    internal::AppendJoined(slice, text_so_far_);
  }

  void EndText() {
    if (!text_so_far_.empty()) runs_.back().content = Any(std::exchange(text_so_far_, {}));
  }

  Session& session_;
  const uint32_t text_;
  AttributeMap attributes_;
  std::optional<Attributes> given_;  // the same; nothing while not known
  bool open_ = false;                // the last run has these attributes, and may go on
  std::string text_so_far_;          // of the last run
  std::vector<TextRun> runs_;
};

// A unit of an item; none for no item.
struct Unit {
  const Item* item = nullptr;
  uint32_t at = 0;

  bool operator==(const Unit&) const = default;
};

// The last unit in the chain that ends with `last` that `version` knows, if it is visible there.
Unit EntryUnit(const Document& document, ItemRef last, const SnapshotView& version) {
  for (ItemRef ref = last; ref != kNoItem; ref = document.items[ref].left) {
    const Item& item = document.items[ref];
    const uint32_t state = version.StateOf(item.id.client);
    if (item.id.clock >= state) continue;
    const uint32_t at = std::min(item.end_clock(), state) - item.id.clock - 1;
    if (HasValues(item) && version.Shows(item, item.id.clock + at)) return {&item, at};
    return {};
  }
  return {};
}

bool IsMember(const Any& any, std::string_view key, std::string_view text) {
  const Any* member = any.Find(key);
  return member != nullptr && member->text() != nullptr && *member->text() == text;
}

// yjs's toDelta, step by step.
class YjsDeltaWriter {
 public:
  YjsDeltaWriter(Session& session, const SnapshotView& snapshot, bool has_snapshot, const SnapshotView& previous,
                 bool has_previous, const YChange& compute)
      : session_(session),
        snapshot_(snapshot),
        previous_(previous),
        has_snapshot_(has_snapshot),
        has_previous_(has_previous),
        compute_(compute),
        ychange_(session.document.keys.Find(kYChange)) {}

  std::vector<DeltaInsertion> Write(uint32_t text) {
    const Document& document = session_.document;
    for (ItemRef ref = document.types[text].start; ref != kNoItem; ref = document.items[ref].right) {
      const Item& item = document.items[ref];
      const bool is = snapshot_.Shows(item, item.id.clock);
      const bool was = has_previous_ && previous_.Shows(item, item.id.clock);
      if (is || was) Take(item, is, was);
    }
    Pack();
    return std::move(delta_);
  }

 private:
  void Take(const Item& item, bool is, bool was) {
    switch (item.kind) {
      case ContentKind::kString:
        Mark(item, is, was);
        internal::AppendJoined(item.bytes(), text_);
        return;
      case ContentKind::kType:
      case ContentKind::kEmbed:
        Pack();
        delta_.emplace_back();
        delta_.back().insert = internal::ValueIn(session_, item, 0);
        delta_.back().is_text = false;
        delta_.back().attributes = internal::ReadAttributes(session_.document, attributes_);
        return;
      case ContentKind::kFormat:
        if (!is) return;
        Pack();
        attributes_.Apply(item.extra, item.bytes());
        return;
      default:
        return;
    }
  }

  void Mark(const Item& item, bool is, bool was) {
    if (has_snapshot_ && !is) return SetMark(item, Change::kRemoved);
    if (has_previous_ && !was) return SetMark(item, Change::kAdded);
    const auto mark = attributes_.Get(ychange_);
    if (!mark.has_value() || Any::DecodeTrusted(*mark).is_undefined()) return;
    Pack();
    attributes_.Erase(ychange_);
  }

  void SetMark(const Item& item, Change change) {
    const uint64_t client = session_.document.structs[item.id.client].id;
    const char* type = change == Change::kRemoved ? "removed" : "added";
    if (ychange_ == 0) ychange_ = session_.document.keys.Add(kYChange);
    if (const auto mark = attributes_.Get(ychange_); mark.has_value()) {
      const Any is = Any::DecodeTrusted(*mark);
      const Any* user = is.Find("user");
      const bool same_user =
          user != nullptr && user->number() != nullptr && *user->number() == static_cast<double>(client);
      if (same_user && IsMember(is, "type", type)) return;
    }
    Pack();
    Any mark;
    if (compute_) {
      mark = compute_(change, client, item.id.clock);
    } else {
      Any::Object members;
      members.emplace_back("type", type);
      mark = Any(std::move(members));
    }
    attributes_.Set(ychange_, marks_.emplace_back(mark.Encode()));
  }

  void Pack() {
    if (text_.empty()) return;
    DeltaInsertion& insertion = delta_.emplace_back();
    insertion.insert = Any(std::exchange(text_, {}));
    insertion.attributes = internal::ReadAttributes(session_.document, attributes_);
  }

  static constexpr std::string_view kYChange = "ychange";

  Session& session_;
  const SnapshotView& snapshot_;
  const SnapshotView& previous_;
  const bool has_snapshot_;
  const bool has_previous_;
  const YChange& compute_;
  KeyIndex ychange_;  // 0 as long as nothing has it: reading adds no name
  AttributeMap attributes_;
  std::deque<std::string> marks_;  // the values of `ychange`
  std::string text_;
  std::vector<DeltaInsertion> delta_;
};

}  // namespace

std::vector<Value> ValuesAt(const SharedType& list, const Snapshot& version) {
  std::vector<Value> values;
  if (!HandleAccess::Exists(list)) return values;
  Session& session = HandleAccess::SessionOf(list);
  const Document& document = session.document;
  const SnapshotView at(document, &version);
  for (ItemRef ref = document.types[HandleAccess::TypeOf(list)].start; ref != kNoItem;
       ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    if (!HasValues(item)) continue;
    ForEachStretch(item, at, at, [&](uint32_t from, uint32_t to, bool visible, bool) {
      if (!visible) return;
      ForEachValueIn(session, item, from, to, [&](uint32_t, Value value) { values.push_back(std::move(value)); });
    });
  }
  return values;
}

std::optional<Value> EntryAt(const SharedType& map, std::string_view key, const Snapshot& version) {
  if (!HandleAccess::Exists(map)) return std::nullopt;
  Session& session = HandleAccess::SessionOf(map);
  const KeyIndex number = session.document.keys.Find(key);
  if (number == 0) return std::nullopt;
  const ItemRef last = session.document.types[HandleAccess::TypeOf(map)].Entry(number);
  const Unit unit = EntryUnit(session.document, last, SnapshotView(session.document, &version));
  if (unit.item == nullptr) return std::nullopt;
  return internal::ValueIn(session, *unit.item, unit.at);
}

std::vector<std::pair<std::string, Value>> EntriesAt(const SharedType& map, const Snapshot& version) {
  std::vector<std::pair<std::string, Value>> entries;
  if (!HandleAccess::Exists(map)) return entries;
  Session& session = HandleAccess::SessionOf(map);
  const Type& type = session.document.types[HandleAccess::TypeOf(map)];
  if (type.entries == nullptr) return entries;
  const SnapshotView at(session.document, &version);
  for (const auto& [key, last] : *type.entries) {
    const Unit unit = EntryUnit(session.document, last, at);
    if (unit.item == nullptr) continue;
    entries.emplace_back(session.document.keys[key], internal::ValueIn(session, *unit.item, unit.at));
  }
  return entries;
}

std::vector<TextRun> TextAt(const SharedType& text, const Snapshot& version) {
  if (!HandleAccess::Exists(text)) return {};
  Session& session = HandleAccess::SessionOf(text);
  const SnapshotView at(session.document, &version);
  return TextRuns(session, HandleAccess::TypeOf(text)).Between(at, at);
}

std::vector<TextRun> DiffText(const SharedType& text, const Snapshot& before, const Snapshot* after) {
  if (!HandleAccess::Exists(text)) return {};
  Session& session = HandleAccess::SessionOf(text);
  return TextRuns(session, HandleAccess::TypeOf(text))
      .Between(SnapshotView(session.document, &before), SnapshotView(session.document, after));
}

std::vector<ListRun> DiffList(const SharedType& list, const Snapshot& before, const Snapshot* after) {
  std::vector<ListRun> runs;
  if (!HandleAccess::Exists(list)) return runs;
  Session& session = HandleAccess::SessionOf(list);
  const Document& document = session.document;
  const SnapshotView a(document, &before);
  const SnapshotView b(document, after);
  for (ItemRef ref = document.types[HandleAccess::TypeOf(list)].start; ref != kNoItem;
       ref = document.items[ref].right) {
    const Item& item = document.items[ref];
    if (!HasValues(item)) continue;
    ForEachStretch(item, a, b, [&](uint32_t from, uint32_t to, bool was, bool is) {
      if (!was && !is) return;
      const Change change = ChangeOf(was, is);
      ForEachValueIn(session, item, from, to, [&](uint32_t unit, Value value) {
        ListRun& run = runs.emplace_back();
        run.value = std::move(value);
        run.change = change;
        run.author = AuthorOf(document, item, unit, change == Change::kRemoved);
      });
    });
  }
  return runs;
}

std::vector<EntryChange> DiffMap(const SharedType& map, const Snapshot& before, const Snapshot* after) {
  std::vector<EntryChange> changes;
  if (!HandleAccess::Exists(map)) return changes;
  Session& session = HandleAccess::SessionOf(map);
  const Document& document = session.document;
  const Type& type = document.types[HandleAccess::TypeOf(map)];
  if (type.entries == nullptr) return changes;
  const SnapshotView a(document, &before);
  const SnapshotView b(document, after);
  for (const auto& [key, last] : *type.entries) {
    const Unit was = EntryUnit(document, last, a);
    const Unit is = EntryUnit(document, last, b);
    if (was == is) continue;
    EntryChange& change = changes.emplace_back();
    change.key = document.keys[key];
    if (was.item != nullptr) {
      change.before = internal::ValueIn(session, *was.item, was.at);
      change.before_author = AuthorOf(document, *was.item, was.at, true);
    }
    if (is.item != nullptr) {
      change.after = internal::ValueIn(session, *is.item, is.at);
      change.after_author = AuthorOf(document, *is.item, is.at, false);
    }
  }
  return changes;
}

std::vector<DeltaInsertion> YjsDelta(const SharedType& text, const Snapshot* snapshot, const Snapshot* previous,
                                     const YChange& compute_ychange) {
  if (!HandleAccess::Exists(text)) return {};
  Session& session = HandleAccess::SessionOf(text);
  std::vector<DeltaInsertion> delta;
  const auto write = [&] {
    const SnapshotView at(session.document, snapshot);
    const SnapshotView before(session.document, previous);
    delta = YjsDeltaWriter(session, at, snapshot != nullptr, before, previous != nullptr, compute_ychange)
                .Write(HandleAccess::TypeOf(text));
  };
  if (snapshot == nullptr && previous == nullptr) {
    write();
    return delta;
  }
  session.transactor.Run(/*local=*/true, [&](internal::Transaction& transaction) {
    if (snapshot != nullptr) internal::CutAt(session.document, transaction, *snapshot);
    if (previous != nullptr) internal::CutAt(session.document, transaction, *previous);
    write();
  });
  return delta;
}

std::vector<AuthorRun> SharedType::Authors(uint64_t from, uint64_t to) const {
  std::vector<AuthorRun> runs;
  to = std::min(to, length());
  if (from >= to) return runs;
  const Document& document = session_->document;
  const internal::PositionIndex::Place place = session_->document.Index(type_).Find(static_cast<uint32_t>(from));
  uint64_t at = from - place.before.units;  // in the item
  for (ItemRef ref = place.item; from < to; ref = document.items[ref].right, at = 0) {
    const Item& item = document.items[ref];
    if (!item.visible()) continue;
    const auto end = static_cast<uint32_t>(std::min<uint64_t>(item.length, at + (to - from)));
    while (at < end) {
      const uint32_t next = SameAuthorUntil(document, item, static_cast<uint32_t>(at), end);
      const Authorship author = AuthorOf(document, item, static_cast<uint32_t>(at), false);
      if (runs.empty() || runs.back().client != author.client || runs.back().time != author.written) {
        runs.push_back({0, author.client, author.written});
      }
      runs.back().length += next - at;
      from += next - at;
      at = next;
    }
  }
  return runs;
}

}  // namespace rivermeet::crdt
