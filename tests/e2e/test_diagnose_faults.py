"""`sallyport diagnose` on faults, and on what only looks like one, that are made here packet by packet."""
import json
import os
import struct
import subprocess

import pytest

from harness import captures
from harness.gateway import program
from harness.captures import good_connection, mixed, pcap, tcp, udp
from harness.rude_process import is_instrumented
from test_diagnose import diagnose

SECOND = 10**9
T0 = 1_700_000_000 * SECOND
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.5", 50_000), ("192.0.2.9", 443)


def at(seconds):
    return T0 + int(seconds * SECOND)


def syns(times, client=CLIENT, server=SERVER, isn=100):
    return [tcp(at(time), client, server, isn, 0, SYN, ident=int(time * 100) + isn) for time in times]


def opened(time, client=CLIENT, server=SERVER, isn=100, reply=900):
    return [tcp(at(time), client, server, isn, 0, SYN, ident=1), tcp(at(time + .01), server, client, reply, isn + 1, SYN | ACK, ident=2),
            tcp(at(time + .02), client, server, isn + 1, reply + 1, ACK, ident=3)]


def lower_ttl(frames, source, ttl):
    """With another time to live in what this address sends."""
    packed = bytes(int(part) for part in source.split("."))
    return [frame._replace(data=frame.data[:22] + bytes([ttl]) + frame.data[23:]) if frame.data[26:30] == packed else frame
            for frame in frames]


@pytest.fixture
def say(tmp_path):
    """The findings of these frames: {id: finding}."""
    def of(*groups):
        file = tmp_path / "x.pcap"
        file.write_bytes(pcap(mixed(*groups), nano=True))
        report = diagnose(file)[1]
        return {one["id"]: one for one in report["findings"]}
    return of


def port_of(number):
    return (CLIENT[0], CLIENT[1] + number)


# ---------------------------------------------------------------- silence, and what is none

def test_one_syn_at_the_end_of_a_capture_is_undecided(say):
    assert say(good_connection(at(0), port_of(1), SERVER), syns([3.05])) == {}


def test_attempts_from_new_ports_are_one_story(say):
    found = say(*[syns([start], port_of(number), isn=100 + number) for number, start in enumerate((0, 5, 10))],
                opened(15, port_of(9), ("192.0.2.9", 80)))
    assert list(found) == ["syn-silent"]
    assert found["syn-silent"]["seconds_lost"] == pytest.approx(15, abs=.1)
    assert found["syn-silent"]["fallback"]["port"] == 80


def test_a_scan_is_told_once_and_is_no_fault(say):
    found = say(*[syns([0, 1, 3], port_of(number), (SERVER[0], 1000 + number), isn=100 + number) for number in range(30)])
    assert list(found) == ["syn-silent"] and found["syn-silent"]["severity"] == "info" and "30 ports" in found["syn-silent"]["text"]


def test_attempts_side_by_side_are_no_fallback(say):
    # 80 was dialed at the same time and is no answer to what 443 did.
    found = say(syns([0, 1, 3]), opened(.2, port_of(1), ("192.0.2.9", 80)))
    assert found["syn-silent"]["fallback"] is None
    assert found["syn-silent"]["at_least"]


def dns(name, kind, ident, answer=None):
    question = b"".join(bytes([len(label)]) + label for label in name.split(b".")) + b"\0" + struct.pack("!HH", kind, 1)
    head = struct.pack("!HHHHHH", ident, 0x8180 if answer else 0x0100, 1, 1 if answer else 0, 0, 0)
    return head + question + (b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 30, len(answer)) + answer if answer else b"")


def looked_up(name, *addresses):
    resolver, frames = ("10.0.0.53", 53), []
    for number, address in enumerate(addresses):
        asker, raw = (CLIENT[0], 5300 + number), bytes(int(part) for part in address.split("."))
        frames += [udp(at(-1 + number / 10), asker, resolver, dns(name, 1, number), 70 + number),
                   udp(at(-.99 + number / 10), resolver, asker, dns(name, 1, number, raw), 80 + number)]
    return frames


def test_another_server_of_the_same_name_is_a_fallback(say):
    found = say(looked_up(b"push.example", "192.0.2.9", "192.0.2.10"), syns([0, 1, 3, 7]), opened(10, port_of(1), ("192.0.2.10", 443)))
    assert found["syn-silent"]["fallback"] == {"server": "192.0.2.10", "port": 443, "after": 10}
    found = say(syns([0, 1, 3, 7]), opened(10, port_of(1), ("192.0.2.10", 443)))
    assert found["syn-silent"]["fallback"] is None  # nothing says that the two belong together


