"""A certificate in place of a password: the target's TLS port is for those alone whom theirs vouches for, and what comes by
its plain port has to know a password."""
import ssl

import pytest

from harness import Client, ScriptedTarget, free_port, h323_listen, h323_service, unverified_context, wait_until
from harness import h323_message as h323
from harness.certificates import server_context
from harness.rude_client import from_client, read_ending

BRANCH = "example.com/branch-a"
ACCEPTED, = h323.conversations("01")  # a GRQ, an RRQ as phone1, one without an alias as a keep-alive
(_, MALLORY), (_, DENIED) = h323.conversations("04")[0]  # an RRQ, and an RRJ securityDenial
GRQ, GCF, RRQ, RCF, KEEP_ALIVE, KEPT_ALIVE, URQ = (message for _, message in ACCEPTED)
NAMELESS_GRQ = h323.without_alias(GRQ)
ANSWERS = {GRQ: GCF, NAMELESS_GRQ: GCF, RRQ: RCF, KEEP_ALIVE: KEPT_ALIVE, URQ: b"", MALLORY: DENIED}


class Pbx:
    """A gatekeeper on two ports, which keeps apart what came by each."""

    def __init__(self, stage, by_tls, by_plain):
        self.plain = stage.target(h323.answering(by_plain))
        self.tls = stage.target(h323.answering(by_tls), tls_names=["127.0.0.1"])

    def marks(self):
        return {True: len(self.tls.received), False: len(self.plain.received)}

    def got(self, by_tls, marks):
        return (self.tls if by_tls else self.plain).received[marks[by_tls]:]


def gateway_of(stage, pbx):
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    return stage.gateway({
        "listen": {**h323_listen(), "mux": f"127.0.0.1:{free_port()}"},
        "certificate": [{"name": "edge", "chain": chain, "key": key}], "trust": {"ca": stage.authority.ca},
        "service": [h323_service(BRANCH, pbx.plain, pbx.tls, target_verify=False, check_certificate=True)]})


@pytest.fixture(scope="module")
def pbx(module_stage):
    return Pbx(module_stage, ANSWERS, ANSWERS)


@pytest.fixture(scope="module")
def checking(module_stage, pbx):
    return gateway_of(module_stage, pbx)


def showing(stage, name):
    context = unverified_context()
    if name:
        context.load_cert_chain(*stage.authority.issue(name))
    return context


def talk(client, conversation):
    h323.play(client, conversation, client=True)


@pytest.mark.parametrize("on", ["h323s", "mux"])
@pytest.mark.parametrize("name, by_tls", [("phone1", True), ("mallory", False), (None, False)])
def test_the_target_sees_on_its_tls_port_whom_a_certificate_vouches_for(module_stage, checking, pbx, name, by_tls, on):
    before = pbx.marks()
    with Client(getattr(checking, f"{on}_port"), showing(module_stage, name)) as client:
        story = from_client(client)
        talk(client, ACCEPTED)
    record = checking.only_record(story)
    assert (record["verdict"], record["tls_client"], record["tls_target"]) == ("forwarded", True, by_tls)
    assert pbx.got(by_tls, before) == h323.client_side(ACCEPTED)
    assert pbx.got(not by_tls, before) == b""


def test_who_comes_in_plain_is_vouched_for_by_nobody(checking):
    for port in (checking.h323_port, checking.mux_port):
        with Client(port) as client:
            story = from_client(client)
            talk(client, ACCEPTED)
        record = checking.only_record(story)
        assert (record["protocol"], record["tls_target"]) == ("h323", False)


def test_nobody_else_registers_on_a_connection_that_is_vouched_for(module_stage, checking, pbx):
    before = pbx.marks()
    with Client(checking.h323s_port, showing(module_stage, "phone1")) as client:
        story = from_client(client)
        talk(client, ACCEPTED)
        client.send(MALLORY)
        assert b"[cert.name_mismatch]" in h323.read_tpkt(client)
        assert read_ending(client)[0] == b""
    wait_until(lambda: len(checking.records(story)) == 2, "both records")
    refused, connection = checking.records(story)
    assert (refused["verdict"], refused["reason"]) == ("refused", "cert.name_mismatch")
    assert connection["reason"] == "cert.name_mismatch"
    assert pbx.got(True, before) == h323.client_side(ACCEPTED)


# A phone may ask for its gatekeeper without a word of who it is. That question decides nothing.

NAMELESS = [(True, NAMELESS_GRQ), *ACCEPTED[1:]]


