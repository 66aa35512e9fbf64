"""SIP messages of the kinds that RFC 4475 lists, ours and the RFC's: each is routed, answered or refused as the RFCs
say, whole and byte by byte, first and later in a connection, and the target never sees what is refused."""
import pathlib
import re

import pytest

from harness import sip_listen, sip_service, wait_until
from harness import sip_message as sip
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import returns_descriptors
from harness.rude_sip import HQ, connect, gateway, nothing_strange_arrives, other, routed, script, target
from harness.sip_message import request

ROOT = pathlib.Path(__file__).resolve().parents[2]


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
        FIRST, "TO  :", f"  sip:bob@{HQ} ;   tag    =  1918181833n", "from\t: \"J Rosenberg \\\\\\\"\"",
        f" <sip:alice@{HQ}>", "  ;", "  tag = 98asjd8", "MaX-fOrWaRdS: 0068", "Call-ID  : strange.1@192.0.2.1",
        "cseq: 0009", "  OPTIONS",
        "Via  : SIP  /   2.0", " /TCP", "    127.0.0.1;branch = z9hG4bK-1", "s :", "NewFangledHeader:   new value",
        " continued newfangled value", "l :", " 0"),
    "compact names": lines(FIRST, VIA.replace("Via", "v"), FROM.replace("From", "f"), f"t: <sip:bob@{HQ}>", "i: 1",
                           "CSeq: 1 OPTIONS", "l: 4", body=b"body"),
    "a method of every character": lines(
        f"!interesting-Method0123456789_*+`.%indeed'~ sip:{HQ} SIP/2.0", *REST[:3],
        "CSeq: 1 !interesting-Method0123456789_*+`.%indeed'~", FROM, EMPTY),
    "a request URI of escapes": lines(
        f"OPTIONS sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@{HQ} "
        "SIP/2.0", *REST, FROM, EMPTY),
    "a scheme that nobody knows": lines("OPTIONS nobodyKnows:totallyopaquecontent SIP/2.0", *REST, FROM, EMPTY),
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
    "two Froms": (request(fields="f: <sip:x@other.example.com>\r\n"), 400, MALFORMED),
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
