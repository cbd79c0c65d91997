#include "events/internal/csv_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/status.h"
#include "events/names.h"

namespace rivermeet::events::internal {
namespace {

using Kind = FieldSlot::Kind;
using Role = FieldSlot::Role;

struct Cell {
  std::string_view text;
  size_t offset = 0;
};

// Reads records.
class CsvReader {
 public:
  explicit CsvReader(std::string_view body) : body_(body), at_(body.starts_with("\xef\xbb\xbf") ? 3 : 0) {}

  bool AtEnd() const { return at_ >= body_.size(); }
  size_t offset() const { return at_; }

  // The cells of the next record, in memory good until the call after. On a fault it is the record's first, at
  // `fault_offset`, and the reader has moved to the next line.
  bool Next(std::vector<Cell>& cells, std::string& fault, size_t& fault_offset) {
    cells.clear();
    fault.clear();
    scratch_.Reset();
    while (true) {
      Cell cell{{}, at_};
      if (at_ < body_.size() && body_[at_] == '"') {
        if (!Quoted(cell, fault)) return Broken(fault_offset);
      } else if (!Plain(cell, fault)) {
        return Broken(fault_offset);
      }
      cells.push_back(cell);
      if (at_ >= body_.size()) return true;
      const char c = body_[at_++];
      if (c == '\r') ++at_;  // and its LF
      if (c != ',') return true;
      if (cells.size() > kMaxBatchColumns) {
        fault = "too many columns";
        return Broken(fault_offset);
      }
    }
  }

 private:
  // Whether a cell may end here.
  bool AtSeparator() const {
    if (at_ >= body_.size() || body_[at_] == ',' || body_[at_] == '\n') return true;
    return body_[at_] == '\r' && at_ + 1 < body_.size() && body_[at_ + 1] == '\n';
  }

  bool Plain(Cell& cell, std::string& fault) {
    const size_t from = at_;
    while (!AtSeparator()) {
      if (body_[at_] == '"') {
        fault = "a quote within a cell that isn't quoted";
        return false;
      }
      if (body_[at_] == '\r' && at_ + 1 == body_.size()) break;
      ++at_;
    }
    cell.text = body_.substr(from, at_ - from);
    // A last line may end in a bare CR.
    if (at_ < body_.size() && body_[at_] == '\r' && at_ + 1 == body_.size()) at_ = body_.size();
    return true;
  }

  bool Quoted(Cell& cell, std::string& fault) {
    const size_t from = ++at_;
    bool doubled = false;
    while (true) {
      const void* quote = at_ < body_.size() ? std::memchr(body_.data() + at_, '"', body_.size() - at_) : nullptr;
      if (quote == nullptr) {
        fault = "a quoted cell doesn't end";
        at_ = body_.size();
        return false;
      }
      at_ = static_cast<size_t>(static_cast<const char*>(quote) - body_.data()) + 1;
      if (at_ >= body_.size() || body_[at_] != '"') break;
      doubled = true;
      ++at_;
    }
    cell.text = body_.substr(from, at_ - 1 - from);
    if (doubled) cell.text = Undouble(cell.text);
    if (AtSeparator()) return true;
    fault = "something follows a quoted cell";
    return false;
  }

  std::string_view Undouble(std::string_view text) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
      plain += text[i];
      if (text[i] == '"') ++i;
    }
    return scratch_.Copy(plain);
  }

  bool Broken(size_t& fault_offset) {
    fault_offset = std::min(at_, body_.size());
    const void* newline = at_ < body_.size() ? std::memchr(body_.data() + at_, '\n', body_.size() - at_) : nullptr;
    at_ = newline == nullptr ? body_.size() : static_cast<size_t>(static_cast<const char*>(newline) - body_.data()) + 1;
    return false;
  }

  std::string_view body_;
  size_t at_ = 0;
  Arena scratch_;
};

bool IsBlank(const std::vector<Cell>& cells) { return cells.size() == 1 && cells[0].text.empty(); }

class CsvEvents {
 public:
  CsvEvents(std::string_view body, const DecodeOptions& options, EventAssembler& assembler)
      : body_(body), reader_(body), options_(options), assembler_(assembler) {}

  absl::StatusOr<uint64_t> Run() {
    RM_RETURN_IF_ERROR(ReadHeader());
    if (options_.schema == nullptr) Guess(CsvReader(body_.substr(reader_.offset())));
    uint64_t events = 0;
    std::string fault;
    while (!reader_.AtEnd()) {
      const size_t start = reader_.offset();
      size_t fault_offset = 0;
      const bool sound = reader_.Next(cells_, fault, fault_offset);
      if (sound && IsBlank(cells_) && names_.size() > 1) continue;
      assembler_.Begin(events++, start);
      if (!sound) {
        assembler_.Fail(Reason::kMalformed, "", fault_offset,
                        [&] { return fmt::format("not CSV at byte {}: {}", fault_offset, fault); });
      } else if (cells_.size() != names_.size()) {
        assembler_.Fail(Reason::kMalformed, "", start, [&] {
          return fmt::format("the line at byte {} has {} cells; the header has {}", start, cells_.size(),
                             names_.size());
        });
      } else {
        Row();
      }
      RM_RETURN_IF_ERROR(assembler_.End());
    }
    return events;
  }

