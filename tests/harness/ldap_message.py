"""LDAP messages (RFC 4511) by hand, right and wrong ones, and a target that answers them. Nothing of it is the gateway's."""
import dataclasses
import ssl

BIND, BIND_ANSWER, UNBIND, SEARCH, ENTRY, DONE = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65
ABANDON, EXTENDED, EXTENDED_ANSWER = 0x50, 0x77, 0x78
START_TLS = b"1.3.6.1.4.1.1466.20037"
NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"
WHO_AM_I = b"1.3.6.1.4.1.4203.1.11.3"

SUCCESS, OPERATIONS_ERROR, PROTOCOL_ERROR = 0, 1, 2
INAPPROPRIATE_AUTHENTICATION, INVALID_CREDENTIALS, INSUFFICIENT_ACCESS, BUSY, UNAVAILABLE = 48, 49, 50, 51, 52


def length(value):
    if value < 0x80:
        return bytes([value])
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def element(tag, *contents):
    body = b"".join(contents)
    return bytes([tag]) + length(len(body)) + body


def integer(value, tag=0x02):
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value, tag=0x04):
    return element(tag, value.encode() if isinstance(value, str) else value)


def message(number, op, *contents):
    return element(0x30, integer(number), element(op, *contents))


def bind(name, password="secret", number=1, version=3):
    return message(number, BIND, integer(version), octets(name), octets(password, 0x80))


def sasl_bind(mechanism="PLAIN", number=1):
    return message(number, BIND, integer(3), octets(""), element(0xA3, octets(mechanism), octets("\0a\0b")))


def search(base="dc=example,dc=com", number=2):
    return message(number, SEARCH, octets(base), integer(2, 0x0A), integer(0, 0x0A), integer(0), integer(0),
                   element(0x01, b"\0"), octets("objectClass", 0x87), element(0x30))


def extended(oid, number=1):
    return message(number, EXTENDED, octets(oid, 0x80))


def start_tls(number=1):
    return extended(START_TLS, number)


def unbind(number=9):
    return message(number, UNBIND)


def answer(number, op, code=SUCCESS, diagnostic=""):
    return message(number, op, integer(code, 0x0A), octets(""), octets(diagnostic))


def entry(number, name="cn=alice", value=b"1"):
    return message(number, ENTRY, octets(name), element(0x30, element(0x30, octets("sn"), element(0x31, octets(value)))))


@dataclasses.dataclass
class Message:
    number: int
    op: int
    parts: list  # [(tag, contents)] of the operation
    raw: bytes

    @property
    def code(self):
        return int.from_bytes(self.parts[0][1], "big")

    @property
    def diagnostic(self):
        return self.parts[2][1].decode()

    @property
    def oid(self):
        return next((contents for tag, contents in self.parts[3:] if tag == 0x8A), None)

    @property
    def name(self):
        """Of a bind."""
        return self.parts[1][1].decode()


def elements(data):
    while data:
        size, begin = data[1], 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(data[2:begin], "big")
        yield data[0], data[begin:begin + size]
        data = data[begin + size:]


def read_message(wire):
    """The next message; None at the end of the connection between two."""
    try:
        raw = wire.read_exactly(2)
    except EOFError:
        return None
    size = raw[1]
    if size & 0x80:
        raw += wire.read_exactly(size & 0x7F)
        size = int.from_bytes(raw[2:], "big")
    assert raw[0] == 0x30, raw
    contents = wire.read_exactly(size)
    (_, number), (op, body) = list(elements(contents))[:2]
    # An operation that is itself a string has no parts.
    parts = list(elements(body)) if op & 0x20 else []
    return Message(int.from_bytes(number, "big"), op, parts, raw + contents)


def read_messages(wire):
    """Those until the connection ends, however."""
    found = []
    try:
        while one := read_message(wire):
            found.append(one)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return found


def directory(connection):
    """A target's script: every bind succeeds, a search finds one entry, whatever is extended succeeds."""
    while (request := read_message(connection)) and request.op != UNBIND:
        connection.target.requests.append(request)
        if request.op == SEARCH:
            connection.send(entry(request.number) + answer(request.number, DONE))
        elif request.op in (BIND, EXTENDED):
            connection.send(answer(request.number, request.op + 1))
