"""Conversations of real H.323 peers pass through the gateway to the gatekeeper they are for, over every combination of
TLS, and no octet of them changes."""
import pytest

from harness import Client, h323_listen, h323_service, unverified_context
from harness import h323_message as h323
from harness.rude_client import from_client, read_ending

BRANCH, MAIN, MUNICH, OTHER = "example.com/branch-a", "example.com", "example.com/münchen", "unknown.example.net"
SERVICES = [BRANCH, MAIN, MUNICH, OTHER]
CAPTURES = {  # the service of each connection in it, and what the client asks for
    "01": [(BRANCH, BRANCH)], "04": [(BRANCH, BRANCH)], "05": [(BRANCH, BRANCH)], "06": [(MAIN, MAIN)],
    "09": [(MAIN, "phone2@example.com")],
    "10": [(MAIN, "bob@example.com"), (MAIN, "bob@example.com"), (MAIN, "bob@example.com"), (MAIN, "bob@example.com"),
           (MAIN, "h323:bob@example.com"), (MAIN, "nobody@example.com"), (OTHER, "bob@unknown.example.net")],
    "13": [(BRANCH, BRANCH)], "17": [(MUNICH, MUNICH)], "18": [(BRANCH, BRANCH)]}
CONVERSATIONS = [(number, at) for number in CAPTURES for at in range(len(CAPTURES[number]))]


class Gatekeepers:
    """One for each service, on a plain port and one with TLS, that play the captures' gatekeeper."""

    def __init__(self, stage):
        script = h323.gatekeeper(*CAPTURES)
        self.plain = {name: stage.target(script) for name in SERVICES}
        self.tls = {name: stage.target(script, tls_names=["127.0.0.1"]) for name in SERVICES}

    def all(self):
        return [*self.plain.values(), *self.tls.values()]


@pytest.fixture(scope="module")
def gatekeepers(module_stage):
    return Gatekeepers(module_stage)


@pytest.fixture(scope="module", params=["plain leg", "tls leg", "leg as it came"])
def gateway(request, module_stage, gatekeepers):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    plain, tls = request.param != "tls leg", request.param != "plain leg"
    gateway = module_stage.gateway({
        "listen": h323_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [service(name, gatekeepers, plain, tls) for name in SERVICES]})
    gateway.leg_tls = lambda client_tls: tls and (client_tls or not plain)
    return gateway


def service(name, gatekeepers, plain, tls):
    # Two targets on two ports: plain and TLS are two listeners here.
    more = {"target_verify": False} if tls else {}
    return h323_service(name, gatekeepers.plain[name] if plain else None, gatekeepers.tls[name] if tls else None, **more)


def connect(gateway, tls):
    return Client(gateway.h323s_port if tls else gateway.h323_port, unverified_context() if tls else None)


@pytest.mark.parametrize("client_tls", [False, True], ids=["plain client", "tls client"])
@pytest.mark.parametrize("number, at", CONVERSATIONS, ids=[f"{number}.{at}" for number, at in CONVERSATIONS])
def test_a_conversation_reaches_its_gatekeeper_as_it_was(gateway, gatekeepers, number, at, client_tls):
    name, said = CAPTURES[number][at]
    conversation = h323.conversations(number)[at]
    leg_tls = gateway.leg_tls(client_tls)
    target = (gatekeepers.tls if leg_tls else gatekeepers.plain)[name]
    before = {id(each): len(each.received) for each in gatekeepers.all()}
    with connect(gateway, client_tls) as client:
        story = from_client(client)
        h323.play(client, conversation, client=True)
    record = gateway.only_record(story)
    assert (record["verdict"], record["protocol"], record["service"]) == ("forwarded", "h323", name)
    assert record["looked_for"] == said
    assert (record["tls_client"], record["tls_target"]) == (client_tls, leg_tls)
    assert record["target"] == f"127.0.0.1:{target.port}"
    sent, got = h323.client_side(conversation), h323.server_side(conversation)
    assert (record["bytes_in"], record["bytes_out"]) == (len(sent), len(got))
    assert target.received[before.pop(id(target)):] == sent
    assert all(len(each.received) == before[id(each)] for each in gatekeepers.all() if each is not target)
    assert not target.mistakes


