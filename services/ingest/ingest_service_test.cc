#include "ingest/ingest_service.h"

#include <catch2/catch.hpp>
#include <limits>
#include <set>

#include "base/retry_after.h"
#include "ingest/ingest_fixture.h"

namespace rivermeet::ingest {
namespace {

using absl::StatusCode;

const MemoryLog::Outcome kAway{absl::UnavailableError("the log is away"), false};
const MemoryLog::Outcome kUnclear{absl::DeadlineExceededError("unclear"), true};
const MemoryLog::Outcome kFine{absl::OkStatus(), true};

TEST_CASE("a sound batch is stored byte for byte and its receipt says where", "[ingest]") {
  IngestFixture fixture;
  const std::string batch = IngestFixture::Batch();
  const auto receipt = fixture.Send(batch, 7, 42);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 3);
  CHECK(receipt->rejected() == 0);
  REQUIRE(receipt->positions_size() == 1);
  CHECK(receipt->positions(0).offset() == 0);
  const auto stored = fixture.log.all();
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].payload == batch);
  CHECK(stored[0].header.tenant() == "acme");
  CHECK(stored[0].header.stream() == "s");
  CHECK(stored[0].header.stream_id() != 0);
  CHECK(stored[0].header.schema_version() == 1);
  CHECK(stored[0].header.sequence() == 42);
  CHECK(stored[0].header.event_count() == 3);
  CHECK(stored[0].header.traceparent() == "00-1-2-01");
  const auto token = fixture.tokens.Verify("acme", receipt->visibility_token(), fixture.clock.Now());
  REQUIRE(token.ok());
  CHECK(token->stream() == "s");
  CHECK(token->positions_size() == 1);
  CHECK(fixture.tokens.Verify("other", receipt->visibility_token(), fixture.clock.Now()).status().code() ==
        StatusCode::kPermissionDenied);
}

TEST_CASE("the first send makes the stream, the next ones find it at hand", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  const auto stream = fixture.streams.Get("acme", "s", absl::InfiniteFuture());
  REQUIRE(stream.ok());
  CHECK(stream->fields_size() == 2);
  const int reads = fixture.streams.reads();
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  CHECK(fixture.streams.reads() == reads);
}

TEST_CASE("of two processes that make a stream at once both use the first one's schema", "[ingest]") {
  IngestFixture fixture;
  events::v1::Stream theirs;
  theirs.set_name("s");
  theirs.set_partitions(1);
  theirs.add_fields()->set_name("host");
  theirs.mutable_fields(0)->set_type(events::v1::FIELD_TYPE_DIMENSION);
  fixture.streams.BeatNextBy(theirs);
  const auto receipt = fixture.Send(IngestFixture::Batch());
  REQUIRE(receipt.ok());
  CHECK(receipt->rejected() == 3);
  CHECK(receipt->errors(0).code() == "unknown_field");
  CHECK(receipt->errors(0).field() == "cpu");
}

