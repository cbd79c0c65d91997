#include "testing/kafka_broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "base/ids.h"
#include "base/status.h"
#include "fmt/format.h"

namespace rivermeet::testing {
namespace {

std::string JarFolder() {
  const char* const deps = std::getenv("RIVERMEET_DEPS");
  if (deps != nullptr && *deps != '\0') return std::string(deps) + "/kafka";
  const char* const home = std::getenv("HOME");
  return std::string(home == nullptr ? "/root" : home) + "/.cache/rivermeet/deps/kafka";
}

// Kafka needs to know its ports before it binds them, and again after a restart: one that is free, and not one of
// those that the system gives to outgoing connections.
std::string FreeAddress() {
  int lowest = 0;
  RM_CHECK(bool(std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> lowest));
  const int first = 10'000, ports = std::max(lowest - first, 1'000);
  while (true) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons(static_cast<uint16_t>(first + static_cast<int>(RandomId() % static_cast<uint64_t>(ports))));
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (free) return fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  }
}

std::string ReadText(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string EndOf(const std::string& text) { return text.size() > 2000 ? text.substr(text.size() - 2000) : text; }

// Starts java with these arguments, its output appended to `log`.
pid_t StartJava(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<std::string> words = {"java", "-cp", JarFolder() + "/*"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execvp("java", argv.data());
    _exit(127);
  }
  close(out);
  return pid;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaBroker>> KafkaBroker::Start(const std::string& folder,
                                                                std::optional<KafkaSecurity> security) {
  if (!std::filesystem::exists(JarFolder() + "/.version")) {
    return absl::FailedPreconditionError(fmt::format("no Kafka in {}: run tools/setup --kafka", JarFolder()));
  }
  absl::Status last;
  // Another process may take a port between the choice and the start.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::string data = fmt::format("{}/broker{}", folder, attempt);
    std::filesystem::create_directories(data);
    std::unique_ptr<KafkaBroker> broker(new KafkaBroker(data, security));
    broker->Configure();
    last = broker->Format();
    if (last.ok()) last = broker->Run();
    if (last.ok()) return broker;
  }
  return last;
}

KafkaBroker::~KafkaBroker() { Kill(); }

void KafkaBroker::Configure() {
  address_ = FreeAddress();
  std::string listeners = fmt::format("PLAINTEXT://{}", address_);
  if (security_) {
    tls_address_ = FreeAddress();
    sasl_address_ = FreeAddress();
    listeners += fmt::format(",SSL://{},SASL_SSL://{}", tls_address_, sasl_address_);
  }
  std::ofstream(folder_ + "/server.properties") << fmt::format(R"(process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{1}
listeners={0},CONTROLLER://{1}
advertised.listeners={0}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
log.dirs={2}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
{3})",
                                                               listeners, FreeAddress(), folder_, Secure());
  std::ofstream(folder_ + "/log4j.properties") << R"(log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
)";
}

std::string KafkaBroker::Secure() const {
  if (!security_) return "";
  // Kafka takes key and certificates from one file.
  std::ofstream(folder_ + "/keystore.pem") << ReadText(security_->key) << ReadText(security_->certificate);
  return fmt::format(R"(ssl.keystore.type=PEM
ssl.keystore.location={0}/keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location={1}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{2}="{3}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
)",
                     folder_, security_->authority, security_->user, security_->password);
}

absl::Status KafkaBroker::Format() {
  const std::string log = folder_ + "/format.log";
  std::vector<std::string> arguments = {
      "-XX:TieredStopAtLevel=1",     "kafka.tools.StorageTool", "format", "-t", "A" + RandomToken(16).substr(1), "-c",
      folder_ + "/server.properties"};
  if (security_) {
    arguments.insert(arguments.end(), {"--add-scram", fmt::format("SCRAM-SHA-512=[name={},password={}]",
                                                                  security_->user, security_->password)});
  }
  const pid_t pid = StartJava(arguments, log);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status == 0) return absl::OkStatus();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    return absl::FailedPreconditionError("no java: run tools/setup --kafka");
  }
  return absl::UnavailableError(fmt::format("formatting the broker's folder failed: {}", EndOf(ReadText(log))));
}

absl::Status KafkaBroker::Run() {
  const std::string log = fmt::format("{}/server.log", folder_);
  std::filesystem::remove(log);
  pid_ = StartJava(
      {"-Xmx512m", "-XX:TieredStopAtLevel=1", fmt::format("-Dlog4j.configuration=file:{}/log4j.properties", folder_),
       "kafka.Kafka", folder_ + "/server.properties"},
      log);
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (absl::Now() < deadline) {
    if (ReadText(log).find("Kafka Server started") != std::string::npos) return absl::OkStatus();
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    absl::SleepFor(absl::Milliseconds(50));
  }
  Kill();
  return absl::UnavailableError(fmt::format("the broker did not start: {}", EndOf(ReadText(log))));
}

void KafkaBroker::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void KafkaBroker::Pause() {
  if (pid_ > 0) kill(pid_, SIGSTOP);
}

void KafkaBroker::Resume() {
  if (pid_ > 0) kill(pid_, SIGCONT);
}

absl::Status KafkaBroker::Restart() {
  Kill();
  return Run();
}

}  // namespace rivermeet::testing
