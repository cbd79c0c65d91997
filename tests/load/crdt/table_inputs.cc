#include "table_inputs.h"

#include <algorithm>

#include "base/status.h"
#include "base/strings.h"

namespace rivermeet::load {
namespace {

using Kind = TableOperation::Kind;
using Operations = std::vector<TableOperation>;

XorShift32 RandomOf(std::string_view line) {
  uint32_t number = 0;
  RM_CHECK(ParseNumber(line.substr(3), number));
  return XorShift32(100 * static_cast<uint32_t>(line[1] - '0') + number);
}

uint32_t Between(XorShift32& random, uint32_t low, uint32_t high) { return low + random.Below(high - low + 1); }

uint32_t Number(XorShift32& random) { return random.Next() >> 1; }

std::string Word(XorShift32& random, uint32_t low, uint32_t high) {
  std::string word(Between(random, low, high), ' ');
  for (char& letter : word) letter = static_cast<char>('a' + random.Below(26));
  return word;
}

TableOperation Insert(uint32_t index, std::string text) {
  return {.kind = Kind::kInsertText, .index = index, .text = std::move(text)};
}
TableOperation Delete(uint32_t index, uint32_t length) {
  return {.kind = Kind::kDeleteText, .index = index, .length = length};
}
TableOperation InsertNumbers(uint32_t index, std::vector<uint32_t> numbers) {
  return {.kind = Kind::kInsertNumbers, .index = index, .numbers = std::move(numbers)};
}

TableOperation InsertWord(XorShift32& random, uint32_t length, uint32_t low, uint32_t high) {
  const uint32_t index = random.Below(length + 1);
  return Insert(index, Word(random, low, high));
}

TableOperation InsertOrDelete(XorShift32& random, uint32_t index, uint32_t length) {
  if (index == length || random.Below(2) == 0) return Insert(index, Word(random, 2, 10));
  return Delete(index, Between(random, 1, std::min(9u, length - index)));
}

// Appends what `step(length)` gives, kTableOperations times.
template <typename Step>
Operations Repeat(uint32_t length, Step step) {
  Operations operations;
  for (uint32_t i = 0; i < kTableOperations; ++i) {
    for (TableOperation& operation : step(length)) {
      length += static_cast<uint32_t>(operation.text.size()) - operation.length;
      operations.push_back(std::move(operation));
    }
  }
  return operations;
}

Operations InsertWords(XorShift32& random, uint32_t length, uint32_t low, uint32_t high) {
  return Repeat(length, [&](uint32_t now) { return Operations{InsertWord(random, now, low, high)}; });
}

// The letters of `word`, each inserted where `index_of(i)` says.
template <typename IndexOf>
Operations InsertLetters(std::string_view word, IndexOf index_of) {
  Operations operations;
  for (const char letter : word) {
    operations.push_back(Insert(index_of(static_cast<uint32_t>(operations.size())), std::string(1, letter)));
  }
  return operations;
}

template <typename IndexOf>
Operations InsertNumbersOneByOne(XorShift32& random, IndexOf index_of) {
  Operations operations;
  for (uint32_t i = 0; i < kTableOperations; ++i) {
    const uint32_t index = index_of(i);
    operations.push_back(InsertNumbers(index, {Number(random)}));
  }
  return operations;
}

Operations InsertNumbersAtOnce(XorShift32& random) {
  std::vector<uint32_t> numbers(kTableOperations);
  for (uint32_t& number : numbers) number = Number(random);
  return {InsertNumbers(0, std::move(numbers))};
}

Operations OneOfTwoUsers(std::string_view line, XorShift32& random, uint32_t length) {
  if (line == "B2.1") return {Insert(0, Word(random, kTableOperations, kTableOperations))};
  if (line == "B2.2") return InsertWords(random, length, 1, 1);
  if (line == "B2.3") return InsertWords(random, length, 3, 9);
  RM_CHECK(line == "B2.4");
  return Repeat(length, [&](uint32_t now) {
    TableOperation first = InsertWord(random, now, 3, 9);
    TableOperation then = InsertOrDelete(random, first.index, now + static_cast<uint32_t>(first.text.size()));
    return Operations{std::move(first), std::move(then)};
  });
}

}  // namespace

Operations OneUser(std::string_view line) {
  XorShift32 random = RandomOf(line);
  constexpr uint32_t kAll = kTableOperations;
  const auto append = [](uint32_t i) { return i; };
  const auto prepend = [](uint32_t) { return 0u; };
  if (line == "B1.1") return InsertLetters(Word(random, kAll, kAll), append);
  if (line == "B1.2") return {Insert(0, Word(random, kAll, kAll))};
  if (line == "B1.3") {
    const std::string word = Word(random, kAll, kAll);
    return InsertLetters(std::string(word.rbegin(), word.rend()), prepend);
  }
  if (line == "B1.4") return InsertWords(random, 0, 1, 1);
  if (line == "B1.5") return InsertWords(random, 0, 2, 10);
  if (line == "B1.6") return {Insert(0, Word(random, kAll, kAll)), Delete(0, kAll)};
  if (line == "B1.7") {
    return Repeat(0, [&](uint32_t length) {
      const uint32_t index = random.Below(length + 1);
      return Operations{InsertOrDelete(random, index, length)};
    });
  }
  if (line == "B1.8") return InsertNumbersOneByOne(random, append);
  if (line == "B1.9") return InsertNumbersAtOnce(random);
  if (line == "B1.10") return InsertNumbersOneByOne(random, prepend);
  RM_CHECK(line == "B1.11");
  return InsertNumbersOneByOne(random, [&](uint32_t i) { return random.Below(i + 1); });
}

TwoUsersInput TwoUsers(std::string_view line) {
  XorShift32 random = RandomOf(line);
  TwoUsersInput input{.start = Word(random, 100, 100)};
  const auto length = static_cast<uint32_t>(input.start.size());
  input.first = OneOfTwoUsers(line, random, length);
  input.second = OneOfTwoUsers(line, random, length);
  return input;
}

Operations ManyUsers(std::string_view line) {
  Operations operations;
  for (uint32_t i = 0; i < kTableUsers; ++i) {
    const std::string text = fmt::format("{}", i);
    if (line == "B3.1") {
      operations.push_back({.kind = Kind::kSetNumber, .numbers = {i}});
    } else if (line == "B3.2") {
      operations.push_back({.kind = Kind::kSetUser, .text = text});
    } else if (line == "B3.3") {
      std::string repeated;
      for (uint32_t j = 0; j < kTableUsers; ++j) repeated += text;
      operations.push_back({.kind = Kind::kSetString, .text = std::move(repeated)});
    } else if (line == "B3.4") {
      operations.push_back({.kind = Kind::kInsertString, .text = text});
    } else {
      RM_CHECK(line == "B3.5");
      operations.push_back(Insert(0, text));
    }
  }
  return operations;
}

}  // namespace rivermeet::load
