#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "base/proto_time.h"
#include "base/status.h"
#include "base/strings.h"
#include "cli/frame_text.h"
#include "cli/internal/commands.h"
#include "cli/internal/interrupts.h"
#include "cli/live_table.h"
#include "cli/query_flags.h"
#include "client/connection_flags.h"
#include "commandline/command_app.h"
#include "commandline/durations.h"

namespace rivermeet::cli {
namespace {

struct Flags {
  std::shared_ptr<QueryFlags> query;
  std::shared_ptr<client::ConnectionFlags> connection;
  std::string format = "text";
  uint64_t count = 0;
};

class Screen {
 public:
  // Draws over what was drawn last, without flicker: line by line, then clears what is below.
  void Draw(const LiveTable& table, const std::string& title) {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
      size.ws_row = 24;
      size.ws_col = 80;
    }
    std::string text = title + "\n" + table.Draw(size.ws_row > 5 ? size.ws_row - 5u : 1u, size.ws_col);
    std::string output = lines_ > 0 ? fmt::format("\x1b[{}A\r", lines_) : "";
    lines_ = 0;
    for (const std::string_view line : Split(std::string_view(text).substr(0, text.size() - 1), '\n')) {
      output += fmt::format("{}\x1b[K\n", line);
      ++lines_;
    }
    output += "\x1b[J";
    std::fwrite(output.data(), 1, output.size(), stdout);
    std::fflush(stdout);
  }

 private:
  int lines_ = 0;
};

std::string JsonLine(const query::v1::SubscribeResponse& update) {
  std::string line = fmt::format("{{\"snapshot\":{},\"rows\":[", update.snapshot());
  for (int row = 0; row < static_cast<int>(update.frame().row_count()); ++row) {
    line += (row > 0 ? "," : "") + RowJson(update.frame(), row);
  }
  return line + "]}";
}

std::string Title(const Flags& flags, const query::v1::SubscribeResponse& update) {
  std::string title = fmt::format("{}, step {}", flags.query->stream, absl::FormatDuration(FromProto(update.step())));
  if (update.newest_append_time_us() > 0 && update.sent_time_us() >= update.newest_append_time_us()) {
    title +=
        fmt::format(", {} ms from durable to sent", (update.sent_time_us() - update.newest_append_time_us()) / 1000);
  }
  return title + ", Ctrl-C ends";
}

absl::Status Tail(const Flags& flags, int& exit_code) {
  if (flags.format != "text" && flags.format != "json") {
    exit_code = commandline::kUsage;
    return absl::InvalidArgumentError(fmt::format("\"{}\" is no format: text or json", flags.format));
  }
  query::v1::SubscribeRequest request;
  const auto query = BuildQuery(*flags.query, absl::Now());
  if (!query.ok()) return exit_code = commandline::kUsage, query.status();
  *request.mutable_query() = *query;
  Interrupts interrupts;
  RM_ASSIGN_OR_RETURN(const auto client, client::OpenClient(*flags.connection));

  const bool draws = isatty(STDOUT_FILENO) != 0 && flags.format == "text";
  LiveTable table;
  Screen screen;
  absl::Status damaged;
  uint64_t updates = 0;
  const auto on_update = [&](const query::v1::SubscribeResponse& update) {
    damaged = table.Apply(update);
    if (!damaged.ok()) return false;
    if (draws) {
      screen.Draw(table, Title(flags, update));
    } else if (update.frame().row_count() > 0) {
      fmt::print("{}\n", flags.format == "json" ? JsonLine(update) : LiveTable::Line(update));
      std::fflush(stdout);
    }
    if (std::ferror(stdout) != 0) return false;  // whoever read it has gone, as head does
    return flags.count == 0 || ++updates < flags.count;
  };
  const auto cancelled = [&] { return interrupts.Happened(); };
  bool was_connected = false;
  absl::Duration pause = absl::Milliseconds(500);
  while (true) {
    const uint64_t before = table.groups() + updates;
    const absl::Status ended = client->Subscribe(request, on_update, cancelled);
    if (ended.ok() || interrupts.Happened()) return damaged;
    was_connected = was_connected || table.groups() + updates > before || table.groups() > 0;
    // What never worked is told; what breaks later comes back, as in a browser.
    if (!was_connected || !absl::IsUnavailable(ended)) return ended;
    fmt::print(stderr, "{}; trying again\n", MessageOf(ended));
    const absl::Time until = absl::Now() + pause;
    while (absl::Now() < until && !interrupts.Happened()) absl::SleepFor(absl::Milliseconds(50));
    pause = std::min(pause * 2, absl::Seconds(10));
  }
}

}  // namespace

void AddTail(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App& command = *app.add_subcommand("tail", "Watch what the events of a stream add up to, live");
  flags->query = AddQueryFlags(command, /*with_end=*/false);
  flags->connection = client::AddConnectionFlags(command);
  command.add_option("--format", flags->format, "text, or json: one object a line for each update; else text")
      ->type_name("FORMAT");
  command.add_option("--count", flags->count, "End after so many updates; else at Ctrl-C")->type_name("COUNT");
  command.footer(
      "On a terminal one row a group is drawn anew at each update; otherwise each update is one line.\n\n"
      "Examples:\n"
      "  rivermeet tail host.metrics -m cpu_percent -g core --last 1m --step 1s\n"
      "  rivermeet tail orders -f count --last 10m --format json --count 5");
  SetForegroundAction(command, [flags](int& exit_code) { return Tail(*flags, exit_code); });
}

}  // namespace rivermeet::cli