def test_a_port_that_answers_sometimes_is_not_called_closed(say):
    found = say(syns([0, 1, 3]), good_connection(at(5), port_of(1), SERVER))
    assert found["syn-silent"]["severity"] == "warning" and found["syn-silent"]["confidence"] == "possible"


def test_a_capture_of_one_direction_is_not_taken_for_silence(say):
    everything = good_connection(at(0), CLIENT, SERVER, exchanges=8)
    one_way = [frame for frame in everything if frame.data[26:30] == bytes([10, 0, 0, 5])]
    found = say(one_way, syns([20, 21, 23], port_of(1)))
    assert list(found) == ["one-sided-capture"] and found["one-sided-capture"]["severity"] == "info"


def test_the_last_word_on_a_connection_from_before_hides_no_silence(say):
    last = [tcp(at(0), port_of(9), SERVER, 5000, 7000, ACK, ident=9)]
    assert "syn-silent" in say(last, syns([20, 21, 23], port_of(1)))
    asked_again = [tcp(at(1), SERVER, port_of(8), 7000, 5000, FIN | ACK, ident=8)]
    assert "syn-silent" in say(asked_again, syns([20, 21, 23], port_of(1)))


def test_what_began_before_the_capture_is_no_fault(say):
    assert say(good_connection(at(0), CLIENT, SERVER)[4:]) == {}


def test_time_that_goes_backwards_is_lived_with(say):
    assert "syn-silent" in say([frame._replace(time=2 * T0 - frame.time) for frame in syns([0, 1, 3])])


# ---------------------------------------------------------------- resets

def test_windows_asks_again_behind_a_reset(say):
    frames = [frame for time in (0, .55, 1.11) for frame in (
        tcp(at(time), CLIENT, SERVER, 100, 0, SYN, ident=int(100 * time) + 1), tcp(at(time + .01), SERVER, CLIENT, 0, 101, RST | ACK, ident=int(100 * time) + 2))]
    found = say(frames)
    assert list(found) == ["refused-rst"]
    assert found["refused-rst"]["seconds_lost"] == pytest.approx(1.11, abs=.01) and found["refused-rst"]["severity"] == "warning"


@pytest.mark.parametrize("frames", [
    pytest.param(syns([0]) + [tcp(at(.01), SERVER, CLIENT, 0, 4711, RST | ACK)], id="it acknowledges what was never sent"),
    pytest.param(syns([0]) + [tcp(at(.001), SERVER, CLIENT, 0, 101, RST | ACK, ident=7)] + opened(0)[1:], id="a SYN-ACK follows it"),
])
def test_a_reset_that_is_not_from_the_server(say, frames):
    assert say(frames)["rst-forged"]["confidence"] == "likely"


def test_a_reset_from_another_distance(say):
    goes_on = [tcp(at(.5 + turn / 10), SERVER, CLIENT, 901 + 5 * turn, 101, PSH | ACK, b"bytes", ident=30 + turn) for turn in range(3)]
    reset = lower_ttl([tcp(at(.3), SERVER, CLIENT, 901, 101, RST | ACK, ident=9)], SERVER[0], 61)
    assert say(lower_ttl(opened(0) + goes_on, SERVER[0], 52), reset)["rst-forged"]["confidence"] == "likely"


# ---------------------------------------------------------------- half open, and dead

def test_answers_that_do_not_arrive_at_the_client_are_told_from_closed_ports(say):
    frames = syns([0, 1, 3]) + [tcp(at(time + .01), SERVER, CLIENT, 900, 101, SYN | ACK, ident=int(time * 10) + 50) for time in (0, 1, 2, 3)]
    assert list(say(frames)) == ["synack-unacked"]


def died(idle):
    frames = opened(0) + [tcp(at(.1), CLIENT, SERVER, 101, 901, PSH | ACK, b"hello", ident=4), tcp(at(.2), SERVER, CLIENT, 901, 106, PSH | ACK, b"hi", ident=5),
                          tcp(at(.3), CLIENT, SERVER, 106, 903, ACK, ident=6)]
    return frames + [tcp(at(.3 + idle + wait), CLIENT, SERVER, 106, 903, PSH | ACK, b"still there?", ident=70 + turn)
                     for turn, wait in enumerate((0, .2, .6, 1.4, 3, 6.2))]