TEST_CASE("a batch of several partitions is split, every part under the same number", "[ingest]") {
  IngestFixture fixture(4);
  const auto receipt = fixture.Send(IngestFixture::Batch(1'000, 100), 7, 42);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 1'000);
  CHECK(receipt->positions_size() == 4);
  std::set<std::pair<uint64_t, uint64_t>> numbers;
  for (uint32_t p = 0; p < 4; ++p) {
    const auto stored = fixture.log.records(p);
    REQUIRE(stored.size() == 1);
    CHECK(events::LogPartitionOf("acme", "s", stored[0].header.stream_partition(), 4) == p);
    numbers.emplace(stored[0].header.producer_id(), stored[0].header.sequence());
  }
  CHECK(numbers.size() == 1);
}

TEST_CASE("the good events of a batch are kept, the bad ones named and counted in one record", "[ingest]") {
  IngestFixture fixture(2);
  REQUIRE(fixture.Send(IngestFixture::Batch(100, 50)).ok());
  events::BatchBuilder builder("s");
  const int host = builder.DimensionColumn("host"), cpu = builder.Float64Column("cpu"),
            gpu = builder.Float64Column("gpu");
  for (int i = 0; i < 10; ++i) {
    builder.Begin(i == 3 ? -1 : i == 4 ? IngestFixture::kNowUs + 301'000'000 : IngestFixture::kNowUs);
    builder.SetDimension(host, i % 2 == 0 ? "a" : "b");
    builder.SetFloat64(cpu, i == 5 ? std::numeric_limits<double>::infinity() : 1);
    if (i == 6) builder.SetFloat64(gpu, 1);
    builder.Commit();
  }
  const auto receipt = fixture.Send(builder.Take());
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 6);
  CHECK(receipt->rejected() == 4);
  REQUIRE(receipt->errors_size() == 4);
  CHECK(receipt->errors(0).index() == 3);
  CHECK(receipt->errors(0).code() == "time_too_old");
  CHECK(receipt->errors(1).code() == "time_in_future");
  CHECK(receipt->errors(2).code() == "non_finite");
  CHECK(receipt->errors(3).code() == "unknown_field");
  uint32_t accepted = 0, rejected = 0;
  for (const auto& stored : fixture.log.all()) {
    accepted += stored.header.event_count();
    rejected += stored.header.rejected_count();
  }
  CHECK(accepted == 106);
  CHECK(rejected == 4);
}

TEST_CASE("a batch that is rejected whole leaves a record of it", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  events::BatchBuilder builder("s");
  builder.Begin(-1);
  builder.Commit();
  const auto receipt = fixture.Send(builder.Take(), 7, 1);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 0);
  CHECK(receipt->rejected() == 1);
  const auto stored = fixture.log.all();
  REQUIRE(stored.size() == 2);
  CHECK(stored[1].header.event_count() == 0);
  CHECK(stored[1].header.rejected_count() == 1);
  CHECK(stored[1].payload.empty());
}

