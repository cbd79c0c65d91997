#include "crdt/internal/edit/transactor.h"

#include <algorithm>
#include <random>
#include <utility>

#include "crdt/internal/edit/format_cleanup.h"

namespace rivermeet::crdt::internal {

uint64_t RandomClient() {
  std::random_device random;
  return random();
}

Transaction& Transactor::Begin(bool local, Origin origin) {
  if (begun_ == transactions_.size()) transactions_.push_back(std::make_unique<Transaction>());
  Transaction& transaction = *transactions_[begun_++];
  transaction.Begin(document_.NextTransactionNumber(), local, origin);
  transaction.records_keys = document_.records_keys;
  transaction.observed = hooks.observe != nullptr;
  transaction.keeps_deleted = transaction.observed || !end_listeners_.empty();
  current_ = &transaction;
  return transaction;
}

void Transactor::Run(bool local, Origin origin, absl::FunctionRef<void(Transaction&)> body) {
  if (current_ != nullptr) return body(*current_);
  const bool first = begun_ == 0;
  body(Begin(local, origin));
  current_ = nullptr;
  if (!first) return;
  Budget unlimited = Budget::Unlimited();
  EndAll(unlimited);
}

bool Transactor::End(Budget& budget) {
  current_ = nullptr;
  return EndAll(budget);
}

void Transactor::RecordKeys(bool records) {
  document_.records_keys = records;
  if (current_ != nullptr && current_->changed.empty()) current_->records_keys = records;
}

bool Transactor::EndAll(Budget& budget) {
  // Observers may add to these.
  for (; ended_ < begun_; ++ended_) {
    if (!EndOne(*transactions_[ended_], budget)) return false;
  }
  for (size_t i = 0; i < begun_; ++i) transactions_[i]->Clear();
  begun_ = ended_ = 0;
  constexpr size_t kKept = 2;
  if (transactions_.size() > kKept) transactions_.resize(kKept);
  return true;
}

bool Transactor::SortDeleted(Transaction& transaction, Budget& budget) {
  for (const absl::Span<Transaction::Deleted> deleted = transaction.deleted(); sorted_ < deleted.size(); ++sorted_) {
    if (!budget.Take(deleted[sorted_].ranges.size())) return false;
    SortAndMergeRanges(deleted[sorted_].ranges);
  }
  sorted_ = 0;
  return true;
}

bool Transactor::EndOne(Transaction& transaction, Budget& budget) {
  if (!clean_up_.has_value()) {
    if (!SortDeleted(transaction, budget)) return false;
    if (!end_listeners_.empty()) {
      for (const auto& [client, before] : transaction.touched)
        transaction.touched_after.push_back(document_.structs[client].state);
    }
    CallObservers(transaction);
    CallEndListeners(transaction);
    if (transaction.needs_formatting_cleanup) {
      Run(/*local=*/true, [&](Transaction& cleanup) { FormatCleanup(document_, cleanup).After(transaction); });
    }
    document_.NoteAuthors(transaction);
    clean_up_.emplace(document_, transaction);
  }
  if (!clean_up_->Step(budget)) return false;
  clean_up_.reset();
  if (!transaction.local) {
    // Somebody else uses this client's id.
    for (const auto& [client, before] : transaction.touched) {
      if (document_.structs[client].id == client_) client_ = RandomClient();
    }
  }
  if (hooks.done) {
    hooks.done(transaction);
  } else {
    document_.ForgetSubdocuments(transaction);
  }
  return true;
}

void Transactor::CallObservers(Transaction& transaction) {
  for (const Transaction::Changed& changed : transaction.changed) {
    if (changed.type == kNoType) continue;
    const Type& type = document_.types[changed.type];
    if (document_.IsDeleted(changed.type)) continue;
    if (!transaction.local && type.markers != nullptr) type.markers->Clear();
    if (hooks.observe_type) hooks.observe_type(transaction, changed);
    const bool is_text = type.kind == TypeKind::kText || type.kind == TypeKind::kXmlText;
    if (!transaction.local && is_text && type.has_formatting) transaction.needs_formatting_cleanup = true;
  }
  if (hooks.observe) hooks.observe(transaction);
}

void Transactor::CallEndListeners(Transaction& transaction) {
  if (transaction.touched_after.size() != transaction.touched.size()) return;  // an observer added the first listener
  const std::vector<EndListener*> listeners = end_listeners_;
  for (EndListener* listener : listeners) {
    const bool removed = std::find(end_listeners_.begin(), end_listeners_.end(), listener) == end_listeners_.end();
    if (!removed) listener->OnEnd(transaction);
  }
}

}  // namespace rivermeet::crdt::internal
