"""A tunnel opens with the target's 101 and passes every byte until both sides are done; one record at its end."""
import os

import pytest

from harness import Client, http_service, plain_answer
from harness.wire import frame


def echo(connection):
    connection.accept_websocket()
    while True:
        opcode, payload = connection.read_frame()
        connection.send_frame(payload, opcode)
        if opcode == 8:  # close, RFC 6455 section 5.5.1
            return


def world_of(stage, script, **more):
    target = stage.target(script)
    chain, key = stage.authority.issue("edge", ["it.example"])
    gateway = stage.gateway({"certificate": [{"name": "edge", "chain": chain, "key": key}],
                             "service": [http_service("it.example", target, **more)]})
    return target, gateway


def connect(stage, gateway, tls=False):
    context = stage.authority.client_context() if tls else None
    return stage.keep(Client(gateway.https_port if tls else gateway.http_port, context, "it.example" if tls else None))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_frames_pass_both_ways_until_one_record_at_the_end(stage, tls):
    target, gateway = world_of(stage, echo)
    client = connect(stage, gateway, tls)
    response = client.open_websocket("it.example", "/chat")
    assert response.get("Upgrade") == "websocket" and response.get("Connection") == "Upgrade"
    for payload in (b"", b"hello", os.urandom(70_000), os.urandom(2_000_000)):
        client.send_frame(payload, masked=True)
        assert client.read_frame() == (2, payload)
    assert gateway.records() == []  # its story has not ended
    client.send_frame(b"\x03\xe8", opcode=8, masked=True)
    assert client.read_frame() == (8, b"\x03\xe8")
    assert client.read_to_end() == b""
    client.close()
    record = gateway.only_record(lambda record: True)
    assert (record["url"], record["status"], record["verdict"], record["reason"]) == ("/chat", 101, "forwarded", "ok")
    assert record["bytes_in"] > 2_070_000 and record["bytes_out"] > 2_070_000
    assert record["service"] == "it.example" and record["target"] == f"127.0.0.1:{target.port}"
    request, = target.requests
    assert request.get("Connection") == "Upgrade" and request.get("Upgrade") == "websocket"


def test_what_either_side_sends_right_behind_its_head_is_not_lost(stage):
    early_down, early_up = os.urandom(5000), os.urandom(5000)

    def script(connection):
        connection.accept_websocket(behind=frame(early_down))
        assert connection.read_frame() == (2, early_up)
        connection.send_frame(b"done")
        connection.read_to_end()
    target, gateway = world_of(stage, script)
    client = connect(stage, gateway)
    client.open_websocket("it.example", behind=frame(early_up, masked=True))
    assert client.read_frame() == (2, early_down)
    assert client.read_frame() == (2, b"done")
    client.close()
    gateway.only_record(lambda record: record["reason"] == "ok")
    assert target.mistakes == []


def test_the_target_closes_and_the_client_sees_it(stage):
    def script(connection):
        connection.accept_websocket()
        connection.send_frame(b"bye", opcode=8)
    _, gateway = world_of(stage, script)
    client = connect(stage, gateway)
    client.open_websocket("it.example")
    assert client.read_frame() == (8, b"bye")
    assert client.read_to_end() == b""
    client.close()
    assert gateway.only_record(lambda record: True)["reason"] == "ok"


def test_the_client_closes_and_the_target_sees_it(stage):
    ended = []

    def script(connection):
        connection.accept_websocket()
        ended.append(connection.read_to_end())
    _, gateway = world_of(stage, script)
    client = connect(stage, gateway)
    client.open_websocket("it.example")
    client.send_frame(b"last words", masked=False)
    client.close()
    assert gateway.only_record(lambda record: True)["reason"] == "ok"
    assert ended == [frame(b"last words")]


@pytest.mark.parametrize("first", ["client", "target"])
def test_a_direction_that_is_closed_leaves_the_other_open(stage, first):
    large = os.urandom(3_000_000)

    def script(connection):
        connection.accept_websocket()
        if first == "client":
            connection.read_to_end()
            connection.send(large)
        else:
            connection.half_close()
            assert connection.read_to_end() == large
    target, gateway = world_of(stage, script)
    client = connect(stage, gateway)
    client.open_websocket("it.example")
    if first == "client":
        client.half_close()
        assert client.read_to_end() == large
    else:
        assert client.read_to_end() == b""
        client.send(large)
    client.close()
    assert gateway.only_record(lambda record: True)["reason"] == "ok"
    assert target.mistakes == []


@pytest.mark.parametrize("who, reason", [("client", "client.reset"), ("target", "target.closed")])
def test_a_reset_by_one_side_ends_the_other(stage, who, reason):
    def script(connection):
        connection.accept_websocket()
        connection.read_exactly(1)
        if who == "target":
            connection.reset()
        else:
            connection.read_to_end()
    _, gateway = world_of(stage, script)
    client = connect(stage, gateway)
    client.open_websocket("it.example")
    client.send(b"x")
    if who == "client":
        client.reset()
    else:
        with pytest.raises(ConnectionResetError):
            client.read_to_end()
    assert gateway.only_record(lambda record: True)["reason"] == reason


def test_no_tunnel_opens_without_the_targets_101(stage):
    def script(connection):
        while connection.read_request():
            connection.send(plain_answer(b"no", "403 Forbidden"))
    target, gateway = world_of(stage, script)
    client = connect(stage, gateway)
    client.send("GET / HTTP/1.1\r\nHost: it.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
                "GET http://nobody.example/inner HTTP/1.1\r\nHost: nobody.example\r\n\r\n")
    assert client.read_response().status == 403
    assert client.read_response().status == 404  # a request like any other, and not bytes of a tunnel
    assert b"inner" not in target.received


def test_a_tunnel_is_refused_like_any_request(stage):
    target, gateway = world_of(stage, echo, allow_url=["/open"])
    client = connect(stage, gateway)
    response = client.request("it.example", "/closed", fields="Upgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
    assert response.status == 403
    assert target.connections == []
