"""Connections to targets are kept for the next request of any client, where that is safe, and for nobody's where not."""
import contextlib
import socket
import time

import pytest

from harness import Client, ScriptedTarget, answer_each, http_service, plain_answer, wait_until
from harness.certificates import server_context

LEGS = ["plain", "tls"]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n"


def numbered(answer=None):
    """Answers each request with the number of the connection it came by; `answer`: of the request and that number."""
    def script(connection):
        number = connection.target.connections.index(connection)
        while request := connection.read_request():
            connection.send(answer(request, number) if answer else plain_answer(str(number)))
    return script


def world_of(stage, script, leg="plain", threads=1, **more):
    """(target, gateway with one service, it.example)"""
    target = stage.target(script, ["it.example"] if leg == "tls" else None)
    ports = {"tls": target, "target_verify": False} if leg == "tls" else {"target": target}
    gateway = stage.gateway({"node": {"threads": threads}, "service": [http_service("it.example", **ports, **more)]})
    return target, gateway


def ask(gateway, fields="", source=None, **more):
    """One request of a client of its own."""
    with Client(gateway.http_port, source=source) as client:
        return client.request("it.example", fields=fields, **more)


def closed_by_gateway(target, count):
    """Scripts close what the gateway has closed."""
    return sum(connection.sock.fileno() == -1 for connection in list(target.connections)) >= count


@pytest.mark.parametrize("leg", LEGS)
def test_a_hundred_clients_need_few_connections(stage, leg):
    target, gateway = world_of(stage, numbered(), leg, threads=2)
    for at in range(100):
        assert ask(gateway, source=f"127.0.0.{at % 5 + 1}").status == 200
    assert len(target.requests) == 100
    assert len(target.connections) <= 4, "two threads keep one each"


def test_every_method_shares_them(stage):
    without_body = plain_answer(b"", fields="X-Length: 0\r\n")
    answer = lambda request: without_body if request.method == "HEAD" else plain_answer()  # noqa: E731
    target, gateway = world_of(stage, answer_each(answer))
    for method, body in (("GET", b""), ("POST", b"x" * 1000), ("HEAD", b""), ("PUT", b"y"), ("DELETE", b"")):
        assert ask(gateway, method=method, body=body).status == 200
    assert len(target.connections) == 1


def test_chunked_answers_keep_their_connection(stage):
    target, gateway = world_of(stage, answer_each(CHUNKED))
    for _ in range(5):
        assert ask(gateway).body == b"fine"
    assert len(target.connections) == 1


def close_after(answers, how, pause=0.0):
    """A server that ends its connection behind so many answers, without a word of it beforehand."""
    def script(connection):
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer that waited would be lost
        for _ in range(answers):
            if not connection.read_request():
                return
            connection.send(plain_answer())
        time.sleep(pause)
        if how == "reset":
            connection.reset()
    return script


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("pause", [0.0, 0.003])
@pytest.mark.parametrize("answers", [1, 3])
def test_a_target_that_closes_what_idles_costs_no_get(stage, leg, how, pause, answers):
    target, gateway = world_of(stage, close_after(answers, how, pause), leg, threads=2)
    for turn in range(60):
        response = ask(gateway)
        assert (response.status, response.body) == (200, b"fine"), response.head
        time.sleep(0.001 * (turn % 7))
    assert len(target.requests) == 60
    assert {record["reason"] for record in gateway.records()} == {"ok"}


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_request_that_a_kept_connection_swallows_is_asked_again_where_it_may_be(stage, how):
    """The race of a server that ends its connection while the request is on its way, made certain."""
    def script(connection):
        connection.read_request()
        connection.send(plain_answer(str(len(connection.target.connections))))
        connection.read_request()
        if how == "reset":
            connection.reset()
    target, gateway = world_of(stage, script)
    for method, repeated in (("GET", True), ("HEAD", True), ("DELETE", True), ("OPTIONS", True), ("POST", False)):
        assert ask(gateway).status == 200
        kept, before = len(target.connections), len(target.requests)
        response = ask(gateway, method=method, body=b"once" if method == "POST" else b"")
        assert response.status == (200 if repeated else 502)
        asked = [request.method for request in target.requests[before:]]
        assert asked == [method] * (1 + repeated), "one by the kept connection, one by a new"
        assert len(target.connections) == kept + repeated
        if not repeated:
            gateway.only_record(lambda record: record["reason"] == "target.closed")
        else:  # leave nothing for the next turn
            gateway.reload()


# ---------------------------------------------------------------- targets that know their client by the connection


def negotiating(request, number):
    """NTLM as servers do it: what is asked on the connection afterwards is asked by whom it was opened for."""
    if request.get("Authorization") is None and request.url == "/challenge":
        return plain_answer(str(number), "401 Unauthorized", "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n")
    return plain_answer(str(number))


CREDENTIALS = ["NTLM TlRMTVNTUAAB", "Negotiate YIIB", "negotiate YIIB"]


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_a_connection_that_knows_its_client_serves_nobody_else(stage, leg, credentials):
    target, gateway = world_of(stage, numbered(negotiating), leg)
    strangers = set()
    with Client(gateway.http_port) as client:
        own = client.request("it.example", fields=f"Authorization: {credentials}\r\n").body
        strangers.add(ask(gateway).body)
        # From here on browsers say nothing more: the connection is who they are.
        for _ in range(3):
            assert client.request("it.example").body == own, "it stays with its own client"
            strangers.add(ask(gateway).body)
            strangers.add(ask(gateway, method="POST", body=b"x").body)
    for _ in range(3):
        strangers.add(ask(gateway).body)
    assert own not in strangers


