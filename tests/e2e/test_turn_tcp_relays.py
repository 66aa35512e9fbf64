"""Relays over TCP (RFC 6062), and what the network says of datagrams (ICMP of RFC 8656): coturn's client, and one by hand."""
import contextlib
import random
import socket
import time
from functools import partial

import pytest

from harness import turn, unverified_context, wait_until
from harness.turn_client import (CONNECTION_ATTEMPT, CONNECTION_ID, DATA_INDICATION, ICMP, PEER, TCP, TurnClient,
                                 xor_address)

WAYS = {"tcp": [], "tls": ["-S"]}


@pytest.fixture(scope="module")
def gateway(module_stage):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    return module_stage.gateway({
        **turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", tls=f"127.0.0.1:{turn.free_udp_port()}",
                           tcp_relays=True),
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})


def port(gateway, way):
    return int(gateway.config["turn"][way].rsplit(":", 1)[1])


@pytest.fixture(scope="module")
def runs(gateway):
    """coturn's clients over both transports at once."""
    return turn.side_by_side({way: partial(turn.uclient, port(gateway, way), "-T", *options, "-n", "20", "-m", "4", "-l",
                                           "171", "-z", "20") for way, options in WAYS.items()})


@pytest.mark.parametrize("way", WAYS)
def test_coturns_clients_meet_by_their_relays(runs, way):
    turn.assert_all_came(runs[way], 80)
    assert "12 connections are completed" in runs[way].result().stdout  # each of four with each other, from both ends


@pytest.fixture(params=WAYS)
def connection(request, gateway):
    """Makes connections to the gateway, which end with the test."""
    made = []

    def connect():
        sock = socket.create_connection(("127.0.0.1", port(gateway, request.param)), timeout=10)
        made.append(unverified_context().wrap_socket(sock) if request.param == "tls" else sock)
        return made[-1]

    yield connect
    for sock in made:
        sock.close()


def test_a_client_dials_a_peer(connection):
    with socket.create_server(("127.0.0.1", 0)) as peer:
        client, data = TurnClient(connection()), TurnClient(connection())
        relay = client.allocate(TCP)
        answer = client.connect(peer.getsockname())
        accepted, from_ = peer.accept()
        assert answer.error == 0 and from_ == relay
        accepted.sendall(b"early")
        assert data.bind_connection(answer.attributes[CONNECTION_ID]).error == 0
        assert data.exactly(5) == b"early"
        data.sock.sendall(b"there" * 20000)
        got = b""
        while len(got) < 100000:
            got += accepted.recv(65536)
        assert got == b"there" * 20000
        assert client.connect(peer.getsockname()).error == 446
        client.sock.close()  # and with the allocation all of it ends
        accepted.settimeout(10)
        assert accepted.recv(1) == b"" and data.sock.recv(1) == b""
        accepted.close()


def test_a_peer_dials_a_client(gateway, connection):
    client, data = TurnClient(connection()), TurnClient(connection())
    relay = client.allocate(TCP)
    with socket.create_connection(relay, timeout=10) as stranger:
        assert stranger.recv(1) == b""
    client.permit("127.0.0.1")
    before = gateway.counted()
    with socket.create_connection(relay, timeout=10) as peer:
        told = client.message()
        assert told.type == CONNECTION_ATTEMPT and xor_address(told.attributes[PEER]) == peer.getsockname()
        peer.sendall(b"hello")
        assert data.bind_connection(told.attributes[CONNECTION_ID]).error == 0
        assert data.exactly(5) == b"hello"
        data.sock.sendall(b"and back")
        assert peer.recv(100) == b"and back"
    assert data.sock.recv(1) == b""
    client.sock.close()
    wait_until(lambda: gateway.counted() > before, "the allocation's record")
    record = gateway.wait_record(lambda one: one["target"] == "{}:{}".format(*relay))
    assert (record["bytes_in"], record["bytes_out"]) == (8, 5)


LIMITS = ("bits_per_second_per_allocation", "bits_per_second_per_user", "bits_per_second")


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_on_bits_slows_a_relay_down_and_loses_nothing(stage, limit):
    """No clock is watched: what has passed is held against the time that has passed at least, however slow the machine."""
    per_second, size = 800_000, 100_000
    tables = turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", tcp_relays=True, **{limit: "800k"})
    gateway = stage.gateway(tables)
    with contextlib.ExitStack() as kept:
        def connect():
            return kept.enter_context(socket.create_connection(("127.0.0.1", port(gateway, "tcp")), timeout=10))

        peer = kept.enter_context(socket.create_server(("127.0.0.1", 0)))
        client, data = TurnClient(connect()), TurnClient(connect())
        client.allocate(TCP)
        answer = client.connect(peer.getsockname())
        accepted = kept.enter_context(peer.accept()[0])
        begun = time.monotonic()
        text = random.randbytes(size)
        accepted.sendall(text)  # before anybody reads: it waits in the kernel, or here
        assert data.bind_connection(answer.attributes[CONNECTION_ID]).error == 0
        assert data.exactly(size) == text
        lasted = time.monotonic() - begun
        assert 8 * size <= per_second * (lasted + 0.25), lasted


def test_nobody_listening_is_said_so(connection):
    client = TurnClient(connection())
    client.allocate(TCP)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert client.connect(closed.getsockname()).error == 447


def test_a_closed_port_of_a_peer_is_told_by_icmp(gateway):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        sock.connect(("127.0.0.1", turn.port_of(gateway)))
        closed.bind(("127.0.0.1", 0))
        peer = closed.getsockname()
        closed.close()
        client = TurnClient(sock)
        client.allocate()
        client.permit("127.0.0.1")
        client.send(peer, b"anybody there?")
        told = client.message()
        assert told.type == DATA_INDICATION and xor_address(told.attributes[PEER]) == peer
        assert told.attributes[ICMP] == bytes([0, 0, 3 << 1, 3, 0, 0, 0, 0])  # destination unreachable, port unreachable
