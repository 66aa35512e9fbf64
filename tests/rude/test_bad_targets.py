"""Targets that misbehave: the client gets a clear 502 or 504, or an answer that can't be taken for a whole one; nothing
of it reaches the next request.
"""
from dataclasses import dataclass
from typing import Callable

import pytest

from harness import Client, free_port, plain_answer, wait_until
from harness.rude_client import TRUNCATED, from_client, read_ending
from harness.rude_process import returns_descriptors
from harness.rude_target import DeafTarget, Gates

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def says(answer, then="close"):
    """A script that waits for the request and answers it with these bytes; then "close", "reset" or "stall"."""
    def script(connection):
        connection.read_request()
        connection.send(answer)
        if then == "reset":
            connection.reset()
        elif then == "stall":
            connection.stall()
    return script


def reset_at_once(connection):
    connection.reset()


def endless(piece, first=b""):
    def script(connection):
        connection.read_request()
        connection.send(first)
        while True:  # until the gateway has had enough, which ends it by an OSError
            connection.send(piece * 100)
    return script


@dataclass
class Bad:
    name: str
    script: Callable
    reason: str = "target.malformed"
    status: int = 502


REFUSED = [
    Bad("reset at once", reset_at_once, "target.closed"),
    Bad("close at once", lambda connection: None, "target.closed"),
    Bad("close before a byte", says(b""), "target.closed"),
    Bad("reset before a byte", says(b"", "reset"), "target.closed"),
    Bad("close in the status line", says(b"HTTP/1.1 20"), "target.closed"),
    Bad("close in the head", says(HEAD + b"Content-Le"), "target.closed"),
    Bad("close before the empty line", says(HEAD + b"Content-Length: 4\r\n"), "target.closed"),
    Bad("reset in the head", says(HEAD + b"Content-Le", "reset"), "target.closed"),
    Bad("close behind a 100", says(b"HTTP/1.1 100 Continue\r\n\r\n"), "target.closed"),
    Bad("another protocol", says(b"SSH-2.0-OpenSSH_9.2\r\n", "stall")),
    Bad("a page without a head", says(b"<html>hello</html>\n", "stall")),
    Bad("binary garbage", says(bytes(range(256)) * 4, "stall")),
    Bad("NULs", says(b"\0" * 1000, "stall")),
    Bad("a TLS alert", says(b"\x15\x03\x01\x00\x02\x02\x46")),
    Bad("HTTP/2", says(b"HTTP/2.0 200 OK\r\n\r\n", "stall")),
    Bad("HTTP/0.9", says(b"fine\r\n")),
    Bad("a status of two digits", says(b"HTTP/1.1 20 OK\r\n\r\n", "stall")),
    Bad("a status of four digits", says(b"HTTP/1.1 2000 OK\r\n\r\n", "stall")),
    Bad("a status of 600", says(b"HTTP/1.1 600 OK\r\n\r\n", "stall")),
    Bad("a bare LF", says(HEAD + b"X: a\nContent-Length: 0\r\n\r\n", "stall")),
    Bad("a bare CR", says(HEAD + b"X: a\rb\r\nContent-Length: 0\r\n\r\n", "stall")),
    Bad("a NUL in a field", says(HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n", "stall")),
    Bad("a folded line", says(HEAD + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "stall")),
    Bad("a space before the colon", says(HEAD + b"Content-Length : 0\r\n\r\n", "stall")),
    Bad("length and encoding", says(HEAD + b"Content-Length: 5\r\n" + CHUNKED + b"0\r\n\r\n", "stall")),
    Bad("two lengths", says(HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfine!", "stall")),
    Bad("a negative length", says(HEAD + b"Content-Length: -1\r\n\r\n", "stall")),
    Bad("a length of 2^64", says(HEAD + b"Content-Length: 18446744073709551616\r\n\r\n", "stall")),
    Bad("gzip, chunked", says(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "stall")),
    Bad("chunked in HTTP/1.0", says(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "stall")),
    Bad("a head of 40 KB", says(HEAD + b"X: " + b"a" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n", "stall")),
    Bad("a head of 40 KB without an end", says(HEAD + b"X: " + b"a" * 40_000, "stall")),
    Bad("a head that never ends", endless(b"X: y\r\n")),
    Bad("a line that never ends", endless(b"HTTP")),
    Bad("1000 fields", says(HEAD + b"X: y\r\n" * 1000 + b"\r\n", "stall")),
    Bad("a 101 that nobody asked for", says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                            b"Connection: Upgrade\r\n\r\n", "stall")),
    Bad("a bare 101", says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "stall")),
    Bad("a stall before the head", says(b"", "stall"), "target.stalled", 504),
    Bad("a stall in the head", says(HEAD + b"Content-", "stall"), "target.stalled", 504),
    Bad("a stall behind a 100", says(b"HTTP/1.1 100 Continue\r\n\r\n", "stall"), "target.stalled", 504),
]
# The head went out before the fault showed: only the end of the connection can tell the client.
CUT = [
    Bad("close in a body of a length", says(HEAD + b"Content-Length: 100\r\n\r\nfine"), "target.closed"),
    Bad("close before a body of a length", says(HEAD + b"Content-Length: 100\r\n\r\n"), "target.closed"),
    Bad("reset in a body of a length", says(HEAD + b"Content-Length: 100\r\n\r\nfine", "reset"), "target.closed"),
    Bad("close in a chunk", says(HEAD + CHUNKED + b"9\r\nfine"), "target.closed"),
    Bad("close between chunks", says(HEAD + CHUNKED + b"4\r\nfine\r\n"), "target.closed"),
    Bad("close behind the last chunk", says(HEAD + CHUNKED + b"4\r\nfine\r\n0\r\n"), "target.closed"),
    Bad("close in the trailers", says(HEAD + CHUNKED + b"4\r\nfine\r\n0\r\nX: y\r\n"), "target.closed"),
    Bad("reset between chunks", says(HEAD + CHUNKED + b"4\r\nfine\r\n", "reset"), "target.closed"),
    Bad("reset in a body that a close should end", says(HEAD + b"\r\nfine", "reset"), "target.closed"),
    Bad("a bad chunk size", says(HEAD + CHUNKED + b"4\r\nfine\r\nxyz\r\n0\r\n\r\n", "stall")),
    Bad("a chunk size of 2^64", says(HEAD + CHUNKED + b"10000000000000000\r\nfine", "stall")),
    Bad("no CRLF behind a chunk", says(HEAD + CHUNKED + b"4\r\nfine0\r\n\r\n", "stall")),
    Bad("trailers that never end", endless(b"X: y\r\n", HEAD + CHUNKED + b"4\r\nfine\r\n0\r\n")),
    Bad("a stall in a body of a length", says(HEAD + b"Content-Length: 100\r\n\r\nfine", "stall"), "target.stalled"),
    Bad("a stall in a chunked body", says(HEAD + CHUNKED + b"4\r\nfine\r\n", "stall"), "target.stalled"),
]
# Bytes that nobody asked for stand behind a whole answer.
EXCESS = {
    "two answers": plain_answer(b"first") + plain_answer(b"second"),
    "more than the length": plain_answer(b"first") + b"second",
    "bytes behind the last chunk": HEAD + CHUNKED + b"5\r\nfirst\r\n0\r\n\r\nsecond",
    "a body behind 204": b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nsecond",
    "a body behind 304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nsecond",
}


def service(name, port, **more):
    return {"name": name, "protocol": "http", "target": "127.0.0.1", "plain_port": port, "idle_timeout": "1s", **more}


def host(row):
    """A name for the service of this row, of letters and digits alone."""
    return "".join(character for character in row.name.lower() if character.isalnum()) + ".test"


@pytest.fixture(scope="module")
def good(module_stage):
    return module_stage.target()


@pytest.fixture(scope="module")
def gateway(module_stage, good):
    services = [service("good.test", good.port)]
    services += [service(host(row), module_stage.target(row.script).port) for row in REFUSED + CUT]
    services.append(service("refuses.test", free_port()))
    services.append(service("deaf.test", module_stage.keep(DeafTarget()).port, connect_timeout="500ms"))
    gateway = module_stage.gateway({"service": services})
    with Client(gateway.http_port) as client:
        assert client.request("good.test").status == 200
    with returns_descriptors(gateway):
        yield gateway


def read_bounded(client, most=1 << 23):
    """The response behind at most so many bytes of interim ones."""
    while True:
        response = client.read_response(interim=True)
        if response.status >= 200:
            return response
        assert len(client.received) < most, "interim answers without end"


ELSEWHERE = [Bad("refuses", None, "target.refused"), Bad("deaf", None, "target.timeout", 504)]  # not by a script


@pytest.mark.parametrize("row", REFUSED + ELSEWHERE, ids=lambda row: row.name)
def test_is_answered_for_and_the_next_request_is_served(gateway, good, row):
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        response = client.request(host(row), "/bad")
        assert response.status == row.status, response.head
        assert row.reason.encode() in response.body
        assert b"127.0.0.1" not in response.head + response.body, "tells where the target is"
        if response.get("Connection") != "close":
            next_one = client.request("good.test", "/next")
            assert (next_one.status, next_one.body) == (200, b"fine")
    record = gateway.only_record(lambda record: from_this(record) and record["url"] == "/bad")
    assert (record["reason"], record["status"], record["verdict"]) == (row.reason, row.status, "refused"), record


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("row", CUT, ids=lambda row: row.name)
def test_a_cut_answer_never_looks_whole(gateway, row, version):
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        with pytest.raises(TRUNCATED):
            response = client.request(host(row), "/bad", version=version)
            pytest.fail(f"looks whole: {response.head + response.body!r}")
    record = gateway.only_record(from_this)
    assert (record["reason"], record["status"], record["verdict"]) == (row.reason, 200, "forwarded"), record


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("pieces", [1, 100], ids=["one by one", "many at once"])
def test_interim_answers_without_end_are_ended(stage, version, pieces):
    def script(connection):
        connection.read_request()
        while True:
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * pieces)
    gateway = stage.gateway({"node": {"drain_timeout": "1s"},
                             "service": [service("bad.test", stage.target(script).port)]})
    with Client(gateway.http_port) as client:
        client.send(f"GET / {version}\r\nHost: bad.test\r\n\r\n")
        response = read_bounded(client)
        assert response.status == 502, response.head
    assert gateway.only_record(lambda record: True)["reason"] == "target.malformed"


def test_a_million_interim_answers_in_one_go_garble_nothing(stage):
    """16 bytes grow to several times that when this gateway adds its own fields."""
    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 100\r\n\r\n" * 100_000 + plain_answer())
    gateway = stage.gateway({"service": [service("bad.test", stage.target(script).port)]})
    with Client(gateway.http_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: bad.test\r\n\r\n")
        response = read_bounded(client)
        assert response.status in (200, 502), response.head


@pytest.mark.parametrize("excess", EXCESS.values(), ids=EXCESS)
@pytest.mark.parametrize("when", ["at once", "later"])
def test_bytes_behind_an_answer_reach_nobody(stage, excess, when):
    """`later`: when the answer has already been passed on, and the connection waits for the next request."""
    gates = Gates()
    cut = excess.find(b"second")
    if b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond" in excess:
        cut = excess.rfind(b"HTTP/1.1")

    def script(connection):
        if len(target.connections) > 1:
            while connection.read_request():
                connection.send(plain_answer(b"right"))
            return
        connection.read_request()
        if when == "at once":
            connection.send(excess)
        else:
            connection.send(excess[:cut])
            gates.wait("first answer arrived")
            connection.send(excess[cut:])
            gates.open("excess sent")
        connection.stall()

    target = stage.target(script)
    gateway = stage.gateway({"service": [service("two.test", target.port)]})
    with Client(gateway.http_port) as client, Client(gateway.http_port) as other:
        first = client.request("two.test", "/1")
        assert b"second" not in first.body
        if when == "later":
            gates.open("first answer arrived")
            gates.wait("excess sent")
        assert client.request("two.test", "/2").body == b"right"
        assert other.request("two.test", "/3").body == b"right"
        assert b"second" not in client.received + other.received
    assert target.mistakes == []


def test_an_answer_to_head_with_a_body_leaves_nothing_for_the_next(stage):
    def script(connection):
        if len(target.connections) > 1:
            connection.read_request()
            return connection.send(plain_answer(b"right"))
        connection.read_request()
        connection.send(plain_answer(b"second"))
        connection.stall()
    target = stage.target(script)
    gateway = stage.gateway({"service": [service("head.test", target.port)]})
    with Client(gateway.http_port) as client:
        assert client.request("head.test", method="HEAD").status == 200
        assert client.request("head.test").body == b"right"


@pytest.mark.parametrize("fields", [b"", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"])
def test_a_101_to_something_else_than_websocket_opens_no_tunnel(stage, fields):
    target = stage.target(says(b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\ntunnel?", "stall"))
    gateway = stage.gateway({"service": [service("ws.test", target.port)]})
    with Client(gateway.http_port) as client:
        response = client.request("ws.test", fields="Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                                    "Sec-WebSocket-Version: 13\r\n"
                                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        assert response.status == 502
        assert b"tunnel?" not in client.received
    assert gateway.only_record(lambda record: True)["reason"] == "target.malformed"


# Between two requests a target may close a kept connection at any moment.

def keeps_one_request(reads_second=False):
    """Each connection answers; the first ends then: at once, or at a second request, which stays unanswered."""
    def script(connection):
        if connection.read_request() is None:
            return
        connection.send(plain_answer())
        if connection.target.connections[0] is not connection:
            while connection.read_request():
                connection.send(plain_answer(b"again"))
        elif reads_second:
            connection.read_request()
    return script


@pytest.mark.parametrize("method, body", [("GET", b""), ("POST", b"order")])
def test_a_kept_connection_that_has_closed_is_not_used(stage, method, body):
    target = stage.target(keeps_one_request())
    gateway = stage.gateway({"service": [service("kept.test", target.port)]})
    with Client(gateway.http_port) as client:
        assert client.request("kept.test", "/1").status == 200
        wait_until(lambda: target.connections[0].sock.fileno() < 0, "the target to close")
        assert client.request("kept.test", "/2", method, body=body).status == 200
    assert [request.url for request in target.requests] == ["/1", "/2"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_lost_with_a_kept_connection_is_repeated(stage, method):
    target = stage.target(keeps_one_request(reads_second=True))
    gateway = stage.gateway({"service": [service("kept.test", target.port)]})
    with Client(gateway.http_port) as client:
        assert client.request("kept.test", "/1").status == 200
        assert client.request("kept.test", "/2", method).status == 200
    assert [request.url for request in target.requests] == ["/1", "/2", "/2"]
    assert gateway.only_record(lambda record: record["url"] == "/2")["reason"] == "ok"


@pytest.mark.parametrize("method, body", [("POST", b"order"), ("POST", b""), ("PATCH", b"x"), ("PUT", b"order")])
def test_an_order_lost_with_a_kept_connection_is_never_sent_twice(stage, method, body):
    target = stage.target(keeps_one_request(reads_second=True))
    gateway = stage.gateway({"service": [service("kept.test", target.port)]})
    with Client(gateway.http_port) as client:
        assert client.request("kept.test", "/1").status == 200
        assert client.request("kept.test", "/2", method, body=body).status == 502
    with Client(gateway.http_port) as client:
        assert client.request("kept.test", "/3").status == 200
    assert [request.url for request in target.requests] == ["/1", "/2", "/3"]
    assert gateway.only_record(lambda record: record["url"] == "/2")["reason"] == "target.closed"


def test_a_first_request_is_not_repeated(stage):
    """Only a kept connection may die innocently; on a new one the request itself may be the cause."""
    target = stage.target(says(b""))
    gateway = stage.gateway({"service": [service("new.test", target.port)]})
    with Client(gateway.http_port) as client:
        assert client.request("new.test", "/1").status == 502
    assert [request.url for request in target.requests] == ["/1"]


def test_an_answer_before_the_whole_request_arrives(stage):
    """413 and close while the client still sends: it gets to read that."""
    def script(connection):
        connection.read_until(b"\r\n\r\n")
        connection.send(plain_answer(b"too large", "413 Content Too Large", "Connection: close\r\n"))
        connection.half_close()
        connection.stall()
    gateway = stage.gateway({"service": [service("early.test", stage.target(script).port)]})
    with Client(gateway.http_port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: early.test\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        response = client.read_response()
        assert (response.status, response.body) == (413, b"too large")
        assert response.get("Connection") == "close"
        assert read_ending(client)[0] == b""
