"""check_certificate: whose certificate is good and names whom the telephone registers as goes on in TLS, everybody else
in plain; and the certificate that the gateway itself shows to the registrar."""
import ssl

import pytest

from harness import Client, sip_listen, sip_service, unverified_context, wait_until
from harness import sip_message as sip
from harness.baresip import Baresip
from harness.client_certificates import DeviceAuthority, every_kind, subject
from harness.rude_client import from_client

HQ, OPEN, SHOWN = "hq.example.com", "open.example.com", "shown.example.com"


@pytest.fixture(scope="module")
def trusted(module_stage):
    return DeviceAuthority(module_stage.directory / "devices")


@pytest.fixture(scope="module")
def kamailio(module_stage):
    return module_stage.kamailio([HQ, OPEN, SHOWN], tls_names=[HQ, OPEN, SHOWN])


@pytest.fixture(scope="module")
def gateway(module_stage, kamailio, trusted):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1", HQ])
    both = dict(target=kamailio, tls=kamailio, target_ca=module_stage.authority.ca)
    gateway = module_stage.gateway({
        "listen": sip_listen(), "trust": {"ca": [trusted.ca]},
        "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [sip_service(HQ, check_certificate=True, **both), sip_service(OPEN, **both),
                    sip_service(SHOWN, tls=kamailio, target_ca=module_stage.authority.ca, target_certificate="edge")]})
    gateway.ca = module_stage.authority.ca
    return gateway


def context(shown):
    """For a client that shows this certificate; None: it shows none."""
    made = unverified_context()
    if shown:
        made.load_cert_chain(shown.chain, shown.key)
    return made


def asks(client, *arguments, **named):
    client.send(sip.request(*arguments, **named))
    return sip.read_message(client)


def register(client, user="alice", domain=HQ, to=None):
    """Without credentials: how the registrar answers does not matter, but that it does."""
    answer = asks(client, "REGISTER", sender=sip.user(f"{user}@{domain}"), to=f"<sip:{to or user}@{domain}>",
                  uri=f"sip:{domain}")
    return answer.status, answer.reason


def leg_of(gateway, kamailio, shown, **registration):
    """The leg by which a registration arrives: "tls" or "tcp"."""
    before = len(kamailio.seen)
    with Client(gateway.sips_port, context(shown)) as client:
        story = from_client(client)
        assert register(client, **registration) == (401, None)
    seen = kamailio.seen[before:]
    assert len(seen) == 1
    record = gateway.only_record(story)
    assert (record["verdict"], record["tls_client"]) == ("forwarded", True)
    assert record["tls_target"] == (seen[0].transport == "tls")
    return seen[0].transport


NAMES = {  # what: common name, alternative names, the leg
    "the user": ("alice", (), "tls"),
    "the address": (f"alice@{HQ}", (), "tls"),
    "the host in upper case": (f"alice@{HQ.upper()}", (), "tls"),
    "the user as an alternative": ("phone", ("alice",), "tls"),
    "one of several alternatives": ("phone", ("bob", "alice", "carol"), "tls"),
    "the address as a URI": ("phone", (f"sip:alice@{HQ}",), "tls"),
    "the user in upper case": ("ALICE", (), "tcp"),
    "another user": ("bob", (), "tcp"),
    "a beginning": ("ali", (), "tcp"),
    "more than the user": ("alice2", (), "tcp"),
    "the user of another domain": (f"alice@{OPEN}", (), "tcp"),
    "the domain": (HQ, (), "tcp"),
    "an alternative that overrules the common name": ("alice", ("bob",), "tcp"),
    "a wildcard": ("*", (), "tcp"),
    "any user of the domain": (f"*@{HQ}", (), "tcp"),
    "a NUL behind the user": ("alice\0.evil", (), "tcp"),
    "a blank behind the user": ("alice ", (), "tcp"),
    "nothing": ("", (), "tcp"),
}


@pytest.mark.parametrize("what", NAMES)
def test_the_name_in_the_certificate_has_to_be_the_name_that_registers(gateway, kamailio, trusted, what):
    name, alternatives, leg = NAMES[what]
    shown = trusted.issue(subject_name=subject(CN=name) if name else subject(O="phones"), alternatives=alternatives)
    assert leg_of(gateway, kamailio, shown) == leg


GOOD = {"valid", "by an intermediate that is sent along", "for any purpose", "for servers and clients"}


