"""Clients and name servers that break the rules of DNS: what they send is answered as it deserves, costs nobody else
anything, and is never told on.

What can be said of one message alone is in the tests of src/wire/dns and src/dns; here the whole program is asked.
"""
import contextlib
import socket
import struct

import pytest

from harness import free_port
from harness import dns_wire as wire
from harness.waiting import PATIENCE

OURS, OTHER = "hq.example.com", "www.example.net"
LARGE = "large.example.net"


def answers_as_it_should(asked, tcp):
    """An upstream; what is asked for may be something that no name server does."""
    name = wire.name_of(asked).lower()
    right = wire.answer_to(asked, wire.address("198.51.100.1"))
    question = asked[12:wire.question_end(asked)]
    number = struct.unpack(">H", asked[:2])[0]
    host = name.split(".")[0]
    if host == "twisted":  # the owner of its answer points to itself
        return [wire.answer_to(asked, wire.record(struct.pack(">H", 0xC000 | len(asked)), wire.A, b"\x01\x02\x03\x04"))]
    if host == "lying":  # more records than there are
        return [wire.message(question + wire.address("198.51.100.1"), 0x8180, (1, 9, 0, 0), number)]
    if host == "misplaced":  # what belongs at the end, in the middle
        return [wire.message(question + wire.address("198.51.100.1") + wire.opt(), 0x8180, (1, 1, 1, 0), number)]
    if host == "wrong":  # one that guesses, before the one that knows
        other = wire.message(wire.question("other.example.net") + wire.address("192.0.2.66"), 0x8180, (1, 1, 0, 0), number)
        forged = [wire.answer_to(asked, wire.address("192.0.2.66"), number=number ^ 1), other,
                  wire.query(name, number=number), b"\0" * 5]
        return forged + [right]
    if host == "cut" and not tcp:
        return [wire.answer_to(asked, flags=wire.TRUNCATED)]
    if host == "endless":  # never an answer, always cut
        return [wire.answer_to(asked, flags=wire.TRUNCATED)]
    if host == "circle":  # an alias of itself
        return [wire.answer_to(asked, wire.record(wire.THE_QUESTION, wire.CNAME, wire.THE_QUESTION))]
    if host == "strewn":  # an address that nobody asked for beside the one that was
        return [wire.answer_to(asked, wire.address("198.51.100.1"),
                               wire.record(wire.name("bank.example"), wire.A, b"\xc0\0\x02\x42"))]
    if host == "large":
        text = wire.record(wire.THE_QUESTION, wire.TXT, b"\xff" + b"x" * 255)
        return [wire.answer_to(asked, *[text] * 243)] if tcp else [wire.answer_to(asked, flags=wire.TRUNCATED)]
    return [right]


@pytest.fixture(scope="module")
def upstream(module_stage):
    return module_stage.keep(wire.ScriptedServer(answers_as_it_should))


def start(stage, *upstreams, threads=2, **more):
    gateway = stage.gateway({"node": {"threads": threads}, "listen": {}, "dns": {
        "listen": f"127.0.0.1:{free_port()}", "clients": ["127.0.0.0/24"], "upstream": list(upstreams), **more},
        "dns.record": [{"name": OURS, "address": ["172.16.0.10"]}]})
    gateway.dns_port = int(gateway.config["dns"]["listen"].rsplit(":", 1)[1])
    return gateway


@pytest.fixture(scope="module")
def gateway(module_stage, upstream):
    gateway = start(module_stage, upstream.address)
    yield gateway
    assert by_udp(gateway, wire.query(OURS)), "after all of that"


def udp_client(address="127.0.0.1"):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 0))
    udp.settimeout(PATIENCE)
    return udp


def by_udp(gateway, text, answered=True):
    """What comes back; where nothing should, b"" once a good question sent after it is answered."""
    with udp_client() as udp:
        udp.sendto(text, ("127.0.0.1", gateway.dns_port))
        if not answered:
            udp.sendto(wire.query(OURS, number=0xBEEF), ("127.0.0.1", gateway.dns_port))
        answer = udp.recv(65535)
        return b"" if not answered and answer[:2] == b"\xbe\xef" else answer


