"""StartTLS where it does not belong, with something behind it, or again and again."""
import pytest

from harness import ldap_listen, ldap_service
from harness import ldap_message as ldap
from harness.rude_client import from_client, read_ending, send_whole
from harness.rude_ldap import (AS_DN, GUEST, MARK, bound, connect, gateway, nothing_strange_arrives, other, secured,
                               target)
from harness.rude_process import is_instrumented, resident_kib


def test_what_is_sent_behind_start_tls_is_discarded(gateway, target):
    """Else somebody in between could put a bind in front of the client's own."""
    asked = len(target.requests)
    with connect(gateway) as client:
        story = from_client(client)
        client.send(ldap.start_tls() + ldap.bind(GUEST, MARK, number=2) + ldap.search("o=injected", number=3))
        answer = ldap.read_message(client)
        assert (answer.number, answer.op, answer.code, answer.oid) == (1, ldap.EXTENDED_ANSWER, 0, ldap.START_TLS)
        with secured(client) as inside:
            inside.send(ldap.bind(AS_DN, number=7))
            assert ldap.read_message(inside).number == 7
            assert inside.is_silent_for(0.2)
    assert [request.name for request in target.requests[asked:]] == [AS_DN]
    record = gateway.only_record(story)
    assert (record["verdict"], record["tls_client"]) == ("forwarded", True)


def test_what_comes_in_plain_instead_of_the_handshake_is_no_ldap(gateway, target):
    before = target.received
    with connect(gateway) as client:
        story = from_client(client)
        client.send(ldap.start_tls())
        assert ldap.read_message(client).code == ldap.SUCCESS
        client.send(ldap.bind(GUEST, MARK, number=2))
        said, _ = read_ending(client)
        assert b"\x61" not in said[:1]
    assert gateway.only_record(story)["reason"] in ("tls.handshake", "tls.plain_on_tls_port")
    assert target.received == before


@pytest.mark.parametrize("first", ["starttls", "ldaps"])
def test_start_tls_in_tls_is_refused_and_the_connection_goes_on(gateway, target, first):
    asked = len(target.requests)
    client = connect(gateway, first == "ldaps")
    story = from_client(client)
    if first == "starttls":
        client.send(ldap.start_tls())
        assert ldap.read_message(client).code == ldap.SUCCESS
        client = secured(client)
    with client:
        client.send(ldap.start_tls(number=2))
        answer = ldap.read_message(client)
        assert (answer.number, answer.op, answer.code) == (2, ldap.EXTENDED_ANSWER, ldap.OPERATIONS_ERROR)
        assert bound(client).is_silent_for(0.1)
    assert [request.op for request in target.requests[asked:]] == [ldap.BIND]
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_start_tls_after_the_bind_is_refused_and_never_forwarded(gateway, target):
    asked = len(target.requests)
    with connect(gateway) as client:
        story = from_client(client)
        bound(client).send(ldap.start_tls(number=5) + ldap.search(number=6))
        answer = ldap.read_message(client)
        assert (answer.number, answer.op, answer.code) == (5, ldap.EXTENDED_ANSWER, ldap.OPERATIONS_ERROR)
        assert [ldap.read_message(client).op for _ in range(2)] == [ldap.ENTRY, ldap.DONE]
        client.send(ldap.extended(ldap.WHO_AM_I, number=7))  # others pass
        assert ldap.read_message(client).number == 7
    assert [request.op for request in target.requests[asked:]] == [ldap.BIND, ldap.SEARCH, ldap.EXTENDED]
    assert ldap.START_TLS not in target.received
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_start_tls_without_a_certificate_of_ones_own_gets_a_self_signed_one(stage, target):
    gateway = stage.gateway({"listen": {"ldap": ldap_listen()["ldap"]},
                             "service": [ldap_service("hq.example.com", target)]})
    with connect(gateway) as client:
        client.send(ldap.start_tls())
        assert ldap.read_message(client).code == ldap.SUCCESS
        with secured(client) as inside:
            bound(inside)


def test_start_tls_again_and_again_without_reading_costs_no_memory(gateway, target):
    before = resident_kib(gateway.pid)
    with connect(gateway) as client:
        story = from_client(client)
        bound(client)
        many = ldap.start_tls() * 2000
        for _ in range(400):
            send_whole(client, many)
            if gateway.records(story):
                break
        assert gateway.only_record(story)["reason"] == "client.stalled"
    assert ldap.START_TLS not in target.received
    assert is_instrumented() or resident_kib(gateway.pid) < before + 8 * 1024
