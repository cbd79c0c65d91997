#!/usr/bin/env python3
"""Reads event batches with nothing but Python, from docs/formats/event-batch.md.

    event_batch_reader.py FILE            prints a batch's events, one JSON object a line
    event_batch_reader.py --check WRITER  runs WRITER, which makes batches and says what is in them, and compares
"""
import json
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

MASK = (1 << 64) - 1
P1, P2, P3 = 11400714785074694791, 14029467366897019727, 1609587929392839161
P4, P5 = 9650029242287828579, 2870177450012600261


def rotl(x, r):
    return ((x << r) | (x >> (64 - r))) & MASK


def xxh64(data, seed=0):
    def rounded(acc, lane):
        return rotl((acc + lane * P2) & MASK, 31) * P1 & MASK

    def lane_at(at):
        return int.from_bytes(data[at:at + 8], "little")

    at, size = 0, len(data)
    if size >= 32:
        acc = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK]
        while at + 32 <= size:
            acc = [rounded(acc[k], lane_at(at + 8 * k)) for k in range(4)]
            at += 32
        h = sum(rotl(a, r) for a, r in zip(acc, (1, 7, 12, 18))) & MASK
        for a in acc:
            h = ((h ^ rounded(0, a)) * P1 + P4) & MASK
    else:
        h = (seed + P5) & MASK
    h = (h + size) & MASK
    while at + 8 <= size:
        h = (rotl(h ^ rounded(0, lane_at(at)), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= size:
        h = (rotl(h ^ (int.from_bytes(data[at:at + 4], "little") * P1 & MASK), 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ (byte * P5 & MASK), 11) * P1 & MASK
    h = (h ^ (h >> 33)) * P2 & MASK
    h = (h ^ (h >> 29)) * P3 & MASK
    return h ^ (h >> 32)


def series_hash(dimensions):
    """`dimensions`: name to value, both text, of those that have a value."""
    h = 0
    for name, value in sorted((n.encode(), v.encode()) for n, v in dimensions.items()):
        h = (rotl(h, 27) * 0x9E3779B97F4A7C15 + xxh64(value, xxh64(name))) & MASK
    return h ^ (h >> 32)


def log_partition(tenant, stream, partition, log_partitions):
    return ((xxh64(tenant.encode() + b"\0" + stream.encode()) + partition) & MASK) % log_partitions


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The fields of a message: number, wire type, value."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at:at + 8], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise ValueError("cut short")
        elif wire == 5:
            value, at = data[at:at + 4], at + 4
        else:
            raise ValueError(f"wire type {wire}")
        yield number, wire, value


def varints(wire, value):
    if wire == 0:
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = varint(value, at)
        found.append(one)
    return found


def zigzag(value):
    return (value >> 1) ^ -(value & 1)


def read_batch(data):
    batch = {"stream": "", "version": 0, "count": 0, "base": 0}
    series_index, offsets, ids, attributes, dimensions, measures = [], [], [], [], [], []
    for number, wire, value in fields(data):
        if number == 1:
            batch["stream"] = value.decode()
        elif number == 2:
            batch["version"] = value
        elif number == 3:
            for n, _, v in fields(value):
                if n == 1:
                    batch["count"] = v
                elif n == 2:
                    dimensions.append(read_dimension(v))
        elif number == 4:
            series_index += varints(wire, value)
        elif number == 5:
            batch["base"] = struct.unpack("<q", value)[0]
        elif number == 6:
            offsets += [zigzag(v) for v in varints(wire, value)]
        elif number == 7:
            measures.append(read_measure(value))
        elif number == 8:
            ids.append(value.decode())
        elif number == 9:
            attributes.append(value.decode())
    assert len(series_index) == len(offsets)
    events = []
    for i, (series, offset) in enumerate(zip(series_index, offsets)):
        assert series < batch["count"]
        event = {"time": batch["base"] + offset, "dimensions": {}, "measures": {}}
        for name, values, value_index in dimensions:
            assert len(value_index) == batch["count"]
            if value_index[series]:
                event["dimensions"][name] = values[value_index[series] - 1]
        for name, values, nulls in measures:
            assert len(values) == len(offsets)
            if not nulls or not nulls[i // 8] >> i % 8 & 1:
                event["measures"][name] = values[i]
        if ids and ids[i]:
            event["id"] = ids[i]
        if attributes and attributes[i]:
            event["attributes"] = json.loads(attributes[i])
        event["hash"] = series_hash(event["dimensions"])
        events.append(event)
    return batch["stream"], events


def read_dimension(data):
    name, values, value_index = "", [], []
    for number, wire, value in fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            values.append(value.decode())
        elif number == 3:
            value_index += varints(wire, value)
    return name, values, value_index


def read_measure(data):
    name, floats, ints, nulls = "", [], [], b""
    for number, wire, value in fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            floats += struct.unpack(f"<{len(value) // 8}d", value)
        elif number == 3:
            ints += [zigzag(v) for v in varints(wire, value)]
        elif number == 4:
            nulls = value
    assert not (floats and ints)
    return name, floats or ints, nulls


def same(a, b):
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b


def check(writer):
    vectors = [({}, 0), ({"host": "a"}, 0x57EA39783AFDCD00),
               ({"host": "a", "region": "eu-west"}, 0xD540C198D86FFDAD),
               ({"host": "", "region": "eu-west"}, 0xA01A9DD5F8D56CAA),
               ({"Host": "a", "_x": "ü", "host": "b" * 100}, 0xD332792B9E1B5278)]
    for dimensions, expected in vectors:
        assert series_hash(dimensions) == expected, dimensions
    assert [log_partition("t1", "host.metrics", i, 2) for i in (0, 1)] == [0, 1]
    assert log_partition("acme", "a", 3, 5) == 4
    compared = parts = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([writer, folder], check=True)
        for path in sorted(Path(folder).glob("*.batch")):
            stream, events = read_batch(path.read_bytes())
            expected = [json.loads(line) for line in path.with_suffix(".ndjson").read_text().splitlines()]
            assert stream == "conformance"
            assert len(events) == len(expected), path.name
            for event, wanted in zip(events, expected):
                assert same(event, wanted), f"{path.name}: {event} is not {wanted}"
                compared += 1
            if "-part-" in path.stem:
                partition, of = map(int, path.stem.split("-part-")[1].split("-of-"))
                assert all(event["hash"] % of == partition for event in events), path.name
                parts += 1
    assert compared > 1000 and parts >= 4, (compared, parts)
    print(f"{compared} events of {parts} partitions' and other batches are what their writer says")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        for event in read_batch(Path(sys.argv[1]).read_bytes())[1]:
            print(json.dumps(event))
    else:
        sys.exit(__doc__)
