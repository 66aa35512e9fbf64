"""Captures taken apart and put together again: the same packets behind other link headers, in other files, under other
addresses, among other traffic. Written by hand, so that the program's own readers are not tested by themselves."""
import ipaddress
import struct
from typing import NamedTuple

ETHERNET, RAW, NULL, LOOP, COOKED, NFLOG, COOKED_2 = 1, 101, 0, 108, 113, 239, 276


class Frame(NamedTuple):
    time: int  # nanoseconds
    data: bytes
    interface: int = 0
    link: int = ETHERNET

    def ip(self):
        """What is behind the Ethernet header."""
        assert self.link == ETHERNET
        return self.data[14:]


# ---------------------------------------------------------------- files

def read(path):
    data = path.read_bytes()
    return list(_read_pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _read_pcap(data))


def _read_pcap(data):
    assert data[:4] == b"\xd4\xc3\xb2\xa1", "little-endian, microseconds"
    (link,) = struct.unpack_from("<I", data, 20)
    at = 24
    while at < len(data):
        seconds, micro, captured, _ = struct.unpack_from("<IIII", data, at)
        yield Frame(seconds * 10**9 + micro * 1000, data[at + 16:at + 16 + captured], 0, link)
        at += 16 + captured


def _read_pcapng(data):
    links, ticks, at = [], [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + length - 4]
        if kind == 1:
            links.append(struct.unpack_from("<H", body)[0])
            ticks.append(10**6 if b"\x09\x00\x01\x00\x09" not in body else 10**9)
        if kind == 6:
            interface, high, low, captured, _ = struct.unpack_from("<IIIII", body)
            time = (high << 32 | low) * 10**9 // ticks[interface]
            yield Frame(time, body[20:20 + captured], interface, links[interface])
        at += length


