"""Messages, frames and calls made by hand, so that a test can make what no good client would."""
import base64
import os
import socket
import struct
import sys

try:
    import grpc
except ImportError:
    # Debian's package, under another Python of the same version.
    sys.path.append("/usr/lib/python3/dist-packages")
    import grpc

INGEST = "/rivermeet.ingest.v1.IngestService/"


# The wire format of protobuf.
def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def number(field, value):
    return varint(field << 3) + varint(value) if value else b""


def data(field, content, claimed=None):
    """A text or message; `claimed` is the length that it is said to have."""
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content) if claimed is None else claimed) + content


def fixed(field, value):
    return varint(field << 3 | 1) + struct.pack("<q", value)


def packed(field, values, encode=varint):
    return data(field, b"".join(map(encode, values))) if values else b""


def batch(stream, events):
    """A columnar batch of events {"time": us, "host", "n", "value"}, one series each host."""
    hosts = sorted({event["host"] for event in events})
    base = events[0]["time"] if events else 0
    series = number(1, len(hosts)) + data(2, data(1, "host") + b"".join(data(2, host) for host in hosts)
                                          + packed(3, range(1, len(hosts) + 1)))
    columns = b"".join(data(7, data(1, name) + packed(3, [event[name] for event in events],
                                                      lambda value: varint(zigzag(value))))
                       for name in ("n", "value"))
    return (data(1, stream) + data(3, series) + packed(4, [hosts.index(event["host"]) for event in events])
            + fixed(5, base) + packed(6, [event["time"] - base for event in events],
                                      lambda value: varint(zigzag(value))) + columns)


def columns_request(encoded, producer=0, sequence=0):
    return number(1, producer) + number(2, sequence) + data(3, encoded)


def row(event):
    return fixed(1, event["time"]) + data(2, event["host"]) + packed(
        4, [event["n"], event["value"]], lambda value: varint(zigzag(value)))


def rows_request(stream, rows, producer=0, sequence=0):
    return (number(1, producer) + number(2, sequence) + data(3, stream) + data(4, "host")
            + data(6, "n") + data(6, "value") + b"".join(data(7, one) for one in rows))


def read_message(encoded):
    """Field number -> list of values; texts and messages as bytes."""
    fields, at = {}, 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = encoded[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(encoded):
        tag = read_varint()
        if tag & 7 == 0:
            value = read_varint()
        elif tag & 7 == 1:
            value, at = encoded[at:at + 8], at + 8
        else:
            size = read_varint()
            value, at = encoded[at:at + size], at + size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def receipt_of(response):
    """A receipt as the JSON of the API gives it."""
    receipt = read_message(read_message(response)[1][0])
    errors = []
    for encoded in receipt.get(3, []):
        error = read_message(encoded)
        errors.append({"index": error.get(1, [0])[0], "field": error.get(2, [b""])[0].decode(),
                       "reason": error.get(3, [b""])[0].decode(), "code": error.get(5, [b""])[0].decode()})
    return {"accepted": receipt.get(1, [0])[0], "rejected": receipt.get(2, [0])[0], "errors": errors,
            "visibilityToken": receipt.get(4, [b""])[0].decode()}


class Rpc:
    """Unary calls of bytes to the suite's gRPC port, over a connection of its own."""

    def __init__(self, suite, token):
        self.channel = grpc.insecure_channel(suite.state["grpc"], options=[
            ("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1)])
        self.token = token

    def call(self, method, request, metadata=(), timeout=20):
        """Returns (code, response or the error's text)."""
        send = self.channel.unary_unary(method)
        try:
            return "OK", send(request, metadata=[("authorization", f"Bearer {self.token}"), *metadata], timeout=timeout)
        except grpc.RpcError as error:
            return error.code().name, error.details()

    def close(self):
        self.channel.close()


def access_token(suite, key=None):
    """The gRPC port takes tokens: a key is traded for one as the gateway does."""
    rpc = Rpc(suite, "")
    try:
        send = rpc.channel.unary_unary("/rivermeet.auth.v1.AuthService/ExchangeApiKey")
        return read_message(send(data(1, key or suite.key), timeout=20))[1][0].decode()
    finally:
        rpc.close()


# HTTP/1.1 and WebSocket.
def raw_request(suite, head, body=b"", read=True, timeout=20):
    """Sends bytes as they are; returns what came back until the other side closed or was silent."""
    host, port = suite.address.split(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        try:
            connection.sendall(head + body)
        except OSError:
            pass  # refused before all was sent: the answer is there
        answer = b""
        while read:
            try:
                piece = connection.recv(65536)
            except (TimeoutError, ConnectionResetError):
                break
            if not piece:
                break
            answer += piece
            if b"\r\n\r\n" in answer and complete(answer):
                break
        return answer


def complete(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


class LiveSocket:
    """A WebSocket of the live endpoint that sends frames as they are."""

    def __init__(self, suite):
        ticket = suite.api("POST", "/v1/auth/ticket", {})["ticket"]
        host, port = suite.address.split(":")
        self.connection = socket.create_connection((host, int(port)), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall((f"GET /v1/live?ticket={ticket} HTTP/1.1\r\nHost: {suite.address}\r\nUpgrade: websocket\r\n"
                                 f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.answer = b""
        while b"\r\n\r\n" not in self.answer:
            piece = self.connection.recv(1)
            if not piece:
                break
            self.answer += piece

    def send(self, opcode, payload=b"", claimed=None, final=True):
        size = len(payload) if claimed is None else claimed
        head = bytes([opcode | (0x80 if final else 0)])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0xFE]) + struct.pack(">H", size)
        else:
            head += bytes([0xFF]) + struct.pack(">Q", size)
        self.connection.sendall(head + b"\0\0\0\0" + payload)

    def close_code(self):
        """Reads until the socket is closed; the code it was closed with, or None."""
        def read(count):
            got = b""
            while len(got) < count:
                piece = self.connection.recv(count - len(got))
                if not piece:
                    raise ConnectionError("closed")
                got += piece
            return got
        try:
            while True:
                opcode, size = read(2)
                size = struct.unpack(">H", read(2))[0] if size == 126 else struct.unpack(">Q", read(8))[0] if size == 127 else size
                payload = read(size)
                if opcode & 15 == 8:
                    return struct.unpack(">H", payload[:2])[0] if payload else None
        except OSError:
            return None
        finally:
            self.connection.close()
