"""LDAP clients and directories that misbehave. Each client is answered in LDAP, each story ends in one record, and the
target never sees what is refused."""
import signal
import socket

import pytest

from harness import Client, ldap_listen, ldap_service, unverified_context, wait_until
from harness import ldap_message as ldap
from harness import proxy_header
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import is_instrumented, resident_kib, returns_descriptors
from harness.rude_tls import first_flight
from harness.wire import Wire

GUEST = r"hq.example.com\guest"
AS_DN = "cn=other,ou=people,dc=HQ,dc=example,dc=com"
LONG = 25  # seconds of patience with a gateway whose own is 10
MARK = b"must not arrive"


def script(connection):
    """A directory; what a search asks for may be something that no directory does."""
    target = connection.target
    while (request := ldap.read_message(connection)) and request.op != ldap.UNBIND:
        target.requests.append(request)
        wish = request.parts[0][1] if request.op == ldap.SEARCH else b""
        if wish == b"garbage":
            connection.send(b"\xff" * 1000)
        elif wish == b"half":
            connection.send(ldap.entry(request.number, value=b"x" * 5000)[:1000])
        elif request.op == ldap.SEARCH:
            connection.send(ldap.entry(request.number) + ldap.answer(request.number, ldap.DONE))
        elif request.op in (ldap.BIND, ldap.EXTENDED):
            connection.send(ldap.answer(request.number, request.op + 1))


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target(script)


@pytest.fixture(scope="module")
def other(module_stage):
    return module_stage.target(script)


def config_of(stage, target, other):
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    return {"listen": ldap_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
            "service": [ldap_service(["hq.example.com", "alias.example.com"], target),
                        ldap_service("other.example.com", other),
                        ldap_service("closed.example.com", other, allow_from=["192.0.2.0/24"])]}


@pytest.fixture(scope="module")
def gateway(module_stage, target, other):
    gateway = module_stage.gateway(config_of(module_stage, target, other))
    for tls in (False, True):
        with connect(gateway, tls) as client:
            assert bound(client)
    with returns_descriptors(gateway):
        yield gateway


@pytest.fixture(autouse=True)
def nothing_strange_arrives(gateway, target, other):
    before = other.received, target.received.count(MARK)
    yield
    assert (other.received, target.received.count(MARK)) == before
    assert not target.mistakes and not other.mistakes


def connect(gateway, tls=False, **more):
    return Client(gateway.ldaps_port if tls else gateway.ldap_port, unverified_context() if tls else None, **more)


def bound(client, name=GUEST):
    client.send(ldap.bind(name))
    answer = ldap.read_message(client)
    assert (answer.op, answer.code) == (ldap.BIND_ANSWER, ldap.SUCCESS)
    return client


def is_notice(message, code):
    return (message.number, message.op, message.oid, message.code) == (
        0, ldap.EXTENDED_ANSWER, ldap.NOTICE_OF_DISCONNECTION, code)


def secured(client):
    """TLS over this connection, once StartTLS was answered."""
    sock = unverified_context().wrap_socket(client.sock)
    return Wire(sock)


# What is no LDAP, or only nearly.

def sequence(*contents):
    return ldap.element(0x30, *contents)


def deep(levels, inner=b""):
    for _ in range(levels):
        inner = sequence(inner)
    return inner


