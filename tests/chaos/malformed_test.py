"""Malformed input: what is not JSON, not CSV, not text, not a number, not a time, or cut off, at every way in. Each bad event is
named with its place, the good ones beside it are counted, and the process lives."""
import json
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import wire  # noqa: E402
from history import FIELDS, History, event, ndjson  # noqa: E402
from suite_case import HostileInputCase  # noqa: E402

NOW = str(int(time.time() * 1e6)).encode()


def text(time_value=NOW, host=b'"h1"', n=b"1", value=b"1", more=b""):
    return b'{"time":' + time_value + b',"host":' + host + b',"n":' + n + b',"value":' + value + more + b"}"


# Not JSON: in an array nothing after them can be read.
NOT_JSON = {
    "a lone surrogate": text(host=b'"\\ud800"'), "a surrogate the wrong way": text(host=b'"\\udc00\\ud800"'),
    "a NUL in a string": text(host=b'"a\0b"'), "a NUL between": text(n=b"\0001"), "a bare control": text(host=b'"a\x01"'),
    "a bad escape": text(host=b'"\\x41"'), "a cut escape": text(host=b'"\\u00"'),
    "NaN": text(n=b"NaN"), "Infinity": text(n=b"Infinity"), "-Infinity": text(n=b"-Infinity"), "nan": text(n=b"nan"),
    "a leading zero": text(n=b"01"), "a plus": text(n=b"+1"), "no digit before the point": text(n=b".5"),
    "no digit after the point": text(n=b"1."), "hexadecimal": text(n=b"0x10"), "no exponent": text(n=b"1e"),
    "two minuses": text(n=b"--1"), "a bare word": text(n=b"one"), "True": text(n=b"True"),
    "a trailing comma": text(more=b","), "single quotes": text(host=b"'h1'"), "a comment": text(more=b"/* */"),
    "no colon": b'{"time" 1}', "no value": b'{"time":}', "no end": text()[:-1], "an open string": text(host=b'"h1'),
    "a key that is no string": b"{1:2}", "a wrong bracket": text()[:-1] + b"]", "a BOM before it": b"\xef\xbb\xbf" + text(),
    "10^5 brackets": b"[" * 100_000, "10^5 objects": b'{"a":' * 100_000,
}
# JSON, but no event of this stream.
NO_EVENT = {
    "overlong UTF-8": text(host=b'"\xc0\xaf"'), "a byte that is no UTF-8": text(host=b'"\xff"'),
    "a surrogate in UTF-8": text(host=b'"\xed\xa0\x80"'), "beyond Unicode": text(host=b'"\xf4\x90\x80\x80"'),
    "half a character": text(host=b'"\xe2\x82"'),
    "1e400": text(n=b"1e400"), "a float that float64 would change": text(more=b',"x":9007199254740993'),
    "an integer over int64": text(n=b"9223372036854775808"), "a fraction for an integer": text(n=b"1.5"),
    "a text for a number": text(n=b'"1x"'), "an object for a number": text(n=b"{}"),
    "a NaN that the field does not allow": text(more=b',"x":"NaN"'),
    "a field twice": text(more=b',"n":1'), "a field twice, once escaped": text(more=b',"\\u006e":1'),
    "an unknown field": text(more=b',"unknown":1'), "an empty name": text(more=b',"":1'),
    "nothing": b"{}", "null": b"null", "a text": b'"event"', "a number": b"17", "true": b"true",
    "a time under another name": b'{"timestamp":1,"host":"h1","n":1,"value":1}', "a time that is null": text(b"null"), "a time that is true": text(b"true"),
    "a time that is a list": text(b"[]"), "an empty time": text(b'""'), "no date": text(b'"yesterday"'),
    "year 0": text(b'"0000-01-01T00:00:00Z"'), "year 9999": text(b'"9999-12-31T23:59:59Z"'),
    "year 10000": text(b'"10000-01-01T00:00:00Z"'), "month 13": text(b'"2023-13-01T00:00:00Z"'),
    "February 30": text(b'"2023-02-30T00:00:00Z"'), "hour 24": text(b'"2023-02-01T24:00:00Z"'),
    "second 60 in mid-day": text(b'"2023-06-15T12:30:60Z"'), "no zone": text(b'"2023-06-15T12:30:00"'),
    "before 1970": text(b"-1"), "a time of 1e400": text(b"1e400"), "a time of 1e300": text(b"1e300"),
    "the largest integer": text(b"18446744073709551615"),
}
GOOD = {
    "minus zero": text(n=b"1", more=b',"x":-0'), "an exponent": text(n=b"1E0"), "a whole fraction": text(n=b"1.0"),
    "escapes": text(host=b'"\\u0068\\u0031"'), "a pair of surrogates": text(host=b'"\\ud83d\\ude00"'),
    "white space": text().replace(b":", b" :\t ").replace(b",", b" , "), "null for no value": text(more=b',"x":null'),
    "the smallest number": text(more=b',"x":4.9e-324'), "2^53+1 where integers go": text(value=b"9007199254740993"),
}