def test_a_connection_that_was_forgotten_while_it_was_silent(say):
    found = say(died(900))["died-silently"]
    assert found["severity"] == "error" and found["seconds_lost"] == pytest.approx(6.2, abs=.1)
    assert say(died(1))["died-silently"]["severity"] == "warning"


def test_sequence_numbers_that_wrap_around_are_no_repetitions(say):
    frames, mine = opened(0, isn=0xFFFFFFF0), 0xFFFFFFF1
    for turn in range(10):
        frames += [tcp(at(.1 + turn), CLIENT, SERVER, mine, 901, PSH | ACK, b"0123456789", ident=10 + 2 * turn)]
        mine = (mine + 10) % 2**32
        frames += [tcp(at(.11 + turn), SERVER, CLIENT, 901, mine, ACK, ident=11 + 2 * turn)]
    assert say(frames) == {}


# ---------------------------------------------------------------- NAT

def test_an_address_that_changes_within_a_connection(say):
    astray = [tcp(at(.02), ("10.0.0.6", CLIENT[1]), SERVER, 101, 901, ACK, ident=3), tcp(at(.03), ("10.0.0.7", CLIENT[1]), SERVER, 101, 901, PSH | ACK, b"token=x1y2", ident=4)]
    found = say(opened(0)[:2], astray)["nat-unstable"]
    assert found["confidence"] == "certain" and found["severity"] == "error"
    assert all(address in found["sources"] for address in ("10.0.0.5", "10.0.0.6", "10.0.0.7"))


def said(number, address, text):
    return opened(3 * number, (address, 50_000), isn=1000 * number + 100, reply=1000 * number + 900) + [
        tcp(at(3 * number + .03), (address, 50_000), SERVER, 1000 * number + 101, 1000 * number + 901, PSH | ACK, text, ident=7 + number),
        tcp(at(3 * number + .04), SERVER, (address, 50_000), 1000 * number + 901, 1000 * number + 101 + len(text), PSH | ACK, b"ok", ident=8 + number)]


def test_users_of_one_name_are_not_taken_for_one_device(say):
    assert say(said(0, "10.0.0.1", b"LOGIN user=guest\r\n"), said(1, "10.0.0.2", b"LOGIN user=guest\r\n")) == {}
    assert say(said(0, "10.0.0.1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), said(1, "10.0.0.2", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")) == {}


def test_secrets_are_compared_and_never_printed(say):
    text = b"GET / HTTP/1.1\r\nCookie: id=verysecret\r\n\r\n"
    found = say(said(0, "10.0.0.1", text), said(1, "10.0.0.2", text))["nat-unstable"]
    assert "verysecret" not in str(found) and "Cookie" in found["why"]


# ---------------------------------------------------------------- TLS

def hello(name=b"push.example", version=0x0303):
    extension = struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    body = struct.pack("!H", version) + bytes(32) + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0" + struct.pack("!H", len(extension)) + extension
    return b"\x16\x03\x01" + struct.pack("!H", len(body) + 4) + b"\x01" + struct.pack("!I", len(body))[1:] + body


def greeted():
    return opened(0) + [tcp(at(.03), CLIENT, SERVER, 101, 901, PSH | ACK, hello(), ident=4),
                        tcp(at(.04), SERVER, CLIENT, 901, 101 + len(hello()), ACK, ident=5)]


@pytest.mark.parametrize("flags, word", [(RST | ACK, "reset"), (FIN | ACK, "FIN")])
def test_the_end_behind_a_hello(say, flags, word):
    found = say(greeted(), [tcp(at(.05), SERVER, CLIENT, 901, 101 + len(hello()), flags, ident=6)])
    assert word in found["tls-reset-after-hello"]["text"] and found["tls-reset-after-hello"]["server_name"] == "push.example"


@pytest.mark.parametrize("alert, by_client, finding, severity", [
    (48, True, "tls-intercept", "error"), (42, True, "tls-intercept", "error"), (40, False, "tls-alert", "error"),
    (70, False, "tls-alert", "error"), (70, True, "tls-alert", "error"), (112, False, "tls-alert", "error"), (48, False, "tls-alert", "error"), (0, False, None, None)])
