"""Single gRPC calls, with curl speaking HTTP/2: for what the public API has no way to."""
import re
import struct
import subprocess


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def ledger_request(stream_id, partitions):
    """rivermeet.aggregation.v1.ReadLedgerRequest."""
    packed = b"".join(map(varint, partitions))
    return b"\x08" + varint(stream_id) + b"\x12" + varint(len(packed)) + packed


class Call:
    def __init__(self, process):
        self.process = process

    def status(self):
        """Waits for the answer; its code, 0 for OK."""
        answer, _ = self.process.communicate(timeout=90)
        found = re.findall(rb"(?im)^grpc-status: (\d+)", answer)
        if not found:
            raise AssertionError(f"no gRPC answer: curl ended with {self.process.returncode}: {answer[:500]!r}")
        return int(found[-1])


def start(port, method, request, key):
    """Sends `request`, the bytes of a message, to 127.0.0.1:port."""
    process = subprocess.Popen(
        ["curl", "-sS", "--http2-prior-knowledge", "--max-time", "80", "-D", "-", "-o", "/dev/null", "--data-binary",
         "@-", "-H", "Content-Type: application/grpc", "-H", "TE: trailers", "-H", f"Authorization: Bearer {key}",
         f"http://127.0.0.1:{port}/{method}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"\x00" + struct.pack(">I", len(request)) + request)
    process.stdin.close()
    process.stdin = None
    return Call(process)
