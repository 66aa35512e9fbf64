"""H.323 clients and gatekeepers that misbehave. A client is refused in H.323 as soon as it can be answered, else reset;
each story ends in one record, and the target never sees what is refused."""
import pytest

from harness import Client, h323_listen, h323_service, unverified_context, wait_until
from harness import h323_message as h323
from harness import proxy_header
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import returns_descriptors
from harness.rude_tls import first_flight

BRANCH = "example.com/branch-a"
LONG = 25  # seconds of patience with a gateway whose own is 10
RRQ = h323.conversations("04")[0][0][1]  # as mallory, for BRANCH
SETUP = next(said[0][1] for said in h323.conversations("10") if said[0][1][8] == h323.SETUP)
MANY_ALIASES = h323.conversations("18")[0]


def script(connection):
    """Says what the test has put there, and takes everything."""
    target = connection.target
    connection.read_some()
    connection.send(target.says)
    connection.sock.settimeout(None)
    while connection.read_some():
        pass


@pytest.fixture(scope="module")
def target(module_stage):
    target = module_stage.target(script)
    target.says = b""
    return target


@pytest.fixture(scope="module")
def gateway(module_stage, target):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1"])
    gateway = module_stage.gateway({
        "listen": h323_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "guard": {"never_ban": ["127.0.0.0/8"]},
        "service": [h323_service([BRANCH, "example.com"], target)]})
    for tls in (False, True):
        with connect(gateway, tls) as client:
            story = from_client(client)
            client.send(RRQ)
        gateway.only_record(story)
    with returns_descriptors(gateway):
        yield gateway


def connect(gateway, tls=False, **more):
    return Client(gateway.h323s_port if tls else gateway.h323_port, unverified_context() if tls else None, **more)


def altered(message, at, octets):
    """The same message, with other octets at a place and all lengths as they were."""
    return message[:at] + octets + message[at + len(octets):]


def place(message, octets):
    at = message.index(octets)
    assert message.find(octets, at + 1) < 0
    return at


BMP_ID = place(RRQ, "example.com/b".encode("utf-16-be"))
USER_USER = RRQ.index(b"\x7e\x00")
ALIAS = place(RRQ, "mallory".encode("utf-16-be"))
NOT_H323 = {
    "http": b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    "zeros": bytes(100),
    "all bytes": bytes(range(256)),
    "a length of three": b"\x03\0\0\x03" + bytes(10),
    "a tpkt of one octet": b"\x03\0\0\x05\xaa",
    "no q931": h323.tpkt(b"\x03\x02\0\0\x62"),
    "a call reference of fifteen octets": h323.tpkt(b"\x08\x0f" + bytes(15) + b"\x62"),
    "a call reference that is cut off": h323.tpkt(b"\x08\x02\0"),
    "keep-alives for ever": h323.KEEP_ALIVE * 50,
    "short keep-alives for ever": h323.SHORT_KEEP_ALIVE * 50,
}
RELEASED = {  # told by a ReleaseComplete: nothing of the registration can be answered
    "an information element that lies": h323.q931(h323.FACILITY, elements=b"\x1c\x7f\0"),
    "an empty user-user": h323.q931(h323.FACILITY, elements=b"\x7e\0\0"),
    "a user-user that lies": altered(RRQ, USER_USER + 1, b"\x40\x00"),
    "two user-users": h323.q931(h323.FACILITY, b"\x08\x10\x01\x00", elements=b"\x7e\0\x05\x05\x08\x10\x01\x00"),
    "no h225": h323.q931(h323.FACILITY, b""),
    "an extension map that is cut off": h323.q931(h323.FACILITY, b"\x28\x10\x01\x00\xff\xff"),
    "generic data that lies": h323.q931(h323.FACILITY, b"\x28\x10\x01\x00\x10\x01\x01\x7d\x01\x40\x00\x11"),
    "a body out of range": h323.q931(h323.FACILITY, b"\x07"),
    "a setup that is cut off": h323.q931(h323.SETUP, b"\x20\xb0\x06\x00\x08", reference=b"\x12\x67"),
    "a body that is none of a facility's": h323.q931(h323.FACILITY, b"\x0b\x01\x00"),
}
REJECTED = {  # told by an RRJ: the request number was there
    "a lone surrogate in the id": altered(RRQ, BMP_ID, b"\xd8\x00"),
    "a zero in the id": altered(RRQ, BMP_ID, b"\0\0"),
    "a line feed in the id": altered(RRQ, BMP_ID, b"\0\n"),
    "a control character in an alias": altered(RRQ, ALIAS, b"\0\x1b"),
    "a lone surrogate in an alias": altered(RRQ, ALIAS, b"\xdc\x00"),
    "an id of two locations at once": altered(RRQ, BMP_ID, "a@b@".encode("utf-16-be")),
    "more aliases than there are": altered(RRQ, ALIAS - 3, b"\x7f"),
    "an alias longer than the message": altered(RRQ, ALIAS - 1, b"\xff"),
}


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", NOT_H323)
def test_what_is_no_h323_is_reset(gateway, target, what, tls, send):
    before = target.received
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, NOT_H323[what])
        assert read_ending(client)[0] == b""
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"], record["tls_client"]) == ("refused", "peek.malformed", tls)
    assert target.received == before


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("what", [*RELEASED, *REJECTED])
def test_what_can_be_answered_is_refused_in_h323(gateway, target, what, send):
    before = target.received
    data = RELEASED.get(what) or REJECTED[what]
    with connect(gateway) as client:
        story = from_client(client)
        send(client, data)
        answer = h323.read_tpkt(client)
        assert read_ending(client)[0] == b""
    assert answer[8] == (h323.RELEASE_COMPLETE if what in RELEASED else h323.FACILITY)
    assert b"[peek.malformed]" in answer
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "peek.malformed") and record["detail"]
    assert target.received == before


