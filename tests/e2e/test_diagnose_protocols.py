"""What `sallyport diagnose` reads in the messages themselves: DNS over TCP and in fragments, certificates and tickets of
TLS, the roles and conclusions of ICE, refusals of H.323, and names that would like to be something else."""
import csv
import ipaddress
import json
import pathlib
import ssl
import struct
import subprocess

import pytest

from harness import captures
from harness.captures import conversation, fragmented, mixed, pcap, udp
from harness.certificates import Authority
from harness.h323_message import ras_of
from test_diagnose import diagnose, run
from test_diagnose_faults import ACK, CLIENT, PSH, SERVER, at, dns, hello, opened, port_of, say, stun, tcp  # noqa: F401 (fixture)

RESOLVER = ("10.0.0.53", 53)


@pytest.fixture
def report_of(tmp_path):
    """The whole report on these frames, with options."""
    def of(*groups, options=()):
        file = tmp_path / "x.pcap"
        file.write_bytes(pcap(mixed(*groups), nano=True))
        return diagnose(*options, file)[1]
    return of


# ---------------------------------------------------------------- DNS over TCP, and in fragments

def framed(message):
    return struct.pack("!H", len(message)) + message


def test_dns_over_tcp_that_nobody_answers(say):
    found = say(conversation(at(0), CLIENT, RESOLVER, [("client", framed(dns(b"a.example", 1, 7)))]),
                conversation(at(5), port_of(1), ("10.0.0.54", 53), [("client", framed(dns(b"a.example", 1, 8))), ("server", framed(dns(b"a.example", 1, 8, bytes(4))))], 1))
    assert list(found) == ["dns-unanswered"]
    finding = found["dns-unanswered"]
    assert finding["protocol"] == "tcp" and finding["server"] == RESOLVER[0] and finding["seconds_lost"] == pytest.approx(5, abs=.1)
    assert "tcp dport 53 accept" in finding["fix"]["nft"]


@pytest.mark.parametrize("piece", [1, 2, 7, 1400])
def test_dns_over_tcp_in_whatever_pieces_is_answered(say, piece):
    query, answer = framed(dns(b"a.example", 1, 7)), framed(dns(b"a.example", 1, 7, bytes(4)))
    pieces = [("client", query[:2])] + [("client", query[begin:begin + piece]) for begin in range(2, len(query), piece)]
    assert say(conversation(at(0), CLIENT, RESOLVER, pieces + [("server", answer[:1]), ("server", answer[1:])])) == {}
    assert say(conversation(at(0), CLIENT, RESOLVER, [("client", query), ("client", query), ("server", answer + answer)])) == {}


def large_answer(ident):
    whole = dns(b"big.example", 16, ident, b"\xff" + b"x" * 255)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 30, 256) + b"\xff" + b"y" * 255
    return whole[:6] + struct.pack("!H", 8) + whole[8:] + 7 * record


@pytest.mark.parametrize("last_first", [False, True])
def test_an_answer_in_fragments_is_an_answer(report_of, last_first):
    question = udp(at(0), CLIENT, RESOLVER, dns(b"big.example", 16, 7), 1)
    answer = fragmented(udp(at(.1), RESOLVER, CLIENT, large_answer(7), 2), 800, last_first)
    assert len(answer) == 3
    later = udp(at(9), CLIENT, RESOLVER, b"nothing", 3)
    report = report_of([question], answer, [later])
    assert report["findings"] == [] and report["notes"] == []
    report = report_of(captures.twice([question] + answer + [later]))
    assert report["findings"] == [] and not any("fragment" in note for note in report["notes"])
    # The first of them is enough to tell that there was an answer, and it is told that the rest is missing.
    report = report_of([question], [part for part in answer if part.data[20] == 0x20 and part.data[21] == 0], [later])
    assert report["findings"] == [] and any("lacks fragments" in note for note in report["notes"])
    report = report_of([question], [part for part in answer if part.data[21] != 0], [later])
    assert [one["id"] for one in report["findings"]] == ["dns-unanswered"]


