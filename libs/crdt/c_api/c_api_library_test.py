#!/usr/bin/env python3
"""librivermeet_crdt.so from outside: what it exports, that each function is called by the C tests, and that the example
of docs/clients/crdt-in-c.md compiles and runs against what is installed.

  c_api_library_test.py LIBRARY BUILD [SANITIZERS]
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

here = pathlib.Path(__file__).resolve().parent
library, build = sys.argv.pop(1), sys.argv.pop(1)
sanitizers = sys.argv.pop(1) if len(sys.argv) > 1 else ""
header = (here / "rivermeet_crdt.h").read_text()
functions = set(re.findall(r"^RMCRDT_API [^;(]*?(rmcrdt_\w+)\(", header, re.M))


def output_of(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


class Library(unittest.TestCase):
    def test_exports_the_functions_of_the_header_and_nothing_else(self):
        lines = output_of("nm", "--dynamic", "--defined-only", library).splitlines()
        self.assertEqual({line.split()[-1] for line in lines}, functions)

    def test_is_named_by_the_major_version(self):
        major = re.search(r"RMCRDT_VERSION_MAJOR (\d+)", header)[1]
        self.assertIn(f"[librivermeet_crdt.so.{major}]", output_of("readelf", "--dynamic", library))

    def test_every_function_is_called_by_the_c_tests(self):
        tests = "".join(path.read_text() for path in here.glob("c_api_*test.c"))
        self.assertEqual({name for name in functions if name + "(" not in tests}, set())

    def test_the_documents_example_runs_against_what_is_installed(self):
        example = re.search(r"```c\n(.*?)```", (here / "../../../docs/clients/crdt-in-c.md").read_text(), re.S)[1]
        with tempfile.TemporaryDirectory() as folder:
            output_of("cmake", "--install", build, "--component", "crdt", "--prefix", folder)
            paths = os.pathsep.join(str(path.parent) for path in pathlib.Path(folder).rglob("*.pc"))
            flags = output_of("pkg-config", "--cflags", "--libs", "rivermeet_crdt",
                              env={**os.environ, "PKG_CONFIG_PATH": paths})
            source, program = pathlib.Path(folder, "example.c"), pathlib.Path(folder, "example")
            source.write_text(example)
            checks = [f"-fsanitize={sanitizers}"] if sanitizers else []
            output_of("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", *checks, str(source), "-o", str(program),
                      *flags.split())
            self.assertEqual(output_of(str(program), env={**os.environ, "LD_LIBRARY_PATH": f"{folder}/lib"}),
                             "Hello, Bob\n")


if __name__ == "__main__":
    unittest.main()