@pytest.mark.parametrize("at_once", [False, True], ids=["in turn", "at once"])
@pytest.mark.parametrize("asked", [1, 2])
@pytest.mark.parametrize("name, by_tls", [("phone1", True), ("mallory", False)])
def test_a_nameless_discovery_leaves_the_leg_to_the_registration(module_stage, checking, pbx, name, by_tls, asked, at_once):
    before = pbx.marks()
    discovery, registration = NAMELESS[:2] * asked, NAMELESS[2:]
    with Client(checking.h323s_port, showing(module_stage, name)) as client:
        story = from_client(client)
        if at_once:
            client.send(h323.client_side(NAMELESS[:2] * asked) + RRQ)
            assert client.read_exactly(len(GCF) * asked + len(RCF)) == GCF * asked + RCF
            talk(client, registration[2:])
        else:
            talk(client, discovery + registration)
    record = checking.only_record(story)
    sent, got = h323.client_side(discovery + registration), h323.server_side(discovery + registration)
    assert (record["verdict"], record["looked_for"], record["tls_target"]) == ("forwarded", BRANCH, by_tls)
    assert (record["bytes_in"], record["bytes_out"]) == (len(sent), len(got))
    assert pbx.got(False, before) == (NAMELESS_GRQ * asked if by_tls else sent)
    assert pbx.got(True, before) == (h323.client_side(registration) if by_tls else b"")


def test_a_nameless_discovery_without_a_certificate_is_routed_for_good(module_stage, checking, pbx):
    connections = len(pbx.plain.connections)
    with Client(checking.h323s_port, showing(module_stage, None)) as client:
        story = from_client(client)
        talk(client, NAMELESS)
    assert checking.only_record(story)["tls_target"] is False
    assert len(pbx.plain.connections) == connections + 1


def test_who_only_asks_for_its_gatekeeper_leaves_one_record(module_stage, checking):
    with Client(checking.h323s_port, showing(module_stage, "phone1")) as client:
        story = from_client(client)
        talk(client, NAMELESS[:2])
    record = checking.only_record(story)
    assert (record["reason"], record["bytes_in"], record["bytes_out"]) == ("client.closed", len(NAMELESS_GRQ), len(GCF))


def close(connection):
    h323.read_tpkt(connection)


def garble(connection):
    h323.read_tpkt(connection)
    connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    connection.read_to_end()


@pytest.mark.parametrize("script, reason", [(close, "target.closed"), (garble, "target.malformed")])
def test_a_discovery_without_an_answer_is_refused_in_h323(stage, script, reason):
    pbx = Pbx(stage, {}, {})
    pbx.plain = stage.target(script)
    gateway = gateway_of(stage, pbx)
    with Client(gateway.h323s_port, showing(stage, "phone1")) as client:
        story = from_client(client)
        client.send(NAMELESS_GRQ)
        said, _ = read_ending(client)
    assert f"[{reason}]".encode() in said
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"], record["service"]) == ("refused", reason, BRANCH)


# What the target asks for.

@pytest.mark.parametrize("own", [True, False], ids=["shown", "none"])
def test_a_target_that_asks_for_our_certificate_gets_it(stage, own):
    """As the GNU Gatekeeper does. With TLS 1.3 its refusal comes after our handshake is over."""
    tls = server_context(*stage.authority.issue("gatekeeper", ["example.com"]))  # the domain of its id
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(stage.authority.ca)
    target = stage.keep(ScriptedTarget(h323.answering(ANSWERS), tls))
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    gateway = stage.gateway({
        "listen": h323_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [h323_service(BRANCH, tls=target, target_ca=stage.authority.ca,
                                 **({"target_certificate": "edge"} if own else {}))]})
    with Client(gateway.h323_port) as client:
        story = from_client(client)
        client.send(RRQ)
        assert h323.read_tpkt(client) == RCF if own else read_ending(client)[0] == b""
    record = gateway.only_record(story)
    assert record["tls_target"] is True and target.received == (RRQ if own else b"")


# Zero configuration: a phone that was never set up knows no password.

def test_a_phone_without_a_password_is_deployed_by_its_certificate_alone(stage):
    """The target plays a PBX that knows the gateway: by TLS it believes that a certificate was checked, in plain it asks
    for a password, which this registration has not."""
    rrq, rrj = h323.ras_of(RRQ), h323.ras_of(DENIED)
    denied = h323.facility(rrj[:2] + rrq[2:4] + rrj[4:])  # with the number of this request
    pbx = Pbx(stage, by_tls={RRQ: RCF}, by_plain={RRQ: denied})
    gateway = gateway_of(stage, pbx)
    for name, answer in (("phone1", RCF), ("mallory", denied), (None, denied)):
        with Client(gateway.h323s_port, showing(stage, name)) as client:
            client.send(RRQ)
            assert h323.read_tpkt(client) == answer, name
    with Client(gateway.h323_port) as client:
        client.send(RRQ)
        assert h323.read_tpkt(client) == denied
    assert (pbx.tls.received, pbx.plain.received) == (RRQ, RRQ * 3)