@pytest.mark.parametrize("length", [16 * 1024 + 1, 65535])
def test_a_message_over_the_limit_is_refused_before_it_has_come(gateway, target, length):
    before = target.received
    with connect(gateway) as client:
        story = from_client(client)
        client.send(b"\x03\0" + length.to_bytes(2, "big") + RRQ[4:])
        answer = h323.read_tpkt(client)  # what has come is enough to know whom to answer
        assert answer[8] == h323.FACILITY and b"[peek.too_large]" in answer
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "peek.too_large"
    assert target.received == before


def test_tls_on_the_plain_port_is_reset(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(first_flight("example.com"))
        assert read_ending(client) == (b"", "reset")
    assert gateway.only_record(story)["reason"] == "tls.on_plain_port"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_stranger_with_a_proxy_header_is_reset(gateway, version):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(proxy_header.header(version, ("192.0.2.9", 4711)) + RRQ)
        assert read_ending(client) == (b"", "reset")
    assert gateway.only_record(story)["reason"] == "proxy.untrusted"


def test_silence_is_ended(gateway, target):
    """All at once, for each takes the gateway's whole patience of 10 s."""
    before = target.received
    quiet = {"nothing": b"", "a header": RRQ[:4], "a lying length": b"\x03\0\x3f\xff", "keep-alives": h323.KEEP_ALIVE * 3}
    answered = {"all but the end": RRQ[:-1], "a call reference": SETUP[:9]}
    clients = {name: connect(gateway, timeout=LONG) for name in [*quiet, *answered]}
    stories = {name: from_client(client) for name, client in clients.items()}
    for name, client in clients.items():
        client.send({**quiet, **answered}[name])
    for name, client in clients.items():
        said = h323.read_tpkt(client) if name in answered else b""
        assert (b"[peek.timeout]" in said) == (name in answered), name
        assert read_ending(client)[0] == b""
        client.close()
        assert gateway.only_record(stories[name])["reason"] == "peek.timeout", name
    assert target.received == before


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_connection_without_a_byte_leaves_no_record(gateway, end):
    before = gateway.counted()
    with connect(gateway) as client:
        getattr(client, end)()
    with connect(gateway) as client:
        story = from_client(client)
        client.send(RRQ[:20])
        client.close()
    assert gateway.only_record(story)["reason"] == "client.closed"
    assert gateway.counted() == before + 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("first", [RRQ, SETUP, MANY_ALIASES[0][1], altered(RRQ, 1, b"\xff")],
                         ids=["rrq", "setup", "60 aliases", "reserved octet"])
def test_one_byte_a_segment_is_understood(gateway, target, first, tls):
    before = len(target.received)
    with connect(gateway, tls) as client:
        story = from_client(client)
        send_by_bytes(client, first)
        wait_until(lambda: target.received[before:] == first, "every octet at the target")
    record = gateway.only_record(story)
    assert (record["verdict"], record["bytes_in"]) == ("forwarded", len(first))


ANSWERS = {
    "garbage": bytes(range(256)) * 20, "http": b"HTTP/1.1 400 Bad Request\r\n\r\n", "half a message": RRQ[:50],
    "a lying length": b"\x03\0\xff\xff\x08\x02\0\0\x62", "an rcf that is spoilt": MANY_ALIASES[1][1],
    "a facility that lies": RELEASED["generic data that lies"], "a length of zero": b"\x03\0\0\0" * 100}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_a_target_says_passes_whatever_it_is(gateway, target, what):
    target.says = ANSWERS[what]
    try:
        with connect(gateway) as client:
            story = from_client(client)
            client.send(RRQ)
            assert client.read_exactly(len(target.says)) == target.says
            client.send(h323.KEEP_ALIVE + b"and then this")  # the client's side goes on, whatever it says
            assert client.is_open()
    finally:
        target.says = b""
    assert gateway.only_record(story)["verdict"] == "forwarded"
