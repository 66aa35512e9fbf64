"""Telephones reach the registrar of their domain through the gateway, over every combination of TLS: sipp, sipsak and
baresip against Kamailio."""
import signal

import pytest

from harness import Client, proxy_header, sip_listen, sip_service, unverified_context, wait_until
from harness import sip_message as sip
from harness import sipsak
from harness.baresip import Baresip
from harness.kamailio import Kamailio
from harness.rude_client import from_client
from harness.sipp import Sipp
from harness.stunnel import Stunnel

HQ, BRANCH = "hq.example.com", "branch.example.com"
LEGS = {  # of the service: which of Kamailio's ports it gives
    HQ: ("plain", "tls"), "plain.example.com": ("plain",), "tls.example.com": ("tls",)}
CLIENTS = ["plain", "tls"]
REGISTRATION = ["REGISTER", "REGISTER"]  # challenged and repeated


@pytest.fixture(scope="module")
def kamailio(module_stage):
    return module_stage.kamailio(list(LEGS), tls_names=list(LEGS))


@pytest.fixture(scope="module")
def branch(module_stage):
    return module_stage.kamailio([BRANCH])


@pytest.fixture(scope="module")
def gateway(module_stage, kamailio, branch):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1", *LEGS])
    services = [sip_service(domain, kamailio if "plain" in ports else None, kamailio if "tls" in ports else None,
                            target_ca=module_stage.authority.ca) for domain, ports in LEGS.items()]
    gateway = module_stage.gateway({
        "listen": sip_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [*services, sip_service(BRANCH, branch),
                    sip_service("closed.example.com", branch, allow_from=["192.0.2.0/24"])]})
    gateway.ca = module_stage.authority.ca
    # For sipp, which has no TLS.
    tunnel = module_stage.keep(Stunnel(module_stage.folder("stunnel"), gateway.sips_port, gateway.ca))
    gateway.sipp_ports = {"plain": gateway.sip_port, "tls": tunnel.port}
    return gateway


@pytest.fixture
def sipp(stage, gateway):
    """Starts sipp towards the gateway."""
    def start(scenario, how, domain, **more):
        return stage.keep(Sipp(stage.folder("sipp"), scenario, gateway.sipp_ports[how], domain, **more))
    return start


def connect(gateway, how="plain", **more):
    tls = how == "tls"
    return Client(gateway.sips_port if tls else gateway.sip_port, unverified_context() if tls else None, **more)


def asks(client, *arguments, **named):
    """Sends a request and reads the answer to it."""
    client.send(sip.request(*arguments, **named))
    return sip.read_message(client)


def register(client, address, password=Kamailio.PASSWORD, contact="sip:phone@127.0.0.1:9;transport=tcp"):
    """As a telephone does; returns the answer to the request with credentials."""
    domain = address.partition("@")[2]
    about = dict(sender=sip.user(address), to=f"<sip:{address}>", uri=f"sip:{domain}")
    fields = f"Contact: <{contact}>\r\nExpires: 600\r\n"
    challenge = asks(client, "REGISTER", **about, fields=fields)
    assert challenge.status == 401, challenge.raw
    given = sip.credentials(challenge, "REGISTER", address.partition("@")[0], password, about["uri"])
    return asks(client, "REGISTER", **about, fields=fields + given, number=2)


def seen_since(kamailio, before):
    """(methods, transports) of the requests that came since it had seen `before`."""
    seen = kamailio.seen[before:]
    return [one.method for one in seen], {one.transport for one in seen}


def expected_leg(domain, how):
    """Whether the way from the gateway to the registrar is TLS."""
    return {("plain", "tls"): how == "tls", ("plain",): False, ("tls",): True}[LEGS[domain]]


def check_record(record, kamailio, domain, how):
    tls = expected_leg(domain, how)
    assert (record["verdict"], record["reason"], record["protocol"]) == ("forwarded", "ok", "sip")
    assert (record["service"], record["looked_for"]) == (domain, domain)
    assert (record["tls_client"], record["tls_target"]) == (how == "tls", tls)
    assert record["target"] == f"127.0.0.1:{kamailio.tls_port if tls else kamailio.port}"


# Registrations and calls.

@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("domain", LEGS)
def test_a_phone_registers_over_each_combination_of_tls(gateway, kamailio, sipp, domain, how):
    before, seen = gateway.settled(), len(kamailio.seen)
    sipp("register", how, domain).succeeds()
    assert seen_since(kamailio, seen) == (REGISTRATION, {"tls" if expected_leg(domain, how) else "tcp"})
    assert kamailio.seen[-1].sender == f"sip:alice@{domain}"
    record = gateway.latest_record(before)
    check_record(record, kamailio, domain, how)
    assert record["bytes_in"] > 500 and record["bytes_out"] > 500


