"""LDAP binds that name no service, or another one later.

Each is answered in LDAP, each story ends in one record, and the target never sees what is refused.
"""
import socket

import pytest

from harness import ldap_listen, ldap_service, wait_until
from harness import ldap_message as ldap
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_ldap import (AS_DN, BIND_PARTS, GUEST, INDEFINITE, MALFORMED_BINDS, MARK, ONE, bound, connect,
                               gateway, is_notice, nothing_strange_arrives, other, script, target)


# Binds and other requests that are refused before any target was chosen.

NO_NAME = (ldap.INAPPROPRIATE_AUTHENTICATION, "service.no_name")
REFUSED = {  # bytes: tag of the answer, code, reason
    "anonymous": (ldap.bind("", ""), ldap.BIND_ANSWER, *NO_NAME),
    "without a password": (ldap.bind(GUEST, ""), ldap.BIND_ANSWER, *NO_NAME),
    "a password without a name": (ldap.bind("", MARK), ldap.BIND_ANSWER, *NO_NAME),
    "sasl": (ldap.sasl_bind(), ldap.BIND_ANSWER, *NO_NAME),
    "version 2": (ldap.bind(GUEST, MARK, version=2), ldap.BIND_ANSWER, ldap.PROTOCOL_ERROR, "peek.malformed"),
    "a name without a domain": (ldap.bind("ldap-guest", MARK), ldap.BIND_ANSWER, *NO_NAME),
    "a name of NUL bytes": (ldap.bind("hq.example.com\0.evil\\guest", MARK), ldap.BIND_ANSWER, *NO_NAME),
    "a search": (ldap.search(), ldap.DONE, *NO_NAME),
    "an extended request": (ldap.extended(ldap.WHO_AM_I), ldap.EXTENDED_ANSWER, *NO_NAME),
    "an unknown domain": (ldap.bind(r"nobody.example.com\guest", MARK), ldap.BIND_ANSWER, ldap.INVALID_CREDENTIALS,
                          "service.unknown"),
    "a closed service": (ldap.bind(r"closed.example.com\guest", MARK), ldap.BIND_ANSWER, ldap.INSUFFICIENT_ACCESS,
                         "acl.denied"),
}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_names_no_service_is_refused_in_ldap(gateway, target, what, tls):
    data, op, code, reason = REFUSED[what]
    before = target.received
    with connect(gateway, tls) as client:
        story = from_client(client)
        client.send(data + ldap.bind(GUEST, MARK, number=3))  # too late
        answer = ldap.read_message(client)
        assert (answer.op, answer.code) == (op, code)
        assert f"[{reason}]" in answer.diagnostic
        if reason == "service.no_name":
            assert r"domain\user" in answer.diagnostic and "dc=hq,dc=example,dc=com" in answer.diagnostic
        for secret in ("other.example.com", str(target.port)):
            assert secret not in answer.diagnostic
        assert read_ending(client)[0] == b""
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", reason)
    assert target.received == before


