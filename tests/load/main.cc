// rivermeet_load: sends the benches' events to a running suite and prints, as one JSON object, what it did.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/config.h"
#include "base/strings.h"
#include "ingest.h"

int main(int argc, char** argv) {
  using rivermeet::load::Options;
  Options options;
  double seconds = 30, warm_up = 5;
  std::string mode = "columnar", key_file;
  CLI::App app("Sends the benches' events and prints what it did as one JSON object.");
  app.add_option("mode", mode, "columnar, resilient (columnar that outlives its server), rows, json or freshness")
      ->check(CLI::IsMember({"columnar", "resilient", "rows", "json", "freshness"}));
  app.add_option("--grpc", options.grpc_address, "host:port of ingest's gRPC server");
  app.add_option("--gateway", options.gateway, "a.b.c.d:port of the gateway (json)");
  app.add_option("--key-file", key_file, "file with an API key")->required();
  app.add_option("--stream", options.stream, "stream to send to");
  app.add_option("--partitions", options.partitions, "partitions of the stream");
  app.add_option("--connections", options.connections, "connections");
  app.add_option("--in-flight", options.in_flight, "requests unanswered a connection");
  app.add_option("--distinct", options.distinct, "distinct batches made before the start");
  app.add_option("--batch", options.batch_events, "events a batch");
  app.add_option("--rate", options.events_per_second, "events a second, 0: as fast as it goes");
  app.add_option("--warm-up", warm_up, "seconds before measuring");
  app.add_option("--seconds", seconds, "seconds measured");
  app.add_option("--seed", options.seed, "seed of the events");
  app.add_option("--time-factor", options.time_factor, "event times move so much faster than the clock (resilient)");
  CLI11_PARSE(app, argc, argv);
  options.warm_up = absl::Seconds(warm_up);
  options.duration = absl::Seconds(seconds);
  const auto key = rivermeet::ReadSecretFile(key_file);
  if (!key.ok()) {
    std::fprintf(stderr, "rivermeet_load: %s\n", key.status().ToString().c_str());
    return 1;
  }
  options.api_key = *key;
  const auto result = mode == "columnar"    ? IngestColumnar(options)
                      : mode == "resilient" ? IngestResiliently(options)
                      : mode == "rows"      ? IngestRows(options)
                      : mode == "freshness" ? MeasureFreshness(options)
                                            : IngestJson(options);
  if (!result.ok()) {
    std::fprintf(stderr, "rivermeet_load: %s\n", result.status().ToString().c_str());
    return 1;
  }
  fmt::print(
      "{{\"events\":{},\"percent_hundredths\":{},\"counter\":{},\"measured_events\":{},\"measured_seconds\":{:.3f},"
      "\"ack_p50_ms\":{:.3f},\"ack_p99_ms\":{:.3f},\"visibility_token\":\"{}\"}}\n",
      result->sent.events, result->sent.percent_hundredths, result->sent.counter, result->measured_events,
      absl::ToDoubleSeconds(result->measured), result->ack.Quantile(0.5) / 1000, result->ack.Quantile(0.99) / 1000,
      result->visibility_token);
  return 0;
}
