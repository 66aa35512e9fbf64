"""Apple's push service for tests, as a program: name server, couriers that speak TLS 1.3 with ALPN apns-security-v3.

    python3 fake_apple.py CERTIFICATE KEY DNS_ADDRESS ZONE

ZONE is a file, read for every question: {"couriers": 51, "ttl": 60, "fails": ""}, where "fails" may be "silence" or "SERVFAIL".
Each courier of each family has the eight addresses below, but those of BAD. What a client sends in TLS is a line:
"who" is answered with what this end sees, "reset" resets the connection, "end" ends it in order. The answer to "who"
holds the SHA-256 of every octet that came and went before it, TLS and all: what was altered on the way would show.
"""
import asyncio
import hashlib
import json
import pathlib
import socket
import ssl
import struct
import sys

ADDRESSES = [f"17.57.145.{number}" for number in range(32, 40)] + [f"2620:149:a44::{number:x}" for number in range(32, 40)]
FAMILIES = ("courier", "courier2", "courier.sandbox")
BAD = {13: "10.0.0.1", 14: "10.100.100.7", 15: "192.0.2.1"}  # what a liar would answer
PORTS = (5223, 443, 2197)
OTHER = {"api.push.apple.com": ADDRESSES[0], "init.push.apple.com": "17.1.1.1", "push.apple.com": "17.1.1.2"}


def addresses_of(name, couriers):
    """None: there is no such name."""
    if name in OTHER:
        return [OTHER[name]]
    number, _, rest = name.partition("-")
    if rest not in [f"{family}.push.apple.com" for family in FAMILIES] or not number.isdigit() or int(number) >= couriers:
        return None
    return [BAD[int(number)]] if int(number) in BAD else ADDRESSES


def dns_answer(query, zone):
    """None: silence."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    question, kind = query[12:at + 5], struct.unpack("!H", query[at + 1:at + 3])[0]
    if zone["fails"]:
        return query[:2] + struct.pack("!HHHHH", 0x8182, 1, 0, 0, 0) + question if zone["fails"] == "SERVFAIL" else None
    found = addresses_of(".".join(labels).lower(), zone["couriers"])
    records = [socket.inet_pton(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in found or []
               if kind == (28 if ":" in one else 1)]
    name = ".".join(labels).lower()
    through_alias = found is not None and name not in OTHER
    ttl = zone["ttl"]
    answers = [record(THE_QUESTION, CNAME, ttl, ALIAS)] if through_alias else []
    answers += [record(ALIAS if through_alias else THE_QUESTION, kind, ttl, one) for one in records]
    if name == "push.apple.com" and kind == TXT:
        answers = [record(THE_QUESTION, TXT, ttl, b"\x08count=50")]
    nothing = [] if answers else [record(b"\0", SOA, ttl, b"\0\0" + struct.pack("!5I", 1, 3600, 600, 86400, ttl))]
    head = query[:2] + struct.pack("!HHHHH", 0x8180 if found is not None else 0x8183, 1, len(answers), len(nothing), 0)
    return head + question + b"".join(answers + nothing)


CNAME, SOA, TXT = 5, 6, 16
THE_QUESTION = b"\xc0\x0c"
ALIAS = b"\x04here\x0apush-apple\x03com\x06akadns\x03net\0"  # as Apple's names lead by aliases to those of a region


def record(owner, kind, ttl, data):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


class Dns(asyncio.DatagramProtocol):
    def __init__(self, zone):
        self.zone = zone

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        if answer := dns_answer(data, json.loads(pathlib.Path(self.zone).read_text())):
            self.transport.sendto(answer, peer)


class Wire:
    """TLS over a stream, with all that goes over it hashed."""

    def __init__(self, reader, writer, context, **options):
        self.reader, self.writer = reader, writer
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **options)
        self.came, self.went = hashlib.sha256(), hashlib.sha256()

    async def flush(self):
        if data := self.outgoing.read():
            self.went.update(data)
            self.writer.write(data)
            await self.writer.drain()

    async def call(self, function, *arguments):
        while True:
            try:
                result = function(*arguments)
                await self.flush()
                return result
            except ssl.SSLWantReadError:
                await self.flush()
                data = await self.reader.read(65536)
                if not data:
                    raise EOFError
                self.came.update(data)
                self.incoming.write(data)


async def serve(reader, writer, context):
    wire = Wire(reader, writer, context, server_side=True)
    try:
        await wire.call(wire.tls.do_handshake)
        while line := (await wire.call(wire.tls.read, 4096)).decode().strip():
            if line == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            if line == "end":
                break
            seen = {"peer": writer.get_extra_info("peername")[0], "local": writer.get_extra_info("sockname")[:2],
                    "alpn": wire.tls.selected_alpn_protocol(), "came": wire.came.hexdigest(), "went": wire.went.hexdigest()}
            await wire.call(wire.tls.write, (json.dumps(seen) + "\n").encode())
    except (OSError, EOFError, ssl.SSLError):
        pass
    writer.close()


async def main(certificate, key, dns, zone):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["apns-security-v3"])
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Dns(zone), local_addr=(dns, 53))
    for port in PORTS:
        await asyncio.start_server(lambda reader, writer: serve(reader, writer, context), ["0.0.0.0", "::"], port)
    print("up", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
