#!/usr/bin/env python3
"""Reads the built-in event log as docs/formats/event-log.md describes it, with nothing but the standard library.

    event_log_reader.py FOLDER             one line a record: partition, offset, time, header and payload as SHA-256
    event_log_reader.py --test WRITER      has WRITER make a log, and compares what it says it wrote with what is read
"""
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile


def _crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
        table.append(n)
    return table


CRC_TABLE = _crc_table()


def crc32c(data, start=0):
    crc = start ^ 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def lz4_block(data, size):
    """LZ4 block format: tokens of literals and matches."""
    out = bytearray()
    at = 0

    def length(base, at):
        if base == 15:
            while True:
                more = data[at]
                at += 1
                base += more
                if more != 255:
                    break
        return base, at

    while at < len(data):
        token = data[at]
        literals, at = length(token >> 4, at + 1)
        out += data[at : at + literals]
        at += literals
        if at >= len(data):
            break  # the last sequence has no match
        distance = data[at] | data[at + 1] << 8
        count, at = length(token & 15, at + 2)
        start = len(out) - distance
        if distance == 0 or start < 0:
            raise ValueError("a match before the beginning")
        for i in range(count + 4):
            out.append(out[start + i])
    if len(out) != size:
        raise ValueError(f"{len(out)} bytes instead of {size}")
    return bytes(out)


def read_index(path):
    """(end, data end) of a segment's index, or nothing when it is missing or damaged."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < 60 or data[:8] != b"RMLOGIDX" or struct.unpack_from("<I", data, len(data) - 4)[0] != crc32c(data[:-4]):
        return None
    end, data_end, _time, complete, entries = struct.unpack_from("<qqqII", data, 24)
    if len(data) != 56 + 16 * entries + 4:
        raise ValueError(f"{path}: wrong length")
    return (end, data_end, bool(complete))


def read_segment(path, partition, last):
    data = path.read_bytes()
    magic, version, of_partition, base, _made, salt, crc = struct.unpack_from("<8sIIqqII", data)
    if magic != b"RMLOGSEG" or version != 1 or crc != crc32c(data[:36]):
        raise ValueError(f"{path}: not a segment")
    if of_partition != partition or base != int(path.stem):
        raise ValueError(f"{path}: of partition {of_partition}, offset {base}")
    index = read_index(path.with_suffix(".index"))
    limit = index[1] if index and index[2] and not last else len(data)
    at, expected = 40, base
    while at < limit:
        frame = data[at : at + 40]
        frame_crc, body_crc, offset, time_us, stored, size, _group, header_size, flags, zero = struct.unpack(
            "<IIqqIIIHBB", frame
        )
        if frame_crc != crc32c(frame[4:], salt) or offset != expected or flags & ~1 or zero:
            raise ValueError(f"{path} at byte {at}: damaged frame")
        body = data[at + 40 : at + 40 + header_size + stored]
        if len(body) != header_size + stored or crc32c(body) != body_crc:
            raise ValueError(f"{path} at byte {at}: damaged record")
        header, payload = body[:header_size], body[header_size:]
        if flags & 1:
            payload = lz4_block(payload, size)
        yield partition, offset, time_us, header, payload
        at += 40 + len(body)
        expected += 1


def read_log(folder):
    for partition in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir()):
        segments = sorted(partition.glob("*.log"))
        for segment in segments:
            yield from read_segment(segment, int(partition.name), segment == segments[-1])


def describe(record):
    partition, offset, time_us, header, payload = record
    return f"{partition} {offset} {time_us} {hashlib.sha256(header).hexdigest()} {hashlib.sha256(payload).hexdigest()}"


def test(writer):
    assert crc32c(b"123456789") == 0xE3069283
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([writer, folder], check=True, capture_output=True, text=True).stdout.split("\n")[:-1]
        read = [describe(record) for record in read_log(folder + "/events")]
        if read != said:
            for a, b in zip(said, read):
                if a != b:
                    sys.exit(f"written {a}\nread    {b}")
            sys.exit(f"{len(said)} records written, {len(read)} read")
        # A reader that sees no damage would prove nothing.
        segment = sorted(pathlib.Path(folder).glob("events/*/*.log"))[0]
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        try:
            list(read_log(folder + "/events"))
        except ValueError as error:
            print(f"{len(said)} records agree; damage is found: {error}")
            return
        sys.exit("a flipped bit was not found")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--test":
        test(sys.argv[2])
    elif len(sys.argv) == 2:
        for each in read_log(sys.argv[1]):
            print(describe(each))
    else:
        sys.exit(__doc__)
