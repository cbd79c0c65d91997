// The inputs of the tables B1, B2 and B3 of dmonad/crdt-benchmarks with N = 6000, the same for every engine: peers/js
// and peers/yrs make them draw for draw as specified here.
//
// Draws come from a xorshift32 (Marsaglia: 13, 17, 5). Each line has its own, whose first state is its seed times
// 0x9E3779B1 modulo 2^32; the seed of line Bx.y is 100 x + y. From it:
//   Below(n)        Next() modulo n
//   Between(l, h)   l + Below(h - l + 1)
//   Word(l, h)      Between(l, h), then as many letters 'a' + Below(26)
//   Number()        Next() / 2, rounded down
//   Bool()          Below(2) == 0
// Each operation is a transaction of its own in B1; in B2 all of a user's are one. `length` is the text's at the
// moment.
//   B1.1   the letters of Word(N, N), each appended              B1.2   Word(N, N) inserted at 0
//   B1.3   its letters from the last to the first, each at 0     B1.4   N times Word(1, 1) at Below(length + 1)
//   B1.5   N times Word(2, 10) at Below(length + 1)              B1.6   Word(N, N) inserted at 0, then deleted
//   B1.7   N times, at index = Below(length + 1): if index == length or Bool(), insert Word(2, 10), else delete
//          Between(1, min(9, length - index))
//   B1.8   N times Number() appended to the array                B1.9   N of Number() inserted at 0 as one operation
//   B1.10  N times Number() inserted at 0                        B1.11  N times, i from 0: Number() at Below(i + 1)
// Both users of B2 start with Word(100, 100), inserted by the first; then the first's operations are drawn, then the
// second's:
//   B2.1   Word(N, N) at 0                                       B2.2   N times Word(1, 1) at Below(length + 1)
//   B2.3   N times Word(3, 9) at Below(length + 1)
//   B2.4   N times: Word(3, 9) at index = Below(length + 1), then as B1.7 at the same index, drawn from "if" on
// The i-th of the 20 floor(sqrt(N)) = 1540 users of B3, from 0, does one thing; nothing is drawn:
//   B3.1   sets key v of the map to i                            B3.2   to {"name": i as text, "address": "here"}
//   B3.3   to i as text, repeated 1540 times                     B3.4   inserts i as text into the array at 0
//   B3.5   inserts i as text into the text at 0
#ifndef RIVERMEET_LOAD_CRDT_TABLE_INPUTS_H_
#define RIVERMEET_LOAD_CRDT_TABLE_INPUTS_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rivermeet::load {

inline constexpr uint32_t kTableOperations = 6'000;
inline constexpr uint32_t kTableUsers = 1'540;
inline constexpr std::array<std::string_view, 20> kTableLines = {
    "B1.1",  "B1.2", "B1.3", "B1.4", "B1.5", "B1.6", "B1.7", "B1.8", "B1.9", "B1.10",
    "B1.11", "B2.1", "B2.2", "B2.3", "B2.4", "B3.1", "B3.2", "B3.3", "B3.4", "B3.5"};

// The client id of the i-th document of a case, from 0: 32 bits, as random ones are.
constexpr uint32_t ClientIdOf(uint32_t i) { return 0x9E3779B1u * (i + 1); }

class XorShift32 {
 public:
  explicit constexpr XorShift32(uint32_t seed) : state_(seed * 0x9E3779B1u) {}

  constexpr uint32_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }
  constexpr uint32_t Below(uint32_t bound) { return Next() % bound; }

 private:
  uint32_t state_;
};

struct TableOperation {
  enum class Kind { kInsertText, kDeleteText, kInsertNumbers, kInsertString, kSetNumber, kSetString, kSetUser };
  Kind kind = Kind::kInsertText;
  uint32_t index = 0;
  uint32_t length = 0;            // kDeleteText
  std::string text;               // kInsertText, kInsertString, kSetString; the name of kSetUser
  std::vector<uint32_t> numbers;  // kInsertNumbers; one of kSetNumber
};

// What a line of B1 does, a transaction each. The line must exist, as in the two functions below.
std::vector<TableOperation> OneUser(std::string_view line);

struct TwoUsersInput {
  std::string start;
  std::vector<TableOperation> first;
  std::vector<TableOperation> second;
};
TwoUsersInput TwoUsers(std::string_view line);

// What each of the kTableUsers users of a line of B3 does.
std::vector<TableOperation> ManyUsers(std::string_view line);

}  // namespace rivermeet::load

#endif  // RIVERMEET_LOAD_CRDT_TABLE_INPUTS_H_
