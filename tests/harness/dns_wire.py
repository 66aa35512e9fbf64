"""DNS messages octet by octet (RFC 1035, RFC 6891), right ones and wrong ones, and who sends them: apart from the
program's own reader and writer, so that an error of one shows in the other."""
import contextlib
import socket
import struct
import threading

A, NS, CNAME, SOA, PTR, TXT, AAAA, OPT, HTTPS, AXFR, ANY = 1, 2, 5, 6, 12, 16, 28, 41, 65, 252, 255
IN, CHAOS = 1, 3
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
RESPONSE, TRUNCATED, RECURSION_DESIRED = 0x8000, 0x0200, 0x0100
ID = 0x1234


def name(text):
    """The name in wire form; its labels may be as long as a test likes."""
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(text, kind=A, qclass=IN):
    return name(text) + struct.pack(">HH", kind, qclass)


def record(owner, kind, data, ttl=60, rclass=IN):
    """`owner`: wire form; 0xC00C is the question's name."""
    return owner + struct.pack(">HHIH", kind, rclass, ttl, len(data)) + data


def opt(payload=1232, flags=0, options=b""):
    return record(b"\0", OPT, options, flags, payload)


def option(code, value):
    return struct.pack(">HH", code, len(value)) + value


def message(body, flags=RECURSION_DESIRED, counts=(1, 0, 0, 0), number=ID):
    return struct.pack(">6H", number, flags, *counts) + body


def query(text, kind=A, *additional, flags=RECURSION_DESIRED, number=ID):
    return message(question(text, kind) + b"".join(additional), flags, (1, 0, 0, len(additional)), number)


THE_QUESTION = b"\xc0\x0c"


def answer_to(asked, *records, flags=0, number=None):
    """An answer to a question as it came: its ID and question, and these records."""
    end = question_end(asked)
    heard = struct.unpack(">H", asked[:2])[0]
    return message(asked[12:end] + b"".join(records), RESPONSE | RECURSION_DESIRED | flags,
                   (1, len(records), 0, 0), heard if number is None else number)


def address(text):
    return record(THE_QUESTION, A, socket.inet_aton(text))


def question_end(asked):
    at = 12
    while asked[at]:
        at += 1 + asked[at]
    return at + 5


def name_of(asked):
    """The question's name as text."""
    at, labels = 12, []
    while asked[at]:
        labels.append(asked[at + 1:at + 1 + asked[at]].decode("latin-1"))
        at += 1 + asked[at]
    return ".".join(labels)


def code_of(answer):
    return answer[3] & 0x0F


def framed(text):
    return struct.pack(">H", len(text)) + text


def receive(connection):
    """One message of a stream; b"" when it has ended."""
    with contextlib.suppress(ConnectionError):
        head = _exactly(connection, 2)
        return _exactly(connection, struct.unpack(">H", head)[0]) if head else b""
    return b""


def _exactly(connection, count):
    text = b""
    while len(text) < count:
        more = connection.recv(count - len(text))
        if not more:
            return b""
        text += more
    return text


class ScriptedServer:
    """A name server that says what a test wants: `script(asked, tcp)` is a list of messages, b"" to say nothing.

    `asked` is every question that came, as (message, by TCP).
    """

    def __init__(self, script):
        self._script, self.asked, self._open = script, [], True
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for work in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def names(self):
        """Of the questions, in small letters."""
        return [name_of(text).lower() for text, _ in self.asked]

    def _answers(self, text, tcp):
        self.asked.append((text, tcp))
        return self._script(text, tcp)

    def _serve_udp(self):
        with contextlib.suppress(OSError):
            while self._open:
                text, sender = self._udp.recvfrom(65535)
                if not text:  # the end
                    break
                for answer in self._answers(text, False):
                    self._udp.sendto(answer, sender)

    def _serve_tcp(self):
        with contextlib.suppress(OSError):
            while self._open:
                connection, _ = self._tcp.accept()
                threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _serve_connection(self, connection):
        with connection, contextlib.suppress(OSError):
            while text := receive(connection):
                for answer in self._answers(text, True):
                    connection.sendall(framed(answer))

    def stop(self):
        self._open = False
        for one in (self._tcp, self._udp):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