@pytest.mark.parametrize("last_first", [False, True])
def test_tshark_finds_the_whole_answer_in_the_same_packet(report_of, tmp_path, last_first):
    failure = bytearray(large_answer(7))
    failure[3] |= 2  # SERVFAIL
    frames = [udp(at(0), CLIENT, RESOLVER, dns(b"big.example", 16, 7), 1)] + fragmented(udp(at(.1), RESOLVER, CLIENT, bytes(failure), 2), 800, last_first)
    file = tmp_path / "fragments.pcap"
    file.write_bytes(pcap(frames))
    seen = subprocess.run(["tshark", "-n", "-r", file, "-Y", "dns.flags.rcode == 2", "-T", "fields", "-e", "frame.number"], capture_output=True, text=True, check=True)
    (finding,) = report_of(frames)["findings"]
    assert finding["id"] == "dns-errors" and finding["packets"] == [int(seen.stdout)] == [4]


def test_fragments_that_overlap_are_told_and_left_out(report_of):
    answer = fragmented(udp(at(.1), RESOLVER, CLIENT, large_answer(7), 2), 800)
    other = answer[1]._replace(data=answer[1].data[:60] + b"EVIL" + answer[1].data[64:], time=answer[1].time + 500)
    report = report_of([udp(at(0), CLIENT, RESOLVER, dns(b"big.example", 16, 7), 1)], answer[:2], [other], answer[2:], [udp(at(9), CLIENT, RESOLVER, b"x", 3)])
    assert [one["id"] for one in report["findings"]] == ["dns-unanswered"]
    assert any("overlap" in note for note in report["notes"])


# ---------------------------------------------------------------- TLS as it is spoken

def spoken(client, server, name="push.example"):
    """What both sides of a real handshake say."""
    ends = []
    for context, server_side in ((client, False), (server, True)):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends.append((context.wrap_bio(incoming, outgoing, server_side, None if server_side else name), incoming, outgoing))
    said = []
    for _ in range(6):
        for number, who in enumerate(("client", "server")):
            session, _, outgoing = ends[number]
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                pass  # its alert is in what it says
            if data := outgoing.read():
                said.append((who, data))
                ends[1 - number][1].write(data)
    return said


