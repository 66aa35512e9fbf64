"""Bodies that break their own framing, or stop in the middle: the target never gets what looks like a whole request."""
from dataclasses import dataclass

import pytest

from harness import Client, wait_until
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import returns_descriptors

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: open.test\r\n\r\n"
CHUNKED_HEAD = b"POST /chunked HTTP/1.1\r\nHost: open.test\r\nTransfer-Encoding: chunked\r\n\r\n"
GOOD_END = b"0\r\n\r\n"


@dataclass
class Bad:
    name: str
    body: bytes  # what follows it would be a second request, were the framing read in another way


BAD_CHUNKS = [
    Bad("a size that is no number", b"xyz\r\nabc\r\n" + GOOD_END),
    Bad("an empty size", b"\r\nabc\r\n" + GOOD_END),
    Bad("a negative size", b"-1\r\nabc\r\n" + GOOD_END),
    Bad("a size with a sign", b"+3\r\nabc\r\n" + GOOD_END),
    Bad("a size with 0x", b"0x3\r\nabc\r\n" + GOOD_END),
    Bad("a blank before the size", b" 3\r\nabc\r\n" + GOOD_END),
    Bad("a size of 2^64", b"10000000000000000\r\nabc\r\n" + GOOD_END),
    Bad("a size that wraps to 3", b"10000000000000003\r\nabc\r\n" + GOOD_END),
    Bad("a size of 2^63", b"8000000000000000\r\nabc\r\n" + GOOD_END),
    Bad("a size of a thousand zeros", b"0" * 1000 + b"3\r\nabc\r\n" + GOOD_END),
    Bad("a bare LF behind the size", b"3\nabc\r\n" + GOOD_END),
    Bad("a bare CR behind the size", b"3\rabc\r\n" + GOOD_END),
    Bad("no CRLF behind the data", b"3\r\nabc" + GOOD_END),
    Bad("more data than announced", b"3\r\nabcdef\r\n" + GOOD_END),
    Bad("a bare LF behind the data", b"3\r\nabc\n" + GOOD_END),
    Bad("an extension of 10 KB", b"3;" + b"x" * 10_000 + b"\r\nabc\r\n" + GOOD_END),
    Bad("an extension with a bare LF", b"3;x\nabc\r\n" + GOOD_END),
    Bad("an extension with a NUL", b"3;x\0y\r\nabc\r\n" + GOOD_END),
    Bad("trailers of 100 KB", b"3\r\nabc\r\n0\r\n" + b"X: %s\r\n" % (b"y" * 1000) * 100 + b"\r\n"),
    Bad("a trailer without an end of 100 KB", b"3\r\nabc\r\n0\r\nX: " + b"y" * 100_000),
    Bad("1000 trailers", b"3\r\nabc\r\n0\r\n" + b"X: y\r\n" * 1000 + b"\r\n"),
    Bad("a trailer without a colon", b"3\r\nabc\r\n0\r\nnothing\r\n\r\n"),
    Bad("a trailer with a space before its colon", b"3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    Bad("a folded trailer", b"3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n"),
    Bad("a trailer with a bare LF", b"3\r\nabc\r\n0\r\nX: y\n\r\n"),
    Bad("a bare LF at the very end", b"3\r\nabc\r\n0\r\n\n"),
]


def take_all(connection):
    """A target that reads whatever comes and never answers."""
    connection.read_to_end()


@pytest.fixture(scope="module")
def silent_target(module_stage):
    return module_stage.target(take_all)


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target()


@pytest.fixture(scope="module")
def gateway(module_stage, target, silent_target):
    gateway = module_stage.gateway({"service": [
        {"name": name, "protocol": "http", "target": "127.0.0.1", "plain_port": port}
        for name, port in {"open.test": silent_target.port, "answering.test": target.port}.items()]})
    with Client(gateway.http_port) as client:
        assert client.request("answering.test").status == 200
    with returns_descriptors(gateway):
        yield gateway


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("row", BAD_CHUNKS, ids=lambda row: row.name)
def test_bad_chunks_are_refused_and_never_look_whole(gateway, silent_target, row, send):
    seen_before = len(silent_target.received)
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        send_whole(client, CHUNKED_HEAD)
        send(client, row.body + SECOND)
        response = client.read_response()
        assert response.status == 400, response.head
        assert response.get("Connection") == "close"
        assert read_ending(client) == (b"", "closed")
    record = gateway.only_record(from_this)
    assert (record["reason"], record["status"]) == ("body.malformed", 400), record
    seen = silent_target.received[seen_before:]
    assert b"0\r\n" not in seen.partition(b"\r\n\r\n")[2]
    assert b"/smuggled" not in seen


@pytest.mark.parametrize("end", ["half_close", "close", "reset"])
@pytest.mark.parametrize("body", [b"Content-Length: 100\r\n\r\n" + b"x" * 99,
                                  b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
                                  b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                                  b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n"],
                         ids=["length", "in a chunk", "between chunks", "in the trailers"])
def test_a_body_that_stops_early_never_looks_whole(gateway, silent_target, body, end):
    connections_before = len(silent_target.connections)
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        client.send(b"POST /short HTTP/1.1\r\nHost: open.test\r\n" + body)
        # What the client does next comes while the target holds the first part.
        wait_for_part(silent_target, connections_before)
        getattr(client, end)()
        if end == "half_close":
            assert read_ending(client)[0] == b""
    record = gateway.only_record(from_this)
    assert record["reason"] == ("client.reset" if end == "reset" else "client.closed")
    seen = silent_target.connections[connections_before].received
    assert b"0\r\n" not in seen.partition(b"\r\n\r\n")[2]
    assert seen.count(b"x") < 100


def wait_for_part(target, connections_before):
    wait_until(lambda: len(target.connections) > connections_before and b"\r\n\r\n" in target.connections[-1].received,
               "the target to have the head")


def test_forbidden_trailers_are_dropped_and_others_pass(gateway, target):
    forbidden = ["Content-Length: 3", "Transfer-Encoding: chunked", "Host: evil.test", "Authorization: Basic eDp5",
                 "X-Forwarded-For: 203.0.113.66", "Forwarded: for=203.0.113.66", "Cookie: a=b",
                 "Content-Type: text/evil", "Connection: close", "Expect: 100-continue", "Trailer: X-Fine",
                 "X_Forwarded_For: 203.0.113.66",
                 "Content-Encoding: gzip", "Set-Cookie: a=b", "Via: 1.1 evil", "Upgrade: h2c"]
    with Client(gateway.http_port) as client:
        client.send(b"POST /trailers HTTP/1.1\r\nHost: answering.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    b"3\r\nabc\r\n0\r\n" +
                    "".join(line + "\r\n" for line in [*forbidden, "X-Fine: yes"]).encode() + b"\r\n")
        assert client.read_response().status == 200
        assert client.request("answering.test", "/next").status == 200
    request = next(request for request in target.requests if request.url == "/trailers")
    assert request.body == b"abc"
    assert request.trailers == [("X-Fine", "yes")]


def test_what_stands_behind_a_body_is_the_next_request(gateway, target):
    """A second request, word for word, inside a body stays there; behind it, it is decided for itself."""
    inner = b"GET /inner HTTP/1.1\r\nHost: answering.test\r\n\r\n"
    with Client(gateway.http_port) as client:
        from_this = from_client(client)
        for head, body in [(b"Content-Length: %d" % len(inner), inner),
                           (b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner))]:
            send_by_bytes(client, b"POST /outer HTTP/1.1\r\nHost: answering.test\r\n" + head + b"\r\n\r\n" + body)
            assert client.read_response().status == 200
        client.send(b"GET /refused HTTP/1.1\r\nHost: unknown.test\r\n\r\n")
        assert client.read_response().status == 404
    gateway.wait_record(lambda record: from_this(record) and record["reason"] == "service.unknown")
    assert [record["url"] for record in gateway.records(from_this)] == ["/outer", "/outer", "/refused"]
    assert "/inner" not in [request.url for request in target.requests]
