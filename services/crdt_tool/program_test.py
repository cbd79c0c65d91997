#!/usr/bin/env python3
"""The program itself, as a shell runs it: pipes, terminals, exit codes, and the examples of docs/crdt.md.

    program_test.py PROGRAM [-v]       RIVERMEET_UPDATE_DOCS=1 writes the examples' output anew
"""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "services/crdt_tool/testdata"
DOCUMENT = ROOT / "docs/crdt.md"
PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
V1, V2 = DATA / "notes.bin", DATA / "notes.yjs"


def run(*arguments, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run([PROGRAM, *arguments], timeout=60, **options)


def shell(script, folder):
    """What a terminal would show of a script in which the program is called tools/crdt."""
    script = f"set -o pipefail\n{script.replace('tools/crdt', str(PROGRAM))}"
    bash = ["bash", "-c", script]
    shown = subprocess.run(bash, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60).stdout
    return shown.decode()


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_help_goes_to_standard_output_and_mistakes_to_standard_error(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        for command in (b"inspect", b"json", b"state-vector", b"convert", b"merge", b"diff", b"obfuscate"):
            self.assertIn(command, done.stdout)
        done = run("inspect")
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertEqual(done.stderr, b"tools/crdt: file is required\nSee `tools/crdt inspect --help`.\n")

    def test_standard_input_and_a_pipe_are_read_like_a_file(self):
        of_file = run("inspect", "--structs", "--v1", V1).stdout
        self.assertEqual(run("inspect", "--structs", "--v1", "-", input=V1.read_bytes()).stdout, of_file)
        with subprocess.Popen(["cat", V1], stdout=subprocess.PIPE) as cat:
            self.assertEqual(run("inspect", "--structs", "--v1", "/dev/stdin", stdin=cat.stdout).stdout, of_file)

    def test_a_whole_pipe_gives_the_bytes_back(self):
        script = f"tools/crdt merge --v2 {V2} {V2} | tools/crdt convert --v2 - | tools/crdt convert --v1 - | cmp - {V2}"
        self.assertEqual(shell(script, self.folder), "")

    def test_the_format_found_out_is_said_beside_the_result(self):
        done = run("convert", V2)
        self.assertEqual(done.stdout, V1.read_bytes())
        self.assertEqual(done.stderr.decode(), f"tools/crdt: {V2} reads as V2\n")
        self.assertEqual(run("convert", "--v2", V2).stderr, b"")
        self.assertEqual(run("inspect", V2).stderr, b"")

    def test_a_reader_that_goes_away_is_no_mistake(self):
        long = self.folder / "long"
        # More than a pipe takes.
        text = b"\x00\x04\x01\x01t\x01A"  # from clock 0 on one "A" in the root t
        blocks = b"".join(b"\x01" + varuint(client) + text for client in range(20000))
        long.write_bytes(varuint(20000) + blocks + b"\x00")
        done = run("inspect", "--structs", "--v1", long)
        self.assertEqual((done.returncode, done.stdout.count(b"\n")), (0, 20000))
        script = f"tools/crdt inspect --structs --v1 {long} | head -1"
        self.assertEqual(shell(script, self.folder), '0:0 string 1 in "t" "A"\n')

    def test_an_unwritable_output_is_an_error_with_its_reason(self):
        for path, reason in (("/dev/full", "No space left on device"), (self.folder, "Is a directory"),
                             (self.folder / "none/out", "No such file or directory")):
            done = run("convert", "--v1", V1, "-o", path)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.decode(), f"tools/crdt: {path} can't be written: {reason}\n")
        with open("/dev/full", "wb") as full:
            done = run("json", "--v1", V1, stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output can't be written: No space left on device", done.stderr)

    def test_every_cut_is_an_error_with_the_offset_of_a_byte(self):
        whole = V1.read_bytes()
        for size in range(0, len(whole), 7):
            done = run("json", "--v1", "-", input=whole[:size])
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertRegex(done.stderr.decode(), r"^tools/crdt: standard input as V1: at byte \d+: ")

    def test_what_is_no_state_vector_is_said_to_be_none(self):
        done = run("diff", "--v1", V1, V1, "--state-vector")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertEqual(done.stderr.decode(), f"tools/crdt: {V1} as a state vector: at byte 6: bytes are left after "
                                               "the state vector's end\n")

    def test_standard_input_is_called_so_wherever_it_is_wrong(self):
        done = run("diff", "--v1", V1, "-", "--state-vector", input=V1.read_bytes())
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertTrue(done.stderr.startswith(b"tools/crdt: standard input as a state vector: at byte 6: "))

    def test_what_is_no_update_but_known_is_told_by_name(self):
        done = run("inspect", "-", input=b"")
        self.assertEqual((done.returncode, done.stderr.decode()),
                         (1, "tools/crdt: standard input is empty; an update that says nothing has two bytes\n"))
        done = run("inspect", "-", input=run("state-vector", "--bytes", V1).stdout)
        self.assertEqual((done.returncode, done.stderr.decode()),
                         (1, "tools/crdt: standard input is no update but a state vector\n"))

    def test_standard_input_twice_is_a_mistake(self):
        for command in (("merge", "-", "-"), ("merge", V1, "-", "-"), ("diff", "-", "-")):
            done = run(*command, input=V1.read_bytes())
            self.assertEqual((done.returncode, done.stdout), (2, b""))
            self.assertIn(b"tools/crdt: - is given twice, but standard input can be read only once\n", done.stderr)

    def test_a_kind_that_may_hide_what_a_root_holds_is_told(self):
        done = run("json", "--v1", V1, "--text", "users", "--text", "notes")
        self.assertEqual((done.returncode, done.stdout), (0, b'{"users":"","notes":"Hello world"}\n'))
        self.assertEqual(done.stderr.decode(),
                         f'tools/crdt: {V1}: "users" looks like map; as text not all of it may be shown\n')

    def test_a_root_of_two_kinds_is_a_mistake(self):
        done = run("json", "--v1", V1, "--map", "notes", "--text", "notes")
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b'tools/crdt: "notes" is given as text and as map\n', done.stderr)

    def test_files_of_two_formats_are_told_apart_before_they_are_merged(self):
        done = run("merge", V1, V2)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(f"{V1} is V1 and {V2} is V2: convert one of them first\n", done.stderr.decode())

    def test_the_wrong_format_says_that_it_is_the_other(self):
        done = run("inspect", "--v1", V2)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.decode().endswith("; it reads as V2\n"), done.stderr)

    def test_bytes_do_not_go_to_a_terminal(self):
        ours, theirs = pty.openpty()
        try:
            done = run("convert", "--v1", V1, stdout=theirs)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"give -o FILE or a pipe", done.stderr)
            self.assertEqual(run("state-vector", "--v1", V1, stdout=theirs).returncode, 0)
            self.assertEqual(os.read(ours, 100), b"2 4\r\n1 16\r\n")
        finally:
            os.close(ours)
            os.close(theirs)

    def test_what_waits_is_said_beside_the_json(self):
        # A string behind 7:0, which isn't there.
        update = bytes([1, 1, 7, 1, 0x84, 7, 0, 1, ord("b"), 0])
        done = run("json", "--v1", "-", input=update)
        self.assertEqual((done.returncode, done.stdout), (0, b"{}\n"))
        self.assertEqual(done.stderr.decode(), "tools/crdt: standard input: not all is shown: 1 structs and 0 deleted "
                                               "ranges wait for client 7 from clock 0\n")

    def test_the_examples_of_the_document(self):
        for name in (V1, V2):
            shutil.copy(name, self.folder)

        def example(block):
            commands = [line for line in block[1].splitlines() if line.startswith("$ ")]
            return "```console\n" + "".join(f"{c}\n{shell(c[2:], self.folder)}" for c in commands) + "```\n"

        document = DOCUMENT.read_text()
        right = re.sub(r"```console\n(.*?)```\n", example, document, flags=re.DOTALL)
        right = right.replace(str(PROGRAM), "tools/crdt")
        if os.environ.get("RIVERMEET_UPDATE_DOCS"):
            DOCUMENT.write_text(right)
        self.assertGreater(document.count("\n$ tools/crdt "), 6)
        self.assertEqual(DOCUMENT.read_text(), right, "RIVERMEET_UPDATE_DOCS=1 writes it anew")


def varuint(number):
    encoded = bytearray()
    while number > 0x7f:
        encoded.append(0x80 | number & 0x7f)
        number >>= 7
    return bytes([*encoded, number])


if __name__ == "__main__":
    unittest.main()