def contexts(directory, server_authority, trusted=None, client_certificate=None, version=ssl.TLSVersion.TLSv1_2):
    chain, key = server_authority.issue("push.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.maximum_version = version
    client.load_verify_locations((trusted or server_authority).ca)
    if client_certificate:
        client.load_cert_chain(*client_certificate)
        server.verify_mode, server.check_hostname = ssl.CERT_REQUIRED, False
        server.load_verify_locations(server_authority.ca)
    return client, server


def test_a_client_that_is_shown_a_certificate_of_somebody_else(say, tmp_path):
    good, box = Authority(tmp_path / "good", "Good CA"), Authority(tmp_path / "box", "Inspecting Box")
    said = spoken(*contexts(tmp_path, box, trusted=good))
    found = say(conversation(at(0), CLIENT, SERVER, said, end="fin"))
    finding = found["tls-intercept"]
    assert list(found) == ["tls-intercept"] and finding["severity"] == "error" and finding["side"] == "client"
    assert finding["issuer"] == "Inspecting Box" and finding["subject"] == "push.example" and "Inspecting Box" in finding["text"]


def test_the_issuer_that_has_to_be_there(report_of, tmp_path):
    box = Authority(tmp_path / "box", "Inspecting Box")
    frames = conversation(at(0), CLIENT, SERVER, spoken(*contexts(tmp_path, box)))
    assert report_of(frames)["findings"] == []  # the client trusts it, and nobody said who should have issued it
    assert report_of(frames, options=["--issuer", "inspecting"])["findings"] == []
    (finding,) = report_of(frames, options=["--issuer", "Good CA"])["findings"]
    assert finding["id"] == "tls-intercept" and finding["confidence"] == "likely" and finding["issuer"] == "Inspecting Box"


def test_one_server_with_certificates_of_two_authorities(say, tmp_path):
    good, box = Authority(tmp_path / "good", "Good CA"), Authority(tmp_path / "box", "Inspecting Box")
    first, second = (spoken(*contexts(tmp_path, authority)) for authority in (good, box))
    found = say(conversation(at(0), CLIENT, SERVER, first), conversation(at(5), port_of(1), SERVER, second, 1))
    assert list(found) == ["tls-intercept"] and found["tls-intercept"]["confidence"] == "possible"
    assert say(conversation(at(0), CLIENT, SERVER, first), conversation(at(5), port_of(1), SERVER, first, 1)) == {}


# ---------------------------------------------------------------- who a client says it is

def everywhere(said, addresses, reset=False, server=SERVER):
    return [conversation(at(5 * number), (address, 50_000), server, said, number, "reset" if reset else "fin") for number, address in enumerate(addresses)]


CHANGING = ["203.0.113.10", "203.0.113.12", "203.0.113.10", "203.0.113.11"]


def test_a_certificate_of_a_device_under_several_addresses(say, tmp_path):
    authority = Authority(tmp_path / "ca")
    said = spoken(*contexts(tmp_path, authority, client_certificate=authority.issue("ipad-0001")))
    found = say(*everywhere(said, CHANGING))["nat-unstable"]
    assert found["severity"] == "warning" and "ipad-0001" in found["why"]
    assert say(*everywhere(said, CHANGING, reset=True))["nat-unstable"]["severity"] == "error"
    assert say(*everywhere(said, ["203.0.113.10"] * 4)) == {}


def test_a_session_ticket_under_several_addresses(say):
    ticket = bytes(range(64))
    body = struct.pack("!H", 0x0303) + bytes(32) + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0"
    extensions = struct.pack("!HH", 35, len(ticket)) + ticket
    body += struct.pack("!H", len(extensions)) + extensions
    hello = b"\x16\x03\x01" + struct.pack("!H", len(body) + 4) + b"\x01" + struct.pack("!I", len(body))[1:] + body
    said = [("client", hello), ("server", b"\x16\x03\x03\0\x04\x02\0\0\0")]
    found = say(*everywhere(said, CHANGING))["nat-unstable"]
    assert "session ticket" in found["why"] and found["severity"] == "warning"


def test_a_device_that_moves_is_no_fault(say):
    said = [("client", b"GET / HTTP/1.1\r\nCookie: id=verysecret\r\n\r\n"), ("server", b"HTTP/1.1 200 OK\r\n\r\n")]
    found = say(*everywhere(said, ["203.0.113.10", "203.0.113.10", "198.51.100.3"]))
    assert found["nat-unstable"]["severity"] == "info" and found["nat-unstable"]["confidence"] == "possible"
    assert say(*everywhere(said, CHANGING))["nat-unstable"]["severity"] == "warning"
    seldom = [captures.shifted(frames, 600 * number) for number, frames in enumerate(everywhere(said, CHANGING))]
    assert say(*seldom)["nat-unstable"]["severity"] == "info"


def test_a_proxy_that_passes_on_what_its_client_says_is_no_nat(say):
    said = [("client", b"GET / HTTP/1.1\r\nCookie: id=verysecret\r\n\r\n"), ("server", b"HTTP/1.1 200 OK\r\n\r\n"), ("server", b"x" * 9000)]
    groups = []
    for number in range(4):
        groups.append(conversation(at(5 * number), ("203.0.113.10", 50_000 + number), ("10.0.0.1", 443), said, 2 * number, "fin"))
        groups.append(conversation(at(5 * number + .05), ("10.0.0.1", 60_000 + number), ("10.0.0.9", 80), said, 2 * number + 1, "fin"))
    assert say(*groups) == {}


def turn_user(name):
    return stun(3, 5, (6, name))  # Allocate


def test_a_turn_user_under_several_addresses(say):
    def allocated(name):
        return [[udp(at(5 * number), (address, 6000), ("192.0.2.9", 3478), turn_user(name), 10 * number),
                 udp(at(5 * number + .1), ("192.0.2.9", 3478), (address, 6000), stun(0x103, 5), 10 * number + 1)] for number, address in enumerate(CHANGING)]
    assert "1700000000:phone" in say(*allocated(b"1700000000:phone"))["nat-unstable"]["why"]
    assert say(*allocated(b"office")) == {}  # an account that several devices may have


def sip(number):
    return (b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.0.2:5060;branch=z9hG4bK%d\r\nFrom: <sip:a@example.com>;tag=1\r\n"
            b"To: <sip:a@example.com>\r\nCall-ID: 9e1b77c0@phone\r\nCSeq: %d REGISTER\r\nContent-Length: 0\r\n\r\n" % (number, number))


def test_a_sip_registration_under_several_addresses(say):
    found = say([udp(at(30 * number), (address, 5060), ("192.0.2.9", 5060), sip(number), number) for number, address in enumerate(CHANGING)])
    assert "Call-ID" in found["nat-unstable"]["why"] and found["nat-unstable"]["protocol"] == "udp"


# ---------------------------------------------------------------- ICE

LEFT, RIGHT = ("10.0.0.5", 6000), ("192.0.2.9", 7000)
CONTROLLED, CONTROLLING, NOMINATES = (0x8029, bytes(8)), (0x802A, bytes(8)), (0x25, b"")


def check(time, number, source, target, *attributes, answer=None):
    frames = [udp(at(time), source, target, stun(1, number, (6, b"ab:cd"), (0x24, b"\0\0\0\1"), *attributes), 2 * number)]
    if answer:
        frames.append(udp(at(time + .02), target, source, stun(answer[0], number, *answer[1:]), 2 * number + 1))
    return frames


GOOD, CONFLICT = (0x101,), (0x111, (9, b"\0\0\x04\x57"))
LATER = [udp(at(30), CLIENT, ("192.0.2.77", 9), b"something else", 99)]


def test_an_ice_that_nominates_is_a_success(say):
    found = say(check(0, 1, LEFT, RIGHT, CONTROLLING, answer=GOOD), check(1, 2, RIGHT, LEFT, CONTROLLED, answer=GOOD),
                check(2, 3, LEFT, RIGHT, CONTROLLING, NOMINATES, answer=GOOD), LATER)["ice"]
    assert (found["conclusion"], found["severity"], found["role_conflict"]) == ("SUCCESS", "info", "none")
    assert found["roles"] == "10.0.0.5 controlling, 192.0.2.9 controlled"


def test_an_ice_that_stops_before_it_nominates_was_aborted(say):
    answered = check(0, 1, LEFT, RIGHT, CONTROLLING, answer=GOOD)
    found = say(answered, LATER)["ice"]
    assert (found["conclusion"], found["severity"]) == ("ABORTED", "warning")
    media = [udp(at(1 + number / 50), LEFT, RIGHT, b"\x80\0" + struct.pack("!HII", number, 160 * number, 7) + bytes(20), 100 + number) for number in range(5)]
    assert say(answered, media, LATER)["ice"]["conclusion"] == "SUCCESS"  # the nomination came before the capture


def test_an_ice_that_hardly_tries_was_aborted_and_at_the_end_of_the_capture_is_open(say):
    tries = check(0, 1, LEFT, RIGHT, CONTROLLING) + check(.5, 2, LEFT, RIGHT, CONTROLLING)
    aborted, open_still = say(tries, LATER)["ice"], say(tries)["ice"]
    assert (aborted["conclusion"], aborted["severity"]) == ("ABORTED", "warning")
    assert (open_still["conclusion"], open_still["severity"]) == ("OPEN", "info")
    assert say(tries, check(2, 3, LEFT, RIGHT), check(4, 4, LEFT, RIGHT), LATER)["ice"]["conclusion"] == "FAILED"


def test_a_role_conflict_that_one_side_gives_in_to_is_harmless(say):
    found = say(check(0, 1, LEFT, RIGHT, CONTROLLING, answer=CONFLICT), check(.1, 2, RIGHT, LEFT, CONTROLLING, answer=CONFLICT),
                check(.5, 3, RIGHT, LEFT, CONTROLLED, answer=GOOD), check(1, 4, LEFT, RIGHT, CONTROLLING, NOMINATES, answer=GOOD), LATER)["ice"]
    assert (found["conclusion"], found["role_conflict"]) == ("SUCCESS", "resolved")
    assert "192.0.2.9 gave in and is controlled now" in found["text"] and "harmless" in found["text"]


def test_a_role_conflict_that_stays_is_a_failure(say):
    found = say(*[check(number, number, *(pair if number % 2 else pair[::-1]), CONTROLLED, answer=GOOD) for number, pair in enumerate([(LEFT, RIGHT)] * 6)], LATER)["ice"]
    assert (found["conclusion"], found["severity"], found["role_conflict"]) == ("FAILED", "error", "unresolved")
    assert "none of them nominates" in found["text"]


# ---------------------------------------------------------------- media that is sent to an address from behind a NAT

PHONE, PRIVATE, PBX = ("203.0.113.11", 40000), ("10.9.0.2", 16400), ("198.51.100.10", 17000)


def one_way(source, target, begin=1, count=75):
    return [udp(at(begin + .02 * number), source, target, struct.pack("!BBHII", 0x80, 0, number, 160 * number, 0xC11E) + bytes(160), number)
            for number in range(count)]


def both_miss(target=PRIVATE):
    """The phone is heard; what is sent to it goes to the address that it gave."""
    return mixed(one_way((PHONE[0], 16400), PBX), one_way((PBX[0], 17002), target))


def open_logical_channel(address):
    """H.245's request for a channel of G.711, as tshark decodes it below: a whole TPKT."""
    media, control = (ipaddress.ip_address(address[0]).packed + struct.pack("!H", address[1] + more) for more in (0, 1))
    message = bytes.fromhex("03000000" "0c6013" "8011140001") + b"\0" + media + b"\0" + control
    return struct.pack("!BBH", 3, 0, 4 + len(message)) + message


def test_a_private_address_in_h245_is_told_where_media_goes_there(say, tmp_path):
    opens = conversation(at(0), PHONE, (PBX[0], 30245), [("client", open_logical_channel(PRIVATE))])
    found = say(opens, both_miss())
    assert found["sdp-private"]["severity"] == "error" and found["sdp-private"]["client"] == PHONE[0]
    assert "H.245" in found["sdp-private"]["text"] and "10.9.0.2:16400" in found["sdp-private"]["text"]
    assert found["rtp-one-way"]["severity"] == "error"
    assert "sdp-private" not in say(opens)  # it may be a number like any other
    assert "sdp-private" not in say(opens, both_miss(("10.9.0.3", 16400)))
    (tmp_path / "h245.pcap").write_bytes(pcap(opens))
    decoded = subprocess.run(["tshark", "-r", tmp_path / "h245.pcap", "-d", "tcp.port==30245,h245", "-V"], capture_output=True, text=True).stdout
    assert "network: 10.9.0.2" in decoded and "tsapIdentifier: 16400" in decoded


def invite(description):
    return (b"INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.11;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n"
            b"To: <sip:b@example.com>\r\nCall-ID: 1@phone\r\nCSeq: 1 INVITE\r\nContent-Length: %d\r\n\r\n" % len(description) + description)


HOST_CANDIDATE = b"a=candidate:1 1 udp 2130706431 10.9.0.2 16400 typ host\r\n"
OUTSIDE_CANDIDATE = b"a=candidate:2 1 udp 1694498815 203.0.113.11 16400 typ srflx raddr 10.9.0.2 rport 16400\r\n"


@pytest.mark.parametrize("over_tcp", [False, True], ids=["UDP", "TCP"])
def test_candidates_of_ice_count_as_what_a_description_says(say, over_tcp):
    def offered(description):
        message = invite(b"v=0\r\n" + description)
        if over_tcp:
            return conversation(at(0), PHONE, (PBX[0], 5060), [("client", message)])
        return [udp(at(0), PHONE, (PBX[0], 5060), message, 9)]
    trickled = b"c=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 0\r\n"
    plain = b"c=IN IP4 10.9.0.2\r\nm=audio 16400 RTP/AVP 0\r\n"
    found = say(offered(trickled + HOST_CANDIDATE), both_miss())
    assert "ICE candidate of 203.0.113.11" in found["sdp-private"]["text"]
    assert say(offered(trickled + HOST_CANDIDATE)) == {}
    assert say(offered(plain))["sdp-private"]["severity"] == "info"
    assert say(offered(plain + HOST_CANDIDATE))["sdp-private"]["severity"] == "info"
    assert say(offered(plain + HOST_CANDIDATE + OUTSIDE_CANDIDATE)) == {}  # there is a way in


# ---------------------------------------------------------------- secrets for tools that decrypt

def with_secrets(frames, key_log):
    data = captures.pcapng(frames)
    body = struct.pack("<II", 0x544C534B, len(key_log)) + key_log + bytes(-len(key_log) % 4)
    length = 12 + len(body)
    begin = struct.unpack_from("<I", data, 4)[0]  # behind the section's head
    return data[:begin] + struct.pack("<II", 10, length) + body + struct.pack("<I", length) + data[begin:]


def test_tls_secrets_are_handed_on_and_never_shown(tmp_path):
    key_log = b"CLIENT_RANDOM " + b"5a" * 32 + b" " + b"c3" * 48 + b"\n"
    (tmp_path / "x.pcapng").write_bytes(with_secrets(captures.good_connection(at(0), CLIENT, SERVER), key_log))
    out = tmp_path / "keys"
    done = run("--json", "--tls-secrets", out, "--report", tmp_path / "x.html", tmp_path / "x.pcapng")
    assert out.read_bytes() == key_log and out.stat().st_mode & 0o777 == 0o600
    assert b"TLS secrets" in done.stdout and b"c3c3" not in done.stdout + done.stderr + (tmp_path / "x.html").read_bytes()
    text = run(tmp_path / "x.pcapng").stdout
    assert b"--tls-secrets" in text and b"c3c3" not in text
    assert run("--tls-secrets", tmp_path / "no/folder", tmp_path / "x.pcapng").returncode == 1


# ---------------------------------------------------------------- refusals

def vectors():
    with (pathlib.Path(__file__).resolve().parents[1] / "data/h323/vectors.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_a_gatekeeper_that_rejects_says_why(say):
    rejects = [row for row in vectors() if row["ras"] in ("RRJ", "GRJ")]
    assert len(rejects) >= 2
    for row in rejects:
        message = bytes.fromhex(row["tpkt_hex"])
        found = say(conversation(at(0), CLIENT, ("192.0.2.9", 1720), [("server", message)]))
        finding = found["h225-refused"]
        assert row["rejectReason"] in finding["text"]
        assert finding["severity"] == ("info" if row["altGKInfo"] else "warning")
        assert finding["protocol"] == "tcp"
        by_udp = say([udp(at(0), ("192.0.2.9", 1719), CLIENT, ras_of(message), 1)])["h225-refused"]
        assert row["rejectReason"] in by_udp["text"] and by_udp["protocol"] == "udp" and by_udp["client"] == CLIENT[0]
        assert say([udp(at(0), ("192.0.2.9", 17190), CLIENT, ras_of(message), 1)]) == {}  # no gatekeeper's port
    for row in vectors():
        if row["ras"] in ("RCF", "GCF", "RRQ", "GRQ"):
            assert "h225-refused" not in say(conversation(at(0), CLIENT, ("192.0.2.9", 1720), [("server", bytes.fromhex(row["tpkt_hex"]))]))


# ---------------------------------------------------------------- hostile words

HOSTILE = b"<script>alert(1)</script>\x1b[2J\"'&"


@pytest.mark.parametrize("where", ["SIP", "certificate", "token"])
def test_hostile_words_break_out_of_nothing(tmp_path, where):
    if where == "SIP":
        answer = (b"SIP/2.0 503 " + HOSTILE.replace(b"\x1b", b"") + b"\r\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
                  b"To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n")
        groups, shown = [[udp(at(0), ("192.0.2.9", 5060), CLIENT, answer)]], "sip-refused"
    elif where == "certificate":
        name = HOSTILE.decode().replace("/", "\\/").replace("\x1b", "")
        box = Authority(tmp_path / "box", name)
        groups = [conversation(at(0), CLIENT, SERVER, spoken(*contexts(tmp_path, box, trusted=Authority(tmp_path / "good"))))]
        shown = "tls-intercept"
    else:
        said = [("client", b"LOGIN token=" + b"<script>x</script>" + b"\r\n"), ("server", b"ok")]
        groups, shown = everywhere(said, CHANGING), "nat-unstable"
    file, page = tmp_path / "x.pcap", tmp_path / "page.html"
    file.write_bytes(pcap(mixed(*groups)))
    done = run("--report", page, file)
    html = page.read_text()
    assert shown in html and "<script" not in html and "&lt;script" in html
    assert b"\x1b" not in done.stdout and b"script" in done.stdout
    found = json.loads(run("--json", file).stdout)["findings"]
    assert [one["id"] for one in found] == [shown] and "<script" in json.dumps(found)


@pytest.mark.parametrize("name", [b"<script>x</script>.example", b"\x1b[2J.example", b"a\0b.example", b"-" * 300])
def test_a_server_name_that_is_none_is_not_printed(say, name):
    found = say(opened(0), [tcp(at(.03), CLIENT, SERVER, 101, 901, PSH | ACK, hello(name), ident=4), tcp(at(6), CLIENT, SERVER, 101 + len(hello(name)), 901, 17, ident=5)])
    assert "script" not in json.dumps(found) and "\\u001b" not in json.dumps(found) and "tls-no-serverhello" in found
