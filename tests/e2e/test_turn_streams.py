"""TURN over TCP and TLS: coturn's client, frames in pieces, and what is no frame."""
import socket
import ssl
import struct
import subprocess

import pytest

from harness import turn, unverified_context, wait_until

TRANSPORTS = {"tcp": [], "tls": ["-S"]}


@pytest.fixture(scope="module")
def gateway(module_stage):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    return module_stage.gateway({
        **turn.turn_tables(tcp=f"127.0.0.1:{turn.free_udp_port()}", tls=f"127.0.0.1:{turn.free_udp_port()}"),
        "certificate": [{"name": "edge", "chain": chain, "key": key}]})


def port(gateway, transport):
    return int(gateway.config["turn"][transport].rsplit(":", 1)[1])


@pytest.mark.parametrize("options", [["-c"], ["-c", "-s"]], ids=["channels", "indications"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_coturns_client_relays_over_a_stream(gateway, transport, options):
    printed = turn.uclient(port(gateway, transport), "-t", *TRANSPORTS[transport], "-y", "-n", "20", "-m", "4", "-l",
                           "171", "-z", "20", *options).stdout
    sent, gone = turn.lost(printed)
    assert sent >= 80 and gone == 0, printed[-2000:]
    record = gateway.wait_record(lambda one: one["listener"] == gateway.config["turn"][transport])
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
    with pytest.raises(subprocess.TimeoutExpired):
        turn.uclient(port(gateway, "tcp"), "-t", "-c", "-y", "-n", "1000", "-m", "2", "-z", "20", timeout=5)
    wait_until(lambda: gateway.counted() >= before + 2, "the allocations of a client that was killed to end")


def test_plain_bytes_on_the_tls_port_are_no_handshake(gateway):
    with socket.create_connection(("127.0.0.1", port(gateway, "tls")), timeout=10) as sock:
        sock.sendall(struct.pack("!HHI", 1, 0, 0x2112A442) + b"twelve bytes")
        try:
            assert b"\x01\x01" not in sock.recv(100)[:2]
        except (ConnectionResetError, ssl.SSLError):
            pass