def test_the_record_tells_of_a_redirect(gateway):
    conversation, = h323.conversations("06")
    with connect(gateway, False) as client:
        story = from_client(client)
        h323.play(client, conversation, client=True)
    assert gateway.only_record(story)["detail"] == f"the target sends it to another gatekeeper: {BRANCH}"


def test_a_registration_with_another_gatekeeper_is_noted_and_stays(gateway, gatekeepers):
    """It is on its way for good; where it goes is known by the first one."""
    (first, *_), (_, *later) = h323.conversations("04")[0], h323.conversations("06")[0]
    other = next(message for by_client, message in later if by_client)
    before = sum(len(each.received) for each in gatekeepers.all())
    with connect(gateway, False) as client:
        story = from_client(client)
        h323.play(client, h323.conversations("04")[0], client=True)
        client.send(other)
    record = gateway.only_record(story)
    assert (record["service"], record["looked_for"]) == (BRANCH, BRANCH)
    assert record["detail"] == f"a later registration names another gatekeeper: {MAIN}"
    assert sum(len(each.received) for each in gatekeepers.all()) == before + len(first[1]) + len(other)


def test_keep_alives_in_front_of_the_first_message_reach_the_target(gateway, gatekeepers):
    conversation, = h323.conversations("04")
    with connect(gateway, False) as client:
        story = from_client(client)
        client.send(h323.SHORT_KEEP_ALIVE + h323.KEEP_ALIVE)
        h323.play(client, conversation, client=True)
    record = gateway.only_record(story)
    assert (record["verdict"], record["bytes_in"]) == ("forwarded", 8 + len(h323.client_side(conversation)))


@pytest.mark.parametrize("subject, looked_for, found", [
    (f"h323:hq@{BRANCH}", BRANCH, BRANCH), ("h323:Example.COM", MAIN, MAIN), ("h323:bob@example.com?call", MAIN, MAIN),
    ("h323:alice@h323.unknown.example.net?call", "h323.unknown.example.net", None),
    ("h323:example.com/branch-b", "example.com/branch-b", None)])
def test_explain_finds_what_live_traffic_finds(gateway, subject, looked_for, found):
    explained = gateway.explain(subject)
    assert (explained["verdict"], explained["looked_for"]) == ("forwarded" if found else "refused", looked_for)
    assert explained["service"] == found


# Who is refused reads why.

CLOSED = {"allow_from": ["192.0.2.0/24"]}


@pytest.fixture(scope="module")
def small(module_stage, gatekeepers):
    """Knows one service of the captures, which is closed, and one that nobody serves."""
    return module_stage.gateway({"listen": h323_listen(), "service": [
        h323_service(MAIN, gatekeepers.plain[MAIN], **CLOSED), h323_service(OTHER, 9)]})


REFUSED = {  # capture, connection: reason, type of the answer
    ("04", 0): ("service.unknown", h323.FACILITY), ("05", 0): ("service.unknown", h323.FACILITY),
    ("06", 0): ("acl.denied", h323.FACILITY), ("10", 1): ("acl.denied", h323.RELEASE_COMPLETE),
    ("10", 6): ("target.refused", h323.RELEASE_COMPLETE)}


@pytest.mark.parametrize("which", REFUSED, ids=[f"{number}.{at}" for number, at in REFUSED])
def test_what_is_refused_is_told_in_h323(small, gatekeepers, which):
    reason, kind = REFUSED[which]
    number, at = which
    first = h323.conversations(number)[at][0][1]
    before = sum(len(each.received) for each in gatekeepers.all())
    with connect(small, False) as client:
        story = from_client(client)
        client.send(first)
        answer = h323.read_tpkt(client)
        assert read_ending(client)[0] == b""
    record = small.only_record(story)
    assert (record["verdict"], record["reason"], record["bytes_out"]) == ("refused", reason, len(answer))
    assert answer[8] == kind and f"[{reason}]".encode() in answer
    if kind == h323.RELEASE_COMPLETE:  # its call reference is the caller's, from the other side
        assert answer[6:8] == bytes([first[6] | 0x80, first[7]])
    assert sum(len(each.received) for each in gatekeepers.all()) == before


