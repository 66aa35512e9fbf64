"""Bodies pass whole in both directions, however they are framed, and one request's end is the next one's beginning."""
import hashlib
import os
import socket
import threading

import pytest

from harness import Client, answer_each, curl, http_service, plain_answer
from harness.http_message import read_response

LARGE = 50_000_000  # bytes


def chunked(*parts, trailers=""):
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + f"0\r\n{trailers}\r\n".encode()


def chunked_answer(*parts, trailers=""):
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*parts, trailers=trailers)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def world(module_stage):
    nginx = module_stage.nginx("files", ["files.example"])
    (nginx.files / "large").write_bytes(os.urandom(LARGE))
    (nginx.files / "small.txt").write_text("twenty bytes of text")
    chain, key = module_stage.authority.issue("edge", ["files.example", "plain.example"])
    gateway = module_stage.gateway({
        "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [http_service("files.example", nginx, nginx, target_ca=module_stage.authority.ca),
                    http_service("plain.example", nginx)]})
    gateway.nginx, gateway.ca = nginx, module_stage.authority.ca
    return gateway


WAYS = [("http", "files.example"), ("https", "files.example"), ("https", "plain.example")]


@pytest.mark.parametrize("scheme, name", WAYS)
def test_a_large_file_comes_down_whole(world, scheme, name, tmp_path):
    port = world.https_port if scheme == "https" else world.http_port
    curl(f"{scheme}://{name}/files/large", "-o", tmp_path / "got", connect_to=port, ca=world.ca)
    assert digest(tmp_path / "got") == digest(world.nginx.files / "large")


@pytest.mark.parametrize("framing", [(), ("-H", "Transfer-Encoding: chunked")], ids=["length", "chunked"])
@pytest.mark.parametrize("scheme, name", WAYS)
def test_a_large_file_goes_up_whole(world, scheme, name, framing):
    port = world.https_port if scheme == "https" else world.http_port
    stored = f"/files/{scheme}-{name}-{len(framing)}"
    status = curl(f"{scheme}://{name}{stored}", "-T", world.nginx.files / "large", "-w", "%{http_code}", *framing,
                  connect_to=port, ca=world.ca)
    assert status == "201"
    assert digest(world.nginx.files.parent / stored[1:]) == digest(world.nginx.files / "large")
    record = world.only_record(lambda record: record.get("url") == stored)
    assert record["bytes_in"] > LARGE and record["status"] == 201


def test_a_slow_reader_does_not_lose_a_byte(world):
    with Client(world.http_port) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        client.send("GET /files/large HTTP/1.1\r\nHost: files.example\r\nRange: bytes=0-8388607\r\n\r\n")
        response = client.read_response()
    assert response.body == (world.nginx.files / "large").read_bytes()[:8388608]


# ---------------------------------------------------------------- answers

@pytest.mark.parametrize("method, path, fields, status", [
    ("GET", "/204", "", 204),
    ("GET", "/files/small.txt", "If-None-Match: *\r\n", None),
    ("HEAD", "/files/small.txt", "", 200),
    ("GET", "/files/absent", "", 404),
])
def test_an_answer_without_a_body_leaves_the_connection_in_step(world, method, path, fields, status):
    with Client(world.http_port) as client:
        response = client.request("files.example", path, method, fields)
        assert status in (None, response.status)
        if method == "HEAD":
            assert response.get("Content-Length") == "20"
        assert client.request("files.example", "/files/small.txt").body == b"twenty bytes of text"


def test_304_announces_no_body_and_has_none(world):
    with Client(world.http_port) as client:
        first = client.request("files.example", "/files/small.txt")
        response = client.request("files.example", "/files/small.txt", fields=f"If-None-Match: {first.get('ETag')}\r\n")
        assert response.status == 304
        assert client.request("files.example", "/files/small.txt").body == first.body


def served_by(stage, script, **more):
    target = stage.target(script)
    return target, stage.gateway({"service": [http_service("it.example", target, **more)]})


def test_chunks_come_down_as_chunks_with_their_trailers(stage):
    _, gateway = served_by(stage, answer_each(chunked_answer(b"one", b"two" * 9000, trailers="X-Sum: 3\r\n")))
    with Client(gateway.http_port) as client:
        for _ in range(2):
            response = client.request("it.example", fields="TE: trailers\r\nConnection: TE\r\n")
            assert response.chunked
            assert response.body == b"one" + b"two" * 9000
            assert response.trailers == [("X-Sum", "3")]


def test_chunks_go_up_as_chunks_with_their_trailers(stage):
    target, gateway = served_by(stage, answer_each())
    with Client(gateway.http_port) as client:
        for _ in range(2):
            client.send("POST / HTTP/1.1\r\nHost: it.example\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.send(chunked(b"one", b"two" * 9000, trailers="X-Sum: 3\r\n"))
            assert client.read_response().body == b"fine"
    for request in target.requests:
        assert request.chunked and request.get("Content-Length") is None
        assert request.body == b"one" + b"two" * 9000
        assert request.trailers == [("X-Sum", "3")]


def test_chunk_extensions_are_not_passed_on(stage):
    target, gateway = served_by(stage, answer_each())
    with Client(gateway.http_port) as client:
        client.send("POST / HTTP/1.1\r\nHost: it.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3;secret=1\r\nabc\r\n0;secret=2\r\n\r\n")
        assert client.read_response().status == 200
    assert b"secret" not in target.received
    assert target.requests[0].body == b"abc"


def test_a_client_of_http_1_0_gets_chunks_undone_until_the_close(stage):
    _, gateway = served_by(stage, answer_each(chunked_answer(b"one", b"two")))
    with Client(gateway.http_port) as client:
        response = client.request("it.example", version="HTTP/1.0", fields="Connection: keep-alive\r\n")
        assert response.get("Transfer-Encoding") is None and response.get("Connection") == "close"
        assert response.body == b"onetwo"


def test_an_answer_that_ends_by_close_becomes_chunks(stage):
    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"until the end" * 1000)
    _, gateway = served_by(stage, script)
    with Client(gateway.http_port) as client:
        for _ in range(2):
            response = client.request("it.example")
            assert response.chunked and response.body == b"until the end" * 1000


