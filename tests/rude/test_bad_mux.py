"""First bytes on the port of many protocols: cut off anywhere and then silence, an end or the rest; and of protocols
that nobody here speaks. Each story ends in one record, and no target sees what was not decided."""
import pytest

from harness import (Client, answer_each, free_port, http_service, ldap_service, plain_answer, proxy_header,
                     sip_service, unverified_context)
from harness import ldap_message as ldap
from harness import sip_message as sip
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import returns_descriptors
from harness.rude_tls import first_flight

HQ = "hq.example.com"
LONG = 30  # seconds of patience with a gateway whose own is 10, and 10 again
HTTP = f"GET / HTTP/1.1\r\nHost: {HQ}\r\n\r\n".encode()
BIND = ldap.bind(rf"{HQ}\guest")
FIRST = {  # of each protocol: a whole first message
    "http": HTTP, "http options": HTTP.replace(b"GET /", b"OPTIONS *"),
    "http absolute": HTTP.replace(b"GET /", f"GET http://{HQ}/".encode()), "http behind a line end": b"\r\n" + HTTP,
    "sip": sip.request(), "sip register": sip.request("REGISTER"), "sip behind a line end": b"\r\n" + sip.request(),
    "sip to a tel: URI": sip.request("INVITE", uri="tel:+4930123"),
    "ldap": BIND, "ldap in the long form": b"\x30\x84" + (len(BIND) - 2).to_bytes(4, "big") + BIND[2:],
}
DECIDED_WITHIN = 24  # bytes: no protocol needs more of its first message to be told


@pytest.fixture(scope="module")
def targets(module_stage):
    return {"http": module_stage.target(answer_each(plain_answer(b"http"))),
            "sip": module_stage.target(sip.registrar), "ldap": module_stage.target(ldap.directory)}


@pytest.fixture(scope="module")
def gateway(module_stage, targets):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    gateway = module_stage.gateway({
        "listen": {"mux": f"127.0.0.1:{free_port()}"}, "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [http_service(HQ, targets["http"]), sip_service(HQ, targets["sip"]),
                    ldap_service(HQ, targets["ldap"])]})
    for tls in (False, True):
        for name in FIRST:
            with connect(gateway, tls) as client:
                client.send(FIRST[name])
                is_answered(client, name)
    with returns_descriptors(gateway):
        yield gateway


def connect(gateway, tls=False, **more):
    return Client(gateway.mux_port, unverified_context() if tls else None, **more)


def is_answered(client, name):
    """By the target of its protocol, whose answer is good."""
    if name.startswith("http"):
        assert client.read_response().body == b"http"
    elif name.startswith("sip"):
        assert sip.read_message(client).get("To").endswith("tag=target")
    else:
        answer = ldap.read_message(client)
        assert (answer.op, answer.code) == (ldap.BIND_ANSWER, ldap.SUCCESS)


def received(targets):
    return {name: len(target.received) for name, target in targets.items()}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("name", FIRST)
def test_one_byte_a_segment_is_told_all_the_same(gateway, name, tls):
    with connect(gateway, tls) as client:
        story = from_client(client)
        send_by_bytes(client, FIRST[name])
        is_answered(client, name)
    record = gateway.only_record(story)
    assert (record["protocol"], record["tls_client"]) == (name.split()[0], tls)


@pytest.mark.parametrize("name", FIRST)
def test_a_pause_anywhere_changes_nothing(gateway, name):
    for at in range(1, DECIDED_WITHIN):
        with connect(gateway) as client:
            client.send(FIRST[name][:at])
            assert client.is_silent_for(0.005)
            client.send(FIRST[name][at:])
            is_answered(client, name)