def pcap(frames, order="<", nano=False):
    link = frames[0].link
    out = bytearray(struct.pack(order + "IHHIIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
    for frame in frames:
        fraction = frame.time % 10**9 // (1 if nano else 1000)
        out += struct.pack(order + "IIII", frame.time // 10**9, fraction, len(frame.data), len(frame.data)) + frame.data
    return bytes(out)


def pcapng(frames, order="<", wire=None):
    """An interface for each of the frames' (interface, link), all with nanoseconds. `wire`: the lengths they had there."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    interfaces = sorted({(frame.interface, frame.link) for frame in frames})
    for _, link in interfaces:
        out += block(1, struct.pack(order + "HHI", link, 0, 0) + struct.pack(order + "HHBxxxHH", 9, 1, 9, 0, 0))
    for frame, length in zip(frames, wire or [len(frame.data) for frame in frames]):
        head = struct.pack(order + "IIIII", interfaces.index((frame.interface, frame.link)), frame.time >> 32,
                           frame.time & 0xFFFFFFFF, len(frame.data), length)
        out += block(6, head + frame.data)
    return out


# ---------------------------------------------------------------- the same packets otherwise

def behind(frames, link, head):
    """Without the Ethernet header, behind another one."""
    return [frame._replace(data=head + frame.ip(), link=link) for frame in frames]


def tagged(frames, *tags):
    """With VLAN tags, given as (type, id)."""
    middle = b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in tags)
    return [frame._replace(data=frame.data[:12] + middle + frame.data[12:]) for frame in frames]


def shifted(frames, seconds):
    return [frame._replace(time=frame.time + seconds * 10**9) for frame in frames]


def twice(frames):
    """Each one again a tenth of a millisecond later, as a mirror port that copies both ways does."""
    return [copy for frame in frames for copy in (frame, frame._replace(time=frame.time + 100_000))]


def readdressed(frames, address, port):
    """With other addresses and ports, also where ICMP quotes them; `address` and `port` map the old to the new."""
    return [frame._replace(data=frame.data[:14] + _readdress(frame.ip(), address, port)) for frame in frames]


def _readdress(packet, address, port):
    if packet[0] >> 4 != 4:
        return packet
    head = 4 * (packet[0] & 15)
    out = packet[:12] + address(packet[12:16]) + address(packet[16:20]) + packet[20:head]
    body = packet[head:]
    if packet[9] in (6, 17):
        old = struct.unpack_from("!HH", body)
        body = struct.pack("!HH", port(old[0]), port(old[1])) + body[4:]
    elif packet[9] == 1 and body[0] in (3, 11):
        body = body[:8] + _readdress(body[8:], address, port)
    return out + body


# ---------------------------------------------------------------- traffic that is well

def _ethernet(packet):
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + packet


def _ip(source, destination, protocol, body, ident):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), ident & 0xFFFF, 0x4000, 64, protocol, 0,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed) + body


def tcp(time, source, destination, seq, ack, flags, payload=b"", ident=0):
    head = struct.pack("!HHIIBBHHH", source[1], destination[1], seq, ack, 0x50, flags, 65000, ident & 0xFFFF, 0)
    return Frame(time, _ethernet(_ip(source[0], destination[0], 6, head + payload, ident)))


def udp(time, source, destination, payload, ident=0):
    head = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), ident & 0xFFFF)
    return Frame(time, _ethernet(_ip(source[0], destination[0], 17, head + payload, ident)))


def good_connection(begin, client, server, number=0, exchanges=3, every=10**9):
    """A handshake, some questions with answers, and the end."""
    isn, reply, ident = 1000 + number, 5_000_000 + number, 40 * number
    way = 10 * 10**6
    frames = [tcp(begin, client, server, isn, 0, 2, ident=ident + 1),
              tcp(begin + way, server, client, reply, isn + 1, 18, ident=ident + 2),
              tcp(begin + 2 * way, client, server, isn + 1, reply + 1, 16, ident=ident + 3)]
    time, mine, theirs = begin + 2 * way, isn + 1, reply + 1
    for turn in range(exchanges):
        question, answer = b"question %d\r\n" % turn, b"answer %d\r\n" % turn
        frames += [tcp(time + 1000, client, server, mine, theirs, 24, question, ident + 4 + 4 * turn),
                   tcp(time + way, server, client, theirs, mine + len(question), 24, answer, ident + 5 + 4 * turn),
                   tcp(time + 2 * way, client, server, mine + len(question), theirs + len(answer), 16, b"", ident + 6 + 4 * turn)]
        mine, theirs, time = mine + len(question), theirs + len(answer), time + every
    return frames + [tcp(time, client, server, mine, theirs, 17, ident=ident + 30),
                     tcp(time + way, server, client, theirs, mine + 1, 17, ident=ident + 31),
                     tcp(time + 2 * way, client, server, mine + 1, theirs + 1, 16, ident=ident + 32)]


def mixed(frames, *others):
    """In the order of time."""
    return sorted([frame for group in (frames, *others) for frame in group], key=lambda frame: frame.time)


def conversation(begin, client, server, said, number=0, end=None, mtu=1400):
    """A TCP connection in which `said` is told, as ("client" or "server", bytes) in order. `end`: None goes on, "fin" or
    "reset" is how the server ends it."""
    isn, reply, way = 77_000 + 101 * number, 9_000_000 + 101 * number, 10 * 10**6
    time, ident = begin + 2 * way, 1000 * number + 4
    frames = [tcp(begin, client, server, isn, 0, 2, ident=1000 * number + 1),
              tcp(begin + way, server, client, reply, isn + 1, 18, ident=1000 * number + 2),
              tcp(time, client, server, isn + 1, reply + 1, 16, ident=1000 * number + 3)]
    mine, theirs = isn + 1, reply + 1
    for who, data in said:
        for at in range(0, len(data), mtu):
            time, ident, part = time + way, ident + 1, data[at:at + mtu]
            if who == "client":
                frames.append(tcp(time, client, server, mine, theirs, 24, part, ident))
                mine = (mine + len(part)) % 2**32
            else:
                frames.append(tcp(time, server, client, theirs, mine, 24, part, ident))
                theirs = (theirs + len(part)) % 2**32
    if end:
        frames.append(tcp(time + way, server, client, theirs, mine, 17 if end == "fin" else 20, ident=ident + 1))
    return frames


def fragmented(frame, size=1480, last_first=False):
    """One IPv4 packet as fragments with `size` bytes each, a multiple of eight."""
    packet = frame.ip()
    head, body = packet[:20], packet[20:]
    parts = []
    for at in range(0, len(body), size):
        piece = body[at:at + size]
        flags = at // 8 | (0x2000 if at + size < len(body) else 0)
        parts.append(frame._replace(
            data=frame.data[:14] + head[:2] + struct.pack("!H", 20 + len(piece)) + head[4:6] + struct.pack("!H", flags) + head[8:] + piece,
            time=frame.time + 1000 * len(parts)))
    if last_first:
        parts = [part._replace(time=frame.time + 1000 * number) for number, part in enumerate(reversed(parts))]
    return parts
