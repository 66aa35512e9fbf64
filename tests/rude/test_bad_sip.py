"""SIP clients and registrars that misbehave, and messages of the kinds that RFC 4475 lists. Each is routed, answered or
refused as the RFCs say, each story ends in one record, and the target never sees what is refused."""
import pathlib
import re
import signal

import pytest

from harness import Client, proxy_header, sip_listen, sip_service, unverified_context, wait_until
from harness import sip_message as sip
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import is_instrumented, resident_kib, returns_descriptors
from harness.rude_tls import first_flight
from harness.sip_message import request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HQ = "hq.example.com"
LONG = 25  # seconds of patience with a gateway whose own is 10
MARK = "must-not-arrive"
MARKED = f"X-Mark: {MARK}\r\n"
GARBAGE = b"\xff\x00" * 500 + b"\r\n\r\n"  # as it would end a head
KIB, MIB = 1024, 1024 * 1024


def next_message(connection):
    try:
        return sip.read_message(connection)
    except EOFError:  # in the midst of one
        return None


def script(connection):
    """A registrar; the Subject of a request may ask for something that none does."""
    while asked := next_message(connection):
        if not asked.is_request:
            continue
        connection.target.requests.append(asked)
        wish = asked.get("Subject")
        if wish == "garbage":
            connection.send(GARBAGE)
        elif wish == "half a head":
            connection.send(sip.answer(asked)[:-2])
            return
        elif wish == "half":
            connection.send(sip.answer(asked, body=b"x" * 5000)[:1000])
        elif wish == "a lie":
            connection.send(sip.answer(asked).replace(b"Content-Length: 0", b"Content-Length: 99999999999999999999"))
        elif wish == "a request":
            connection.send(request("NOTIFY", sender="<sip:registrar@nobody.example>;tag=9", body=b"news"))
        elif wish == "large":
            connection.send(sip.answer(asked, body=b"x" * MIB))
        elif asked.method != "ACK":
            connection.send(sip.answer(asked))


@pytest.fixture(scope="module")
def target(module_stage):
    return module_stage.target(script)


@pytest.fixture(scope="module")
def other(module_stage):
    return module_stage.target(script)


def config_of(stage, target, other):
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    return {"listen": sip_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
            "service": [sip_service([HQ, "alias.example.com", "192.0.2.1", "[2001:db8::1]", "*.wild.example.com"], target),
                        sip_service("other.example.com", other),
                        sip_service("closed.example.com", other, allow_from=["192.0.2.0/24"])]}


@pytest.fixture(scope="module")
def gateway(module_stage, target, other):
    gateway = module_stage.gateway(config_of(module_stage, target, other))
    for tls in (False, True):
        with connect(gateway, tls) as client:
            routed(client)
    with returns_descriptors(gateway):
        yield gateway


@pytest.fixture(autouse=True)
def nothing_strange_arrives(gateway, target, other):
    before = other.received, target.received.count(MARK.encode())
    yield
    assert (other.received, target.received.count(MARK.encode())) == before
    assert not target.mistakes and not other.mistakes


def connect(gateway, tls=False, **more):
    return Client(gateway.sips_port if tls else gateway.sip_port, unverified_context() if tls else None, **more)


def routed(client):
    """Its first request has been answered by the target."""
    client.send(request())
    assert sip.read_message(client).get("To").endswith("tag=target")
    return client


def lines(*given, body=b""):
    """A message of these lines."""
    return "\r\n".join([*given, "", ""]).encode("latin-1") + body


VIA = "Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK-rude;rport"
REST = [VIA, f"To: <sip:bob@{HQ}>", "Call-ID: rude", "CSeq: 1 OPTIONS"]
FROM = f"From: <sip:alice@{HQ}>;tag=1"
FIRST = f"OPTIONS sip:{HQ} SIP/2.0"
EMPTY = "Content-Length: 0"


def sent_by(value):
    return lines(FIRST, *REST, f"From: {value}", EMPTY)


# Messages that look strange and are right.

