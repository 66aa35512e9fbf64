"""LDAP clients that speak it badly, slowly or not at all.

Each is answered in LDAP, each story ends in one record, and the target never sees what is refused.
"""
import pytest

from harness import Client
from harness import ldap_message as ldap
from harness import proxy_header
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_ldap import (AS_DN, BIND_PARTS, GUEST, INDEFINITE, MALFORMED_BINDS, MARK, ONE, connect, gateway,
                               is_notice, nothing_strange_arrives, other, sequence, target)
from harness.rude_tls import first_flight

LONG = 25  # seconds of patience with a gateway whose own is 10


def deep(levels, inner=b""):
    for _ in range(levels):
        inner = sequence(inner)
    return inner


BAD = {  # bytes: reason
    "indefinite length": (INDEFINITE, "peek.malformed"),
    "indefinite length inside": (sequence(ONE, b"\x60\x80", *BIND_PARTS, b"\0\0"), "peek.malformed"),
    "a length of five octets": (b"\x30\x85\0\0\0\0\x10" + ONE + b"x" * 20, "peek.malformed"),
    "a length of 127 octets": (b"\x30\xff" + b"\x01" * 127, "peek.malformed"),
    "the longest length": (b"\x30\x84\xff\xff\xff\xff" + ONE + b"\x60", "peek.too_large"),
    "the longest positive length": (b"\x30\x84\x7f\xff\xff\xff" + ONE + b"\x60", "peek.too_large"),
    "one byte over 64 KiB": (b"\x30\x83\x00\xff\xfc" + ONE + b"\x60" + bytes(20), "peek.too_large"),
    "a child beyond its parent": (sequence(ONE, b"\x60\x20", *BIND_PARTS[:1]), "peek.malformed"),
    "a name beyond its bind": (sequence(ONE, ldap.element(0x60, ldap.integer(3), b"\x04\x40abc")), "peek.malformed"),
    "a name of four GiB": (sequence(ONE, ldap.element(0x60, ldap.integer(3), b"\x04\x84\xff\xff\xff\xff")),
                           "peek.malformed"),
    "an id of five octets": (sequence(b"\x02\x05\x01\0\0\0\0", ldap.element(0x60, *BIND_PARTS)), "peek.malformed"),
    "an id of zero": (ldap.message(0, ldap.BIND, *BIND_PARTS), "peek.malformed"),
    "a negative id": (ldap.message(-1, ldap.BIND, *BIND_PARTS), "peek.malformed"),
    "no id": (sequence(ldap.element(0x60, *BIND_PARTS)), "peek.malformed"),
    "an empty message": (sequence(), "peek.malformed"),
    "a depth bomb": (sequence(ONE, ldap.element(0x60, ldap.integer(3), deep(500))), "peek.malformed"),
    "a depth bomb in the controls": (sequence(ONE, ldap.element(0x60, *BIND_PARTS), ldap.element(0xA0, deep(500))),
                                     "peek.malformed"),
    "an answer": (ldap.answer(1, ldap.BIND_ANSWER), "peek.malformed"),
    "a tag of two octets": (sequence(ONE, b"\x7f\x60\x00"), "peek.malformed"),
    "an unknown operation": (ldap.message(1, 0x7E, MARK), "peek.malformed"),
    "http": (b"GET / HTTP/1.1\r\nHost: hq.example.com\r\n\r\n", "peek.malformed"),
    "zeros": (bytes(100), "peek.malformed"),
    "all bytes": (bytes(range(256)), "peek.malformed"),
}


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_ldap_gets_a_notice_of_disconnection(gateway, target, what, tls, send):
    data, reason = BAD[what]
    before = target.received
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, data)
        notice = ldap.read_message(client)
        assert is_notice(notice, ldap.PROTOCOL_ERROR)
        assert notice.diagnostic.endswith(f"[{reason}]")
        assert read_ending(client)[0] == b""
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"], record["tls_client"]) == ("refused", reason, tls)
    assert target.received == before


