// A table for the terminal.
#ifndef RIVERMEET_CLI_TEXT_TABLE_H_
#define RIVERMEET_CLI_TEXT_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace rivermeet::cli {

// Columns apart by two blanks, as wide as their widest cell; those named in `right` are aligned to the right.
// Control characters in cells are shown as "?": what a stream holds can't drive the terminal.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header, std::vector<bool> right = {});

  // As many cells as the header has.
  void AddRow(std::vector<std::string> cells);

  // With a line end after each row.
  std::string ToString() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;  // the header first
};

// `text` without control characters.
std::string ForTerminal(std::string_view text);
// How many columns of a terminal `text` takes, counting each code point as one.
size_t DisplayWidth(std::string_view text);

}  // namespace rivermeet::cli

#endif  // RIVERMEET_CLI_TEXT_TABLE_H_