STRANGE = {
    "blanks and folds wherever they may be": lines(
        FIRST, "TO  :", f"  sip:bob@{HQ} ;   tag    =  1918181833n", "from\t: \"J Rosenberg \\\\\\\"\"", f" <sip:alice@{HQ}>",
        "  ;", "  tag = 98asjd8", "MaX-fOrWaRdS: 0068", "Call-ID  : strange.1@192.0.2.1", "cseq: 0009", "  OPTIONS",
        "Via  : SIP  /   2.0", " /TCP", "    127.0.0.1;branch = z9hG4bK-1", "s :", "NewFangledHeader:   newfangled value",
        " continued newfangled value", "l :", " 0"),
    "compact names": lines(FIRST, VIA.replace("Via", "v"), FROM.replace("From", "f"), f"t: <sip:bob@{HQ}>", "i: 1",
                           "CSeq: 1 OPTIONS", "l: 4", body=b"body"),
    "a method of every character": lines(
        f"!interesting-Method0123456789_*+`.%indeed'~ sip:{HQ} SIP/2.0", *REST[:3],
        "CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~", FROM, EMPTY),
    "a request URI of escapes": lines(
        f"OPTIONS sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@{HQ} "
        "SIP/2.0", *REST, FROM, EMPTY),
    "a scheme that nobody knows": lines("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", *REST, FROM, EMPTY),
    "an absolute URI of another protocol": lines("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", *REST, FROM, EMPTY),
    "another domain as destination": lines("OPTIONS sip:bob@other.example.com SIP/2.0", *REST, FROM, EMPTY),
    "many Vias of odd transports": lines(
        FIRST, "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bK1", "Via: SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bK2",
        "Via: SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bK3, SIP/2.0/SCTP a;branch=z9hG4bK4", *REST[1:], FROM, EMPTY),
    "no Via": lines(FIRST, *REST[1:], FROM, EMPTY),
    "fields that nobody knows": lines(FIRST, *REST, FROM, "X-!%*_+`'~: \xe4\xf6\xfc \"<>[]", "Empty:", EMPTY),
    "a demand that nobody can meet": lines(FIRST, *REST, FROM, "Require: nothingSupportsThis", EMPTY),
    "credentials of an unknown kind": lines(FIRST, *REST, FROM, "Authorization: NoOneKnows opaque-data=here", EMPTY),
    "no hops left": lines(FIRST, *REST, FROM, "Max-Forwards: 0", EMPTY),
    "a date in another zone": lines(FIRST, *REST, FROM, "Date: Fri, 01 Jan 2010 16:00:00 EST", EMPTY),
    "every byte in a body": request("MESSAGE", body=bytes(range(256))),
    "the same Content-Length twice": request("MESSAGE", fields="l: 5\r\n", body=b"12345"),
    "zeros before a Content-Length": request("MESSAGE", length="0000000000000000000000005", body=b"12345"),
    "no Content-Length and no body": request(length=""),
    "a body that is a request": request("MESSAGE", body=request("BYE", sender=sip.user("a@other.example.com"))),
    "a long value": request(fields=f"Subject: {'x' * 8000}\r\n"),
    "the largest CSeq": request(number=2**31 - 1),
    "line ends in front": b"\r\n" + request(),
}

SENDERS = {  # what stands in From; the service is the first's
    "a bare address": f"sip:alice@{HQ};tag=1",
    "no tag": f"<sip:alice@{HQ}>",
    "no user": f"<sip:{HQ}>",
    "upper case": f"<SIP:alice@{HQ.upper()}>",
    "a dot at the end": f"<sip:alice@{HQ}.>",
    "sips": f"<sips:alice@{HQ}>;tag=1",
    "a port and parameters": f"<sip:alice@{HQ}:5061;transport=tls;maddr=other.example.com>",
    "another address as display name": f'"<sip:alice@other.example.com>" <sip:alice@{HQ}>',
    "an escaped quote as display name": f'"\\"<sip:alice@other.example.com>, \\\\" <sip:alice@{HQ}>',
    "no blank behind the display name": f"caller<sip:alice@{HQ}>",
    "a display name of tokens": f"Alice of !%*_+`'~ <sip:alice@{HQ}>",
    "UTF-8 in the display name": "\"\u00e4\u00f6\u00fc\" <sip:alice@hq.example.com>".encode().decode("latin-1"),
    "an escaped @ in the user": f"<sip:alice%40other.example.com@{HQ}>",
    "an escaped NUL in the user": f"<sip:%00@{HQ}>;tag=1",
    "parameters in the user": f"<sip:user;par=u%40example.net;x?y/z@{HQ}>",
    "a password": f"<sip:alice:other.example.com@{HQ}>",
    "a header part": f"<sip:alice@{HQ}?subject=x&from=sip:a%40other.example.com>",
    "parameters of the field": f"<sip:alice@{HQ}>;x=\"<sip:a@other.example.com>\";tag=1;y",
    "an IPv4 address": "<sip:alice@192.0.2.1:5060>",
    "an IPv6 address": "<sip:alice@[2001:DB8::1]:5060>",
    "below a wildcard": "<sip:alice@a.wild.example.com>",
}
STRANGE.update({f"from: {name}": sent_by(value) for name, value in SENDERS.items()})


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", STRANGE)
def test_what_is_strange_and_right_arrives_as_it_was(gateway, target, what, tls, send):
    asked = len(target.requests)
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, STRANGE[what])
        assert sip.read_message(client).status == 200
        client.send(request(call_id="afterwards"))  # nothing is out of step
        assert sip.read_message(client).get("Call-ID") == "afterwards"
    arrived, last = target.requests[asked:]
    assert arrived.raw == STRANGE[what].lstrip(b"\r\n") and last.get("Call-ID") == "afterwards"
    record = gateway.only_record(story)
    assert (record["verdict"], record["tls_client"]) == ("forwarded", tls)