def connect(gateway, client="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", gateway.dns_port), PATIENCE, source_address=(client, 0))


def by_tcp(gateway, text):
    """What comes back; b"" where the connection is closed."""
    with connect(gateway) as tcp:
        tcp.sendall(wire.framed(text))
        return wire.receive(tcp)


def with_counts(*counts, body=None):
    return wire.message(wire.question(OURS) if body is None else body, counts=counts)


LONG_LABELS = ".".join(["x" * 63] * 3 + ["y" * 61])  # 255 octets in all
NOTHING = None
MESSAGES = {  # what is sent, and what is said: a code, or nothing
    "five octets": (b"\x12\x34\x01\0\0", NOTHING),
    "an answer": (wire.query(OURS, flags=wire.RESPONSE), NOTHING),
    "an answer of another operation": (wire.query(OURS, flags=wire.RESPONSE | 0x2000), NOTHING),
    "IQUERY": (wire.query(OURS, flags=0x0800), wire.NOTIMP),
    "NOTIFY": (wire.query(OURS, flags=0x2000), wire.NOTIMP),
    "UPDATE": (wire.query(OURS, flags=0x2800), wire.NOTIMP),
    "no question": (with_counts(0, 0, 0, 0, body=b""), wire.FORMERR),
    "a question less than there are": (with_counts(0, 0, 0, 0), wire.FORMERR),
    "two questions": (with_counts(2, 0, 0, 0, body=wire.question(OURS) * 2), wire.FORMERR),
    "65535 questions": (with_counts(65535, 0, 0, 0), wire.FORMERR),
    "an answer in it": (with_counts(1, 1, 0, 0, body=wire.question(OURS) + wire.address("192.0.2.1")), wire.FORMERR),
    "65535 records": (with_counts(1, 0, 0, 65535, body=wire.question(OURS) + wire.opt()), wire.FORMERR),
    "more than is said": (wire.query(OURS) + b"\0", wire.FORMERR),
    "a name that points to itself": (with_counts(1, 0, 0, 0, body=b"\xc0\x0c\0\x01\0\x01"), wire.FORMERR),
    "a name that points ahead": (with_counts(1, 0, 0, 0, body=b"\xc0\x20\0\x01\0\x01" + wire.name(OURS)), wire.FORMERR),
    "a label of type 01": (with_counts(1, 0, 0, 0, body=b"\x41" + b"x" * 65 + b"\0\0\x01\0\x01"), wire.FORMERR),
    "a label of type 10": (with_counts(1, 0, 0, 0, body=b"\x81" + b"x" * 65 + b"\0\0\x01\0\x01"), wire.FORMERR),
    "a name without end": (with_counts(1, 0, 0, 0, body=b"\x3f" + b"x" * 63), wire.FORMERR),
    "a name of 255 octets": (wire.query(LONG_LABELS), wire.NOERROR),
    "a name of 256 octets": (wire.query(LONG_LABELS + "y"), wire.FORMERR),
    "OPT twice": (wire.query(OURS, wire.A, wire.opt(), wire.opt()), wire.FORMERR),
    "OPT with a name": (wire.query(OURS, wire.A, wire.record(wire.name("x"), wire.OPT, b"")), wire.FORMERR),
    "an option that breaks off": (wire.query(OURS, wire.A, wire.opt(options=b"\0\x0a\0\x09x")), wire.FORMERR),
    "a signature in it": (wire.query(OURS, wire.A, wire.record(b"\0", 250, b"")), wire.FORMERR),
    "an unknown option": (wire.query(OURS, wire.A, wire.opt(options=wire.option(65001, b"abc"))), wire.NOERROR),
    "flags that nobody knows": (wire.query(OURS, flags=0x0170), wire.NOERROR),
    "flags of OPT that nobody knows": (wire.query(OURS, wire.A, wire.opt(flags=0x7FFF)), wire.NOERROR),
    "less than 512 octets taken": (wire.query(OURS, wire.A, wire.opt(payload=1)), wire.NOERROR),
    "another class": (wire.message(wire.question("version.bind", wire.TXT, wire.CHAOS)), wire.REFUSED),
    "a whole zone": (wire.query("example.com", wire.AXFR), wire.REFUSED),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_each_message_is_answered_as_it_deserves(gateway, case):
    text, code = MESSAGES[case]
    for answer in (by_udp(gateway, text, code is not NOTHING), by_tcp(gateway, text)):
        if code is NOTHING:
            assert answer == b""
            continue
        assert answer[:2] == text[:2] and answer[2] & 0x80, answer
        assert wire.code_of(answer) == code
        if code == wire.NOERROR:
            assert answer[12:wire.question_end(answer)] == text[12:wire.question_end(text)], "the case it was asked in"


def test_a_later_version_of_edns_is_told_which_there_is(gateway):
    answer = by_udp(gateway, wire.query(OURS, wire.A, wire.opt(flags=0x00010000)))
    assert wire.code_of(answer) == 0 and answer[-11:-2] == b"\0\0\x29\x04\xd0\x01\0\0\0", answer


def test_the_largest_message_is_read_and_answered(gateway):
    fill = 65535 - len(wire.query(OURS, wire.A, wire.opt())) - 4
    text = wire.query(OURS, wire.A, wire.opt(options=wire.option(12, bytes(fill))))
    assert len(text) == 65535 and wire.code_of(by_tcp(gateway, text)) == wire.NOERROR
    assert wire.code_of(by_tcp(gateway, text[:-1] + b"\xff")) == wire.NOERROR
    assert wire.code_of(by_tcp(gateway, text[:12] + b"\x40" * 65523)) == wire.FORMERR


def test_the_largest_answer_is_passed_on_whole(gateway):
    answer = by_tcp(gateway, wire.query(LARGE, wire.TXT))
    assert len(answer) > 65000 and answer[2] & 0x02 == 0 and answer[6:8] == struct.pack(">H", 243)
    cut = by_udp(gateway, wire.query(LARGE, wire.TXT, wire.opt(payload=65535)))
    assert cut[2] & 0x02 and len(cut) < 100


def test_questions_come_in_any_pieces_by_tcp(gateway):
    texts = [wire.query(OURS, number=number) for number in (1, 2, 3)]
    stream = b"".join(map(wire.framed, texts))
    for pieces in ([stream], [bytes([octet]) for octet in stream], [stream[:1], stream[1:40], stream[40:]]):
        with connect(gateway) as tcp:
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                tcp.sendall(piece)
            assert {wire.receive(tcp)[:2] for _ in texts} == {text[:2] for text in texts}


def test_nothing_and_half_of_something_end_a_tcp_connection(gateway):
    for text in (b"\0\0", b"\0\x05abcde", wire.framed(wire.query(OURS, flags=wire.RESPONSE))):
        with connect(gateway) as tcp:
            tcp.sendall(text)
            assert wire.receive(tcp) == b""
    with connect(gateway) as tcp:
        tcp.sendall(wire.framed(wire.query(OURS)) + b"\0\x20abc")
        tcp.shutdown(socket.SHUT_WR)
        assert wire.code_of(wire.receive(tcp)) == wire.NOERROR and wire.receive(tcp) == b""


def test_a_client_that_ends_while_it_is_answered_does_no_harm(gateway):
    for _ in range(20):
        with connect(gateway) as tcp:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # resets
            tcp.sendall(b"".join(wire.framed(wire.query(LARGE, wire.TXT)) for _ in range(8)))
    assert wire.code_of(by_tcp(gateway, wire.query(OURS))) == wire.NOERROR


def test_strangers_get_no_more_octets_than_they_send(module_stage, upstream):
    gateway = start(module_stage, upstream.address, threads=1)  # so that one after the other is answered
    asked = [text for text, _ in MESSAGES.values()]
    asked += [wire.query(name, kind, *more) for name in (OURS, OTHER, LARGE, "", "x" * 63) for kind in
              (wire.A, wire.TXT, wire.ANY, wire.AXFR) for more in ((), (wire.opt(payload=65535, flags=0x8000),))]
    asked += [wire.query(OURS, wire.A, wire.opt(flags=0x00010000))]
    heard = len(upstream.asked)
    answered = 0
    for number, text in enumerate(asked):
        with udp_client(f"127.0.{1 + number // 8}.1") as stranger:  # so many networks that none has had enough
            stranger.sendto(text, ("127.0.0.1", gateway.dns_port))
            by_udp(gateway, wire.query(OURS))  # what comes to the stranger has come by then
            stranger.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                answer = stranger.recv(65535)
                assert len(answer) <= len(text), (text, answer)
                assert wire.code_of(answer) in (wire.FORMERR, wire.NOTIMP, wire.REFUSED, wire.NOERROR), answer
                assert answer[6:8] == b"\0\0", "no record"
                answered += 1
    assert answered > len(asked) / 2 and len(upstream.asked) == heard, "and nobody is asked for them"


def test_a_network_of_strangers_is_refused_ten_times_a_second(module_stage, upstream):
    gateway = start(module_stage, upstream.address, threads=1)
    with udp_client("127.0.1.1") as stranger:
        for _ in range(500):
            stranger.sendto(wire.query(OURS), ("127.0.0.1", gateway.dns_port))
        by_udp(gateway, wire.query(OURS))
        stranger.setblocking(False)
        answers = 0
        with contextlib.suppress(BlockingIOError):
            while stranger.recv(65535):
                answers += 1
    assert 1 <= answers < 250, answers  # the machine may take seconds for it


ANSWERS = {  # of upstreams that break the rules: what the client is told
    "twisted": (wire.SERVFAIL, 0),
    "lying": (wire.SERVFAIL, 0),
    "misplaced": (wire.SERVFAIL, 0),
    "wrong": (wire.NOERROR, 1),
    "cut": (wire.NOERROR, 1),
    "endless": (wire.NOERROR, 0),
    "circle": (wire.NOERROR, 1),
}


@pytest.mark.parametrize("host", ANSWERS)
def test_an_upstream_that_breaks_the_rules_misleads_nobody(gateway, host):
    code, count = ANSWERS[host]
    answer = by_tcp(gateway, wire.query(f"{host}.example.net"))
    assert (wire.code_of(answer), struct.unpack(">H", answer[6:8])[0]) == (code, count), answer
    assert b"\xc0\0\x02\x42" not in answer


def test_what_nobody_asked_for_is_not_remembered(gateway, upstream):
    for number in (1, 2):
        assert wire.code_of(by_udp(gateway, wire.query("strewn.example.net"))) == wire.NOERROR
        assert upstream.names().count("strewn.example.net") == number, "it is not kept"
    assert b"\xc0\0\x02\x42" not in by_udp(gateway, wire.query("bank.example"))


def test_name_servers_that_ask_one_another_come_to_an_end(stage):
    ports = [free_port(), free_port()]
    ring = [start(stage, f"127.0.0.1:{ports[1 - place]}", listen=f"127.0.0.1:{ports[place]}") for place in (0, 1)]
    alone = start(stage, "127.0.0.1:1", listen=f"127.0.0.1:{free_port()}")
    alone.config["dns"]["upstream"] = [f"127.0.0.1:{alone.dns_port}"]
    alone.write()
    alone.reload()
    for gateway in (*ring, alone):
        assert wire.code_of(by_udp(gateway, wire.query(OTHER))) == wire.SERVFAIL
        assert wire.code_of(by_udp(gateway, wire.query(OURS))) == wire.NOERROR
