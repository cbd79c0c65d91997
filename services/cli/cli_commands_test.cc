#include "cli/cli_commands.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "base/mutex.h"
#include "base/status.h"
#include "commandline/command_app.h"
#include "commandline/help_document.h"
#include "net/server.h"
#include "rivermeet/auth/v1/auth.pb.h"
#include "rivermeet/ingest/v1/ingest.pb.h"
#include "rivermeet/ingest/v1/streams.pb.h"
#include "rivermeet/query/v1/query.pb.h"
#include "testing/temp_dir.h"

namespace rivermeet::cli {
namespace {

// A gateway that gives fixed answers by path and remembers what it was asked. The suite's own tests run the commands
// against the real one.
class Gateway final : public net::Handler {
 public:
  net::Task<net::Response> Handle(net::Request& request) override {
    MutexLock lock(mutex_);
    const std::string path(request.path());
    asked_[path] = request.body();
    if (path == "/v1/subscribe") co_return net::Response::Of(200, "text/event-stream", stream_);
    const auto found = answers_.find(path);
    if (found == answers_.end()) {
      co_return net::Response::Of(404, "application/json", R"({"code":"not_found","message":"nothing of that name"})");
    }
    co_return net::Response::Of(200, "application/proto", found->second);
  }
  void Answer(const std::string& path, const google::protobuf::Message& answer) {
    MutexLock lock(mutex_);
    answers_[path] = answer.SerializeAsString();
  }
  void Stream(const std::string& text) {
    MutexLock lock(mutex_);
    stream_ = text;
  }
  template <typename Message>
  Message Asked(const std::string& path) {
    MutexLock lock(mutex_);
    Message message;
    RM_CHECK(message.ParseFromString(asked_[path]));
    return message;
  }

 private:
  Mutex mutex_;
  std::string stream_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> answers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> asked_ ABSL_GUARDED_BY(mutex_);
};

struct Outcome {
  int exit_code;
  std::string out;
};

struct Fixture {
  Gateway gateway;
  std::unique_ptr<net::Server> server;
  rivermeet::testing::TempDir folder;

