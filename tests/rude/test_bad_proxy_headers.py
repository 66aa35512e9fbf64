"""Who must begin with a PROXY header and does not, and who must not and does: one record, and the target sees nothing."""
import concurrent.futures
import struct

import pytest

from harness import BALANCER, Client, http_service, unverified_context
from harness.proxy_header import SIGNATURE, header
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole

GET = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"
CLIENT = ("198.51.100.9", 4711)
V1, V2 = header("v1", CLIENT), header("v2", CLIENT)


def v2(command=0x21, family=0x11, block=V2[16:]):
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(block)) + block


def hello():
    """The first byte of a TLS connection is enough here."""
    return b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def own_records(gateway, client):
    """A predicate as from_client() makes one. Taken before anything is sent: the system may have given the same port to
    another test a moment ago."""
    fits = from_client(client)
    earlier = gateway.records(fits)
    return lambda record: fits(record) and record not in earlier


MALFORMED = {
    "no header": GET,
    "a TLS handshake": hello(),
    "blank lines": b"\r\n\r\n\r\n" + GET,
    "lower case": V1.lower() + GET,
    "another protocol": V1.replace(b"TCP4", b"UDP4") + GET,
    "an address too few": b"PROXY TCP4 198.51.100.9 4711 80\r\n" + GET,
    "a word too many": V1.replace(b"\r\n", b" more\r\n") + GET,
    "a family that is not the address's": V1.replace(b"TCP4", b"TCP6") + GET,
    "no address": V1.replace(b"198.51.100.9", b"web.example") + GET,
    "a leading zero": V1.replace(b"198.51", b"198.051") + GET,
    "a port too large": V1.replace(b"4711", b"65536") + GET,
    "a negative port": V1.replace(b"4711", b"-1") + GET,
    "two blanks": V1.replace(b"TCP4 ", b"TCP4  ") + GET,
    "LF alone": V1.replace(b"\r\n", b"\n") + GET,
    "a NUL": V1.replace(b" 4711", b"\0 4711") + GET,
    "a line without end": b"PROXY UNKNOWN " + b"x" * 200,
    "v2 of another version": v2(command=0x31) + GET,
    "v2 with an unknown command": v2(command=0x22) + GET,
    "v2 for UDP": v2(family=0x12) + GET,
    "v2 of an unknown family": v2(family=0x41) + GET,
    "v2 whose block is too short": v2(block=V2[16:-1]) + GET,
    "v2 whose block is too long": v2(block=b"x" * 65535),
    "v2 whose TLV leaves the block": v2(block=V2[16:] + b"\x04\x00\x09x") + GET,
    "v2 whose checksum is wrong": v2(block=V2[16:] + b"\x03\x00\x04abcd") + GET,
    "a signature that goes wrong": SIGNATURE[:-1] + b"X" + GET,
}


class World:
    def __init__(self, stage):
        self.target = stage.target()
        services = [http_service("web.example", self.target)]
        self.plain = stage.gateway({"listen": {"proxy_from": BALANCER}, "service": services})
        # With a service that passes unopened the first bytes of TLS are looked at by other eyes first.
        sealed = {"name": "sealed.example", "protocol": "tls", "target": "127.0.0.1", "tls_port": self.target.port}
        self.sealed = stage.gateway({"listen": {"proxy_from": BALANCER}, "service": [*services, sealed]})

    def expect(self, gateway, client, is_its, reason):
        """Nothing is said to the client, nothing asked of the target; one record."""
        assert read_ending(client) == (b"", "reset")
        record = gateway.only_record(is_its)
        assert (record["verdict"], record["reason"]) == ("refused", reason)
        assert self.target.received == b""


@pytest.fixture(scope="module")
def world(module_stage):
    return World(module_stage)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_header_is_reset(world, what, scheme):
    port = world.plain.http_port if scheme == "http" else world.plain.https_port
    with Client(port, source=BALANCER) as client:
        is_its = own_records(world.plain, client)
        send_whole(client, MALFORMED[what])
        world.expect(world.plain, client, is_its, "proxy.malformed")


