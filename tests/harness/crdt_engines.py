"""The programs that tools/bench crdt runs, one an engine: built here, started once a case and round."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

from harness.suite import ROOT

SOURCES = ROOT / "tests/load/crdt"
BUILT = ROOT / "build/bench-crdt"
OURS = ROOT / "build/release/tests/load/crdt/crdt_bench"

B4_CASES = ("b4_apply_one_by_one", "b4_apply_batches_of_100", "b4_local_replay", "b4_load", "b4_encode",
            "b4_merge_16000")
TRACE_CASES = ("trace_load_encode", "trace_memory")
CASES = {
    "ours": {*B4_CASES, "b4_merge", *TRACE_CASES, "crdtbench", "b4x1", "b4x100", "large_load"},
    "yrs": {*B4_CASES, "b4_merge", *TRACE_CASES, "crdtbench", "b4x1", "b4x100"},
    "yjs": {*B4_CASES, *TRACE_CASES, "crdtbench"},
    "loro": {"b4_local_replay", "crdtbench"},
}


def say(text):
    print(f"bench crdt: {text}", file=sys.stderr, flush=True)


class Engine:
    """A program that measures cases: see tests/load/crdt/README.md for what it is given and prints."""

    def __init__(self, name, command):
        self.name, self.command = name, command

    def can(self, case):
        return case in CASES[self.name]

    def run(self, case, arguments):
        """The JSON objects that it prints of a case; ends the benchmark when it fails."""
        command = [*map(str, self.command), "--case", case]
        if case == "trace_memory" and self.name == "yjs":
            command.insert(1, "--expose-gc")
        for name, value in arguments.items():
            command += [f"--{name}", str(value)]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if ran.returncode != 0:
            sys.exit(f"bench crdt: {self.name} failed at {case} ({ran.returncode}): {' '.join(command)}")
        return [json.loads(line) for line in ran.stdout.splitlines()]


def ours():
    """Our engine's program, or None with the reason said."""
    built = subprocess.run([ROOT / "tools/build", "crdt_bench"], stdout=sys.stderr).returncode == 0
    if built and OURS.exists():
        return Engine("ours", [OURS])
    say("our program is missing: the target crdt_bench was not built. --peers-only runs the peers alone")
    return None


def yrs():
    cargo = shutil.which("cargo")
    if not cargo:
        say("yrs skipped: cargo is missing (install Rust from Debian's or rustup's packages)")
        return None
    target = BUILT / "cargo"
    built = subprocess.run([cargo, "build", "--quiet", "--release", "--locked"], cwd=SOURCES / "peers/yrs",
                           env={**os.environ, "CARGO_TARGET_DIR": str(target)}, stdout=sys.stderr)
    if built.returncode != 0:
        say("yrs skipped: cargo could not build it (see above)")
        return None
    return Engine("yrs", [target / "release/yrs-peer"])


def node_environment():
    """PATH with the Node.js that tools/setup brings where the system's is older."""
    dependencies = pathlib.Path(os.environ.get("RIVERMEET_DEPS", pathlib.Path.home() / ".cache/rivermeet/deps"))
    folder = dependencies / "node/node_modules/node/bin"
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"} if folder.is_dir() else dict(os.environ)


def javascript():
    """yjs and loro; none with the reason said."""
    folder, environment = SOURCES / "peers/js", node_environment()
    node, npm = (shutil.which(name, path=environment["PATH"]) for name in ("node", "npm"))
    if not node or not npm:
        say("yjs and loro skipped: node or npm is missing (tools/setup installs both)")
        return []
    stamp, wanted = BUILT / "npm.stamp", hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if not (folder / "node_modules").is_dir() or not stamp.exists() or stamp.read_text() != wanted:
        installed = subprocess.run([npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                                   env=environment, stdout=sys.stderr)
        if installed.returncode != 0:
            say("yjs and loro skipped: npm ci failed (see above)")
            return []
        BUILT.mkdir(parents=True, exist_ok=True)
        stamp.write_text(wanted)
    return [Engine(name, [node, folder / "main.mjs", "--engine", name]) for name in ("yjs", "loro")]


def updates_file(engines, data):
    """The file of B4's single-edit updates, made by yjs when it is missing; None when it can't be made."""
    file = BUILT / "b4-single-edits.bin"
    if file.exists():
        return file
    yjs = next((engine for engine in engines if engine.name == "yjs"), None)
    if not yjs:
        say(f"{file} is missing and only yjs can make it: cases that need it are skipped")
        return None
    say("making B4's single-edit updates")
    subprocess.run([*map(str, yjs.command), "--make-updates", "--data", str(data), "--updates", str(file)], check=True)
    return file
