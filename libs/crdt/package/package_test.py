#!/usr/bin/env python3
"""The installed C++ library from outside: the README's example, as a program of its own that finds it with CMake.

  package_test.py BUILD FLAGS       FLAGS: of the compiler, those that the library was built with
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

here = pathlib.Path(__file__).resolve().parent
build, flags = sys.argv.pop(1), sys.argv.pop(1)
headers = sorted(path.name for path in here.parent.glob("*.h"))

LISTS = """cmake_minimum_required(VERSION 3.25)
project(notes LANGUAGES CXX)
%s
add_executable(notes notes.cc)
target_compile_options(notes PRIVATE -Wall -Wextra -Werror)
"""
PROGRAM = """%s
#include <cstdlib>
#define CHECK(holds) \\
  if (!(holds)) std::abort()
using namespace rivermeet::crdt;

int main() {
%s}
"""


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.PIPE)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.readme = (here / "../README.md").read_text()
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.prefix, cls.source = f"{cls.folder}/prefix", pathlib.Path(cls.folder, "notes")
        run("cmake", "--install", build, "--component", "crdt-cpp", "--prefix", cls.prefix)
        cls.source.mkdir()
        include = "\n".join(f'#include "crdt/{name}"' for name in headers)
        example = re.search(r"```cpp\n(.*?)```", cls.readme, re.S)[1]
        (cls.source / "notes.cc").write_text(PROGRAM % (include, example))

    def test_the_readmes_example_is_built_with_all_headers_and_runs(self):
        usage = re.search(r"```cmake\n(.*?)```", self.readme, re.S)[1]
        target = usage.splitlines()[-1]
        (self.source / "CMakeLists.txt").write_text(LISTS % usage.replace(target, "").strip() + target + "\n")
        run("cmake", "-S", self.source, "-B", f"{self.folder}/build", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_FLAGS={flags}")
        run("cmake", "--build", f"{self.folder}/build")
        run(f"{self.folder}/build/notes")

    def test_clang_takes_all_headers(self):
        run("clang++-14", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
            f"-I{self.prefix}/include/rivermeet", self.source / "notes.cc")


if __name__ == "__main__":
    unittest.main()