def test_silence_after_each_beginning_is_ended(gateway, targets):
    """All at once, for each takes the gateway's whole patience of 10 s, and some of it twice; from several addresses."""
    before = received(targets)
    beginnings = {data[:at] for data in FIRST.values() for at in range(0, DECIDED_WITHIN)}
    hello = first_flight(HQ)
    beginnings |= {hello[:at] for at in (1, 2, 3, 5, 6, 50, len(hello) - 1)}
    tries = [(False, data) for data in sorted(beginnings)]
    tries += [(True, data) for data in (b"", b"\r", b"\x30", b"O", b"OPTIONS ")]
    clients = []
    for number, (tls, data) in enumerate(tries):
        client = connect(gateway, tls, timeout=LONG, source=f"127.0.0.{number % 20 + 10}")
        clients.append((client, from_client(client)))
        client.send(data)
    for (tls, data), (client, story) in zip(tries, clients):
        with client:
            read_ending(client)
        assert gateway.only_record(story)["reason"] in ("peek.timeout", "tls.timeout"), (tls, data)
    assert received(targets) == before


@pytest.mark.parametrize("end", ["close", "reset", "half_close"])
def test_an_end_after_each_beginning_leaves_one_record(gateway, targets, end):
    before = received(targets)
    for data in sorted({data[:at] for data in FIRST.values() for at in range(1, DECIDED_WITHIN)}):
        with connect(gateway) as client:
            story = from_client(client)
            client.send(data)
            getattr(client, end)()
            if end == "half_close":
                read_ending(client)
            if data in (b"\r\n", b"\r"):  # line ends are nothing yet to who speaks HTTP
                continue
            assert gateway.only_record(story)["verdict"] == "refused", data
    assert received(targets) == before


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_connection_without_a_byte_leaves_no_record(gateway, end):
    before = gateway.settled()
    with connect(gateway) as client:
        getattr(client, end)()
    with connect(gateway) as client:
        client.send(sip.request())
        is_answered(client, "sip")
    gateway.latest_record(before)


UNKNOWN = {
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n", "stun": b"\x00\x01\x00\x00\x21\x12\xa4\x42",
    "dns": b"\x00\x1d\x12\x34\x01\x00\x00\x01", "smb": b"\x00\x00\x00\x45\xffSMBr", "nothing but zeros": bytes(64),
    "rubbish": bytes(range(255, 0, -1)),
    "socks 4": b"\x04\x01\x00\x50", "socks 5": b"\x05\x01\x00", "a blank": b" GET /",
    "smtp": b"EHLO client.example\r\n", "postgres": b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
    "a word without an end": b"A" * 600,
    "a version of TLS without records": b"\x80\x2e\x01\x03\x01", "a SEQUENCE of a string": b"\x30\x03\x04\x01\x41",
    "a SEQUENCE of indefinite length": b"\x30\x80\x02\x01\x01", "line ends and rubbish": b"\r\n\xff",
    "a number": b"123 /", "a URI of a number": b"GET 123 HTTP/1.1\r\n",
}


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", UNKNOWN)
def test_what_nobody_speaks_is_ended_and_said_to_be(gateway, targets, what, tls, send):
    before = received(targets)
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, UNKNOWN[what])
        assert read_ending(client)[0] == b""
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "protocol.mismatch")
    assert (record["protocol"], record["tls_client"]) == ("mux", tls)
    assert received(targets) == before


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", ["http", "sip", "ldap"])
def test_a_stranger_with_a_proxy_header_is_reset(gateway, targets, name, version):
    before = received(targets)
    with connect(gateway) as client:
        story = from_client(client)
        client.send(proxy_header.header(version, ("192.0.2.9", 4711)) + FIRST[name])
        assert read_ending(client) == (b"", "reset")
    assert gateway.only_record(story)["reason"] == "proxy.untrusted"
    assert received(targets) == before


@pytest.mark.parametrize("first, later", [("http", "sip"), ("sip", "http"), ("sip", "ldap"), ("ldap", "sip")])
def test_who_has_begun_with_one_protocol_stays_with_it(gateway, targets, first, later):
    before = received(targets)[later]
    with connect(gateway) as client:
        client.send(FIRST[first])
        is_answered(client, first)
        client.send(FIRST[later])
        if first == "http":
            assert client.read_response().status in (400, 404, 421, 505)
        client.half_close()  # for SIP waits for the end of a head
        read_ending(client)
    assert received(targets)[later] == before


def test_tls_within_tls_is_nothing_that_anybody_speaks(gateway, targets):
    before = received(targets)
    with connect(gateway, True) as client:
        story = from_client(client)
        client.send(first_flight(HQ))
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "protocol.mismatch"
    assert received(targets) == before