def test_an_answer_cut_short_is_cut_for_the_client_too(stage):
    def script(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    _, gateway = served_by(stage, script)
    with Client(gateway.http_port) as client:
        with pytest.raises((EOFError, ConnectionResetError)):
            client.request("it.example")
    assert gateway.only_record(lambda record: True)["reason"] == "target.closed"


# ---------------------------------------------------------------- Expect: 100-continue

def test_the_targets_100_lets_the_client_go_on(stage):
    def script(connection):
        head = connection.read_until(b"\r\n\r\n")
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = connection.read_exactly(4)
        connection.send(plain_answer(head.lower() + body))
    _, gateway = served_by(stage, script)
    with Client(gateway.http_port) as client:
        client.send("POST / HTTP/1.1\r\nHost: it.example\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert client.read_response(interim=True).status == 100
        client.send("body")
        response = client.read_response()
    assert response.body.endswith(b"body") and b"expect: 100-continue" in response.body


def test_a_final_answer_instead_of_100_spares_the_body(stage):
    def script(connection):
        connection.read_until(b"\r\n\r\n")
        connection.send(plain_answer(b"too large", "413 Content Too Large"))
        connection.read_to_end()
    target, gateway = served_by(stage, script)
    with Client(gateway.http_port) as client:
        client.send("POST / HTTP/1.1\r\nHost: it.example\r\nContent-Length: 400000\r\nExpect: 100-continue\r\n\r\n")
        assert client.read_response(interim=True).status == 413
        assert client.read_to_end() == b""  # where the next request would begin is not known
    assert target.received.endswith(b"\r\n\r\n")


def test_curl_uploads_with_expect(world):
    stored = "/files/expected"
    assert curl(f"http://files.example{stored}", "-T", world.nginx.files / "small.txt", "-H", "Expect: 100-continue",
                "-w", "%{http_code}", connect_to=world.http_port) == "201"
    assert (world.nginx.files / "expected").read_text() == "twenty bytes of text"


# ---------------------------------------------------------------- many requests

def test_requests_sent_at_once_are_answered_in_their_order(stage):
    target, gateway = served_by(stage, answer_each(lambda request: plain_answer(request.url.encode() + request.body)))
    with Client(gateway.http_port) as client:
        wanted = []
        for number in range(30):
            body = b"x" * number
            client.send(f"POST /{number} HTTP/1.1\r\nHost: it.example\r\n".encode() + (
                b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body) if number % 2 and body
                else f"Content-Length: {number}\r\n\r\n".encode() + body))
            wanted.append(f"/{number}".encode() + body)
        assert [client.read_response().body for _ in wanted] == wanted
    assert len(target.connections) == 1
    for number in range(30):
        gateway.only_record(lambda record: record.get("url") == f"/{number}")


def test_a_refused_request_among_those_sent_at_once_stays_alone(stage):
    target, gateway = served_by(stage, answer_each(lambda request: plain_answer(request.url)), allow_url=["/open"])
    with Client(gateway.http_port) as client:
        for path in ("/open/1", "/closed", "/open/2"):
            client.send(f"GET {path} HTTP/1.1\r\nHost: it.example\r\n\r\n")
        answers = [client.read_response() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 403, 200]
    assert [request.url for request in target.requests] == ["/open/1", "/open/2"]
    assert b"closed" not in target.received


def test_a_kept_connection_to_the_target_that_it_closed_meanwhile_is_made_anew(stage):
    def script(connection):
        connection.read_request()
        connection.send(plain_answer())  # promises to keep the connection, and closes
    target, gateway = served_by(stage, script)
    with Client(gateway.http_port) as client:
        for _ in range(5):
            assert client.request("it.example").status == 200
    assert len(target.connections) == 5


def test_bytes_behind_an_answer_never_become_the_next_one(stage):
    def script(connection):
        while connection.read_request():
            connection.send(plain_answer(b"right") + plain_answer(b"smuggled"))
    _, gateway = served_by(stage, script)
    with Client(gateway.http_port) as client:
        assert [client.request("it.example").body for _ in range(3)] == [b"right"] * 3


def test_both_directions_flow_at_once(stage):
    size = 8_000_000

    def echo(connection):
        connection.read_until(b"\r\n\r\n")
        connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
        left = size
        while left:
            data = connection.read_some()
            connection.send(data)
            left -= len(data)
    _, gateway = served_by(stage, echo)
    body = os.urandom(size)
    with Client(gateway.http_port) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: it.example\r\nContent-Length: {size}\r\n\r\n")
        sender = threading.Thread(target=client.send, args=(body,))
        sender.start()
        response = read_response(client)
        sender.join()
    assert response.body == body