  Fixture() {
    server = net::Server::Open({}, gateway).value();
    server->Start();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

  // Runs the program with this command line; its standard output is caught.
  Outcome Run(std::vector<std::string> arguments) {
    CLI::App app("A program", "rivermeet");
    commandline::PrepareApp(app);
    AddCommands(app);
    arguments.insert(arguments.begin(), "rivermeet");
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    const std::string path = folder / "out";
    std::fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    REQUIRE(std::freopen(path.c_str(), "w", stdout) != nullptr);
    const int exit_code = commandline::RunApp(app, static_cast<int>(pointers.size()), pointers.data());
    std::fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return {exit_code, text.str()};
  }
  Outcome RunHere(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--url", url(), "--data", folder.path()});
    return Run(std::move(arguments));
  }
};

TEST_CASE("a query prints its answer and sends what the flags say", "[cli]") {
  Fixture fixture;
  query::v1::QueryResponse answer;
  answer.mutable_frame()->set_row_count(1);
  auto& column = *answer.mutable_frame()->add_columns();
  column.set_name("mean_cpu_percent");
  column.set_type(query::v1::COLUMN_TYPE_FLOAT64);
  column.add_float64_values(12.5);
  fixture.gateway.Answer("/rivermeet.query.v1.QueryService/Query", answer);
  const Outcome outcome = fixture.RunHere({"query", "host.metrics", "--measure", "cpu_percent", "--function", "mean",
                                           "--group-by", "host,core", "--filter", "core=0", "--filter", "host!=b",
                                           "--last", "15m", "--step", "10s", "--format", "json"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out == "[{\"mean_cpu_percent\":12.5}]\n");
  const auto asked = fixture.gateway.Asked<query::v1::QueryRequest>("/rivermeet.query.v1.QueryService/Query").query();
  CHECK(asked.stream() == "host.metrics");
  CHECK(asked.group_by_size() == 2);
  CHECK(asked.filters_size() == 2);
  CHECK(asked.step().seconds() == 10);
}

TEST_CASE("each kind of failure has its exit code", "[cli]") {
  Fixture fixture;
  CHECK(fixture.RunHere({"query", "s"}).exit_code == commandline::kFailed);
  CHECK(fixture.RunHere({"query", "s", "--last", "x"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"query", "s", "--format", "xml"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"keys", "create", "a", "--role", "king"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"streams", "delete", "s"}).exit_code == commandline::kUsage);
  const std::string url = fixture.url();
  fixture.server.reset();
  CHECK(fixture.Run({"query", "s", "--url", url, "--data", fixture.folder.path()}).exit_code ==
        commandline::kUnreachable);
}

TEST_CASE("a ledger that does not balance fails", "[cli]") {
  Fixture fixture;
  query::v1::GetLedgerResponse ledger;
  ledger.mutable_total()->set_received(5);
  ledger.set_balanced(true);
  fixture.gateway.Answer("/rivermeet.query.v1.QueryService/GetLedger", ledger);
  const Outcome balanced = fixture.RunHere({"ledger", "s"});
  CHECK(balanced.exit_code == 0);
  CHECK(balanced.out.find("balanced: received") != std::string::npos);
  ledger.set_balanced(false);
  fixture.gateway.Answer("/rivermeet.query.v1.QueryService/GetLedger", ledger);
  CHECK(fixture.RunHere({"ledger", "s"}).exit_code == commandline::kFailed);
}

TEST_CASE("a new key goes alone to standard output", "[cli]") {
  Fixture fixture;
  auth::v1::CreateApiKeyResponse answer;
  answer.set_secret("rm_abc_secret");
  fixture.gateway.Answer("/rivermeet.auth.v1.AuthService/CreateApiKey", answer);
  CHECK(fixture.RunHere({"keys", "create", "x", "--role", "viewer", "--expires", "1d"}).out == "rm_abc_secret\n");
  const auto asked =
      fixture.gateway.Asked<auth::v1::CreateApiKeyRequest>("/rivermeet.auth.v1.AuthService/CreateApiKey");
  CHECK(asked.role() == auth::v1::ROLE_VIEWER);
  CHECK(asked.expires().seconds() > absl::ToUnixSeconds(absl::Now()) + 80'000);
}

TEST_CASE("revoking by the whole key sends its id and never its secret", "[cli]") {
  Fixture fixture;
  fixture.gateway.Answer("/rivermeet.auth.v1.AuthService/RevokeApiKey", auth::v1::RevokeApiKeyResponse());
  CHECK(fixture.RunHere({"keys", "revoke", "rm_abc_secret"}).exit_code == 0);
  CHECK(fixture.gateway.Asked<auth::v1::RevokeApiKeyRequest>("/rivermeet.auth.v1.AuthService/RevokeApiKey").id() ==
        "abc");
}

TEST_CASE("a stream is declared from flags, with units and kinds", "[cli]") {
  Fixture fixture;
  fixture.gateway.Answer("/rivermeet.ingest.v1.StreamService/PutStream", ingest::v1::PutStreamResponse());
  CHECK(fixture
            .RunHere({"streams", "declare", "line4", "--dimension", "machine,shift", "--float64", "temperature:celsius",
                      "--int64", "pieces::counter", "--retention", "90d"})
            .exit_code == 0);
  const auto stream =
      fixture.gateway.Asked<ingest::v1::PutStreamRequest>("/rivermeet.ingest.v1.StreamService/PutStream").stream();
  CHECK(stream.name() == "line4");
  REQUIRE(stream.fields_size() == 4);
  CHECK(stream.fields(2).unit() == "celsius");
  CHECK(stream.fields(3).kind() == events::v1::MEASURE_KIND_COUNTER);
  CHECK(stream.retention().seconds() == 90 * 86400);
  CHECK(fixture.RunHere({"streams", "declare", "s", "--int64", "a:b:c"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"streams", "declare", "s", "--partitions", "0"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"query", "s", "--limit", "0"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"streams", "list", "--url", "nonsense"}).exit_code == commandline::kUsage);
}

TEST_CASE("tail prints each update as a line where it is no terminal, and ends after as many as asked", "[cli]") {
  Fixture fixture;
  fixture.gateway.Stream(
      "data: {\"snapshot\":true,\"frame\":{\"rowCount\":\"1\",\"columns\":[{\"name\":\"time\",\"type\":"
      "\"COLUMN_TYPE_TIME\",\"int64Values\":[\"1000000\"]},{\"name\":\"count\",\"type\":"
      "\"COLUMN_TYPE_INT64\",\"int64Values\":[\"5\"]}]}}\n\n");
  CHECK(fixture.RunHere({"tail", "s", "--count", "1"}).out == "1970-01-01T00:00:01Z  count=5\n");
  CHECK(fixture.RunHere({"tail", "s", "--count", "1", "--format", "json"}).out ==
        "{\"snapshot\":true,\"rows\":[{\"time\":\"1970-01-01T00:00:01Z\",\"count\":5}]}\n");
  CHECK(fixture.RunHere({"tail", "s", "--format", "csv"}).exit_code == commandline::kUsage);
}

TEST_CASE("send says what was taken, and by its exit code that something was not", "[cli]") {
  Fixture fixture;
  ingest::v1::OpenProducerResponse producer;
  producer.set_producer_id(7);
  fixture.gateway.Answer("/rivermeet.ingest.v1.IngestService/OpenProducer", producer);
  ingest::v1::IngestRawResponse answer;
  answer.mutable_receipt()->set_accepted(2);
  fixture.gateway.Answer("/rivermeet.ingest.v1.IngestService/IngestRaw", answer);
  const std::string file = fixture.folder / "events.json";
  std::ofstream(file) << R"([{"a":1},{"b":2},{"c":3}])";
  const Outcome good = fixture.RunHere({"send", file, "--stream", "s"});
  CHECK(good.exit_code == 0);
  CHECK(good.out.find("accepted 2, rejected 0") == 0);

  answer.mutable_receipt()->set_rejected(1);
  auto& error = *answer.mutable_receipt()->add_errors();
  error.set_index(1);
  error.set_field("b");
  error.set_reason("is not a number");
  fixture.gateway.Answer("/rivermeet.ingest.v1.IngestService/IngestRaw", answer);
  const std::string rejects = fixture.folder / "rejects";
  CHECK(fixture.RunHere({"send", file, "--stream", "s", "--rejects", rejects}).exit_code ==
        commandline::kPartlyRejected);
  std::ifstream in(rejects);
  std::string line;
  std::getline(in, line);
  CHECK(line == R"({"field":"b","reason":"is not a number","event":"{\"b\":2}"})");
  CHECK_FALSE(std::ifstream(file + ".rivermeet-upload"));
  CHECK(fixture.RunHere({"send", file, "--stream", "Not a name"}).exit_code == commandline::kUsage);
  CHECK(fixture.RunHere({"send", "/nowhere.csv", "--stream", "s"}).exit_code == commandline::kFailed);
}

}  // namespace
}  // namespace rivermeet::cli
