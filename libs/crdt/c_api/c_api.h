// The handles of rivermeet_crdt.h, and the guard around what each of its functions does.
#ifndef RIVERMEET_CRDT_C_API_C_API_H_
#define RIVERMEET_CRDT_C_API_C_API_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crdt/c_api/rivermeet_crdt.h"
#include "crdt/doc.h"
#include "crdt/doc_loader.h"
#include "crdt/undo_manager.h"
#include "crdt/versions.h"
#include "fmt/format.h"

namespace rivermeet::crdt::internal {

// A document that all handles made of it keep alive.
struct SharedDoc : std::enable_shared_from_this<SharedDoc> {
  static std::shared_ptr<SharedDoc> Make(Doc doc);
  explicit SharedDoc(Doc made) : doc(std::move(made)) {}

  Doc doc;
  std::unique_ptr<DocLoader> loader;  // of what `doc` will be
  // An exception cut a call short: it may be half changed, and is never touched again, not even to be destroyed, for
  // Abseil's hash tables aren't sound then. Nor are those of its handles that would touch it as they end.
  bool lost = false;
  SharedDoc* next_lost = nullptr;
  rmcrdt_subscription* lost_subscriptions = nullptr;
  rmcrdt_undo* lost_undos = nullptr;
};
using DocRef = std::shared_ptr<SharedDoc>;

// What stands in a document, or is to be put in.
using AnyValue = std::variant<Any, SharedType, Subdocument, NewType, NewSubdocument>;

}  // namespace rivermeet::crdt::internal

// NOLINTBEGIN(readability-identifier-naming): the names of the C header.

struct rmcrdt_buffer {
  std::string bytes;
};

struct rmcrdt_doc {
  rivermeet::crdt::internal::DocRef shared;
};

struct rmcrdt_type {
  rivermeet::crdt::internal::DocRef shared;
  rivermeet::crdt::SharedType type;
};

struct rmcrdt_value {
  rivermeet::crdt::internal::DocRef shared;  // of a type that is in one
  rivermeet::crdt::internal::AnyValue value;
  int depth = 0;  // of a new type: how many lie in each other, itself counted
};

struct rmcrdt_delta {
  struct Step {
    rmcrdt_step_kind kind = RMCRDT_STEP_RETAIN;
    uint64_t length = 0;  // in places; 0 of an insertion into a text
    std::vector<rmcrdt_value> inserted;
    rivermeet::crdt::Attributes attributes;
  };
  rivermeet::crdt::internal::DocRef shared;  // whose change it is; null when the program made it
  bool of_text = true;
  std::vector<Step> steps;
};

struct rmcrdt_event {
  rivermeet::crdt::internal::DocRef shared;
  const rivermeet::crdt::Event* event;
};

struct rmcrdt_transaction {
  rivermeet::crdt::internal::DocRef shared;
  const rivermeet::crdt::TransactionEvent* event;
};

struct rmcrdt_diff {
  struct Run {
    rivermeet::crdt::Change change;
    rmcrdt_value value;
    uint64_t length;
    rivermeet::crdt::Attributes attributes;
    std::optional<std::string> key;  // of a map
    rivermeet::crdt::Authorship author;
  };
  rivermeet::crdt::internal::DocRef shared;
  std::vector<Run> runs;
};

struct rmcrdt_loader {
  rivermeet::crdt::internal::DocRef shared;  // with the loader; null once it was taken
  bool done = false;
};

struct rmcrdt_undo {
  rivermeet::crdt::internal::DocRef shared;
  std::unique_ptr<rivermeet::crdt::UndoManager> manager;
  rmcrdt_undo* next_lost = nullptr;
};

struct rmcrdt_undo_event {
  rivermeet::crdt::internal::DocRef shared;
  rmcrdt_undo_change change;
  rivermeet::crdt::UndoManager::Stack stack;
  rivermeet::crdt::UndoManager::Event* event;  // null when a stack was cleared
};

struct rmcrdt_subscription {
  rivermeet::crdt::internal::DocRef shared;
  std::vector<rivermeet::crdt::Subscription> parts;  // they end together
  rmcrdt_subscription* next_lost = nullptr;
};

// NOLINTEND(readability-identifier-naming)