def test_a_request_that_has_no_answer_is_refused_by_a_notice(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(ldap.element(0x30, ONE, ldap.element(ldap.ABANDON, b"\x05")))
        assert is_notice(ldap.read_message(client), ldap.INAPPROPRIATE_AUTHENTICATION)
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "service.no_name"


# Further binds.

REBINDS = {name: REFUSED[name] for name in REFUSED if "bind" not in name and REFUSED[name][1] == ldap.BIND_ANSWER}
REBINDS["another domain"] = (ldap.bind(r"other.example.com\guest", MARK), ldap.BIND_ANSWER, ldap.INVALID_CREDENTIALS,
                             "service.unknown")


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("behind", [False, True], ids=["later", "right behind the first"])
@pytest.mark.parametrize("what", REBINDS)
def test_a_further_bind_to_elsewhere_is_refused_and_ends_it(gateway, target, what, behind, send):
    """In LDAP, with a record of its own; what comes behind it is not passed on any more."""
    data, op, code, reason = REBINDS[what]
    with connect(gateway) as client:
        story = from_client(client)
        if behind:
            send(client, ldap.bind(GUEST) + data + ldap.search("o=late", number=8))
        else:
            send(bound(client), data + ldap.search("o=late", number=8))
        *early, answer = ldap.read_messages(client)  # the target may have been quick enough to answer the first
        assert [one.number for one in early] in ([], [1])
        assert (answer.op, answer.code) == (op, code)
        assert f"[{reason}]" in answer.diagnostic
    wait_until(lambda: len(gateway.records(story)) == 2, lambda: f"two records: {gateway.records(story)}")
    refused, ended = sorted(gateway.records(story), key=lambda record: record["verdict"] != "refused")
    assert (refused["verdict"], refused["reason"]) == ("refused", reason)
    assert (ended["verdict"], ended["reason"], ended["service"]) == ("forwarded", reason, "hq.example.com")
    assert b"o=late" not in target.received


def test_nothing_follows_a_bind_that_was_refused_while_a_target_was_sought(stage):
    """The target's handshake leaves time for more to come behind the refused bind."""
    target = stage.target(script, tls_names=["hq.example.com"])
    gateway = stage.gateway({"listen": ldap_listen(), "service": [
        ldap_service("hq.example.com", tls=target, target_ca=stage.authority.ca)]})
    for _ in range(5):
        with connect(gateway) as client:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.send(ldap.bind(GUEST) + ldap.bind("", "", number=2))
            client.send(ldap.search("o=late", number=3))
            *_, answer = ldap.read_messages(client)
            assert (answer.op, answer.number, answer.code) == (ldap.BIND_ANSWER, 2, ldap.INAPPROPRIATE_AUTHENTICATION)
    wait_until(lambda: len(gateway.records()) == 10, "two records each")
    wait_until(lambda: all(connection.sock.fileno() < 0 for connection in target.connections), "the target's ends")
    assert len(target.connections) == 5 and b"o=late" not in target.received


@pytest.mark.parametrize("name", [GUEST, AS_DN, "user@hq.example.com", r"ALIAS.example.com\guest"])
def test_a_further_bind_to_the_same_service_passes(gateway, target, name):
    asked = len(target.requests)
    with connect(gateway) as client:
        story = from_client(client)
        bound(bound(client), name)
        client.send(ldap.search())
        assert ldap.read_message(client).op == ldap.ENTRY
    assert [request.name for request in target.requests[asked:asked + 2]] == [GUEST, name]
    assert gateway.only_record(story)["verdict"] == "forwarded"


@pytest.mark.parametrize("data", [
    ldap.bind(r"other.example.com\guest", MARK + b"x" * 65536), ldap.extended(MARK + b"x" * 65536),
    ldap.bind(GUEST, MARK + b"x" * 65536)], ids=["bind elsewhere", "extended", "bind"])
@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
def test_a_bind_too_large_to_read_ends_the_connection(gateway, target, data, send):
    with connect(gateway) as client:
        story = from_client(client)
        send(bound(client), data if send is send_whole else data[:200])
        assert is_notice(ldap.read_message(client), ldap.PROTOCOL_ERROR)
        read_ending(client)
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("forwarded", "peek.too_large")


@pytest.mark.parametrize("data", [b"\xff" * 100, b"\x30\x80" + INDEFINITE, b"GET / HTTP/1.1\r\n\r\n",
                                  ldap.message(2, 0x40, *BIND_PARTS), *list(MALFORMED_BINDS.values())[:2]],
                         ids=["garbage", "indefinite", "http", "a primitive bind", "no version", "no authentication"])
def test_what_can_not_be_followed_after_the_bind_ends_the_connection(gateway, target, data):
    before = len(target.received)
    with connect(gateway) as client:
        story = from_client(client)
        bound(client).send(data + ldap.bind(r"other.example.com\guest", MARK))
        answer = ldap.read_message(client)
        assert answer.code == ldap.PROTOCOL_ERROR and answer.op in (ldap.BIND_ANSWER, ldap.EXTENDED_ANSWER)
        read_ending(client)
    wait_until(lambda: gateway.records(story), "a record")
    assert {record["reason"] for record in gateway.records(story)} == {"peek.malformed"}
    assert len(target.received) == before + len(ldap.bind(GUEST))
