"""H.323 as tests need it: the conversations of the captures, played from either side, and the few messages that a test
alters. What a message says is not decoded here; tshark does that where it matters (src/wire/h323)."""
import pathlib
import shutil
import struct
import subprocess
import tempfile

CAPTURES = pathlib.Path(__file__).resolve().parents[1] / "data" / "h323"
GATEKEEPER_PORT = 1720

KEEP_ALIVE = b"\x03\0\0\x04"
SHORT_KEEP_ALIVE = b"\0\x03\0\x04"
FACILITY, SETUP, CONNECT, RELEASE_COMPLETE = 0x62, 0x05, 0x07, 0x5A


def tpkt(message):
    return struct.pack(">BBH", 3, 0, 4 + len(message)) + message


def q931(kind, h225=None, reference=b"\0\0", elements=b""):
    """A whole TPKT. `h225`: an H323-UserInformation, for the User-user element."""
    user_user = b"" if h225 is None else struct.pack(">BHB", 0x7E, 1 + len(h225), 5) + h225
    return tpkt(bytes([8, len(reference)]) + reference + bytes([kind]) + elements + user_user)


TUNNEL = b"\x01\x40\x00\x11\x00\x00\x40\x00\x01\x00"  # of genericData: H.460.17, whose one parameter is a RasMessage


def per_length(size):
    return bytes([size]) if size < 0x80 else struct.pack(">H", 0x8000 | size)


def facility(ras):
    """A RasMessage in its tunnel, a whole TPKT."""
    generic = TUNNEL + per_length(len(ras)) + ras
    return q931(FACILITY, b"\x28\x10\x01\x00\x10\x81\x01\x80" + per_length(len(generic)) + generic)


def ras_of(message):
    """The RasMessage in a Facility."""
    at = message.index(TUNNEL) + len(TUNNEL)
    return message[at + (1 if message[at] < 0x80 else 2):]


def without_alias(discovery):
    """A GRQ as H323Plus writes it, but with nothing in it of who asks."""
    ras, tail = ras_of(discovery), bytes.fromhex("1400400100")  # supportsAltGK
    assert ras.endswith(tail) and ras[1] == 0xA0  # what is there: a gatekeeper id, aliases
    id_at = 21  # its length stands in the two octets before it
    id_octets = 2 * ((int.from_bytes(ras[id_at - 2:id_at], "big") >> 6 & 0x7F) + 1)
    return facility(ras[:1] + b"\x80" + ras[2:id_at + id_octets] + tail)


def read_tpkt(wire):
    """The next one, whole; b"" at the end."""
    head = wire.read_exactly(1) if wire._used < len(wire.received) or wire._more() else b""
    if not head:
        return b""
    head += wire.read_exactly(3)
    return head + wire.read_exactly(struct.unpack(">H", head[2:])[0] - 4)


def _packets(path):
    """(source, destination, payload) of each TCP segment; the captures are of Ethernet, IPv4 and loopback, in order."""
    data = path.read_bytes()
    at = 24
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + size]
        at += 16 + size
        ip = frame[14:]
        tcp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
        ports = struct.unpack_from(">HH", tcp)
        yield (ip[12:16], ports[0]), (ip[16:20], ports[1]), tcp[(tcp[12] >> 4) * 4:]


def conversations(number):
    """The connections of a capture, in order: each a list of (by the client?, TPKT) as they were said."""
    path, = CAPTURES.glob(f"{number}-*.pcap")
    found, pending = {}, {}
    for source, destination, payload in _packets(path):
        by_client = destination[1] == GATEKEEPER_PORT
        said = found.setdefault((source, destination) if by_client else (destination, source), [])
        data = pending.get((source, destination), b"") + payload
        while len(data) >= 4 and len(data) >= (length := struct.unpack_from(">H", data, 2)[0]) >= 4:
            said.append((by_client, data[:length]))
            data = data[length:]
        pending[source, destination] = data
    return [said for said in found.values() if said]


def client_side(conversation):
    return b"".join(message for by_client, message in conversation if by_client)


def server_side(conversation):
    return b"".join(message for by_client, message in conversation if not by_client)


def play(wire, conversation, client):
    """Says one side's part and expects the other's, to the octet."""
    for by_client, message in conversation:
        if by_client == client:
            wire.send(message)
        else:
            got = wire.read_exactly(len(message))
            assert got == message, f"{got.hex()} instead of {message.hex()}"


def answering(answers):
    """A script for a target: answers each message with what stands for it in `answers`."""
    def script(connection):
        while asked := read_tpkt(connection):
            connection.send(answers[asked])
    return script


def read_by_tshark(messages, *fields):
    """What tshark reads in each TPKT: a list of its fields' values. None: there is no tshark."""
    if not shutil.which("tshark"):
        return None
    with tempfile.TemporaryDirectory() as directory:
        text, capture = pathlib.Path(directory, "messages.txt"), pathlib.Path(directory, "messages.pcap")
        text.write_text("\n".join("000000 " + message.hex(" ") for message in messages) + "\n")
        subprocess.run(["text2pcap", "-q", "-T", f"{GATEKEEPER_PORT},4000", text, capture], check=True, capture_output=True)
        options = [option for field in fields for option in ("-e", field)]
        read = subprocess.run(["tshark", "-r", capture, "-T", "fields", *options], check=True, capture_output=True, text=True)
    return [line.split("\t") for line in read.stdout.splitlines()]


def gatekeeper(*numbers):
    """A script for a target: plays the gatekeeper of whichever conversation of these captures the client begins. What
    begins none of them is answered with nothing."""
    known = [conversation for number in numbers for conversation in conversations(number)]

    def script(connection):
        first = read_tpkt(connection)
        while first in (KEEP_ALIVE, SHORT_KEEP_ALIVE):
            first = read_tpkt(connection)
        for conversation in known:
            if conversation[0] == (True, first):
                play(connection, conversation[1:], client=False)
                connection.sock.settimeout(None)
                connection.read_to_end()
                return
        connection.read_to_end()
    return script