@pytest.mark.parametrize("how", CLIENTS)
def test_a_wrong_password_is_the_registrars_answer_and_no_refusal(gateway, sipp, how):
    before = gateway.settled()
    sipp("refused", how, HQ, password="wrong").succeeds()
    assert gateway.latest_record(before)["verdict"] == "forwarded"


@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("domain", LEGS)
def test_a_call_from_phone_to_phone_over_each_combination_of_tls(gateway, kamailio, sipp, domain, how):
    """The registrar reaches the phone that is called over the connection that it has registered by: it opens none."""
    before = gateway.settled()
    called = sipp("wait", how, domain, user="bob", answers="answer")
    called.receives("SIP/2.0 200 OK")
    seen = len(kamailio.seen)
    sipp("call", how, domain, user="alice", callee="bob").succeeds()
    assert seen_since(kamailio, seen)[0] == ["INVITE", "INVITE", "ACK", "BYE"]
    assert {one.source for one in kamailio.seen[seen:]} == {kamailio.seen[-1].source}
    called.receives("BYE sip:bob@")
    assert f"INVITE sip:bob@127.0.0.1:{called.port}" in called.messages
    caller = gateway.latest_record(before)
    called.stop()
    wait_until(lambda: gateway.counted() == before + 2, "the record of the phone that was called")
    for record in (caller, *gateway.records()[before + 1:]):
        check_record(record, kamailio, domain, how)


@pytest.mark.parametrize("caller, called", [("plain", "tls"), ("tls", "plain")])
def test_a_call_between_tls_and_plain(gateway, kamailio, sipp, caller, called):
    phone = sipp("wait", called, HQ, user="bob", answers="answer")
    phone.receives("SIP/2.0 200 OK")
    sipp("call", caller, HQ, user="alice", callee="bob").succeeds()
    phone.receives("BYE sip:bob@")


@pytest.mark.parametrize("how", CLIENTS)
def test_options_asks_the_registrar(gateway, kamailio, sipp, how):
    before, seen = gateway.settled(), len(kamailio.seen)
    sipp("options", how, HQ).succeeds()
    assert seen_since(kamailio, seen)[0] == ["OPTIONS"]
    check_record(gateway.latest_record(before), kamailio, HQ, how)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("domain", LEGS)
def test_sipsak_registers(stage, gateway, kamailio, domain, transport):
    before, seen = gateway.settled(), len(kamailio.seen)
    port = gateway.sips_port if transport == "tls" else gateway.sip_port
    done = sipsak.register(stage.folder("sipsak"), f"carol@{domain}", port, gateway.ca, transport)
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen_since(kamailio, seen)[0] == REGISTRATION
    check_record(gateway.latest_record(before), kamailio, domain, "tls" if transport == "tls" else "plain")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_two_phones_talk(stage, gateway, kamailio, transport):
    port = gateway.sips_port if transport == "tls" else gateway.sip_port

    def phone(user, **more):
        return stage.keep(Baresip(stage.folder("baresip"), user, HQ, port, gateway.ca, transport, **more))
    before, seen = gateway.settled(), len(kamailio.seen)
    called = phone("bob")
    called.says("200 OK")
    caller = phone("alice", dial=f"sip:bob@{HQ}")
    caller.says("Call established")
    called.says("Call established: sip:alice@")
    called.stop()  # hangs up
    caller.says("session closed")
    caller.stop()
    hung_up = next(one for one in kamailio.seen[seen:] if one.method == "BYE")
    assert hung_up.sender.startswith(f"sip:bob@{HQ}")
    wait_until(lambda: gateway.counted() == before + 2, "a record for each")
    for record in gateway.records()[before:]:
        check_record(record, kamailio, HQ, "tls" if transport == "tls" else "plain")


@pytest.mark.parametrize("how", CLIENTS)
def test_a_hundred_phones_at_once(gateway, kamailio, sipp, how):
    before, seen = gateway.settled(), len(kamailio.seen)
    sipp("register", how, HQ, calls=100).succeeds()
    assert gateway.settled() == before + 100
    assert {record["reason"] for record in gateway.records()[before:]} == {"ok"}
    assert len({one.source for one in kamailio.seen[seen:]}) == 100 and len(kamailio.seen) == seen + 200


