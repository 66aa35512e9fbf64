"""SIP messages (RFC 3261) by hand, right and wrong ones, and a target that answers. Nothing of it is the gateway's."""
import dataclasses
import hashlib
import itertools
import re
import ssl

COMPACT = {"f": "From", "t": "To", "v": "Via", "i": "Call-ID", "m": "Contact", "l": "Content-Length"}
PING, PONG = b"\r\n\r\n", b"\r\n"  # RFC 5626 section 3.5.1

_numbers = itertools.count(1)  # for what must be unique


def request(method="OPTIONS", sender="<sip:alice@hq.example.com>;tag=1", to="<sip:bob@hq.example.com>",
            uri="sip:hq.example.com", number=1, call_id=None, fields="", body=b"", length=None):
    """`fields`: further lines, each with its CRLF; `length`: what Content-Length says, if not the truth; "" leaves it
    away. None leaves away `sender` and `to`."""
    unique = next(_numbers)
    lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK-{unique};rport",
             "Max-Forwards: 70"]
    lines += [f"From: {sender}"] * (sender is not None) + [f"To: {to}"] * (to is not None)
    lines += [f"Call-ID: {call_id or f'call-{unique}'}", f"CSeq: {number} {method}"]
    length = len(body) if length is None else length
    head = "\r\n".join(lines) + "\r\n" + fields + (f"Content-Length: {length}\r\n" if length != "" else "") + "\r\n"
    return head.encode("latin-1") + body


def user(name):
    """A From value: of "alice@hq.example.com", or of any URI."""
    return f"<{name if name.startswith(('sip', 'tel')) else f'sip:{name}'}>;tag=1"


@dataclasses.dataclass
class Message:
    first: str  # line
    fields: list  # [(name as received, value)], folds undone
    body: bytes
    raw: bytes

    @property
    def is_request(self):
        return not self.first.startswith("SIP/")

    @property
    def method(self):
        return self.first.split(" ")[0]

    @property
    def status(self):
        return int(self.first.split(" ")[1])

    def all(self, name):
        return [value for given, value in self.fields
                if COMPACT.get(given.lower(), given).lower() == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), None)

    @property
    def reason(self):
        """The code of the gateway's that its Warning holds; None where there is none."""
        found = re.search(r"\[([a-z_]+\.[a-z_]+|[a-z_]+)\]\"$", self.get("Warning") or "")
        return found and found[1]


def read_message(wire):
    """The next message, whatever line ends lead; None at the end of the connection between two."""
    try:
        while (head := wire.read_until(b"\r\n")) == b"\r\n":
            pass
    except EOFError:
        return None
    head += wire.read_until(b"\r\n\r\n")
    first, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("latin-1")).rstrip("\r\n").split("\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
    message = Message(first, fields, b"", head)
    length = int(message.get("Content-Length") or 0)
    message.body = wire.read_exactly(length)
    message.raw += message.body
    return message


def read_messages(wire):
    """Those until the connection ends, however."""
    found = []
    try:
        while one := read_message(wire):
            found.append(one)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return found


def answer(asked, status=200, phrase="OK", fields="", body=b""):
    """A response to a request that was read."""
    to = asked.get("To") or ""
    lines = [f"SIP/2.0 {status} {phrase}", *(f"Via: {via}" for via in asked.all("Via")), f"From: {asked.get('From')}",
             f"To: {to}" + ("" if ";tag=" in to else ";tag=target"), f"Call-ID: {asked.get('Call-ID')}",
             f"CSeq: {asked.get('CSeq')}"]
    return ("\r\n".join(lines) + f"\r\n{fields}Content-Length: {len(body)}\r\n\r\n").encode("latin-1") + body


def registrar(connection):
    """A target's script: it answers every request with 200."""
    while asked := read_message(connection):
        if asked.is_request:
            connection.target.requests.append(asked)
            if asked.method != "ACK":
                connection.send(answer(asked))


def credentials(challenge, method, name, password, uri):
    """The Authorization line for a 401 (RFC 2617 section 3.2.2 without qop), with its CRLF."""
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge.get("WWW-Authenticate")))

    def hashed(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()
    response = hashed(hashed(name, given["realm"], password), given["nonce"], hashed(method, uri))
    return (f'Authorization: Digest username="{name}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
            f'uri="{uri}", response="{response}"\r\n')
