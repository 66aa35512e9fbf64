"""PROXY headers (HAProxy's proxy-protocol.txt) as balancers write them, and as a target reads them off a socket."""
import dataclasses
import ipaddress
import socket
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"


def v1(client, own=("192.0.2.80", 80)):
    """Both are (address, port), of one family."""
    family = "TCP6" if ":" in client[0] else "TCP4"
    return f"PROXY {family} {client[0]} {own[0]} {client[1]} {own[1]}\r\n".encode()


def v2(client, own=("192.0.2.80", 80)):
    addresses = [ipaddress.ip_address(address) for address, _ in (client, own)]
    block = b"".join(address.packed for address in addresses) + struct.pack("!HH", client[1], own[1])
    return SIGNATURE + bytes([0x21, 0x11 if addresses[0].version == 4 else 0x21]) + struct.pack("!H", len(block)) + block


def header(version, client):
    """For a client that connected to some address of its own family."""
    own = ("2001:db8::80", 80) if ":" in client[0] else ("192.0.2.80", 80)
    return (v1 if version == "v1" else v2)(client, own)


@dataclasses.dataclass
class Header:
    version: str
    source: str = ""  # "address:port" as records write it; empty: the sender speaks for itself (UNKNOWN, LOCAL)
    own: str = ""


def _text(address, port):
    address = ipaddress.ip_address(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _exactly(sock, length):
    data = b""
    while len(data) < length:
        piece = sock.recv(length - len(data))
        if not piece:
            raise EOFError(f"the connection ended in the PROXY header, behind {data!r}")
        data += piece
    return data


def take_header(sock: socket.socket):
    """Reads one header and not a byte more; AssertionError where something else comes."""
    data = _exactly(sock, len(SIGNATURE))
    if data == SIGNATURE:
        command, family, length = struct.unpack("!BBH", _exactly(sock, 4))
        block = _exactly(sock, length)
        if command == 0x20:
            return Header("v2")
        assert command == 0x21 and family in (0x11, 0x21), (command, family)
        size = 4 if family == 0x11 else 16
        ports = struct.unpack("!HH", block[2 * size:2 * size + 4])
        return Header("v2", _text(block[:size], ports[0]), _text(block[size:2 * size], ports[1]))
    assert data.startswith(b"PROXY "), data
    while not data.endswith(b"\r\n"):
        assert len(data) <= 107, data
        data += _exactly(sock, 1)
    words = data[:-2].decode("ascii").split(" ")
    if words[1] == "UNKNOWN":
        return Header("v1")
    assert len(words) == 6 and words[1] in ("TCP4", "TCP6"), data
    return Header("v1", _text(words[2], words[4]), _text(words[3], words[5]))