@pytest.mark.parametrize("what", STRANGE)
def test_what_is_strange_and_right_may_come_later_too(gateway, target, what):
    asked = len(target.requests)
    with connect(gateway) as client:
        send_whole(routed(client), STRANGE[what] + request(call_id="afterwards"))
        answers = [sip.read_message(client) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200] and answers[1].get("Call-ID") == "afterwards"
    assert target.requests[asked + 1].raw == STRANGE[what].lstrip(b"\r\n")


# Messages that are none.

MALFORMED, LARGE, NAMELESS = "peek.malformed", "peek.too_large", "service.no_name"
NONE = None  # no answer: it is no request
BAD = {  # bytes: status, reason
    "zeros": (bytes(100), NONE, MALFORMED),
    "all bytes": (bytes(range(1, 256)), NONE, MALFORMED),
    "http": (b"GET / HTTP/1.1\r\nHost: hq.example.com\r\n\r\n", NONE, MALFORMED),
    "a start-line of one word": (lines("OPTIONS", *REST, FROM), NONE, MALFORMED),
    "a blank in front": (b" " + request(), NONE, MALFORMED),
    "a method with a comma": (lines(f"OPTI,ONS sip:{HQ} SIP/2.0", *REST, FROM), NONE, MALFORMED),
    "a method without an end": (b"x" * 5000, NONE, LARGE),
    "two blanks behind the method": (lines(f"OPTIONS  sip:{HQ} SIP/2.0", *REST, FROM), NONE, MALFORMED),
    "brackets around the request URI": (lines(f"OPTIONS <sip:{HQ}> SIP/2.0", *REST, FROM), NONE, MALFORMED),
    "a blank in the request URI": (lines(f"OPTIONS sip:{HQ}; lr SIP/2.0", *REST, FROM), NONE, MALFORMED),
    "a blank behind the version": (lines(FIRST + " ", *REST, FROM), 400, MALFORMED),
    "a request URI that is none": (lines("OPTIONS hq SIP/2.0", *REST, FROM), 400, MALFORMED),
    "a version to come": (lines(f"OPTIONS sip:{HQ} SIP/7.0", *REST, FROM), 505, "protocol.unsupported"),
    "a version between": (lines(f"OPTIONS sip:{HQ} SIP/2.1", *REST, FROM), 505, "protocol.unsupported"),
    "a start-line of more than 4 KiB": (request(uri=f"sip:{'x' * 4100}@{HQ}"), NONE, LARGE),
    "a head of more than 16 KiB": (request(fields=f"X: {'x' * 16384}\r\n"), 513, LARGE),
    "a response": (lines("SIP/2.0 200 OK", *REST, FROM, EMPTY), NONE, MALFORMED),
    "a response of a status that is none": (lines("SIP/2.0 4294967301 better not break", *REST, FROM), NONE, MALFORMED),
    "a Content-Length of words": (request(length="five"), 400, MALFORMED),
    "an empty Content-Length": (request(length=" "), 400, MALFORMED),
    "a negative Content-Length": (request(length="-999"), 400, MALFORMED),
    "a Content-Length with a sign": (request(length="+5", body=b"12345"), 400, MALFORMED),
    "a hexadecimal Content-Length": (request(length="0x5", body=b"12345"), 400, MALFORMED),
    "a Content-Length with a blank": (request(length="1 2"), 400, MALFORMED),
    "a Content-Length with a comma": (request(length="5, 5", body=b"12345"), 400, MALFORMED),
    "a Content-Length beyond 64 bits": (request(length="99999999999999999999"), 413, LARGE),
    "a Content-Length that wraps 32 bits": (request(length=str(2**32)), 413, LARGE),
    "Content-Lengths that differ": (request(fields="l: 4\r\n", body=b"12345"), 400, MALFORMED),
    "a body without a length": (request(fields="Content-Type: text/plain\r\n", length=""), 400, MALFORMED),
    "a CSeq of another method": (request().replace(b"1 OPTIONS", b"1 INVITE"), 400, MALFORMED),
    "a CSeq beyond 31 bits": (request(number=2**31), 400, MALFORMED),
    "a negative CSeq": (request(number=-1), 400, MALFORMED),
    "two Tos": (request(fields="t: <sip:carol@hq.example.com>\r\n"), 400, MALFORMED),
    "two Call-IDs": (request(fields="i: second\r\n"), 400, MALFORMED),
    "a field without a name": (request(fields=": value\r\n"), 400, MALFORMED),
    "a field without a colon": (request(fields="X\r\n"), 400, MALFORMED),
    "a field name of two words": (request(fields="X Y: z\r\n"), 400, MALFORMED),
    "a NUL byte": (request(fields="X: a\0b\r\n"), 400, MALFORMED),
    "a control character": (request(fields="X: a\x01b\r\n"), 400, MALFORMED),
    "a bare CR": (request(fields="X: a\rb\r\n"), 400, MALFORMED),
    "bare LFs": (request().replace(b"\r\n", b"\n"), 400, MALFORMED),
    "one bare LF": (request(fields="X: a\n"), 400, MALFORMED),
    "a fold of blanks alone": (request(fields="X: a\r\n  \r\n"), 400, MALFORMED),
    "a fold behind the start-line": (lines(FIRST, " folded", *REST, FROM), 400, MALFORMED),
    "no From": (request(sender=None), 400, MALFORMED),
    "two Froms": (request(fields=f"f: <sip:x@other.example.com>\r\n"), 400, MALFORMED),
}