# Where a request goes.

def test_each_domain_has_its_own_registrar(gateway, kamailio, branch):
    homes = [(HQ, kamailio, branch), (BRANCH, branch, kamailio), (HQ.upper(), kamailio, branch)]
    for domain, registrar, other in homes:
        before, seen = len(registrar.seen), len(other.seen)
        with connect(gateway) as client:
            # Whom it goes to does not matter: whom it is from does.
            answer = asks(client, sender=sip.user(f"alice@{domain}"), to="<sip:x@other.example>", uri=f"sip:{domain}")
            assert answer.status == 200
        assert seen_since(registrar, before)[0] == ["OPTIONS"] and len(other.seen) == seen


@pytest.mark.parametrize("how", CLIENTS)
def test_an_unknown_domain_is_refused_in_sip(gateway, kamailio, branch, how):
    seen = len(kamailio.seen), len(branch.seen)
    with connect(gateway, how) as client:
        story = from_client(client)
        address = "alice@hq.exmaple.com"
        answer = asks(client, "REGISTER", sender=sip.user(address), to=f"<sip:{address}>")
        assert (answer.status, answer.reason) == (404, "service.unknown")
        assert HQ not in answer.raw.decode()  # for the administrator's eyes
        assert "tag=" in answer.get("To") and answer.get("CSeq") == "1 REGISTER"
        assert client.read_to_end() == b""
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"], record["nearest"]) == ("refused", "service.unknown", HQ)
    assert (record["looked_for"], record["tls_client"]) == ("hq.exmaple.com", how == "tls")
    assert seen == (len(kamailio.seen), len(branch.seen))


@pytest.mark.parametrize("sender, reason, status", [
    (f"alice@{BRANCH}", "service.unknown", 403), ("alice@nobody.example", "service.unknown", 404),
    ("alice@closed.example.com", "acl.denied", 403), ("tel:+4930123456", "service.no_name", 403)])
@pytest.mark.parametrize("how", CLIENTS)
def test_a_later_request_of_another_domain_is_refused_and_not_mixed(gateway, kamailio, branch, sender, reason, status,
                                                                    how):
    seen, others = len(kamailio.seen), len(branch.seen)
    with connect(gateway, how) as client:
        story = from_client(client)
        assert asks(client).status == 200
        refused = asks(client, "MESSAGE", sender=sip.user(sender), body=b"OPTIONS in a body")
        assert (refused.status, refused.reason, refused.get("CSeq")) == (status, reason, "1 MESSAGE")
        assert asks(client).status == 200  # the connection goes on
        wait_until(lambda: gateway.records(story), "the refusal's record")
        assert [record["verdict"] for record in gateway.records(story)] == ["refused"]
    wait_until(lambda: len(gateway.records(story)) == 2, "a record for the connection")
    assert [record["reason"] for record in gateway.records(story)] == [reason, "ok"]
    assert seen_since(kamailio, seen)[0] == ["OPTIONS", "OPTIONS"] and len(branch.seen) == others


NAMELESS = ["tel:+4930123456", "sip:anonymous@anonymous.invalid"]


@pytest.mark.parametrize("sender", NAMELESS)
def test_a_call_from_no_domain_is_answered(gateway, sender):
    with connect(gateway) as client:
        story = from_client(client)
        answer = asks(client, "INVITE", sender=sip.user(sender))
        assert (answer.status, answer.reason) == (403, "service.no_name")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "service.no_name")


def test_the_default_service_takes_what_is_from_no_domain(stage):
    target = stage.target(sip.registrar)
    gateway = stage.gateway({"listen": sip_listen(), "service": [sip_service("any.example", target, default=True)]})
    for sender in [*NAMELESS, "sip:alice@nobody.example"]:
        with connect(gateway) as client:
            story = from_client(client)
            assert asks(client, "INVITE", sender=sip.user(sender)).status == 200
        record = gateway.only_record(story)
        assert (record["verdict"], record["service"]) == ("forwarded", "any.example")
    assert [request.get("From") for request in target.requests] == [sip.user(one) for one in [
        *NAMELESS, "sip:alice@nobody.example"]]
    explained = gateway.explain("sip:alice@nobody.example")
    assert (explained["verdict"], explained["service"]) == ("forwarded", "any.example")