ONE = ldap.integer(1)
BIND_PARTS = [ldap.integer(3), ldap.octets(GUEST), ldap.octets(MARK, 0x80)]
BAD = {  # bytes: reason
    "indefinite length": (b"\x30\x80" + ONE + ldap.element(0x60, *BIND_PARTS) + b"\0\0", "peek.malformed"),
    "indefinite length inside": (sequence(ONE, b"\x60\x80", *BIND_PARTS, b"\0\0"), "peek.malformed"),
    "a length of five octets": (b"\x30\x85\0\0\0\0\x10" + ONE + b"x" * 20, "peek.malformed"),
    "a length of 127 octets": (b"\x30\xff" + b"\x01" * 127, "peek.malformed"),
    "the longest length": (b"\x30\x84\xff\xff\xff\xff" + ONE + b"\x60", "peek.too_large"),
    "the longest positive length": (b"\x30\x84\x7f\xff\xff\xff" + ONE + b"\x60", "peek.too_large"),
    "one byte over 64 KiB": (b"\x30\x83\x00\xff\xfc" + ONE + b"\x60" + bytes(20), "peek.too_large"),
    "a child beyond its parent": (sequence(ONE, b"\x60\x20", *BIND_PARTS[:1]), "peek.malformed"),
    "a name beyond its bind": (sequence(ONE, ldap.element(0x60, ldap.integer(3), b"\x04\x40abc")), "peek.malformed"),
    "a name of four GiB": (sequence(ONE, ldap.element(0x60, ldap.integer(3), b"\x04\x84\xff\xff\xff\xff")),
                           "peek.malformed"),
    "an id of five octets": (sequence(b"\x02\x05\x01\0\0\0\0", ldap.element(0x60, *BIND_PARTS)), "peek.malformed"),
    "an id of zero": (ldap.message(0, ldap.BIND, *BIND_PARTS), "peek.malformed"),
    "a negative id": (ldap.message(-1, ldap.BIND, *BIND_PARTS), "peek.malformed"),
    "no id": (sequence(ldap.element(0x60, *BIND_PARTS)), "peek.malformed"),
    "an empty message": (sequence(), "peek.malformed"),
    "a depth bomb": (sequence(ONE, ldap.element(0x60, ldap.integer(3), deep(500))), "peek.malformed"),
    "a depth bomb in the controls": (sequence(ONE, ldap.element(0x60, *BIND_PARTS), ldap.element(0xA0, deep(500))),
                                     "peek.malformed"),
    "an answer": (ldap.answer(1, ldap.BIND_ANSWER), "peek.malformed"),
    "a tag of two octets": (sequence(ONE, b"\x7f\x60\x00"), "peek.malformed"),
    "an unknown operation": (ldap.message(1, 0x7E, MARK), "peek.malformed"),
    "http": (b"GET / HTTP/1.1\r\nHost: hq.example.com\r\n\r\n", "peek.malformed"),
    "zeros": (bytes(100), "peek.malformed"),
    "all bytes": (bytes(range(256)), "peek.malformed"),
}


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_ldap_gets_a_notice_of_disconnection(gateway, target, what, tls, send):
    data, reason = BAD[what]
    before = target.received
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, data)
        notice = ldap.read_message(client)
        assert is_notice(notice, ldap.PROTOCOL_ERROR)
        assert notice.diagnostic.endswith(f"[{reason}]")
        assert read_ending(client)[0] == b""
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"], record["tls_client"]) == ("refused", reason, tls)
    assert target.received == before


MALFORMED_BINDS = {
    "no version": ldap.message(1, ldap.BIND, *BIND_PARTS[1:]),
    "no authentication": ldap.message(1, ldap.BIND, *BIND_PARTS[:2]),
    "a constructed password": ldap.message(1, ldap.BIND, *BIND_PARTS[:2], ldap.element(0xA0, ldap.octets(MARK))),
    "two passwords": ldap.message(1, ldap.BIND, *BIND_PARTS, ldap.octets(MARK, 0x80)),
    "nothing": ldap.message(1, ldap.BIND),
}


@pytest.mark.parametrize("data", MALFORMED_BINDS.values(), ids=MALFORMED_BINDS)
def test_a_bind_that_is_none_is_answered_as_a_bind(gateway, data):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(data)
        answer = ldap.read_message(client)
        assert (answer.op, answer.number, answer.code) == (ldap.BIND_ANSWER, 1, ldap.PROTOCOL_ERROR)
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "peek.malformed"