BAD_SENDERS = {
    "nothing": "",
    "no URI": "alice",
    "empty brackets": "<>",
    "no host": "<sip:>",
    "no host behind the user": "<sip:alice@>",
    "no user before the @": f"<sip:@{HQ}>",
    "two @": f"<sip:alice@other.example.com@{HQ}>",
    "a bracket without its end": f"<sip:alice@{HQ}",
    "a quote without its end": f'"Alice <sip:alice@{HQ}>',
    "blanks in the brackets": f"< sip:alice@{HQ} >",
    "a comma in a display name": f"Bell, Alexander <sip:alice@{HQ}>",
    "two addresses": f"<sip:alice@{HQ}>, <sip:x@other.example.com>",
    "two tags": f"<sip:alice@{HQ}>;tag=1;tag=2",
    "a blank in the host": f"<sip:alice@{HQ} other.example.com>",
    "an escaped host": "<sip:alice@hq%2eexample.com>",
    "a NUL in the host": f"<sip:alice@{HQ}%00.other.example.com>",
    "an underscore alone as host": "<sip:alice@->",
    "an empty label": "<sip:alice@hq..example.com>",
    "a label of 64 bytes": f"<sip:alice@{'x' * 64}.example.com>",
    "a name of 300 bytes": f"<sip:alice@{'x.' * 150}com>",
    "an address of five numbers": "<sip:alice@192.0.2.1.1>",
    "IPv6 without brackets": "<sip:alice@2001:db8::1>",
    "IPv6 without an end": "<sip:alice@[2001:db8::1>",
    "port 0": f"<sip:alice@{HQ}:0>",
    "port 65536": f"<sip:alice@{HQ}:65536>",
    "port 5060x": f"<sip:alice@{HQ}:5060x>",
    "no number behind the colon": f"<sip:alice@{HQ}:>",
    "a bad escape": f"<sip:al%4xice@{HQ}>",
    "headers without brackets": f"sip:alice@{HQ}?subject=x",
}
BAD.update({f"from: {name}": (sent_by(value), 400, MALFORMED) for name, value in BAD_SENDERS.items()})
BAD.update({f"from: {value}": (sent_by(f"<{value}>;tag=1"), 403, NAMELESS) for value in (
    "tel:+4930123456", "tel:7042;phone-context=example.com", "sip:anonymous@anonymous.invalid",
    "sip:x@ANONYMOUS.invalid", "nobody:abc", "mailto:alice@hq.example.com", "urn:service:sos")})


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("what", BAD)
def test_what_is_no_request_is_refused_as_what_it_is(gateway, target, what, tls, send):
    data, status, reason = BAD[what]
    before = target.received
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, data)
        answers = sip.read_messages(client)
        assert [answer.status for answer in answers] == ([status] if status else [])
        for answer in answers:
            check_answer(answer, data, reason)
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"], record["tls_client"]) == ("refused", reason, tls)
    assert target.received == before


