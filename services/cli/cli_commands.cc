#include "cli/cli_commands.h"

#include <signal.h>

#include <utility>

#include "cli/internal/commands.h"
#include "commandline/command_app.h"

namespace rivermeet::cli {

void SetForegroundAction(CLI::App& command, std::function<absl::Status(int& exit_code)> run) {
  commandline::SetAction(command, [run = std::move(run)](int& exit_code) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    return run(exit_code);
  });
}

void AddCommands(CLI::App& app) {
  AddSend(app);
  AddQuery(app);
  AddTail(app);
  AddStreams(app);
  AddLedger(app);
  AddKeys(app);
  AddAdmin(app);
  AddDoctor(app);
  AddCompletion(app);
}

}  // namespace rivermeet::cli