def test_alerts_are_told_by_side(say, alert, by_client, finding, severity):
    record = b"\x15\x03\x03\0\x02\x02" + bytes([alert])
    server_hello = b"\x16\x03\x03\0\x04\x02\0\0\0"
    end = 101 + len(hello())
    frames = greeted() + [tcp(at(.05), SERVER, CLIENT, 901, end, PSH | ACK, server_hello, ident=6)]
    frames.append(tcp(at(.06), CLIENT, SERVER, end, 901 + len(server_hello), PSH | ACK, record, ident=7) if by_client
                  else tcp(at(.06), SERVER, CLIENT, 901 + len(server_hello), end, PSH | ACK, record, ident=8))
    found = say(frames)
    assert list(found) == ([finding] if finding else [])
    if finding:
        assert found[finding]["severity"] == severity and found[finding]["alert"] == alert
        assert found[finding]["side"] == ("client" if by_client else "server")
    if alert == 70:
        assert ("the server wants a later version" in found[finding]["text"]) != by_client


# ---------------------------------------------------------------- STUN, ICE, DNS

def stun(kind, transaction, *attributes):
    body = b"".join(struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4) for name, value in attributes)
    return struct.pack("!HHI", kind, len(body), 0x2112A442) + transaction.to_bytes(12, "big") + body


def checks(answered):
    left, right, frames = ("10.0.0.5", 6000), ("192.0.2.9", 7000), []
    for number, (source, target) in enumerate([(left, right), (right, left)] * 3):
        check = stun(1, number, (6, b"ab:cd"), (0x24, b"\0\0\0\1"))
        frames.append(udp(at(number / 2), source, target, check, number))
        if answered:
            frames.append(udp(at(number / 2 + .02), target, source, stun(0x101, number), 100 + number))
    return frames


def test_ice_ends_in_a_conclusion(say):
    assert say(checks(True))["ice"]["conclusion"] == "SUCCESS" and say(checks(True))["ice"]["severity"] == "info"
    assert say(checks(False))["ice"]["conclusion"] == "FAILED" and say(checks(False))["ice"]["severity"] == "error"


def test_a_role_conflict_is_harmless(say):
    conflict = [udp(at(5), ("10.0.0.5", 6000), ("192.0.2.9", 7000), stun(1, 99, (6, b"ab:cd"), (0x24, b"\0\0\0\1")), 200),
                udp(at(5.02), ("192.0.2.9", 7000), ("10.0.0.5", 6000), stun(0x111, 99, (9, b"\0\0\x04\x57")), 201)]
    found = say(checks(True), conflict)["ice"]
    assert found["conclusion"] == "SUCCESS" and "harmless" in found["text"]


def test_two_questions_at_once_are_no_copies(tmp_path):
    """As a resolver asks for A and AAAA: no IP identification, and no checksum yet where the card makes them."""
    asker, server = (CLIENT[0], 5300), ("10.0.0.53", 53)
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap([udp(at(n * .0001), asker, server, dns(b"a.example", kind, 7 + n)) for n, kind in enumerate((1, 28))] +
                          [udp(at(4), asker, server, dns(b"b.example", 1, 9))], nano=True))
    _, report = diagnose(file)
    found, = report["findings"]
    assert found["queries"] == 2 and report["notes"] == []


def test_names_that_are_answered_late_but_are_answered_cost_nothing(say):
    asker, server = (CLIENT[0], 5300), ("10.0.0.53", 53)
    frames = [udp(at(time), asker, server, dns(b"a.example", 1, 7), int(time) + 1) for time in (0, 5)]
    assert say(frames, [udp(at(5.1), server, asker, dns(b"a.example", 1, 7, bytes(4)), 9)]) == {}


# ---------------------------------------------------------------- size

def test_a_flood_of_flows_is_lived_with_and_told(tmp_path):
    file = tmp_path / "flood.pcap"
    count = 1_050_000
    template = tcp(T0, CLIENT, SERVER, 100, 0, SYN).data
    with file.open("wb") as out:
        out.write(pcap([captures.Frame(T0, template)])[:24])
        for number in range(count):
            data = template[:26] + struct.pack("!I", 0x0A000000 + number) + template[30:]
            out.write(struct.pack("<IIII", 1_700_000_000 + number // 10_000, number % 10_000, len(data), len(data)) + data)
    process = subprocess.Popen([program(), "diagnose", "--json", file], stdout=subprocess.PIPE)
    report = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0 and report["packets"] == count and report["flows"] == 1_000_000
    assert any("the oldest 50000 were forgotten" in note for note in report["notes"])
    if not is_instrumented():
        assert used.ru_maxrss < 1024 * 1024  # KiB: some hundred bytes a flow