def test_a_certificate_has_to_be_good(gateway, kamailio, trusted, stage):
    """None is required: whoever shows none, or a bad one, goes on in plain and needs its password there."""
    for what, shown in every_kind(stage.directory, trusted).items():
        assert leg_of(gateway, kamailio, shown, user="phone") == ("tls" if what in GOOD else "tcp"), what


def test_whoever_comes_in_plain_goes_on_in_plain(gateway, kamailio):
    before = len(kamailio.seen)
    with Client(gateway.sip_port) as client:
        assert register(client) == (401, None)
    assert [one.transport for one in kamailio.seen[before:]] == ["tcp"]


def test_who_registers_somebody_else_is_not_who_its_certificate_says(gateway, kamailio, trusted):
    assert leg_of(gateway, kamailio, trusted.issue("alice"), to="bob") == "tcp"


def test_without_the_check_encryption_stays_as_it_came(gateway, kamailio, trusted):
    for shown in (None, trusted.issue("bob"), trusted.self_signed("alice")):
        assert leg_of(gateway, kamailio, shown, domain=OPEN) == "tls"


def test_a_later_request_of_somebody_else_does_not_go_the_way_of_the_certificate(gateway, kamailio, trusted):
    before = len(kamailio.seen)
    with Client(gateway.sips_port, context(trusted.issue("alice"))) as client:
        story = from_client(client)
        assert register(client) == (401, None)
        assert register(client, "bob") == (403, "cert.name_mismatch")
        assert register(client, "alice", to="bob") == (403, "cert.name_mismatch")
        assert register(client) == (401, None)
    wait_until(lambda: len(gateway.records(story)) == 3, "a record for each refusal and one for the connection")
    assert [one.sender for one in kamailio.seen[before:]] == [f"sip:alice@{HQ}"] * 2


@pytest.mark.parametrize("user, leg", [("bob", "tls"), ("carol", "tcp")])
def test_a_phone_with_a_certificate(stage, gateway, kamailio, trusted, user, leg):
    shown = trusted.issue("bob")
    before = len(kamailio.seen)
    phone = stage.keep(Baresip(stage.folder("baresip"), user, HQ, gateway.sips_port, gateway.ca,
                               certificate=(shown.chain, shown.key)))
    phone.says("200 OK")
    assert {one.transport for one in kamailio.seen[before:]} == {leg}


@pytest.mark.parametrize("name, user, leg", [("alice", "alice", "tls"), ("alice", "bob", "plain"),
                                             (f"alice@{HQ}", "alice", "tls"), (None, "alice", "plain")])
def test_explain_takes_a_certificate(gateway, trusted, name, user, leg):
    certificate = ["--certificate", trusted.issue(name).chain] if name else []
    explained = gateway.json_verb("explain", f"sip:{user}@{HQ}", "--client", "127.0.0.1", "--tls", *certificate)[1]
    assert (explained["verdict"], explained["leg"]) == ("forwarded", leg)


def test_the_registrar_is_shown_the_gateways_certificate(gateway, kamailio):
    before = len(kamailio.seen)
    for port, tls in ((gateway.sip_port, None), (gateway.sips_port, unverified_context())):
        with Client(port, tls) as client:
            assert register(client, domain=SHOWN)[0] == 401
    assert [(one.transport, one.certificate) for one in kamailio.seen[before:]] == [("tls", "edge")] * 2


def test_check_wants_both_ports(gateway, stage, kamailio, trusted):
    other = stage.gateway({"listen": sip_listen(), "trust": {"ca": [trusted.ca]},
                           "service": [sip_service(HQ, kamailio, check_certificate=True)]}, start=False)
    status, found = other.check()
    assert status == 3 and "needs both plain_port and tls_port" in found["errors"][0]["message"]


def test_a_session_that_is_resumed_is_still_who_it_was(gateway, kamailio, trusted):
    """RFC 8446 section 2.2: no certificate is shown again."""
    for shown, leg in ((trusted.issue("alice"), "tls"), (trusted.issue("bob"), "tcp")):
        one = context(shown)
        one.maximum_version = ssl.TLSVersion.TLSv1_2
        before = len(kamailio.seen)
        with Client(gateway.sips_port, one) as client:
            register(client)
            session = client.sock.session
        with Client(gateway.sips_port, one, session=session) as client:
            register(client)
        assert [seen.transport for seen in kamailio.seen[before:]] == [leg, leg]