@pytest.mark.parametrize("how", CLIENTS)
def test_keep_alives_are_answered_before_and_after_the_first_request(gateway, how):
    with connect(gateway, how) as client:
        story = from_client(client)
        client.send(sip.PING)
        assert client.read_exactly(2) == sip.PONG
        client.send(sip.PING + sip.PING)
        assert client.read_exactly(4) == sip.PONG * 2
        assert asks(client).status == 200
        client.send(sip.PING)  # this one the registrar answers
        assert client.read_exactly(2) == sip.PONG
    assert gateway.only_record(story)["verdict"] == "forwarded"


@pytest.mark.parametrize("address", [
    f"alice@{HQ}", f"alice@{HQ.upper()}", f"alice@{HQ}.", "alice@plain.example.com", "alice@tls.example.com",
    f"alice@{BRANCH}", "alice@closed.example.com", "alice@hq.exmaple.com", f"sub.{HQ}", HQ, "alice@anonymous.invalid",
    "alice@192.0.2.1", "alice@[2001:db8::1]", f"alice:secret@{HQ}:5060;transport=tcp"])
@pytest.mark.parametrize("scheme", ["sip", "sips"])
def test_explain_says_what_happens(gateway, kamailio, branch, address, scheme):
    explained = gateway.explain(f"{scheme}:{address}")
    with connect(gateway, "tls" if scheme == "sips" else "plain") as client:
        story = from_client(client)
        answer = asks(client, "REGISTER", sender=f"<sip:{address}>;tag=1", fields="Contact: <sip:a@127.0.0.1:9>\r\n")
        assert answer.status in (401, 403, 404)
    record = gateway.only_record(story)
    assert record["verdict"] == explained["verdict"], (explained, record)
    assert record["reason"] == ("ok" if explained["verdict"] == "forwarded" else explained["reason"])
    assert record["service"] == explained["service"]
    if explained["verdict"] == "forwarded":
        assert record["target"] == explained["target"]
        assert record["tls_target"] == (explained["leg"] == "tls")


@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("domain", LEGS)
@pytest.mark.parametrize("where", ["From", "Request-URI"])
def test_sips_goes_on_in_tls_unless_there_is_no_port_for_it(gateway, domain, how, where):
    """RFC 3261 section 26.2.2. Where there is none, the record says that it was asked for."""
    scheme = ("sips", "sip") if where == "From" else ("sip", "sips")
    with connect(gateway, how) as client:
        story = from_client(client)
        asks(client, "REGISTER", sender=f"<{scheme[0]}:alice@{domain}>;tag=1", uri=f"{scheme[1]}:{domain}")
    record = gateway.only_record(story)
    assert (record["verdict"], record["tls_target"]) == ("forwarded", "tls" in LEGS[domain])
    assert ("asks for TLS on each hop" in record.get("detail", "")) == ("tls" not in LEGS[domain])


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_kamailio_is_told_who_asks(stage, version):
    kamailio = stage.kamailio([HQ], proxy_protocol=True)
    gateway = stage.gateway({"listen": sip_listen(), "service": [sip_service(HQ, kamailio, proxy_protocol=version)]})
    with connect(gateway, source="127.0.0.77") as client:
        assert asks(client).status == 200
        address, port = kamailio.seen[-1].source.split(":")
        assert address == "127.0.0.77"
        if version == "v1":  # of version 2, Kamailio 5.6 swaps the bytes of the port
            assert int(port) == client.sock.getsockname()[1]


# The gateway in the route of dialogs (route_header).

@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("leg", ["plain", "tls"])
def test_calls_find_their_way_by_the_entries_of_the_gateway(stage, how, leg):
    """Path (RFC 3327) and Record-Route (RFC 3261 section 16.6) are all that the registrar goes by."""
    kamailio = stage.kamailio([HQ], tls_names=[HQ], by_route=True)
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    gateway = stage.gateway({
        "listen": sip_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [sip_service(HQ, *((kamailio,) if leg == "plain" else (None, kamailio)), route_header=True,
                                target_ca=stage.authority.ca)]})
    port = gateway.sip_port
    if how == "tls":
        port = stage.keep(Stunnel(stage.folder("stunnel"), gateway.sips_port, stage.authority.ca)).port

    def sipp(scenario, user, **more):
        return stage.keep(Sipp(stage.folder("sipp"), scenario, port, HQ, user, **more))
    called = sipp("wait", "bob", answers="answer")
    called.receives("SIP/2.0 200 OK")
    sipp("call", "alice").succeeds()
    called.receives("BYE sip:bob@")
    own = gateway.sips_port if how == "tls" else gateway.sip_port
    transport = "tls" if how == "tls" else "tcp"
    assert f"Record-Route: <sip:{HQ}@127.0.0.1:{own};transport={transport};lr>" in called.messages
    assert "\nRoute:" not in called.messages  # what has led to the gateway has served its purpose
    assert [one.method for one in kamailio.seen] == [*REGISTRATION, "INVITE", "INVITE", "ACK", "BYE"]


