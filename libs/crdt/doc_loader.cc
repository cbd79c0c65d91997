#include "crdt/doc_loader.h"

#include <utility>
#include <variant>

#include "base/status.h"
#include "crdt/internal/integrate/intake.h"
#include "crdt/internal/session.h"

namespace rivermeet::crdt {

using internal::Budget;
using internal::FieldsV1;
using internal::FieldsV2;
using internal::Intake;
using internal::Session;

struct DocLoader::Loading {
  Loading(std::string_view update, UpdateFormat format, const DocOptions& options)
      : doc(options),
        session(internal::HandleAccess::SessionOf(doc)),
        transaction(session.transactor.Begin(/*local=*/false, {})),
        limits(session.limits) {
    limits.max_repeats = limits.max_structs;  // nobody waits for all of it
    const uint64_t client = session.transactor.client();
    if (format == UpdateFormat::kV1) {
      intake.emplace<Intake<FieldsV1>>(session.document, transaction, update, limits, client);
    } else {
      intake.emplace<Intake<FieldsV2>>(session.document, transaction, update, limits, client);
    }
  }

  template <class Fields>
  absl::StatusOr<bool> Step(Intake<Fields>& update, Budget& budget) {
    if (!update.Step(budget)) return false;
    RM_RETURN_IF_ERROR(update.status());
    return session.transactor.End(budget);
  }
  absl::StatusOr<bool> Step(std::monostate, Budget&) { return true; }

  Doc doc;
  Session& session;
  internal::Transaction& transaction;
  Limits limits;
  std::variant<std::monostate, Intake<FieldsV1>, Intake<FieldsV2>> intake;
};

DocLoader::DocLoader(std::string_view update, UpdateFormat format, const DocOptions& options)
    : loading_(std::make_unique<Loading>(update, format, options)) {}
DocLoader::DocLoader(DocLoader&&) noexcept = default;
DocLoader& DocLoader::operator=(DocLoader&&) noexcept = default;
DocLoader::~DocLoader() = default;

absl::StatusOr<bool> DocLoader::Step(uint64_t work) {
  RM_CHECK(work > 0 && loading_ != nullptr);
  Budget budget(work);
  absl::StatusOr<bool> done =
      std::visit([&](auto& intake) { return loading_->Step(intake, budget); }, loading_->intake);
  if (done.ok() && *done) loading_->intake.emplace<std::monostate>();
  return done;
}

Doc DocLoader::Take() {
  RM_CHECK(loading_ != nullptr && std::holds_alternative<std::monostate>(loading_->intake));
  Doc doc = std::move(loading_->doc);
  loading_.reset();
  return doc;
}

}  // namespace rivermeet::crdt