namespace rivermeet::crdt::internal {

// Runs `body`, which may throw. What went wrong is kept for rmcrdt_error_code and rmcrdt_error_message.
rmcrdt_code Try(absl::FunctionRef<absl::Status()> body) noexcept;
// The same on a document, which lives until `body` is done even when its last handle is freed meanwhile, and which is
// lost when `body` throws.
rmcrdt_code TryOn(DocRef doc, absl::FunctionRef<absl::Status()> body) noexcept;
// The same, but `body` changes nothing of the document that an exception could leave half done: what it reads by, such
// as the index of a list, is kept once it is whole.
rmcrdt_code TryReading(DocRef doc, absl::FunctionRef<absl::Status()> body) noexcept;

absl::Status NullHandle();
absl::Status NullCallback();

// The same on a handle of or in a document; INVALID_ARGUMENT when it is null.
template <class Handle>
rmcrdt_code TryOn(const Handle* handle, absl::FunctionRef<absl::Status()> body) noexcept {
  if (handle == nullptr) return Try([] { return NullHandle(); });
  return TryOn(handle->shared, body);
}

template <class Handle>
rmcrdt_code TryReading(const Handle* handle, absl::FunctionRef<absl::Status()> body) noexcept {
  if (handle == nullptr) return Try([] { return NullHandle(); });
  return TryReading(handle->shared, body);
}

// Frees a handle, and what it holds of its document. Where that is lost the handle is put before those in `lost`, where
// it stays as it is.
template <class Handle>
void FreeOn(Handle* handle, Handle* SharedDoc::*lost) noexcept {
  if (handle == nullptr || !handle->shared->lost) {
    delete handle;
    return;
  }
  const DocRef doc = std::move(handle->shared);
  handle->next_lost = std::exchange((*doc).*lost, handle);
}

// What `body`, reading only, gives, as a StatusOr; `otherwise` where it gives none.
template <class Result, class Handle, class Body>
Result Ask(const Handle* handle, Result otherwise, Body body) noexcept {
  TryReading(handle, [&] {
    absl::StatusOr<Result> result = body();
    if (result.ok()) otherwise = *std::move(result);
    return result.status();
  });
  return otherwise;
}

// The text that `body` gives, which lives as long as the handle, and its size in `size`; null where it gives none.
template <class Handle, class Body>
const char* AskText(const Handle* handle, size_t* size, const Body& body) noexcept {
  return Ask(handle, static_cast<const char*>(nullptr), [&]() -> absl::StatusOr<const char*> {
    if (size == nullptr) return NullHandle();
    const std::string_view text = body();
    *size = text.size();
    return text.empty() ? "" : text.data();
  });
}

template <class Made>
absl::Status PutOnHeap(absl::StatusOr<Made> result, Made*& made) {
  if (result.ok()) made = new Made(*std::move(result));
  return result.status();
}

// What `body` gives, as a StatusOr, on the heap; null where it gives none. `run` runs what makes it.
template <class Run, class Body>
auto* NewBy(const Run& run, const Body& body) noexcept {
  using Made = typename std::invoke_result_t<Body>::value_type;
  Made* made = nullptr;
  run([&] { return PutOnHeap(body(), made); });
  return made;
}
template <class Body>
auto* New(const Body& body) noexcept {
  return NewBy([](const auto& make) { Try(make); }, body);
}
// The same of a `body` that only reads, and of one that changes the document.
template <class Handle, class Body>
auto* NewReading(const Handle* handle, const Body& body) noexcept {
  return NewBy([handle](const auto& make) { TryReading(handle, make); }, body);
}
template <class Handle, class Body>
auto* NewChanging(const Handle* handle, const Body& body) noexcept {
  return NewBy([handle](const auto& make) { TryOn(handle, make); }, body);
}

// A buffer of what `body` gives, a StatusOr of a string, reading only.
template <class Handle, class Body>
rmcrdt_buffer* BytesOn(const Handle* handle, const Body& body) noexcept {
  return NewReading(handle, [&body]() -> absl::StatusOr<rmcrdt_buffer> {
    absl::StatusOr<std::string> bytes = body();
    if (!bytes.ok()) return bytes.status();
    return rmcrdt_buffer{*std::move(bytes)};
  });
}

// --- arguments. Errors: INVALID_ARGUMENT, which names `what` is wrong.

absl::StatusOr<std::string_view> BytesArgument(const void* data, size_t size, std::string_view what);
absl::StatusOr<std::string_view> TextArgument(const char* text, size_t size, std::string_view what);
absl::StatusOr<std::vector<std::string_view>> UpdatesArgument(const rmcrdt_view* updates, size_t count);
absl::StatusOr<UpdateFormat> FormatArgument(rmcrdt_format format);
absl::StatusOr<SharedKind> KindArgument(rmcrdt_kind kind);
absl::StatusOr<uint64_t> ClientArgument(uint64_t client);
// Null: the defaults.
absl::StatusOr<DocOptions> OptionsArgument(const rmcrdt_options* options);
// Of a value that stands nowhere yet.
absl::StatusOr<Insertable> InsertableArgument(const rmcrdt_value* value);
absl::StatusOr<std::vector<Insertable>> InsertablesArgument(const rmcrdt_value* const* values, size_t count);
// Null: none.
absl::StatusOr<Attributes> AttributesArgument(const rmcrdt_value* attributes);

// At most 2^53, as counts and clients are.
inline Any Number(uint64_t number) { return Any(static_cast<double>(number)); }
Any ToAny(const PathStep& step);
// OUT_OF_RANGE when there aren't as many.
absl::StatusOr<rmcrdt_type> TypeAt(const DocRef& doc, const std::vector<SharedType>& types, size_t at);
rmcrdt_subscription MakeSubscription(const DocRef& doc, Subscription made);
rmcrdt_value MakeValue(const DocRef& doc, Value value);
rmcrdt_delta MakeDelta(const DocRef& doc, const SharedType& of, const std::vector<DeltaChange>& changes);

// Calls back into the program, unless the document is lost; ends the call that it came from when it is, or was lost
// meanwhile.
template <class... Arguments>
void CallBack(const SharedDoc& doc, void (*callback)(Arguments...), std::type_identity_t<Arguments>... arguments) {
  if (doc.lost) throw std::bad_alloc();
  callback(arguments...);
  if (doc.lost) throw std::bad_alloc();
}

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_C_API_C_API_H_