def check_answer(answer, data, reason):
    """It belongs to the request, and gives nothing away."""
    assert answer.reason == reason, answer.raw
    assert answer.get("Content-Length") == "0" and answer.body == b""
    for name in ("Call-ID", "CSeq"):
        assert answer.get(name) is None or answer.get(name).encode() in data
    if answer.get("To") == f"<sip:bob@{HQ}>":
        raise AssertionError("a To without a tag")
    assert b"other.example.com" not in re.sub(rb"From:.*", b"", answer.raw)


LATER = [what for what, (_, status, _) in BAD.items() if status]
UNREADABLE = [what for what in LATER if not what.startswith("from") and "From" not in what]


@pytest.mark.parametrize("what", LATER)
def test_what_is_no_request_may_not_come_later_either(gateway, target, what):
    """What can't be followed ends the connection; a request that is only from nowhere is refused, and it goes on."""
    data, status, reason = BAD[what]
    asked = len(target.requests)
    with connect(gateway) as client:
        story = from_client(client)
        send_whole(routed(client), data + request(call_id="afterwards"))
        refused = sip.read_message(client)
        assert (refused.status, refused.reason) == (status, reason)
        if what in UNREADABLE:
            assert read_ending(client)[0] == b""
        else:
            assert sip.read_message(client).get("Call-ID") == "afterwards"
    if what in UNREADABLE:
        record = gateway.only_record(story)
        assert (record["verdict"], record["service"], record["reason"]) == ("forwarded", HQ, reason)
    else:
        wait_until(lambda: len(gateway.records(story)) == 2, lambda: f"two records: {gateway.records(story)}")
        assert [record["reason"] for record in gateway.records(story)] == [reason, "ok"]
    assert len(target.requests) == asked + 1 + (what not in UNREADABLE)


# The messages of RFC 4475 themselves.