class Malformed(HostileInputCase):
    settings = {"gateway.requests_per_second": 1_000_000}
    stream = "shapes"
    # The events' times are of when this file was read, and other tests may run in between.
    declaration = {"fields": [*FIELDS, {"name": "x", "type": "FIELD_TYPE_FLOAT64"}], "allowedLateness": "3600s"}

    def good(self):
        return event("good", 3)

    def ask(self, body, content_type, events, wrong):
        """Sends `events`, of which those at the places `wrong` are bad: (place -> first and last byte)."""
        status, headers, answer = self.history.post(body, content_type=content_type)
        all_bad = len(wrong) == len(events)
        self.assertEqual(status, 400 if all_bad else 200, (body[:300], answer))
        if all_bad:
            self.assertEqual(headers["Content-Type"], "application/problem+json")
        self.history.told(events, answer["receipt"])
        errors = answer["receipt"]["errors"]
        self.assertEqual([error["index"] for error in errors], sorted(wrong), (body[:300], answer))
        for error in errors:
            first, last = wrong[error["index"]]
            self.assertTrue(error["reason"] and error["code"], error)
            # What the stream's limits on time refuse was read: the event's index is its place.
            if error["code"] in ("time_in_future", "time_too_old"):
                continue
            self.assertTrue(first <= error["byteOffset"] <= last, (body[:300], error, first, last))

    def test_lines(self):
        bad = {**NOT_JSON, **NO_EVENT}
        good = ndjson([self.good()])
        for name, line in bad.items():
            with self.subTest(name):
                if not name.startswith("a BOM"):  # which may begin a body
                    self.ask(line, "application/x-ndjson", [None], {0: (0, len(line))})
                self.ask(good + line + b"\n" + good, "application/x-ndjson", [self.good(), None, self.good()],
                         {1: (len(good), len(good) + len(line))})
        body = good + b"\n".join(bad.values()) + b"\n" + good
        status, _, answer = self.history.post(body)
        self.assertEqual(status, 200)
        self.history.told([self.good(), *[None] * len(bad), self.good()], answer["receipt"])

    def test_arrays(self):
        good = json.dumps(self.good()).encode()
        for name, element in {**NOT_JSON, **NO_EVENT}.items():
            with self.subTest(name):
                body = b"[" + good + b"," + element + b"," + good + b"]"
                place = {1: (len(good) + 1, len(body))}
                readable = name in NO_EVENT
                self.ask(body, "application/json", [self.good(), None, *([self.good()] if readable else [])], place)

    def test_what_is_sound_is_taken(self):
        for name, line in GOOD.items():
            with self.subTest(name):
                said = json.loads(line)
                for kind in ("application/json", "application/x-ndjson"):
                    for before in (b"", b"\xef\xbb\xbf"):
                        self.ask(before + line, kind, [said], {})
        status, _, answer = self.history.post(b"\r\n".join([ndjson([self.good()]).strip()] * 2) + b"\r\n\r\n")
        self.assertEqual(status, 200)
        self.history.told([self.good()] * 2, answer["receipt"])

    def test_nothing_and_what_is_not_even_a_body(self):
        for body, kind in ((b"", "application/json"), (b" \n ", "application/json"), (b"\xef\xbb\xbf", "application/json"),
                           (b"]", "application/json"), (b"[" , "application/json"), (b"[,]", "application/json"),
                           (b"\xff\xfe[\0]\0", "application/json"), (b"host,n\n", "text/csv"), (b"", "text/csv"),
                           (b"time,time\n1,2\n", "text/csv"), (b"\0\0\0", "text/csv"), (b'"time', "text/csv")):
            with self.subTest(body):
                status, _, answer = self.history.post(body, content_type=kind)
                self.assertEqual(status // 100, 4, (body, answer)) if status != 200 else self.assertEqual(
                    answer["receipt"]["accepted"], 0)
                self.history.refused += answer.get("receipt", {}).get("rejected", 0)
                self.assertTrue(answer)

    def test_cells(self):
        header = b"time,n,value,host\n"
        row = lambda time_cell=NOW, n=b"1", value=b"3", host=b"good": b",".join((time_cell, n, value, host)) + b"\n"
        bad = {"too few cells": b"1,2\n", "too many cells": row()[:-1] + b",1\n", "no number": row(n=b"one"),
               "NaN": row(n=b"NaN"), "1e400": row(n=b"1e400"), "no time": row(b""), "no date": row(b"yesterday"),
               "no UTF-8": row(host=b"\xff"), "overlong": row(host=b"\xc0\xaf"), "a NUL": row(n=b"\0"),
               "text after a quote": row(host=b'"a"b'), "a fraction": row(n=b"1.5"),
               "over int64": row(n=b"9223372036854775808")}
        for name, line in bad.items():
            with self.subTest(name):
                self.ask(header + row() + line + row(), "text/csv", [self.good(), None, self.good()],
                         {1: (len(header + row()), len(header + row() + line))})
        self.ask(header + row(host=b'"go""od"'), "text/csv", [event('go"od', 3)], {})
        # A quote that is never closed takes the rest of the body with it: one error.
        self.ask(header + row() + row(host=b'"open') + row(), "text/csv", [self.good(), None],
                 {1: (len(header + row()), len(header + row() * 3) + 1)})

    def test_cut_at_every_byte(self):
        lines = ndjson([self.good(), self.good()])
        for cut in range(1, len(lines)):
            whole = lines[:cut].count(b"}")
            broken = not lines[:cut].endswith((b"}", b"\n"))
            events = [self.good()] * whole + [None] * broken
            self.ask(lines[:cut], "application/x-ndjson", events,
                     {whole: (0, cut)} if broken else {})
        array = json.dumps([self.good(), self.good()]).encode()
        for cut in range(1, len(array)):
            status, _, answer = self.history.post(array[:cut], content_type="application/json")
            receipt = answer["receipt"]
            self.assertEqual(receipt["accepted"], array[:cut].count(b"}"), (array[:cut], answer))
            self.assertEqual(receipt["rejected"], 1, (array[:cut], answer))
            self.assertTrue(receipt["errors"][0]["byteOffset"] <= cut, answer)
            self.history.told([self.good()] * receipt["accepted"] + [None], receipt)

    def test_rows(self):
        good, method = self.good(), wire.INGEST + "IngestRows"
        bad = {"no UTF-8": wire.row(good).replace(b"good", b"go\xff\xff"),
               "overlong UTF-8": wire.row(good).replace(b"good", b"go\xc0\xaf"),
               "more dimensions than names": wire.row(good) + wire.data(2, "more"),
               "more measures than names": wire.row(good) + wire.packed(4, [1]),
               "attributes that are no JSON": wire.row(good) + wire.data(6, "{"),
               "attributes 33 deep": wire.row(good) + wire.data(6, '{"a":' * 33 + "1" + "}" * 33),
               "an id over its limit": wire.row(good) + wire.data(5, "i" * 129),
               "the first time": wire.row({**good, "time": -(1 << 63)}),
               "the last time": wire.row({**good, "time": (1 << 63) - 1})}
        for name, one in bad.items():
            with self.subTest(name):
                rows = [wire.row(good), one, wire.row(good)]
                code, answer = self.rpc.call(method, wire.rows_request("shapes", rows))
                self.assertEqual(code, "OK", answer)
                receipt = wire.receipt_of(answer)
                self.assertEqual([error["index"] for error in receipt["errors"]], [1], receipt)
                self.history.told([good, None, good], receipt)
        request = wire.rows_request("shapes", [wire.row(good)] * 2)
        for cut in range(len(request)):
            code, answer = self.rpc.call(method, request[:cut])
            if code == "OK":
                receipt = wire.receipt_of(answer)
                self.history.told([good] * (receipt["accepted"] + receipt["rejected"]), receipt)
            else:
                self.assertEqual(code, "INVALID_ARGUMENT", (cut, answer))

    def test_columns_cut_anywhere_and_with_any_bit_flipped(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        good = wire.batch("shapes.columns", [event(f"h{i}", i) for i in range(3)])
        name_ends = len(wire.data(1, "shapes.columns"))
        damaged = [good[:cut] for cut in range(name_ends, len(good))]
        for _ in range(1500):
            flipped = bytearray(good)
            flipped[chance.randrange(name_ends, len(good))] ^= 1 << chance.randrange(8)
            damaged.append(bytes(flipped))
        told = {"accepted": 0, "rejected": 0}
        code, answer = self.rpc.call(wire.INGEST + "Ingest", wire.columns_request(good))
        self.assertEqual(code, "OK", answer)
        told["accepted"] += 3
        for encoded in damaged:
            code, answer = self.rpc.call(wire.INGEST + "Ingest", wire.columns_request(encoded))
            self.assertIn(code, ("OK", "INVALID_ARGUMENT"), (seed, encoded, answer))
            if code == "OK":
                receipt = wire.receipt_of(answer)
                told["accepted"] += receipt["accepted"]
                told["rejected"] += receipt["rejected"]
            else:
                self.assertTrue(answer)
        columns = History(self.suite, "shapes.columns", declare=False)
        total, balanced = columns.ledger()
        self.assertTrue(balanced, (seed, total))
        self.assertEqual((total["appended"], total["rejected"]), (told["accepted"], told["rejected"]), (seed, total))
        self.assertEqual(total["folded"] + total.get("tooLate", 0), told["accepted"], (seed, total))


if __name__ == "__main__":
    unittest.main()
