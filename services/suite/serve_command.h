// `rivermeet serve`: runs the suite, or one service of it, until it is asked to stop.
#ifndef RIVERMEET_SUITE_SERVE_COMMAND_H_
#define RIVERMEET_SUITE_SERVE_COMMAND_H_

#include <CLI/App.hpp>

namespace rivermeet::suite {

void AddServeCommand(CLI::App& app);

}  // namespace rivermeet::suite

#endif  // RIVERMEET_SUITE_SERVE_COMMAND_H_