@pytest.mark.parametrize("data", MALFORMED_BINDS.values(), ids=MALFORMED_BINDS)
def test_a_bind_that_is_none_is_answered_as_a_bind(gateway, data):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(data)
        answer = ldap.read_message(client)
        assert (answer.op, answer.number, answer.code) == (ldap.BIND_ANSWER, 1, ldap.PROTOCOL_ERROR)
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "peek.malformed"


def test_tls_on_the_plain_port_is_reset(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(first_flight("hq.example.com"))
        assert read_ending(client) == (b"", "reset")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "tls.on_plain_port")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_stranger_with_a_proxy_header_is_reset(gateway, version):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(proxy_header.header(version, ("192.0.2.9", 4711)) + ldap.bind(GUEST, MARK))
        assert read_ending(client) == (b"", "reset")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "proxy.untrusted")


def test_ldap_in_plain_on_the_tls_port_ends_in_one_record(gateway):
    with Client(gateway.ldaps_port) as client:
        story = from_client(client)
        client.send(ldap.bind(GUEST, MARK))
        read_ending(client)
    assert gateway.only_record(story)["reason"] in ("tls.plain_on_tls_port", "tls.handshake")


def test_silence_is_told_and_ended(gateway, target):
    """All at once, for each takes the gateway's whole patience of 10 s."""
    before = target.received
    quiet = {"nothing": (False, b""), "half a bind": (False, ldap.bind(GUEST, MARK)[:-1]), "in TLS": (True, b""),
             "one byte": (False, b"\x30")}
    clients = {name: connect(gateway, tls, timeout=LONG) for name, (tls, _) in quiet.items()}
    with Client(gateway.ldap_port, timeout=LONG) as waits:  # StartTLS, and then no handshake
        wait_story = from_client(waits)
        waits.send(ldap.start_tls())
        assert ldap.read_message(waits).code == ldap.SUCCESS
        for name, client in clients.items():
            client.send(quiet[name][1])
        for name, client in clients.items():
            assert is_notice(ldap.read_message(client), ldap.UNAVAILABLE), name
            assert read_ending(client)[0] == b""
            story = from_client(client)
            client.close()
            assert gateway.only_record(story)["reason"] == "peek.timeout"
        read_ending(waits)
    assert gateway.only_record(wait_story)["reason"] == "tls.timeout"
    assert target.received == before


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_connection_without_a_byte_leaves_no_record(gateway, end):
    before = gateway.counted()
    with connect(gateway) as client:
        getattr(client, end)()
    with connect(gateway) as client:
        story = from_client(client)
        client.send(ldap.unbind())
        assert client.read_to_end() == b""
    assert gateway.only_record(story)["reason"] == "client.closed"
    assert gateway.counted() == before + 1


# Pieces and heaps of good messages.

@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_one_byte_a_segment_is_understood(gateway, target, tls):
    asked = len(target.requests)
    with connect(gateway, tls) as client:
        story = from_client(client)
        send_by_bytes(client, ldap.bind(GUEST))
        assert ldap.read_message(client).code == ldap.SUCCESS
        send_by_bytes(client, ldap.search() + ldap.bind(AS_DN, number=3))
        assert [ldap.read_message(client).op for _ in range(3)] == [ldap.ENTRY, ldap.DONE, ldap.BIND_ANSWER]
    assert [request.op for request in target.requests[asked:]] == [ldap.BIND, ldap.SEARCH, ldap.BIND]
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_messages_in_one_segment_arrive_in_order(gateway, target):
    asked = len(target.requests)
    with connect(gateway) as client:
        story = from_client(client)
        sent = ldap.bind(GUEST) + ldap.search(number=2) + ldap.search(number=3) + ldap.bind(AS_DN, number=4)
        client.send(sent + ldap.unbind())
        assert [answer.number for answer in ldap.read_messages(client)] == [1, 2, 2, 3, 3, 4]
    assert b"".join(request.raw for request in target.requests[asked:]) == sent
    record = gateway.only_record(story)
    assert (record["reason"], record["bytes_in"]) == ("ok", len(sent + ldap.unbind()))
