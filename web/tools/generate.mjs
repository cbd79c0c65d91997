// Writes src/gen (JavaScript with type declarations) from ../proto, when a proto or the generator is newer than it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const web = resolve(fileURLToPath(import.meta.url), "../..");
const protoFolder = resolve(web, "../proto");
const out = join(web, "src/gen");
const deps = process.env.RIVERMEET_DEPS ?? join(homedir(), ".cache/rivermeet/deps");
const googleapis = join(deps, "googleapis");

// The areas that the browser speaks; what they import comes along.
const areas = ["auth/v1", "query/v1", "events/v1", "gateway/v1", "options/v1"];
const inputs = areas.flatMap((area) =>
  readdirSync(join(protoFolder, "rivermeet", area))
    .filter((name) => name.endsWith(".proto"))
    .map((name) => join(protoFolder, "rivermeet", area, name)),
);
inputs.push(join(protoFolder, "rivermeet/ingest/v1/streams.proto"));
const google = ["google/api/annotations.proto", "google/api/http.proto"].map((path) => join(googleapis, path));
for (const file of google) {
  if (!existsSync(file)) {
    console.error(`${file} is missing: run tools/setup first`);
    process.exit(1);
  }
}

const stamp = join(out, ".stamp");
const generator = join(web, "node_modules/.bin/protoc-gen-es");
const version = JSON.parse(readFileSync(join(web, "node_modules/@bufbuild/protoc-gen-es/package.json"), "utf8")).version;
const key = JSON.stringify([version, inputs.map((file) => [relative(protoFolder, file), statSync(file).mtimeMs])]);
if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) process.exit(0);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
execFileSync(
  "protoc",
  [
    `--plugin=protoc-gen-es=${generator}`,
    `--es_out=${out}`,
    "--es_opt=target=js+dts,import_extension=js",
    `-I${protoFolder}`,
    `-I${googleapis}`,
    ...inputs,
    ...google,
  ],
  { stdio: "inherit" },
);
writeFileSync(stamp, key);
