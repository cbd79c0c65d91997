// What a fuzzed program of rivermeet_crdt.h consists of: its bytes, the arguments made of them, its handles, and the
// calls that take no callback.
#ifndef RIVERMEET_CRDT_C_API_C_PROGRAM_H_
#define RIVERMEET_CRDT_C_API_C_PROGRAM_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "crdt/c_api/rivermeet_crdt.h"

namespace rivermeet::crdt::internal {

// Handles of one type; what is put where another was frees that.
template <class Handle, void (*kFree)(Handle*)>
class Slots {
 public:
  ~Slots() {
    for (size_t i = 0; i < handles_.size(); ++i) Put(i, nullptr);
  }
  Handle* operator[](size_t place) const { return handles_[place % handles_.size()]; }
  void Put(size_t place, Handle* handle) { kFree(std::exchange(handles_[place % handles_.size()], handle)); }

 private:
  std::array<Handle*, 6> handles_{};
};

class CProgram {
 protected:
  CProgram(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  bool AtEnd() const { return data_ == end_; }
  uint8_t Byte() { return data_ == end_ ? 0 : *data_++; }
  size_t Below(size_t count) { return Byte() % count; }
  std::string_view Raw() {
    const size_t wanted = Byte();  // first: what is left is without it
    const size_t size = std::min<size_t>(wanted, end_ - data_);
    const std::string_view raw(reinterpret_cast<const char*>(data_), size);
    data_ += size;
    return raw;
  }
  // Mostly text.
  std::string_view Text() {
    static constexpr std::string_view kTexts[] = {"", "a", "bc", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xed\xa0\xbd", "k"};
    const size_t choice = Below(9);
    return choice < std::size(kTexts) ? kTexts[choice] : Raw();
  }
  std::string_view Json() {
    static constexpr std::string_view kJson[] = {"1",  "null", R"({"b":true})", R"({"b":null,"i":{"x":[]}})",
                                                 "[]", "{}",   R"("text")"};
    const size_t choice = Below(9);
    return choice < std::size(kJson) ? kJson[choice] : Raw();
  }
  // Mostly small; else more than any document has.
  uint64_t Number() {
    const uint8_t byte = Byte();
    return byte < 0xf0 ? byte % 16 : ~uint64_t{0} << (byte % 16 * 2);
  }
  rmcrdt_format Format() {
    static constexpr rmcrdt_format kFormats[] = {RMCRDT_V1, RMCRDT_V2, RMCRDT_V1, RMCRDT_V2, rmcrdt_format{9}};
    return kFormats[Below(5)];
  }
  rmcrdt_kind Kind() { return static_cast<rmcrdt_kind>(Below(9)); }
  rmcrdt_options Options() {
    rmcrdt_options options;
    RM_CHECK(rmcrdt_options_init(&options, sizeof(options)) == RMCRDT_OK);
    options.has_client_id = true;
    options.client_id = ++last_client_;
    const uint8_t flags = Byte();
    options.keep_deleted = (flags & 1) != 0;
    if ((flags & 2) != 0) options.max_depth = 4;
    if ((flags & 4) != 0) options.max_structs = 8;
    if ((flags & 8) != 0) options.max_document_bytes = 4096;
    if ((flags & 0xf0) == 0xf0) options.struct_size = Byte();
    return options;
  }
  static const uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }
  static std::string Copy(const rmcrdt_buffer* buffer) {
    return {reinterpret_cast<const char*>(rmcrdt_buffer_data(buffer)), rmcrdt_buffer_size(buffer)};
  }
  // An update, snapshot, state vector or position: one that some call gave, or any bytes.
  std::string Encoded() {
    const rmcrdt_buffer* buffer = buffers_[Byte()];
    return buffer == nullptr ? std::string(Raw()) : Copy(buffer);
  }
  const rmcrdt_value* Value() { return values_[Byte()]; }

  static rmcrdt_code Code(rmcrdt_code code) {
    if (code == RMCRDT_OK) return code;
    RM_CHECK(code == rmcrdt_error_code());
    RM_CHECK(rmcrdt_error_message()[0] != '\0');
    return code;
  }

  // --- calls that take no callback

  void CallForMore(size_t place) {
    switch (Below(6)) {
      case 0:
        return Compare(place);
      case 1:
        return ReadDiff(diffs_[Byte()]);
      case 2:
        return Attribute(place);
      case 3:
        return Load(place);
      case 4:
        return ReadPart(place);
      default:
        return ReadBytes(place);
    }
  }

  Slots<rmcrdt_doc, rmcrdt_doc_free> docs_;
  Slots<rmcrdt_type, rmcrdt_type_free> types_;
  Slots<rmcrdt_value, rmcrdt_value_free> values_;
  Slots<rmcrdt_delta, rmcrdt_delta_free> deltas_;
  Slots<rmcrdt_buffer, rmcrdt_buffer_free> buffers_;
  Slots<rmcrdt_undo, rmcrdt_undo_free> undos_;
  Slots<rmcrdt_subscription, rmcrdt_subscription_free> subscriptions_;
  Slots<rmcrdt_diff, rmcrdt_diff_free> diffs_;
  std::array<std::string, 6> loaded_;  // what the loaders read
  Slots<rmcrdt_loader, rmcrdt_loader_free> loaders_;

 private:
  void Compare(size_t place) {
    rmcrdt_type* const type = types_[Byte()];
    const std::string one = Encoded(), other = Encoded();
    const rmcrdt_view views[] = {{Bytes(one), one.size()}, {Bytes(other), other.size()}};
    const rmcrdt_view* const before = Below(3) == 0 ? nullptr : views;
    const rmcrdt_view* const after = Below(3) == 0 ? nullptr : views + 1;
    switch (Below(4)) {
      case 0:
        return diffs_.Put(place, rmcrdt_text_diff(type, Format(), before, after));
      case 1:
        return diffs_.Put(place, rmcrdt_list_diff(type, Format(), before, after));
      case 2:
        return diffs_.Put(place, rmcrdt_map_diff(type, Format(), before, after));
      default:
        return deltas_.Put(place, rmcrdt_text_delta_at(type, Format(), before, after));
    }
  }

  void ReadDiff(const rmcrdt_diff* diff) {
    const size_t run = Below(4);
    size_t size = 0;
    const bool has = run < rmcrdt_diff_size(diff);
    rmcrdt_value* const author = rmcrdt_diff_author(diff, run);
    RM_CHECK(has == (author != nullptr) && has == (rmcrdt_diff_length(diff, run) > 0));
    rmcrdt_value_free(author);
    values_.Put(run, rmcrdt_diff_value(diff, run));
    rmcrdt_value_free(rmcrdt_diff_attributes(diff, run));
    const char* const key = rmcrdt_diff_key(diff, run, &size);
    if (key != nullptr) RM_CHECK(key[size] == 0);
    (void)rmcrdt_diff_change(diff, run);
  }

  void Attribute(size_t place) {
    rmcrdt_doc* const doc = docs_[Byte()];
    const std::string known = Below(2) == 0 ? "" : Encoded();
    const uint64_t client = Number();
    const auto time = static_cast<int64_t>(Number());
    switch (Below(4)) {
      case 0:
        Code(rmcrdt_doc_keep_attribution(doc, known.empty() ? nullptr : Bytes(known), known.size()));
        return;
      case 1:
        Code(rmcrdt_doc_attribute_to(doc, Below(2) == 0 ? nullptr : &client, Below(2) == 0 ? nullptr : &time));
        return;
      case 2:
        return buffers_.Put(place, rmcrdt_doc_encode_attribution(doc));
      default:
        return rmcrdt_value_free(rmcrdt_type_authors(types_[Byte()], client, client + Below(9)));
    }
  }

  void Load(size_t place) {
    bool done = false;
    switch (Below(4)) {
      case 0: {
        loaders_.Put(place, nullptr);
        std::string& update = loaded_[place % loaded_.size()];
        update = Encoded();
        const rmcrdt_options options = Options();
        return loaders_.Put(place, rmcrdt_loader_new(Format(), Bytes(update), update.size(), &options));
      }
      case 1:
      case 2:
        if (Code(rmcrdt_loader_step(loaders_[place], Below(9), &done)) != RMCRDT_OK) RM_CHECK(!done);
        return;
      default:
        return docs_.Put(Byte(), rmcrdt_loader_take(loaders_[place]));
    }
  }

  void ReadPart(size_t place) {
    rmcrdt_type* const type = types_[Byte()];
    const rmcrdt_value* const value = Value();
    const auto unit = static_cast<rmcrdt_text_unit>(Below(4)), other = static_cast<rmcrdt_text_unit>(Below(4));
    const std::string_view key = Text();
    switch (Below(6)) {
      case 0:
        return types_.Put(place, rmcrdt_type_parent(type));
      case 1:
        return values_.Put(place, rmcrdt_type_step(type));
      case 2:
        RM_CHECK(rmcrdt_text_convert_place(type, Number(), unit, other) <= rmcrdt_text_length(type, other));
        return;
      case 3:
        return values_.Put(place, rmcrdt_value_get_options(value));
      case 4:
        return values_.Put(place, rmcrdt_value_get_element(value, Below(rmcrdt_value_get_size(value) + 1)));
      default:
        return values_.Put(place, rmcrdt_value_get_member(value, key.data(), key.size()));
    }
  }

  void ReadBytes(size_t place) {
    const std::string one = Encoded(), other = Encoded();
    bool answer = false;
    switch (Below(6)) {
      case 0:
        Code(rmcrdt_snapshot_equal(Format(), Bytes(one), one.size(), Bytes(other), other.size(), &answer));
        return;
      case 1:
        Code(rmcrdt_snapshot_contains(Format(), Bytes(one), one.size(), Bytes(other), other.size(), &answer));
        return;
      case 2:
        return buffers_.Put(place, rmcrdt_update_obfuscate(Format(), Bytes(one), one.size(), nullptr));
      case 3:
        return values_.Put(place, rmcrdt_update_clients(Format(), Bytes(one), one.size(), nullptr));
      case 4: {
        rmcrdt_buffer* const json = rmcrdt_position_to_json(Bytes(one), one.size());
        const std::string text = Copy(json);
        rmcrdt_buffer_free(json);
        return buffers_.Put(place, rmcrdt_position_from_json(text.data(), text.size()));
      }
      default:
        return types_.Put(place, rmcrdt_position_resolve_as_others(docs_[Byte()], Bytes(one), one.size(), nullptr));
    }
  }

  const uint8_t* data_;
  const uint8_t* end_;
  uint64_t last_client_ = 0;
};

}  // namespace rivermeet::crdt::internal

#endif  // RIVERMEET_CRDT_C_API_C_PROGRAM_H_