def test_the_public_address_is_what_outside_comes_back_to(stage):
    """Also over a new connection, and whomever the request is from: the entry holds the domain."""
    targets = [stage.target(sip.registrar) for _ in range(2)]
    gateway = stage.gateway({
        "listen": sip_listen(), "node": {"nat_map": ["203.0.113.10=127.0.0.1"]},
        "service": [sip_service(HQ, targets[0], route_header=True), sip_service(BRANCH, targets[1])]})
    outer = f"<sip:{HQ}@203.0.113.10:{gateway.sip_port};transport=tcp;lr>"
    with connect(gateway) as client:
        assert asks(client, "INVITE").status == 200
        assert targets[0].requests[0].all("Record-Route")[1] == outer
        inner = targets[0].requests[0].all("Record-Route")[0]
    later = dict(sender=sip.user(f"bob@{BRANCH}"), to=f"<sip:alice@{HQ}>;tag=hers")
    with connect(gateway) as client:
        assert asks(client, "BYE", **later, fields=f"Route: {outer}, {inner}, <sip:192.0.2.9;lr>\r\n").status == 200
    assert not targets[1].requests
    # The entry of the side that was, with its port of then, means nothing to the connection of now.
    assert targets[0].requests[1].all("Route") == [f"{inner}, <sip:192.0.2.9;lr>"]


def test_behind_a_balancer_what_outside_comes_back_to_is_the_balancer(stage):
    target = stage.target(sip.registrar)
    gateway = stage.gateway({"listen": {**sip_listen(), "proxy_from": ["127.0.0.1"]},
                             "service": [sip_service(HQ, target, route_header=True)]})
    with Client(gateway.sip_port) as client:
        client.send(proxy_header.v2(("198.51.100.7", 5070), ("203.0.113.20", 5060)))
        assert asks(client, "INVITE").status == 200
    assert target.requests[0].all("Record-Route")[1] == f"<sip:{HQ}@203.0.113.20:5060;transport=tcp;lr>"


def test_without_route_header_messages_pass_as_they_are(stage):
    target = stage.target(sip.registrar)
    gateway = stage.gateway({"listen": sip_listen(), "service": [sip_service(HQ, target)]})
    messages = [sip.request(method, fields="Route: <sip:192.0.2.9;lr>\r\n") for method in ("INVITE", "REGISTER")]
    with connect(gateway) as client:
        for message in messages:
            client.send(message)
            assert sip.read_message(client).status == 200
    assert [request.raw for request in target.requests] == messages


# Calls outlive what happens to the gateway.

def call_that_lasts(stage, gateway, milliseconds):
    """(caller, called), in the midst of a call that was taken."""
    def phone(scenario, user, **more):
        return stage.keep(Sipp(stage.folder("sipp"), scenario, gateway.sip_port, HQ, user, **more))
    called = phone("wait", "bob", answers="answer")
    called.receives("SIP/2.0 200 OK")
    caller = phone("call", "alice", talk=milliseconds)
    called.receives("ACK sip:bob@")
    return caller, called


def test_a_reload_loses_no_call(stage, gateway):
    before = gateway.settled()
    caller, called = call_that_lasts(stage, gateway, 1500)
    gateway.config["service"].append(sip_service("new.example.com", 9))
    gateway.write()
    gateway.reload()
    with connect(gateway) as client:
        assert asks(client, sender=sip.user("alice@new.example.com")).status == 503  # it is known now
    caller.succeeds()
    called.receives("BYE sip:bob@")
    wait_until(lambda: "ok" in [record["reason"] for record in gateway.records()[before:]], "the record of the call")


def test_a_drain_lets_calls_come_to_their_end(stage, kamailio):
    gateway = stage.gateway({"listen": sip_listen(), "node": {"drain_timeout": "20s"},
                             "service": [sip_service(HQ, kamailio)]})
    caller, called = call_that_lasts(stage, gateway, 1500)
    gateway.signal(signal.SIGTERM)
    caller.succeeds()
    called.receives("BYE sip:bob@")
    called.stop()
    assert gateway.wait() == 0
    assert [record["reason"] for record in gateway.records()] == ["ok", "ok"]
