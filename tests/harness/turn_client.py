"""A TURN client by hand, for what no packaged one asks: requests with long-term credentials over UDP or a stream."""
import hashlib
import hmac
import os
import socket
import struct

from harness import turn

COOKIE = 0x2112A442
ALLOCATE, REFRESH, CREATE_PERMISSION, CONNECT, CONNECTION_BIND = 3, 4, 8, 10, 11
DATA_INDICATION, CONNECTION_ATTEMPT = 0x0017, 0x001C
(USERNAME, INTEGRITY, ERROR_CODE, LIFETIME, PEER, DATA, REALM, NONCE, RELAYED, TRANSPORT, CONNECTION_ID,
 ICMP) = (0x0006, 0x0008, 0x0009, 0x000D, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016, 0x0019, 0x002A, 0x8004)
UDP, TCP = 17, 6


def attribute(code, value):
    return struct.pack("!HH", code, len(value)) + value + bytes(-len(value) % 4)


def xor_address(address):
    """An IPv4 address and port as an attribute's value; the other way for bytes."""
    if isinstance(address, bytes):
        port, number = struct.unpack("!HI", address[2:8])
        return socket.inet_ntoa(struct.pack("!I", number ^ COOKIE)), port ^ (COOKIE >> 16)
    number, = struct.unpack("!I", socket.inet_aton(address[0]))
    return struct.pack("!BBHI", 0, 1, address[1] ^ (COOKIE >> 16), number ^ COOKIE)


class Message:
    def __init__(self, data):
        self.type, length, _cookie = struct.unpack("!HHI", data[:8])
        self.transaction, self.attributes = data[8:20], {}
        rest = data[20:20 + length]
        while rest:
            code, size = struct.unpack("!HH", rest[:4])
            self.attributes.setdefault(code, rest[4:4 + size])
            rest = rest[4 + size + -size % 4:]

    @property
    def error(self):
        """The code of an error response; 0: it is none."""
        value = self.attributes.get(ERROR_CODE)
        return value[2] * 100 + value[3] if value else 0


class TurnClient:
    """Over a connected socket, of which the caller takes care."""

    def __init__(self, sock, user=turn.USER, password=turn.PASSWORD):
        self.sock, self.user, self.password = sock, user, password
        self.is_stream = sock.type == socket.SOCK_STREAM
        self.realm = self.nonce = None
        self.waiting = []  # messages that came between a request and its answer
        sock.settimeout(10)

    def exactly(self, size):
        got = b""
        while len(got) < size:
            part = self.sock.recv(size - len(got))
            assert part, got
            got += part
        return got

    def message(self):
        """The next one."""
        if self.waiting:
            return self.waiting.pop(0)
        return self._read()

    def _read(self):
        if not self.is_stream:
            return Message(self.sock.recv(4096))
        head = self.exactly(20)
        return Message(head + self.exactly(struct.unpack("!H", head[2:4])[0]))

    def ask(self, method, *attributes):
        """The answer to a signed request; the nonce is learnt on the way."""
        for _ in range(3):
            answer = self._ask_once(method, attributes)
            if answer.error not in (401, 438) or NONCE not in answer.attributes:
                return answer
            fresh = answer.attributes[NONCE]
            if self.nonce is not None and answer.error == 401:
                return answer
            self.realm, self.nonce = answer.attributes[REALM], fresh
        return answer

    def _ask_once(self, method, attributes):
        transaction = os.urandom(12)
        body = b"".join(attribute(code, value) for code, value in attributes)
        if self.nonce is not None:
            body += attribute(USERNAME, self.user.encode()) + attribute(REALM, self.realm) + attribute(NONCE, self.nonce)
            head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + transaction
            key = hashlib.md5(b":".join([self.user.encode(), self.realm, self.password.encode()])).digest()
            body += attribute(INTEGRITY, hmac.digest(key, head + body, "sha1"))
        self.sock.sendall(struct.pack("!HHI", method, len(body), COOKIE) + transaction + body)
        while True:
            answer = self._read()
            if answer.transaction == transaction:
                return answer
            self.waiting.append(answer)

    def allocate(self, transport=UDP):
        """The relay's address."""
        answer = self.ask(ALLOCATE, (TRANSPORT, bytes([transport, 0, 0, 0])))
        assert answer.error == 0, answer.error
        return xor_address(answer.attributes[RELAYED])

    def permit(self, address):
        assert self.ask(CREATE_PERMISSION, (PEER, xor_address((address, 0)))).error == 0

    def send(self, peer, data):
        body = attribute(PEER, xor_address(peer)) + attribute(DATA, data)
        self.sock.sendall(struct.pack("!HHI", 0x0016, len(body), COOKIE) + os.urandom(12) + body)

    def connect(self, peer):
        """The answer; its CONNECTION-ID is for bind_connection() of another client."""
        return self.ask(CONNECT, (PEER, xor_address(peer)))

    def bind_connection(self, identity):
        return self.ask(CONNECTION_BIND, (CONNECTION_ID, identity))
