"""SIP clients and registrars that misbehave. Each story ends in one record; the target never sees what is refused."""
import signal

import pytest

from harness import Client, proxy_header, sip_listen, sip_service, wait_until
from harness import sip_message as sip
from harness.rude_client import from_client, read_ending, send_by_bytes, send_whole
from harness.rude_process import is_instrumented, resident_kib
from harness.rude_sip import (GARBAGE, HQ, LARGE, MARKED, config_of, connect, gateway, nothing_strange_arrives, other,
                              routed, script, target)
from harness.rude_tls import first_flight
from harness.sip_message import request

LONG = 25  # seconds of patience with a gateway whose own is 10
KIB = 1024


# Answers and refusals.

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
             "half a line": (False, half[:20], None), "half a request": (False, half, 408),
             "half a request in TLS": (True, half, 408)}
    clients = {name: connect(gateway, tls, timeout=LONG) for name, (tls, _, _) in quiet.items()}
    for name, client in clients.items():
        client.send(quiet[name][1])
    for name, client in clients.items():
        expected = [quiet[name][2]] if quiet[name][2] else []
        assert [answer.status for answer in sip.read_messages(client)] == expected, name
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
        assert client.read_exactly(LARGE)
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
        assert {len(answer.body) for answer in answers if answer.status == 200} == {LARGE}


def test_a_request_of_the_target_reaches_the_client_from_whomever(gateway, target):
    """The other way nothing is decided: who is registered with a target hears it."""
    with connect(gateway) as client:
        client.send(request(fields="Subject: a request\r\n"))
        asked = sip.read_message(client)
        assert (asked.method, asked.body) == ("NOTIFY", b"news")
        assert asked.get("From") == "<sip:registrar@nobody.example>;tag=9"
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
