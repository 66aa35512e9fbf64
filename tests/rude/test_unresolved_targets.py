"""Targets whose names lead nowhere: told at once, and no reason to leave another one unused."""
import pytest

from harness import Client, answer_each, http_service, plain_answer

NOWHERE = ["absent.invalid", "gone.invalid"]  # RFC 6761 section 6.4: never resolve


def service(name, targets, port):
    return {**http_service(name, target=None), "target": targets, "plain_port": port}


@pytest.fixture(scope="module")
def world(module_stage):
    target = module_stage.target(answer_each(plain_answer()))
    gateway = module_stage.gateway({"service": [
        service("nowhere.test", NOWHERE, 80),
        service("half.test", [NOWHERE[0], "127.0.0.1"], target.port)]})
    return gateway, target


def test_a_list_that_resolves_to_nothing_is_answered_at_once_and_recorded(world):
    gateway, _ = world
    with Client(gateway.http_port) as client:
        answers = [client.request("nowhere.test", "/first"), client.request("nowhere.test", "/second")]
    assert [answer.status for answer in answers] == [502, 502]
    assert b"target.unresolved" in answers[0].body and b"invalid" not in answers[0].body, "no target is named"
    record = gateway.only_record(lambda record: record.get("url") == "/first")
    assert (record["verdict"], record["reason"], record["target"]) == ("refused", "target.unresolved", "gone.invalid:80")
    assert sorted(gateway.status()["unresolved"]) == sorted(NOWHERE)


def test_a_name_that_leads_nowhere_leaves_the_other_target_in_use(world):
    gateway, target = world
    before = target.received
    with Client(gateway.http_port) as client:
        assert [client.request("half.test").status for _ in range(3)] == [200] * 3
    assert target.received > before


def test_check_warns_of_names_that_do_not_resolve(world):
    gateway, _ = world
    status, found = gateway.check()
    assert status in (0, 3)
    told = [warning["message"] for warning in found["warnings"] if "invalid" in warning["message"]]
    assert len(told) >= 2, found