def test_tshark_reads_every_refusal(small):
    firsts = [h323.conversations(number)[at][0][1] for number, at in REFUSED]
    firsts += [h323.q931(h323.FACILITY, b"\x07"), b"\x03\0\xff\xff" + firsts[0][4:]]  # no such body; a lying length
    said = []
    for first in firsts:
        with connect(small, False) as client:
            client.send(first)
            said.append(h323.read_tpkt(client))
    read = h323.read_by_tshark(said, "_ws.malformed", "_ws.expert.severity", "q931.display_information", "h225.RasMessage")
    reasons = [f"[{reason}]" for reason, _ in REFUSED.values()] + ["[peek.malformed]", "[peek.too_large]"]
    rejects = ["5", "2", "2", "", "", "", "5"]  # of registrations and of a discovery; or releases
    assert read in (None, [["", "", *told] for told in zip(reasons, rejects)])


def test_the_nearest_name_stands_beside_one_that_nobody_has(small):
    first = h323.conversations("06")[0][0][1].replace("exam".encode("utf-16-be"), "exem".encode("utf-16-be"))
    with connect(small, False) as client:
        story = from_client(client)
        client.send(first)
        read_ending(client)
    record = small.only_record(story)
    assert (record["reason"], record["looked_for"], record["nearest"]) == ("service.unknown", "exemple.com", MAIN)


def test_what_names_nothing_goes_to_the_default_service(stage):
    target = stage.target(h323.gatekeeper("09"))
    gateway = stage.gateway({"listen": h323_listen(), "service": [h323_service("any.example", target, default=True)]})
    conversation, = h323.conversations("09")
    with connect(gateway, False) as client:
        story = from_client(client)
        h323.play(client, conversation, client=True)
    assert gateway.only_record(story)["service"] == "any.example"


def test_a_service_that_is_gone_ends_its_connections(stage):
    target = stage.target(h323.gatekeeper("09"))
    gateway = stage.gateway({"listen": h323_listen(), "node": {"drain_timeout": "0s"},
                             "service": [h323_service("example.com", target), h323_service("other.example", target)]})
    with connect(gateway, False) as client:
        story = from_client(client)
        h323.play(client, h323.conversations("09")[0], client=True)
        del gateway.config["service"][0]
        gateway.write()
        gateway.reload()
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "service.removed"


def test_keep_alives_pass_in_both_directions(stage):
    target = stage.target(echo_keep_alives)
    gateway = stage.gateway({"listen": h323_listen(), "service": [h323_service("example.com", target)]})
    first = h323.conversations("09")[0][0][1]
    with connect(gateway, False) as client:
        story = from_client(client)
        client.send(first)
        for keep_alive in (h323.KEEP_ALIVE, h323.SHORT_KEEP_ALIVE) * 20:  # more than may stand in front of a first message
            client.send(keep_alive)
            assert client.read_exactly(4) == keep_alive
    record = gateway.only_record(story)
    assert (record["reason"], record["bytes_in"], record["bytes_out"]) == ("ok", len(first) + 160, 160)


def echo_keep_alives(connection):
    h323.read_tpkt(connection)
    while keep_alive := connection.read_some():
        connection.send(keep_alive)


def test_the_conversations_hold_all_that_has_to_pass():
    """What was played above: else it would prove little."""
    said = [(by_client, message) for number in CAPTURES for conversation in h323.conversations(number)
            for by_client, message in conversation]
    kinds = {(by_client, message[8]) for by_client, message in said}
    assert {(True, h323.SETUP), (False, h323.SETUP), (True, h323.CONNECT), (False, h323.CONNECT)} <= kinds
    asked = {h323.ras_of(message)[0] >> 2 for by_client, message in h323.conversations("10")[0]
             if by_client and message[8] == h323.FACILITY}
    assert {3, 9, 15, 6} <= asked  # RRQ; ARQ and DRQ around the calls; URQ
    messages = [message for conversation in h323.conversations("10") for _, message in conversation]
    controlled = h323.read_by_tshark(messages, "q931.message_type", "h225.h245Control")
    # H.245 is tunnelled, in both directions: the Connects of both calls, as they are sent and as they are passed on, and
    # what ends them.
    kinds = controlled and sorted(kind for kind, control in controlled if control)
    assert kinds in (None, ["0x07"] * 4 + ["0x5a"] * 2)
