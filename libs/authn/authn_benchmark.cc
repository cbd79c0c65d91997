// What verifying costs each call.
#include <benchmark/benchmark.h>

#include "absl/time/clock.h"
#include "authn/jwt_verifier.h"
#include "authn/password.h"
#include "authn/signing_key.h"

namespace rivermeet::authn {
namespace {

struct World {
  std::shared_ptr<const SigningKey> key = *SigningKey::Generate();
  Principal principal{.subject = "01920000-0000-7000-8000-000000000000",
                      .tenant = "default",
                      .role = Role::kEditor,
                      .session = "01920000-0000-7000-8000-000000000001",
                      .must_change_password = false,
                      .expires = absl::Now() + absl::Hours(1)};
  JwtVerifier verifier{{}, [this](absl::Time) { return KeySetJson({key->public_jwk()}); }};
  std::string token = MakeAccessToken(*key, {}, principal, absl::Now());
};

void BM_VerifyToken(benchmark::State& state) {
  World world;
  for (auto _ : state) {
    if (!world.verifier.Verify(world.token, absl::InfiniteFuture()).ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(BM_VerifyToken)->Unit(benchmark::kMicrosecond);

void BM_Recheck(benchmark::State& state) {
  World world;
  for (auto _ : state) {
    if (!world.verifier.Recheck(world.principal, absl::InfiniteFuture()).ok()) state.SkipWithError("refused");
  }
}
BENCHMARK(BM_Recheck);

void BM_MakeToken(benchmark::State& state) {
  World world;
  for (auto _ : state) {
    benchmark::DoNotOptimize(MakeAccessToken(*world.key, {}, world.principal, absl::Now()));
  }
}
BENCHMARK(BM_MakeToken)->Unit(benchmark::kMicrosecond);

void BM_HashPassword(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(HashPassword("correct horse battery"));
}
BENCHMARK(BM_HashPassword)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rivermeet::authn

BENCHMARK_MAIN();