 private:
  absl::Status ReadHeader() {
    std::string fault;
    size_t fault_offset = 0;
    std::vector<Cell> header;
    if (!reader_.Next(header, fault, fault_offset)) {
      return absl::InvalidArgumentError(
          ToAbsl(fmt::format("the header is not CSV at byte {}: {}", fault_offset, fault)));
    }
    for (const Cell& cell : header) names_.emplace_back(Trim(cell.text));
    StringSet seen;
    for (const std::string& name : names_) {
      if (name.empty()) return absl::InvalidArgumentError("the header line has an empty column name");
      if (!seen.insert(name).second) {
        return absl::InvalidArgumentError(ToAbsl(fmt::format("the header names column {} twice", Quoted(name))));
      }
    }
    if (!seen.contains("time")) return absl::InvalidArgumentError("the header line has no column named time");
    return absl::OkStatus();
  }

  // Which columns hold nothing but numbers, by looking at all of them: only for a stream that isn't made yet.
  void Guess(CsvReader rows) {
    is_number_.assign(names_.size(), true);
    std::vector<bool> any(names_.size(), false);
    std::string fault;
    size_t fault_offset = 0;
    JsonNumber number;
    while (!rows.AtEnd()) {
      if (!rows.Next(cells_, fault, fault_offset) || cells_.size() != names_.size()) continue;
      for (size_t c = 0; c < cells_.size(); ++c) {
        if (cells_[c].text.empty() || !is_number_[c]) continue;
        any[c] = true;
        is_number_[c] = JsonReader::ParseWhole(cells_[c].text, number);
      }
    }
    for (size_t c = 0; c < names_.size(); ++c) is_number_[c] = is_number_[c] && any[c];
  }

  void Row() {
    FieldSlot* slot = nullptr;
    // A rejected line is read to its end all the same: see EventAssembler::Enter().
    for (size_t c = 0; c < cells_.size(); ++c) {
      const Cell& cell = cells_[c];
      slot = assembler_.Find(names_[c], slot, cell.offset);
      if (slot == nullptr) return;
      if (!IsText(cell.text)) {
        assembler_.Fail(Reason::kInvalidUtf8, slot->name, cell.offset,
                        [&] { return fmt::format("the cell at byte {} is not UTF-8", cell.offset); });
      }
      if (cell.text.empty()) {
        assembler_.Null(*slot, Place::kFlat, cell.offset);
      } else {
        Value(*slot, c, cell);
      }
    }
  }

  void Value(FieldSlot& slot, size_t column, const Cell& cell) {
    if (slot.role == Role::kAttributes) return Attributes(slot, cell);
    JsonNumber number;
    const bool guessed = slot.kind == Kind::kUndecided && !is_number_.empty() && is_number_[column];
    const bool wants_number =
        slot.role == Role::kTime || slot.kind == Kind::kFloat64 || slot.kind == Kind::kInt64 || guessed;
    if (wants_number && JsonReader::ParseWhole(cell.text, number)) {
      return assembler_.Number(slot, number, Place::kFlat, cell.offset);
    }
    assembler_.Text(slot, cell.text, Place::kFlat, cell.offset);
  }

  // A cell of JSON.
  void Attributes(FieldSlot& slot, const Cell& cell) {
    if (!assembler_.EnterObject(slot, cell.offset)) return;
    JsonReader json(cell.text, true);
    const auto members = [&] {
      if (!json.Consume('{')) return false;
      if (json.TryConsume('}')) return true;
      do {
        std::string_view name, raw;
        size_t depth = 0;
        json.Peek();
        if (!json.ReadString(name, assembler_.scratch()) || !json.Consume(':') || !json.SkipValue(raw, depth))
          return false;
        assembler_.Attribute(name, raw, depth, cell.offset);
      } while (json.TryConsume(','));
      return json.Consume('}');
    };
    if (members() && json.AtEnd()) return;
    assembler_.Fail(Reason::kMalformed, "attributes", cell.offset, [&] {
      return fmt::format("not a JSON object: {}", json.failed() ? json.error() : "something follows it");
    });
  }

  std::string_view body_;
  CsvReader reader_;
  const DecodeOptions& options_;
  EventAssembler& assembler_;
  std::vector<std::string> names_;
  std::vector<bool> is_number_;
  std::vector<Cell> cells_;
};

}  // namespace

absl::StatusOr<uint64_t> DecodeCsv(std::string_view body, const DecodeOptions& options, EventAssembler& assembler) {
  return CsvEvents(body, options, assembler).Run();
}

}  // namespace rivermeet::events::internal