@pytest.mark.parametrize("start", [b"G", b"p", b"PROXY TCP5", b"\r\n\r\n\r", SIGNATURE + b"\x31", v2(command=0x22)[:13]])
def test_it_is_known_by_its_first_wrong_byte(world, start):
    with Client(world.plain.http_port, source=BALANCER) as client:
        is_its = own_records(world.plain, client)
        send_by_bytes(client, start)
        world.expect(world.plain, client, is_its, "proxy.malformed")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("at", [1, 5, 12, 14, 20, -1])
@pytest.mark.parametrize("whole", [V1, V2], ids=["v1", "v2"])
def test_an_end_in_the_middle_is_a_client_that_left(world, whole, at, scheme):
    port = world.sealed.http_port if scheme == "http" else world.sealed.https_port
    with Client(port, source=BALANCER) as client:
        is_its = own_records(world.sealed, client)
        client.send(whole[:at])
        client.half_close()
        world.expect(world.sealed, client, is_its, "client.closed")


def test_who_keeps_silent_is_given_up(world):
    """All at once, since each takes the 10 s that a header may take."""
    starts = [b"", b"PROXY TCP4 198.51", V1[:-1], SIGNATURE, V2[:-1]]
    ports = [world.sealed.http_port, world.sealed.https_port]

    def keep_silent(start, port):
        with Client(port, source=BALANCER, timeout=40) as client:
            client.send(start)
            is_its = own_records(world.sealed, client)
            return is_its, read_ending(client)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        cases = list(pool.map(keep_silent, *zip(*[(start, port) for start in starts for port in ports])))
    for is_its, ending in cases:
        assert ending == (b"", "reset")
        assert world.sealed.only_record(is_its)["reason"] == "peek.timeout"
    assert world.target.received == b""


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "single bytes"])
@pytest.mark.parametrize("whole", [V1, V2], ids=["v1", "v2"])
def test_a_strangers_header_is_refused_by_its_name(world, whole, send):
    with Client(world.plain.http_port) as client:
        is_its = own_records(world.plain, client)
        send(client, whole + GET)
        data, _ = read_ending(client)
        assert data.startswith(b"HTTP/1.1 400 ") and b"proxy.untrusted" in data
        record = world.plain.only_record(is_its)
        assert (record["reason"], record["verdict"]) == ("proxy.untrusted", "refused")
        assert record["client"].startswith("127.0.0.1:"), "not whom the header names"
    assert world.target.received == b""


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "single bytes"])
@pytest.mark.parametrize("whole", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("gateway", ["plain", "sealed"])
def test_a_strangers_header_in_front_of_tls_is_refused_by_its_name(world, gateway, whole, send):
    gateway = getattr(world, gateway)
    with Client(gateway.https_port) as client:
        is_its = own_records(gateway, client)
        send(client, whole + hello())
        read_ending(client)
        record = gateway.only_record(is_its)
        assert (record["reason"], record["verdict"]) == ("proxy.untrusted", "refused")
    assert world.target.received == b""


def test_a_second_header_is_no_request(world):
    with Client(world.plain.http_port, source=BALANCER) as client:
        client.send(V1 + V1 + GET)
        assert read_ending(client)[0].startswith(b"HTTP/1.1 400 ")
    assert world.plain.wait_record(lambda record: record["client"] == "198.51.100.9:4711")["reason"] == "proxy.untrusted"
    assert world.target.received == b""


def test_a_header_inside_tls_is_no_request(world):
    with Client(world.plain.https_port, unverified_context(), "web.example") as client:
        client.send(V1 + GET)
        assert read_ending(client)[0].startswith(b"HTTP/1.1 400 ")
    assert world.target.received == b""