@pytest.mark.parametrize("leg", LEGS)
def test_so_it_is_when_the_target_asks_for_it(stage, leg):
    target, gateway = world_of(stage, numbered(negotiating), leg)
    with Client(gateway.http_port) as client:
        challenge = client.request("it.example", "/challenge")
        assert challenge.status == 401
        strangers = {ask(gateway).body for _ in range(3)}
        for credentials in (*CREDENTIALS, None):
            fields = f"Authorization: {credentials}\r\n" if credentials else ""
            assert client.request("it.example", fields=fields).body == challenge.body
        strangers |= {ask(gateway).body for _ in range(3)}
    strangers |= {ask(gateway).body for _ in range(3)}
    assert challenge.body not in strangers


def test_it_ends_with_its_client(stage):
    target, gateway = world_of(stage, numbered(negotiating))
    with Client(gateway.http_port) as client:
        client.request("it.example", fields="Authorization: NTLM TlRMTVNTUAAB\r\n")
        client.request("it.example")
    wait_until(lambda: closed_by_gateway(target, 1), "the target's connection to end")


def test_other_credentials_share(stage):
    target, gateway = world_of(stage, numbered())
    for fields in ("Authorization: Basic dTpw\r\n", "Authorization: Bearer ntlm\r\n", ""):
        assert ask(gateway, fields).body == b"0"


# ---------------------------------------------------------------- what is not kept


@pytest.mark.parametrize("answer", [
    plain_answer(fields="Connection: close\r\n"),
    plain_answer(fields="Connection: Keep-Alive, Close\r\n"),
    plain_answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
], ids=["close", "in a list", "HTTP/1.0"])
def test_an_answer_that_says_so_is_its_connections_last(stage, answer):
    target, gateway = world_of(stage, answer_each(answer))
    for _ in range(4):
        assert ask(gateway).body == b"fine"
    assert len(target.connections) == 4


SMUGGLED = plain_answer(b"for somebody else")


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("first", [plain_answer(), CHUNKED, b"HTTP/1.1 304 Not Modified\r\n\r\n"],
                         ids=["length", "chunked", "304"])
def test_bytes_behind_an_answer_answer_nobody(stage, leg, first):
    target, gateway = world_of(stage, answer_each(first + SMUGGLED), leg)
    for _ in range(4):
        assert ask(gateway).body in (b"fine", b"")
    assert len(target.connections) == 4


@pytest.mark.parametrize("leg", LEGS)
def test_bytes_that_come_later_answer_nobody(stage, leg):
    def script(connection):
        connection.read_request()
        connection.send(plain_answer())
        time.sleep(0.05)
        connection.send(SMUGGLED)
        connection.stall()
    target, gateway = world_of(stage, script, leg)
    for _ in range(4):
        assert ask(gateway).body == b"fine"
        time.sleep(0.15)
    assert len(target.connections) == 4


def test_a_head_answer_with_a_body_answers_nobody(stage):
    def script(connection):
        while request := connection.read_request():
            connection.send(plain_answer(SMUGGLED) if request.method == "HEAD" else plain_answer())
    target, gateway = world_of(stage, script)
    for _ in range(3):
        assert ask(gateway, method="HEAD").status == 200
        assert ask(gateway).body == b"fine"


def test_a_request_that_was_cut_leaves_nothing_behind(stage):
    """The target answers before the whole body has come: what it still waits for must not be the next request."""
    def script(connection):
        head = connection.read_until(b"\r\n\r\n")
        connection.send(plain_answer())
        if b"POST" in head:
            connection.stall()
    target, gateway = world_of(stage, script)
    with Client(gateway.http_port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: it.example\r\nContent-Length: 10\r\n\r\nhalf")
        assert client.read_response().status == 200
    for _ in range(3):
        assert ask(gateway).body == b"fine"
    assert b"half" in target.connections[0].received and b"GET" not in target.connections[0].received


def test_a_reload_lets_go_of_all(stage):
    target, gateway = world_of(stage, numbered(), threads=2)
    with contextlib.ExitStack() as stack:
        for client in [stack.enter_context(Client(gateway.http_port)) for _ in range(8)]:
            assert client.request("it.example").status == 200
    gateway.reload()
    count = len(target.connections)
    wait_until(lambda: closed_by_gateway(target, count), "all kept connections to end")
    assert ask(gateway).status == 200
    assert len(target.connections) == count + 1


@pytest.mark.parametrize("leg", LEGS)
def test_with_a_limit_of_connections_none_is_kept(stage, leg):
    target, gateway = world_of(stage, numbered(), leg, max_connections=5)
    with Client(gateway.http_port) as client:
        for turn in range(1, 4):
            assert client.request("it.example").status == 200
            wait_until(lambda: closed_by_gateway(target, turn), "its target connection to end")  # noqa: B023
    assert len(target.connections) == 3


def test_names_that_share_a_target_do_not_share_its_tls(stage):
    """The target's certificate was checked for one name; another one is asked for by a connection of its own."""
    target = stage.keep(ScriptedTarget(numbered(), server_context(*stage.authority.issue("both", ["a.wild.example",
                                                                                                  "b.wild.example"]))))
    gateway = stage.gateway({"node": {"threads": 1}, "service": [
        http_service("*.wild.example", tls=target, target_ca=stage.authority.ca)]})
    answers = {}
    for name in ["a.wild.example", "b.wild.example", "c.wild.example"] * 3:
        with Client(gateway.http_port) as client:
            response = client.request(name)
        assert response.status == (502 if name.startswith("c.") else 200)
        if response.status == 200:
            answers.setdefault(name, set()).add(response.body)
    assert [len(used) for used in answers.values()] == [1, 1] and not set.intersection(*answers.values())