TEST_CASE("a batch that can't be read is refused and leaves nothing, wherever it is cut", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  const std::string batch = IngestFixture::Batch();
  uint64_t taken = 0;
  for (size_t length = 0; length < batch.size(); ++length) {
    const auto receipt = fixture.Send(batch.substr(0, length));
    if (receipt.ok()) {
      taken += receipt->accepted();
    } else {
      CHECK(receipt.status().code() == StatusCode::kInvalidArgument);
    }
  }
  uint64_t stored = 0;
  for (const auto& record : fixture.log.all()) stored += record.header.event_count();
  // A cut between two fields leaves a batch without the later ones, which is one.
  CHECK(stored == 3 + taken);
  CHECK(fixture.Send(std::string(events::kMaxBatchBytes + 1, 'x')).status().code() == StatusCode::kInvalidArgument);
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("with the log away the answer is UNAVAILABLE at once and nothing is kept", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  fixture.log.Script({kAway});
  CHECK(fixture.Send(IngestFixture::Batch()).status().code() == StatusCode::kUnavailable);
  CHECK(fixture.log.all().size() == 1);
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("an unclear append of an unnumbered request is tried again under the same number", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  fixture.log.Script({kUnclear});
  const auto receipt = fixture.Send(IngestFixture::Batch());
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 3);
  const auto stored = fixture.log.all();
  REQUIRE(stored.size() == 3);
  CHECK(stored[1].header.producer_id() == stored[2].header.producer_id());
  CHECK(stored[1].header.sequence() == stored[2].header.sequence());
  CHECK(stored[1].payload == stored[2].payload);
  // Half of the time for the first try, all of it for the second.
  CHECK(fixture.log.deadlines()[1] == fixture.clock.Now() + absl::Seconds(5));
  CHECK(fixture.log.deadlines()[2] == fixture.clock.Now() + absl::Seconds(10));
}

TEST_CASE("an unclear append of a numbered request is told, and its repeat carries the same number", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  fixture.log.Script({kUnclear});
  CHECK(fixture.Send(IngestFixture::Batch(), 7, 42).status().code() == StatusCode::kDeadlineExceeded);
  REQUIRE(fixture.Send(IngestFixture::Batch(), 7, 42).ok());
  const auto stored = fixture.log.all();
  CHECK(stored[1].header.producer_id() == stored[2].header.producer_id());
  CHECK(stored[1].header.sequence() == stored[2].header.sequence());
}

TEST_CASE("a request of which a part is durable is never answered as if nothing were", "[ingest]") {
  IngestFixture fixture(2);
  REQUIRE(fixture.Send(IngestFixture::Batch(100, 50)).ok());
  fixture.log.Script({kFine, kAway});
  // A code whose message reaches callers over HTTP too, and that nothing retries by itself.
  CHECK(fixture.Send(IngestFixture::Batch(100, 50)).status().code() == StatusCode::kAborted);
  fixture.log.Script({kFine, kAway});
  CHECK(fixture.Send(IngestFixture::Batch(100, 50), 7, 1).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("with the catalog away cached streams go on for five minutes, others are UNAVAILABLE", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  fixture.streams.FailWith(absl::UnavailableError("no catalog"));
  CHECK(fixture.Send(IngestFixture::Batch(1, 1, "other")).status().code() == StatusCode::kUnavailable);
  CHECK_FALSE(fixture.schemas.Refresh(absl::InfiniteFuture()).ok());
  fixture.clock.Advance(absl::Minutes(5));
  CHECK(fixture.Send(IngestFixture::Batch()).ok());
  fixture.clock.Advance(absl::Seconds(1));
  CHECK(fixture.Send(IngestFixture::Batch()).status().code() == StatusCode::kUnavailable);
  fixture.streams.FailWith(absl::OkStatus());
  CHECK(fixture.Send(IngestFixture::Batch()).ok());
}

TEST_CASE("a schema that another process changed is used after the next refresh", "[ingest]") {
  IngestFixture fixture;

  REQUIRE(fixture.SendRaw("application/json", R"({"time":1700000000,"a":1})").ok());
  const std::string body = R"({"time":1700000000,"b":"x"})";
  CHECK(fixture.SendRaw("application/json", body)->rejected() == 1);
  CHECK(fixture.streams.Get("acme", "s", absl::InfiniteFuture())->version() == 1);
  events::v1::Stream changed = *fixture.streams.Get("acme", "s", absl::InfiniteFuture());
  changed.add_fields()->set_name("b");
  changed.mutable_fields(1)->set_type(events::v1::FIELD_TYPE_DIMENSION);
  REQUIRE(fixture.streams.Declare("acme", changed, absl::InfiniteFuture()).ok());
  REQUIRE(fixture.schemas.Refresh(absl::InfiniteFuture()).ok());
  CHECK(fixture.SendRaw("application/json", body)->accepted() == 1);
  REQUIRE(fixture.streams.Delete("acme", "s", absl::InfiniteFuture()).ok());
  REQUIRE(fixture.schemas.Refresh(absl::InfiniteFuture()).ok());
  CHECK(fixture.schemas.Find("acme", "s") == nullptr);
}

TEST_CASE("tenants don't see each other's streams nor each other's producers", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.Send(IngestFixture::Batch()).ok());
  CHECK(fixture.schemas.Find("other", "s") == nullptr);
  CHECK(RecordProducer("acme", 7, 0) != RecordProducer("other", 7, 0));
  CHECK(RecordProducer("acme", 7, 0) != RecordProducer("acme", 8, 0));
  CHECK(RecordProducer("acme", 7, 0) != RecordProducer("acme", 7, 1));
  CHECK(RecordProducer("acme", 7, 1) == RecordProducer("acme", 7, 1));
  CHECK(RecordProducer("acme", 7, 0) <= INT64_MAX);
}

TEST_CASE("a request that numbers itself wrongly is refused", "[ingest]") {
  IngestFixture fixture;
  CHECK(fixture.Send(IngestFixture::Batch(), 7, 0).status().code() == StatusCode::kInvalidArgument);
  CHECK(fixture.Send(IngestFixture::Batch(), UINT64_MAX, 1).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("over a tenant's quota the answer says when to come back", "[ingest]") {
  IngestFixture fixture(1, 20'000);
  REQUIRE(fixture.Send(IngestFixture::Batch(15'000)).ok());
  const absl::Status refused = fixture.Send(IngestFixture::Batch(15'000)).status();
  CHECK(refused.code() == StatusCode::kResourceExhausted);
  CHECK(RetryAfter(refused) == absl::Milliseconds(500));
  fixture.clock.Advance(absl::Milliseconds(500));
  CHECK(fixture.Send(IngestFixture::Batch(15'000)).ok());
}

TEST_CASE("more bytes than the budget are refused until others are answered", "[ingest]") {
  const std::string batch = IngestFixture::Batch(1'000);
  IngestFixture fixture(1, 0, batch.size() * 3 / 2);
  REQUIRE(fixture.Send(batch).ok());
  auto [done, ended] = fixture.Ending();
  fixture.service.IngestBatch(fixture.From(), batch, std::move(done));
  CHECK(fixture.Send(batch).status().code() == StatusCode::kResourceExhausted);
  CHECK(fixture.Await(std::move(ended)).ok());
  CHECK(fixture.Send(batch).ok());
  CHECK(fixture.budget.used() == 0);
}

TEST_CASE("the batches of one body share its sequence but never pass for each other", "[ingest]") {
  IngestFixture fixture;
  std::string body = "time,host,cpu\n";
  for (int i = 0; i < 40'000; ++i) body += fmt::format("1700000000,h{},{}\n", i % 10, i);
  const auto receipt = fixture.SendRaw("text/csv", body, 7, 42);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 40'000);
  std::set<uint64_t> producers;
  const auto stored = fixture.log.all();
  CHECK(stored.size() >= 3);
  for (const auto& record : stored) {
    CHECK(record.header.sequence() == 42);
    producers.insert(record.header.producer_id());
  }
  CHECK(producers.size() == stored.size());
  REQUIRE(fixture.SendRaw("text/csv", body, 7, 42).ok());
  const auto again = fixture.log.all();
  REQUIRE(again.size() == stored.size() * 2);
  for (size_t i = 0; i < stored.size(); ++i) {
    CHECK(again[stored.size() + i].header.producer_id() == stored[i].header.producer_id());
    CHECK(again[stored.size() + i].payload == stored[i].payload);
  }
}

TEST_CASE("a body's bad events are told with their byte and counted in the ledger", "[ingest]") {
  IngestFixture fixture;
  const std::string body = "{\"time\":1700000000,\"a\":1}\n{\"time\":\"x\"}\n{\"time\":1700000000,\"a\":1,\"a\":2}\n";
  const auto receipt = fixture.SendRaw("application/x-ndjson; charset=utf-8", body);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 1);
  CHECK(receipt->rejected() == 2);
  CHECK(receipt->errors(0).index() == 1);
  CHECK(receipt->errors(0).byte_offset() == static_cast<int64_t>(body.find("\"x\"")));
  CHECK(receipt->errors(1).code() == "duplicate_field");
  CHECK(fixture.log.all().at(0).header.rejected_count() == 2);
}

TEST_CASE("a new stream has the fields of its whole first body", "[ingest]") {
  IngestFixture fixture;
  std::string body;
  for (int i = 0; i < 20'000; ++i)
    body += fmt::format("{{\"time\":1700000000,\"{}\":{}}}\n", i < 19'999 ? "a" : "b", i);
  CHECK(fixture.SendRaw("application/x-ndjson", body)->accepted() == 20'000);
  CHECK(fixture.streams.Get("acme", "s", absl::InfiniteFuture())->fields_size() == 2);
}

TEST_CASE("a first send without a sound event makes no stream and says why", "[ingest]") {
  IngestFixture fixture;
  const auto receipt = fixture.SendRaw("application/json", "[{\"timestamp\":1},{\"time\":");
  REQUIRE(receipt.ok());
  CHECK(receipt->rejected() == 2);
  CHECK(receipt->errors_size() == 2);
  CHECK(fixture.streams.Get("acme", "s", absl::InfiniteFuture()).status().code() == StatusCode::kNotFound);
  CHECK(fixture.log.all().empty());
}

TEST_CASE("a body of another type, an empty one and one too large are refused", "[ingest]") {
  IngestFixture fixture;
  CHECK(fixture.SendRaw("text/xml", "<a/>").status().code() == StatusCode::kInvalidArgument);
  CHECK(fixture.SendRaw("application/json", "").status().code() == StatusCode::kInvalidArgument);
  CHECK(fixture.SendRaw("application/json", std::string(events::kMaxBodyBytes + 1, ' ')).status().code() ==
        StatusCode::kInvalidArgument);
  CHECK(fixture.SendRaw("application/json", R"({"time":1,"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})")
            ->rejected() == 1);
}

v1::IngestRowsRequest Rows(int count) {
  v1::IngestRowsRequest rows;
  rows.set_stream("s");
  rows.add_dimensions("host");
  rows.add_float64_measures("cpu");
  rows.add_int64_measures("count");
  for (int i = 0; i < count; ++i) {
    v1::Event* event = rows.add_events();
    event->set_time_us(IngestFixture::kNowUs + i);
    event->add_dimensions(i == 1 ? "" : "a");
    event->add_float64_measures(i == 2 ? std::numeric_limits<double>::quiet_NaN() : 0.5);
    event->add_int64_measures(i);
  }
  return rows;
}

TEST_CASE("rows become columns, empty texts and NaN no values", "[ingest]") {
  IngestFixture fixture;
  REQUIRE(fixture.SendRows(Rows(4))->accepted() == 4);
  const std::string payload = fixture.log.all().at(0).payload;
  events::DecodedBatch decoded;
  REQUIRE(decoded.Parse(payload).ok());
  const events::BatchView& view = decoded.view();
  CHECK(view.dimensions[0].ValueOf(view.series_index[1]).data() == nullptr);
  CHECK(view.measures[0].IsNull(2));
  CHECK(view.measures[1].int64[3] == 3);
}

TEST_CASE("a row that doesn't fit its names costs itself", "[ingest]") {
  IngestFixture fixture;
  v1::IngestRowsRequest rows = Rows(5);
  rows.mutable_events(1)->add_dimensions("b");
  rows.mutable_events(2)->clear_int64_measures();
  rows.mutable_events(3)->set_dimensions(0, std::string(1'025, 'x'));
  const auto receipt = fixture.SendRows(rows);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 2);
  CHECK(receipt->errors(0).field() == "dimensions");
  CHECK(receipt->errors(1).field() == "int64_measures");
  CHECK(receipt->errors(2).code() == "too_long");
}

TEST_CASE("a row with text that isn't UTF-8 costs itself, wherever the text is", "[ingest]") {
  IngestFixture fixture;
  v1::IngestRowsRequest rows = Rows(5);
  rows.mutable_events(1)->set_dimensions(0, "bad1");
  rows.mutable_events(2)->set_id("bad2");
  rows.mutable_events(3)->set_attributes("bad3");
  std::string bytes = rows.SerializeAsString();
  for (const char* bad : {"bad1", "bad2", "bad3"}) bytes.replace(bytes.find(bad), 4, "\xc0\xaf\xff!");
  RowsMessage message;
  REQUIRE(ParseRows(bytes, message).ok());
  const auto receipt = fixture.SendRows(message);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 2);
  REQUIRE(receipt->errors_size() == 3);
  for (int i = 0; i < 3; ++i) {
    CHECK(receipt->errors(i).index() == static_cast<uint64_t>(i + 1));
    CHECK(receipt->errors(i).code() == "invalid_utf8");
  }
  CHECK(receipt->errors(0).field() == "host");
  CHECK(receipt->errors(1).field() == "id");
  CHECK(receipt->errors(2).field() == "attributes");
}

TEST_CASE("an unknown field under the rows' number is no row", "[ingest]") {
  IngestFixture fixture;
  v1::IngestRowsRequest rows = Rows(3);
  rows.mutable_events(1)->set_id("bad1");
  std::string bytes = "\x38\x05" + rows.SerializeAsString();
  bytes.replace(bytes.find("bad1"), 4, "\xc0\xaf\xff!");
  RowsMessage message;
  REQUIRE(ParseRows(bytes, message).ok());
  const auto receipt = fixture.SendRows(message);
  REQUIRE(receipt.ok());
  CHECK(receipt->accepted() == 2);
  REQUIRE(receipt->errors_size() == 1);
  CHECK(receipt->errors(0).index() == 1);
}

TEST_CASE("rows cut at any byte are refused or fewer", "[ingest]") {
  const std::string bytes = Rows(5).SerializeAsString();
  for (size_t length = 0; length < bytes.size(); ++length) {
    RowsMessage message;
    const absl::Status status = ParseRows(std::string(bytes, 0, length), message);
    CHECK((status.ok() || status.code() == StatusCode::kInvalidArgument));
    CHECK(message.unreadable.empty());
  }
  RowsMessage message;
  CHECK_FALSE(ParseStreamRows(std::string("\x0a\x05", 2), message).ok());
  CHECK_FALSE(ParseRows("\x22\x02\xff\xff", message).ok());
}

TEST_CASE("rows with bad names or too many of them are refused", "[ingest]") {
  IngestFixture fixture;
  v1::IngestRowsRequest rows = Rows(1);
  rows.set_dimensions(0, "time");
  CHECK(fixture.SendRows(rows).status().code() == StatusCode::kInvalidArgument);
  rows.set_dimensions(0, "cpu");
  CHECK(fixture.SendRows(rows).status().code() == StatusCode::kInvalidArgument);
  CHECK(fixture.SendRows(Rows(events::kMaxBatchEvents + 1)).status().code() == StatusCode::kInvalidArgument);
  rows = Rows(1);
  rows.set_stream("No Stream");
  CHECK(fixture.SendRows(rows).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("an unnumbered request's number is never so old that an owner has forgotten it", "[ingest]") {
  ProducerLanes lanes;
  const Numbered held = lanes.Take();
  std::vector<Numbered> rest;
  for (uint64_t i = 1; i < ProducerLanes::kWindow; ++i) {
    const Numbered number = lanes.Take();
    CHECK(number.producer_id == held.producer_id);
    lanes.Release(number);
  }
  CHECK(lanes.Take().producer_id != held.producer_id);
  CHECK(lanes.lanes() == 2);
  lanes.Release(held);
  CHECK(lanes.Take().producer_id == held.producer_id);
}

TEST_CASE("streams are declared, changed by version and deleted", "[ingest]") {
  IngestFixture fixture(2);
  StreamService streams({.max_fields = 3, .default_partitions = 2, .max_partitions = 2}, fixture.streams,
                        fixture.schemas);
  const absl::Time soon = absl::InfiniteFuture();
  events::v1::Stream declared;
  declared.set_name("s");
  declared.add_fields()->set_name("cpu");
  declared.mutable_fields(0)->set_type(events::v1::FIELD_TYPE_FLOAT64);
  const auto made = streams.Put("acme", declared, soon);
  REQUIRE(made.ok());
  CHECK(made->partitions() == 2);
  CHECK(made->allowed_lateness().seconds() == 60);
  CHECK(fixture.schemas.Find("acme", "s") != nullptr);
  declared.add_fields()->set_name("host");
  declared.mutable_fields(1)->set_type(events::v1::FIELD_TYPE_DIMENSION);
  CHECK(streams.Put("acme", declared, soon)->version() == 2);
  declared.set_version(1);
  CHECK(streams.Put("acme", declared, soon).status().code() == StatusCode::kAborted);
  declared.set_version(0);
  declared.mutable_fields(0)->set_type(events::v1::FIELD_TYPE_INT64);
  CHECK(streams.Put("acme", declared, soon).status().code() == StatusCode::kInvalidArgument);
  CHECK(streams.List("acme", soon)->size() == 1);
  CHECK(streams.List("other", soon)->empty());
  CHECK(streams.Get("other", "s", soon).status().code() == StatusCode::kNotFound);
  CHECK(streams.Delete("other", "s", soon).code() == StatusCode::kNotFound);
  CHECK(streams.Delete("acme", "s", soon).ok());
  CHECK(fixture.schemas.Find("acme", "s") == nullptr);
}

}  // namespace
}  // namespace rivermeet::ingest
