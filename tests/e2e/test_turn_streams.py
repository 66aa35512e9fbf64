"""TURN over TCP and TLS: coturn's client, frames in pieces, and what is no frame."""
import socket
import ssl
import struct
from functools import partial

import pytest

from harness import turn, unverified_context, wait_until
from harness.rude_process import is_instrumented, resident_kib
from harness.turn_client import TurnClient

TRANSPORTS = {"tcp": [], "tls": ["-S"]}


@pytest.fixture(scope="module")
def gateway(module_stage):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    return module_stage.gateway({
        **turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", tls=f"127.0.0.1:{turn.free_udp_port()}"),
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})


def port(gateway, transport):
    return int(gateway.config["turn"][transport].rsplit(":", 1)[1])


WAYS = {"channels": ["-c"], "indications": ["-c", "-s"]}


@pytest.fixture(scope="module")
def runs(gateway):
    """coturn's clients over both transports and both ways, at once."""
    return turn.side_by_side({
        (transport, way): partial(turn.uclient, port(gateway, transport), "-t", *TRANSPORTS[transport], "-y", "-n", "20",
                                  "-m", "4", "-l", "171", "-z", "20", *WAYS[way])
        for transport in TRANSPORTS for way in WAYS})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_coturns_client_relays_over_a_stream(gateway, runs, transport, way):
    turn.assert_all_came(runs[transport, way], 80)
    served = gateway.config["turn"][transport]
    record = gateway.wait_record(lambda one: one["listener"] == served and one["verdict"] == "forwarded")
    assert record["protocol"] == "turn" and record["tls_client"] == (transport == "tls")


def connect(gateway, transport):
    sock = socket.create_connection(("127.0.0.1", port(gateway, transport)), timeout=10)
    return unverified_context().wrap_socket(sock) if transport == "tls" else sock


def exactly(sock, size):
    got = b""
    while len(got) < size:
        part = sock.recv(size - len(got))
        assert part, got
        got += part
    return got


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_messages_come_joined_and_one_byte_at_a_time(gateway, transport):
    request = struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes"
    with connect(gateway, transport) as sock:
        sock.sendall(3 * request)
        for _ in range(3):
            assert turn.mapped_address(exactly(sock, 32)) == sock.getsockname()
        for byte in request:
            sock.sendall(bytes([byte]))
        assert turn.mapped_address(exactly(sock, 32)) == sock.getsockname()


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", struct.pack("!HHI", 1, 0, 7),
                                     struct.pack("!HHI", 1, 0xFFFC, 0x2112A442)],
                         ids=["http", "tls", "another cookie", "more than a stranger may say"])
def test_what_is_no_frame_ends_the_connection(gateway, garbage):
    with connect(gateway, "tcp") as sock:
        sock.sendall(garbage)
        try:
            assert sock.recv(100) == b""
        except ConnectionResetError:
            pass


def test_an_allocation_ends_with_its_connection(gateway):
    before = gateway.counted()
    with connect(gateway, "tcp") as sock:
        TurnClient(sock).allocate()
        assert gateway.json_verb("turn", "sessions")[1]["total"] == 1
    wait_until(lambda: gateway.counted() == before + 1, "the allocation of a client that is gone to end")
    assert gateway.json_verb("turn", "sessions")[1]["total"] == 0


def test_plain_bytes_on_the_tls_port_are_no_handshake_and_told(gateway):
    with socket.create_connection(("127.0.0.1", port(gateway, "tls")), timeout=10) as sock:
        sock.sendall(struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes")
        try:
            assert b"\x01\x01" not in sock.recv(100)[:2]
        except (ConnectionResetError, ssl.SSLError):
            pass
    record = gateway.wait_record(lambda one: one["reason"] == "tls.handshake")
    assert record["protocol"] == "turn" and record["listener"] == gateway.config["turn"]["tls"]


def test_a_client_that_does_not_trust_the_certificate_is_told_of(gateway):
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(
            socket.create_connection(("127.0.0.1", port(gateway, "tls")), timeout=10), server_hostname="127.0.0.1")
    record = gateway.wait_record(lambda one: "unknown ca" in one["detail"])
    assert record["protocol"] == "turn" and record["reason"] == "tls.handshake"


def test_a_client_that_asks_and_does_not_listen_takes_little_memory(stage):
    gateway = stage.gateway(turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", bindings_per_second_per_client=0))
    request = struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes"
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(60)
        deaf.connect(("127.0.0.1", port(gateway, "tcp")))
        before = resident_kib(gateway.pid)
        for _ in range(500):
            deaf.sendall(1000 * request)
        assert is_instrumented() or resident_kib(gateway.pid) - before < 8 * 1024
