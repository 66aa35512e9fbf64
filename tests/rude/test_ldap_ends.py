"""LDAP directories that answer what none does or are not there, and connections that the gateway ends."""
import signal

import pytest

from harness import ldap_listen, ldap_service
from harness import ldap_message as ldap
from harness.rude_client import from_client, read_ending
from harness.rude_ldap import (GUEST, MARK, bound, config_of, connect, gateway, is_notice, nothing_strange_arrives,
                               other, script, target)


# Targets.

def test_garbage_of_a_target_is_passed_on_and_fails_no_session(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        bound(client).send(ldap.search("garbage"))
        assert client.read_exactly(1000) == b"\xff" * 1000
        client.send(ldap.search(number=3))
        assert [ldap.read_message(client).op for _ in range(2)] == [ldap.ENTRY, ldap.DONE]
        client.send(ldap.unbind())
        assert client.read_to_end() == b""
    assert gateway.only_record(story)["reason"] == "ok"


def test_an_answer_of_ours_waits_for_the_end_of_one_of_the_targets(gateway):
    """StartTLS while half an entry is out: nothing is put in between."""
    with connect(gateway) as client:
        story = from_client(client)
        bound(client).send(ldap.search("half"))
        assert len(client.read_exactly(1000)) == 1000
        client.send(ldap.start_tls(number=3))
        assert client.is_silent_for(0.3)
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_a_target_that_is_not_there_is_told_in_ldap(stage):
    gone = stage.target(script)
    gone.stop()
    gateway = stage.gateway({"listen": ldap_listen(), "service": [ldap_service("hq.example.com", gone)]})
    with connect(gateway) as client:
        story = from_client(client)
        client.send(ldap.bind(GUEST))
        answer = ldap.read_message(client)
        assert (answer.op, answer.code) == (ldap.BIND_ANSWER, ldap.UNAVAILABLE)
        assert str(gone.port) not in answer.diagnostic
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "target.refused")


# Ends that the gateway makes.

@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_drain_is_told_to_those_who_are_bound(stage, target, other, tls):
    gateway = stage.gateway({**config_of(stage, target, other), "node": {"drain_timeout": "1s"}})
    with connect(gateway, tls) as client:
        story = from_client(client)
        bound(client)
        gateway.signal(signal.SIGTERM)
        assert is_notice(ldap.read_message(client), ldap.UNAVAILABLE)
        assert read_ending(client) == (b"", "closed")
        assert gateway.wait() == 0
    record, = gateway.records(story)
    assert (record["verdict"], record["reason"]) == ("forwarded", "draining")


def test_a_kill_is_told_to_those_who_are_bound(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        bound(client)
        assert gateway.json_verb("connections", "kill", "--service", "hq.example.com") == (0, {"killed": 1})
        assert is_notice(ldap.read_message(client), ldap.UNAVAILABLE)
        assert read_ending(client) == (b"", "closed")
    assert gateway.only_record(story)["reason"] == "killed"


def test_a_kill_puts_nothing_into_half_an_answer(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        bound(client).send(ldap.search("half"))
        assert len(client.read_exactly(1000)) == 1000
        gateway.json_verb("connections", "kill", "--service", "hq.example.com")
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "killed"


def test_a_service_that_a_reload_takes_away_ends_its_connections(stage, target, other):
    gateway = stage.gateway({**config_of(stage, target, other), "node": {"drain_timeout": "1s"}})
    with connect(gateway) as client, connect(gateway) as stays:
        story = from_client(client)
        bound(client)
        del gateway.config["service"][0]
        gateway.write()
        gateway.reload()
        stays.send(ldap.bind(GUEST, MARK))
        assert ldap.read_message(stays).code == ldap.INVALID_CREDENTIALS
        assert is_notice(ldap.read_message(client), ldap.UNAVAILABLE)
        assert read_ending(client) == (b"", "closed")
    assert gateway.only_record(story)["reason"] == "service.removed"