def test_tls_on_the_plain_port_is_reset(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(first_flight("hq.example.com"))
        assert read_ending(client) == (b"", "reset")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "tls.on_plain_port")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_stranger_with_a_proxy_header_is_reset(gateway, version):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(proxy_header.header(version, ("192.0.2.9", 4711)) + ldap.bind(GUEST, MARK))
        assert read_ending(client) == (b"", "reset")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "proxy.untrusted")


def test_ldap_in_plain_on_the_tls_port_ends_in_one_record(gateway):
    with Client(gateway.ldaps_port) as client:
        story = from_client(client)
        client.send(ldap.bind(GUEST, MARK))
        read_ending(client)
    assert gateway.only_record(story)["reason"] in ("tls.plain_on_tls_port", "tls.handshake")


def test_silence_is_told_and_ended(gateway, target):
    """All at once, for each takes the gateway's whole patience of 10 s."""
    before = target.received
    quiet = {"nothing": (False, b""), "half a bind": (False, ldap.bind(GUEST, MARK)[:-1]), "in TLS": (True, b""),
             "one byte": (False, b"\x30")}
    clients = {name: connect(gateway, tls, timeout=LONG) for name, (tls, _) in quiet.items()}
    with Client(gateway.ldap_port, timeout=LONG) as waits:  # StartTLS, and then no handshake
        wait_story = from_client(waits)
        waits.send(ldap.start_tls())
        assert ldap.read_message(waits).code == ldap.SUCCESS
        for name, client in clients.items():
            client.send(quiet[name][1])
        for name, client in clients.items():
            assert is_notice(ldap.read_message(client), ldap.UNAVAILABLE), name
            assert read_ending(client)[0] == b""
            story = from_client(client)
            client.close()
            assert gateway.only_record(story)["reason"] == "peek.timeout"
        read_ending(waits)
    assert gateway.only_record(wait_story)["reason"] == "tls.timeout"
    assert target.received == before


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_connection_without_a_byte_leaves_no_record(gateway, end):
    before = gateway.counted()
    with connect(gateway) as client:
        getattr(client, end)()
    with connect(gateway) as client:
        story = from_client(client)
        client.send(ldap.unbind())
        assert client.read_to_end() == b""
    assert gateway.only_record(story)["reason"] == "client.closed"
    assert gateway.counted() == before + 1


# Pieces and heaps of good messages.

@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_one_byte_a_segment_is_understood(gateway, target, tls):
    asked = len(target.requests)
    with connect(gateway, tls) as client:
        story = from_client(client)
        send_by_bytes(client, ldap.bind(GUEST))
        assert ldap.read_message(client).code == ldap.SUCCESS
        send_by_bytes(client, ldap.search() + ldap.bind(AS_DN, number=3))
        assert [ldap.read_message(client).op for _ in range(3)] == [ldap.ENTRY, ldap.DONE, ldap.BIND_ANSWER]
    assert [request.op for request in target.requests[asked:]] == [ldap.BIND, ldap.SEARCH, ldap.BIND]
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_messages_in_one_segment_arrive_in_order(gateway, target):
    asked = len(target.requests)
    with connect(gateway) as client:
        story = from_client(client)
        sent = ldap.bind(GUEST) + ldap.search(number=2) + ldap.search(number=3) + ldap.bind(AS_DN, number=4)
        client.send(sent + ldap.unbind())
        assert [answer.number for answer in ldap.read_messages(client)] == [1, 2, 2, 3, 3, 4]
    assert b"".join(request.raw for request in target.requests[asked:]) == sent
    record = gateway.only_record(story)
    assert (record["reason"], record["bytes_in"]) == ("ok", len(sent + ldap.unbind()))


# StartTLS.

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


@pytest.mark.parametrize("data", [b"\xff" * 100, b"\x30\x80" + BAD["indefinite length"][0], b"GET / HTTP/1.1\r\n\r\n",
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