TORTURE = ROOT / "tests/data/sip/rfc4475"
# {name: the domain that its From names, or why there is none}, as the reader's own test has it.
OUTCOMES = dict(re.findall(r'^    \{"(\w+)", "3\.[\d.]+", "([^"]+)"',
                           (ROOT / "src/wire/sip/sip_torture_test.cpp").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def tortured(module_stage):
    """A gateway whose services have the domains of the RFC."""
    target = module_stage.target(script)
    gateway = module_stage.gateway({"listen": sip_listen(), "service": [
        sip_service(f"example.{end}", target) for end in ("com", "net", "org")]})
    with returns_descriptors(gateway):
        yield gateway


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("name", sorted(one.stem for one in TORTURE.glob("*.dat")))
def test_a_message_of_the_rfc_goes_where_its_reader_says(tortured, name, send):
    data = (TORTURE / f"{name}.dat").read_bytes()
    with connect(tortured) as client:
        story = from_client(client)
        send(client, data)
        client.half_close()
        read_ending(client)
    records = sorted(wait_until(lambda: tortured.records(story), "a record"), key=lambda record: record["verdict"])
    if OUTCOMES[name].startswith("example.") and not data.startswith(b"SIP/"):
        assert (records[0]["verdict"], records[0]["service"]) == ("forwarded", OUTCOMES[name])
    else:  # a response is nothing to begin with
        assert [record["verdict"] for record in records] == ["refused"]


def test_an_ack_is_never_answered(gateway, target):
    before = target.received
    for data in (request("ACK", sender=sip.user("alice@nobody.example")), request("ACK", sender=None)):
        with connect(gateway) as client:
            client.send(data)
            assert read_ending(client)[0] == b""
    assert target.received == before


def test_the_ack_to_a_refusal_of_ours_stays_here(gateway, target):
    """In the midst of a connection: the target has never heard of the call."""
    asked = len(target.requests)
    with connect(gateway) as client:
        elsewhere = dict(sender=sip.user("alice@other.example.com"), call_id="elsewhere", fields=MARKED)
        routed(client).send(request("INVITE", **elsewhere))
        refused = sip.read_message(client)
        assert refused.status == 403
        client.send(request("ACK", to=refused.get("To"), **elsewhere) + request(call_id="afterwards"))
        assert sip.read_message(client).get("Call-ID") == "afterwards"
    assert [one.method for one in target.requests[asked:]] == ["OPTIONS", "OPTIONS"]


def test_the_answer_says_where_the_request_came_from(gateway):
    """RFC 3261 section 18.2.1, RFC 3581 section 4; and it repeats the Vias in their order."""
    with connect(gateway, source="127.0.0.77") as client:
        client.send(request(sender=sip.user("alice@nobody.example"), fields="Via: SIP/2.0/TCP second\r\n"))
        answer = sip.read_message(client)
        top, second = answer.all("Via")
        port = client.sock.getsockname()[1]
        assert "received=127.0.0.77" in top and f"rport={port}" in top and second == "SIP/2.0/TCP second"


def test_within_a_dialog_a_request_may_be_from_whom_the_other_side_has_called(gateway, target):
    """Its From is what was in To of the caller: an alias, or somebody whose calls are taken here. It goes where the
    dialog is; a registration is in none, whatever its To says."""
    asked = len(target.requests)
    about = dict(sender=sip.user("alice@other.example.com"), to=f"<sip:bob@{HQ}>;tag=his")
    with connect(gateway) as client:
        routed(client)
        for method in ("BYE", "INVITE", "REFER", "NOTIFY"):
            client.send(request(method, **about))
            assert sip.read_message(client).status == 200
        for method in ("REGISTER", "PUBLISH"):
            client.send(request(method, **about, fields=MARKED))
            assert sip.read_message(client).status == 403
    assert [one.method for one in target.requests[asked:]] == ["OPTIONS", "BYE", "INVITE", "REFER", "NOTIFY"]


def test_two_refusals_have_tags_of_their_own(gateway):
    tags = set()
    with connect(gateway) as client:
        routed(client)
        for _ in range(3):
            client.send(request(sender=sip.user("alice@nobody.example")))
            tags.add(sip.read_message(client).get("To").partition("tag=")[2])
    assert len(tags) == 3


# Pieces and heaps of good messages.

@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_messages_in_one_segment_arrive_in_order(gateway, target, tls, send):
    asked = len(target.requests)
    messages = [request("MESSAGE", body=b"one"), request("ACK"), request("MESSAGE", body=bytes(1000)), request()]
    with connect(gateway, tls) as client:
        story = from_client(client)
        send(client, b"\r\n".join(messages))
        assert [sip.read_message(client).get("CSeq") for _ in range(3)] == ["1 MESSAGE", "1 MESSAGE", "1 OPTIONS"]
    assert [one.raw for one in target.requests[asked:]] == messages
    assert gateway.only_record(story)["bytes_in"] == len(b"\r\n".join(messages))


@pytest.mark.parametrize("send", [send_whole, send_by_bytes], ids=["whole", "by_bytes"])
def test_a_request_of_another_domain_is_picked_out_of_a_heap(gateway, target, send):
    """Its body too, even where that looks like a request of the right one."""
    asked = len(target.requests)
    elsewhere = request("MESSAGE", sender=sip.user("a@other.example.com"), fields=MARKED, body=request(fields=MARKED))
    with connect(gateway) as client:
        story = from_client(client)
        send(client, request(call_id="a") + elsewhere + request(call_id="b") + elsewhere + request(call_id="c"))
        answers = [sip.read_message(client) for _ in range(5)]
        assert sorted(answer.status for answer in answers) == [200, 200, 200, 403, 403]
    assert [one.get("Call-ID") for one in target.requests[asked:]] == ["a", "b", "c"]
    wait_until(lambda: len(gateway.records(story)) == 3, "a record for each refusal and one for the connection")
    assert sorted(record["verdict"] for record in gateway.records(story)) == ["forwarded", "refused", "refused"]


def test_a_body_of_megabytes_arrives(gateway, target):
    body = bytes(range(256)) * (8 * KIB)
    with connect(gateway) as client:
        client.send(request("MESSAGE", body=body) + request())
        assert [sip.read_message(client).get("CSeq") for _ in range(2)] == ["1 MESSAGE", "1 OPTIONS"]
    assert target.requests[-2].body == body


def test_a_body_shorter_than_it_said_is_passed_on_as_far_as_it_came(gateway, target):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(request("MESSAGE", length=1000, body=b"short"))
        wait_until(lambda: target.received.endswith(b"short"), "what there is")
        assert client.is_silent_for(0.2)
        client.half_close()
        assert client.read_to_end() == b""
    assert gateway.only_record(story)["verdict"] == "forwarded"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_keep_alives_in_odd_pieces(gateway, target, tls):
    """RFC 5626 section 4.4.1: two line ends are answered with one."""
    with connect(gateway, tls) as client:
        story = from_client(client)
        send_by_bytes(client, sip.PING)
        assert client.read_exactly(2) == sip.PONG
        client.send(sip.PING * 3 + b"\r\n")  # one half is over
        assert client.read_exactly(6) == sip.PONG * 3
        assert client.is_silent_for(0.1)
        client.send(b"\r\n" + request())  # the other half: in front of a request it is for the target to answer
        assert sip.read_message(client).status == 200
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_keep_alives_alone_leave_no_more_than_a_record(gateway, target):
    before = target.received
    with connect(gateway) as client:
        story = from_client(client)
        client.send(sip.PING)
        assert client.read_exactly(2) == sip.PONG
    record = gateway.only_record(story)
    assert record["reason"] == "client.closed" and target.received == before


# What is no SIP at all, and who says nothing.

def test_tls_on_the_plain_port_is_reset(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(first_flight(HQ))
        assert read_ending(client) == (b"", "reset")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "tls.on_plain_port")


def test_sip_in_plain_on_the_tls_port_ends_in_one_record(gateway):
    with Client(gateway.sips_port) as client:
        story = from_client(client)
        client.send(request(fields=MARKED))
        read_ending(client)
    assert gateway.only_record(story)["reason"] in ("tls.plain_on_tls_port", "tls.handshake")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_stranger_with_a_proxy_header_is_reset(gateway, version):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(proxy_header.header(version, ("192.0.2.9", 4711)) + request(fields=MARKED))
        assert read_ending(client) == (b"", "reset")
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "proxy.untrusted")


def test_silence_is_told_and_ended(gateway, target):
    """All at once, for each takes the gateway's whole patience of 10 s."""
    before = target.received
    half = request(fields=MARKED)[:-2]
    quiet = {"nothing": (False, b"", None), "in TLS": (True, b"", None), "one byte": (False, b"O", None),
             "half a line": (False, FIRST.encode()[:-3], 408), "half a request": (False, half, 408),
             "half a request in TLS": (True, half, 408)}
    clients = {name: connect(gateway, tls, timeout=LONG) for name, (tls, _, _) in quiet.items()}
    for name, client in clients.items():
        client.send(quiet[name][1])
    for name, client in clients.items():
        assert [answer.status for answer in sip.read_messages(client)] == [quiet[name][2]] * (quiet[name][2] is not None)
        story = from_client(client)
        client.close()
        assert gateway.only_record(story)["reason"] == "peek.timeout", name
    assert target.received == before


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_connection_without_a_byte_leaves_no_record(gateway, end):
    before = gateway.settled()
    with connect(gateway) as client:
        getattr(client, end)()
    with connect(gateway) as client:
        routed(client)
    gateway.latest_record(before)


@pytest.mark.parametrize("end", ["close", "reset", "half_close"])
def test_half_a_request_and_an_end_leave_one_record(gateway, target, end):
    before = target.received
    with connect(gateway) as client:
        story = from_client(client)
        client.send(request(fields=MARKED)[:-2])
        getattr(client, end)()
        record = gateway.only_record(story)
    assert record["verdict"] == "refused" and record["reason"].startswith("client.")
    assert target.received == before


def test_large_answers_that_nobody_reads_cost_no_memory(gateway):
    before = resident_kib(gateway.pid)
    with connect(gateway) as client, connect(gateway) as another:
        client.send(request(fields="Subject: large\r\n") * 50)
        assert client.read_exactly(MIB)
        for _ in range(3):
            routed(another)
        assert is_instrumented() or resident_kib(gateway.pid) < before + 8 * KIB


def send_and_never_read(client, data):
    """Again and again, until the gateway has had enough."""
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(400):
            client.send(data)


def test_refusals_that_nobody_reads_cost_no_memory(gateway, target):
    before = resident_kib(gateway.pid)
    with connect(gateway) as client:
        story = from_client(client)
        send_and_never_read(routed(client), request(sender=sip.user("alice@nobody.example"), fields=MARKED) * 200)
    ended = gateway.wait_record(lambda record: story(record) and record["verdict"] == "forwarded")
    assert ended["reason"] == "client.stalled"
    assert is_instrumented() or resident_kib(gateway.pid) < before + 8 * KIB


def test_keep_alives_whose_answers_nobody_reads_cost_no_memory(gateway):
    before = resident_kib(gateway.pid)
    with connect(gateway) as client:
        story = from_client(client)
        send_and_never_read(client, sip.PING * 20000)
    assert gateway.only_record(story)["reason"] == "client.stalled"
    assert is_instrumented() or resident_kib(gateway.pid) < before + 8 * KIB


# Targets.

def test_garbage_of_a_target_is_passed_on_and_fails_no_session(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(request(fields="Subject: garbage\r\n"))
        assert client.read_exactly(len(GARBAGE)) == GARBAGE
        client.send(request())
        assert sip.read_message(client).status == 200
    assert gateway.only_record(story)["reason"] == "ok"


def test_a_target_that_hangs_up_within_a_head_ends_the_connection(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(request(fields="Subject: half a head\r\n"))
        read_ending(client)
    assert gateway.only_record(story)["verdict"] == "forwarded"


def test_a_content_length_of_a_target_that_lies_fails_no_session(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        client.send(request(fields="Subject: a lie\r\n"))
        assert b"99999999999999999999" in client.read_until(b"\r\n\r\n")
        client.send(request())
        assert sip.read_message(client).status == 200
    assert gateway.only_record(story)["reason"] == "ok"


def test_a_refusal_waits_for_the_end_of_an_answer_of_the_targets(gateway):
    """While half of one is out, nothing is put in between."""
    with connect(gateway) as client:
        client.send(request(fields="Subject: half\r\n"))
        assert len(client.read_exactly(1000)) == 1000
        client.send(request(sender=sip.user("alice@nobody.example")))
        assert client.is_silent_for(0.3)


def test_refusals_stand_between_large_answers(gateway):
    with connect(gateway) as client:
        routed(client)
        for _ in range(5):
            client.send(request(fields="Subject: large\r\n") + request(sender=sip.user("alice@nobody.example")))
        answers = [sip.read_message(client) for _ in range(10)]
        assert sorted(answer.status for answer in answers) == [200] * 5 + [404] * 5
        assert {len(answer.body) for answer in answers if answer.status == 200} == {MIB}


def test_a_request_of_the_target_reaches_the_client_from_whomever(gateway, target):
    """The other way nothing is decided: who is registered with a target hears it."""
    with connect(gateway) as client:
        client.send(request(fields="Subject: a request\r\n"))
        asked = sip.read_message(client)
        assert (asked.method, asked.body, asked.get("From")) == ("NOTIFY", b"news", "<sip:registrar@nobody.example>;tag=9")
        client.send(sip.answer(asked))
        client.send(request())
        assert sip.read_message(client).status == 200
    assert b"SIP/2.0 200 OK" in target.received


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_target_that_is_not_there_is_told_in_sip(stage, tls):
    gone = stage.target(script)
    gone.stop()
    gateway = stage.gateway({"listen": sip_listen(), "service": [sip_service(HQ, gone)]})
    with connect(gateway, tls) as client:
        story = from_client(client)
        client.send(request())
        answer = sip.read_message(client)
        assert (answer.status, answer.reason) == (503, "target.refused")
        assert int(answer.get("Retry-After")) > 0 and str(gone.port) not in answer.raw.decode()
    record = gateway.only_record(story)
    assert (record["verdict"], record["reason"]) == ("refused", "target.refused")


def test_a_target_that_hangs_up_at_once_ends_the_connection(stage):
    target = stage.target(lambda connection: None)
    gateway = stage.gateway({"listen": sip_listen(), "service": [sip_service(HQ, target)]})
    with connect(gateway) as client:
        story = from_client(client)
        client.send(request())
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["service"] == HQ


# Ends that the gateway makes.

@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_drain_lets_a_connection_go_on_for_a_while(stage, target, other, tls):
    gateway = stage.gateway({**config_of(stage, target, other), "node": {"drain_timeout": "1s"}})
    with connect(gateway, tls) as client:
        story = from_client(client)
        routed(client)
        gateway.signal(signal.SIGTERM)
        routed(client)
        assert read_ending(client)[0] == b""
        assert gateway.wait() == 0
    record, = gateway.records(story)
    assert (record["verdict"], record["reason"]) == ("forwarded", "draining")


def test_a_kill_ends_the_connection(gateway):
    with connect(gateway) as client:
        story = from_client(client)
        routed(client)
        assert gateway.json_verb("connections", "kill", "--service", HQ) == (0, {"killed": 1})
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "killed"


def test_a_service_that_a_reload_takes_away_ends_its_connections(stage, target, other):
    gateway = stage.gateway({**config_of(stage, target, other), "node": {"drain_timeout": "1s"}})
    with connect(gateway) as client, connect(gateway) as stays:
        story = from_client(client)
        routed(client)
        del gateway.config["service"][0]
        gateway.write()
        gateway.reload()
        stays.send(request())
        assert sip.read_message(stays).status == 404
        assert read_ending(client)[0] == b""
    assert gateway.only_record(story)["reason"] == "service.removed"
