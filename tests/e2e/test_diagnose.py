"""`sallyport diagnose`: from captures to findings, whatever they are packed in."""
import gzip
import json
import pathlib
import re
import shutil
import struct
import subprocess

import pytest

from harness import captures
from harness.gateway import program

DATA = pathlib.Path(__file__).resolve().parents[1] / "data/diagnosis"
ALL = sorted(path.name for path in DATA.glob("*.pcap*"))
WRONG = [name for name in ALL if not any(well in name for well in (
    "asymmetric", "ident-113-reset", "mtu-pmtud", "range-default", "sticky", "seed003-icmp.pcap", "open-noservice",
    "seed003-rst", "cone", "tls12-ok"))]


def run(*args, **more):
    return subprocess.run([program(), "diagnose", *map(str, args)], capture_output=True, timeout=60, **more)


def diagnose(*args, **more):
    """(exit status, report) with --json."""
    done = run("--json", *args, **more)
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def told(report):
    """What must not depend on the wrapping."""
    return sorted((one["severity"], one["id"], one["client"], one["server"], one["port"], one["schedule"])
                  for one in report["findings"])


def lost(report):
    return sorted(one["seconds_lost"] for one in report["findings"])


def same(report, expected, place=lambda one: one):
    assert told(report) == sorted(place(row) for row in told(expected))
    assert lost(report) == pytest.approx(lost(expected), abs=0.1)


@pytest.fixture(scope="module")
def plain():
    return {name: diagnose(DATA / name)[1] for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_the_exit_status_tells_whether_something_is_wrong(name):
    status, report = diagnose(DATA / name)
    assert status == (10 if name in WRONG else 0), report["conclusion"]
    above = [one for one in report["findings"] if one["severity"] != "info"]
    assert bool(above) == (name in WRONG)


WRAPPINGS = {
    "raw IP": lambda frames: captures.pcap(captures.behind(frames, captures.RAW, b"")),
    "BSD loopback": lambda frames: captures.pcap(captures.behind(frames, captures.NULL, b"\x02\0\0\0")),
    "cooked": lambda frames: captures.pcap(captures.behind(frames, captures.COOKED, b"\0\0\0\x01\0\x06abcdef\0\0\x08\0")),
    "cooked 2": lambda frames: captures.pcap(captures.behind(
        frames, captures.COOKED_2, b"\x08\0\0\0\0\0\0\x02\0\x01\0\x06abcdef\0\0")),
    "OpenBSD loopback": lambda frames: captures.pcap(captures.behind(frames, captures.LOOP, b"\0\0\0\x02")),
    "NFLOG": lambda frames: captures.pcap([
        frame._replace(link=captures.NFLOG, data=b"\x02\0\0\0\x08\0\x01\0\x08\0\x03\0" + struct.pack("<HH", 4 + len(frame.ip()), 9) + frame.ip())
        for frame in frames]),
    "PPPoE": lambda frames: captures.pcap([
        frame._replace(data=frame.data[:12] + b"\x88\x64\x11\0\0\x07" + struct.pack("!H", len(frame.ip()) + 2) + b"\0\x21" + frame.ip())
        for frame in frames]),
    "VLAN": lambda frames: captures.pcap(captures.tagged(frames, (0x8100, 5))),
    "QinQ": lambda frames: captures.pcap(captures.tagged(frames, (0x88A8, 5), (0x8100, 6))),
    "big-endian": lambda frames: captures.pcap(frames, order=">"),
    "nanoseconds": lambda frames: captures.pcap(frames, nano=True),
    "big-endian nanoseconds": lambda frames: captures.pcap(frames, order=">", nano=True),
    "pcapng": captures.pcapng,
    "big-endian pcapng": lambda frames: captures.pcapng(frames, order=">"),
    "pcapng of two link types": lambda frames: captures.pcapng(
        [frame if number % 2 else captures.behind([frame._replace(interface=7)], captures.RAW, b"")[0]
         for number, frame in enumerate(frames)]),
    "another year": lambda frames: captures.pcap(captures.shifted(frames, 400_000_000)),
    "each frame twice": lambda frames: captures.pcap(captures.twice(frames)),
    "gzip": lambda frames: gzip.compress(captures.pcap(frames)),
    "gzip of several members": lambda frames: gzip.compress(captures.pcap(frames)[:500]) + gzip.compress(captures.pcap(frames)[500:]),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_wrapping_changes_nothing(wrapping, plain, tmp_path):
    for name in ALL:
        file = tmp_path / name
        file.write_bytes(WRAPPINGS[wrapping](captures.read(DATA / name)))
        same(diagnose(file)[1], plain[name])


ADDRESSES = {"10.9.0.2": "192.168.77.3", "10.9.0.1": "192.168.77.1", "10.8.0.2": "192.168.78.2", "198.51.100.10": "192.0.2.200",
             "198.51.100.11": "192.0.2.201", "198.51.100.1": "192.0.2.1"}


def other_address(old):
    text = ".".join(str(byte) for byte in old)
    return bytes(int(part) for part in ADDRESSES.get(text, text).split("."))


def other_port(old):
    return old + 20_011 if old < 40_000 else old - 3


def test_addresses_and_ports_are_not_known_beforehand(plain, tmp_path):
    for name in ALL:
        if "sip" in name:
            continue  # the description of the session names them as well
        file = tmp_path / name
        file.write_bytes(captures.pcapng(captures.readdressed(captures.read(DATA / name), other_address, other_port)))
        move = lambda row: (row[0], row[1], ADDRESSES.get(row[2], row[2]), ADDRESSES.get(row[3], row[3]),
                            other_port(row[4]) if row[4] else 0, row[5])
        same(diagnose(file)[1], plain[name], move)


def test_what_a_session_description_says_may_be_anything_else(plain, tmp_path):
    name = "sip-rtp-oneway-nat-server.pcap"
    addresses = {b"10.9.0.2": b"10.7.1.4", b"203.0.113.11": b"203.0.113.76", b"198.51.100.10": b"198.51.100.84"}
    ports = {16400: 26402, 17000: 27008}

    def said(data):
        for old, new in (*addresses.items(), *((b"%d" % old, b"%d" % new) for old, new in ports.items())):
            data = data.replace(old, new)
        return data

    words = lambda text: said(text.encode()).decode()
    move = lambda row: (row[0], row[1], words(row[2]), words(row[3]), ports.get(row[4], row[4]), row[5])
    frames = captures.readdressed(captures.read(DATA / name), lambda old: bytes(int(part) for part in words(".".join(map(str, old))).split(".")),
                                  lambda port: ports.get(port, port))
    file = tmp_path / name
    file.write_bytes(captures.pcap([frame._replace(data=said(frame.data)) for frame in frames]))
    same(diagnose(file)[1], plain[name], move)


# The right column of tests/data/diagnosis/README.md, where it says more than findings and seconds.
STATED = {
    "seed003-drop-server.pcap": ["5 SYNs at 0, 1.01, 3.02, 7.22, 15.41 s", "exponential", "Linux", "port 443, 20.02 s after"],
    "seed003-drop-win10.pcap": ["5 SYNs at 0, 1, 3, 7, 15 s", "Windows 8", "21.00 s after"],
    "seed003-rst.pcap": ["port 443", "24 ms"],
    "seed003-icmp.pcap": ["port unreachable", "heeds it", "no time is lost"],
    "seed003-icmp-lost-server.pcap": ["5 SYNs with 5 ICMP errors", "keeps trying", "reject with tcp reset"],
    "seed003-icmp-ratelimited.pcap": ["26 SYNs got only 12 ICMP errors", "6 were refused at once and 6 waited", "reject with tcp reset"],
    "linux-syn-exponential-127s.pcap": ["7 SYNs at 0, 1.02, 3.03, 7.19, 15.38, 31.51, 64.54 s", "about 130 s"],
    "ident-113-dropped-server.pcap": ["7 SYNs", "port 113 (ident)", "greets 10.9.0.2 only 10.03 s after"],
    "seed000-nat-random-outside.pcap": ["ipad-0001", "5 addresses in 6 sessions", "reset 4 of them"],
    "seed000-nat-random-both.pcapng": ["203.0.113.12, then 203.0.113.15, then 203.0.113.10, then 203.0.113.11, then 203.0.113.14, then 203.0.113.12", "initial sequence numbers"],
    "mtu-blackhole.pcap": ["1448 bytes", "repeated 6 times", "no ICMP error", "maxseg size set rt mtu", "type 3 code 4"],
    "mtu-pmtud-works.pcap": ["1400 bytes", "3/4"],
    "halfopen-synack-lost-server.pcap": ["4 SYNs, 6 SYN-ACKs, no ACK", "return path is broken"],
    "dns-unanswered-then-second.pcap": ["5-courier.push.apple.com", "198.51.100.11 answered", "5.00 s later"],
    "rtp-oneway.pcap": ["75 packets", "10.9.0.2:16400 to 198.51.100.10:17000", "0x0000c11e"],
    "sip-rtp-oneway-nat-server.pcap": ["10.9.0.2:16400", "not the packet's own", "203.0.113.11", "70 packets", "60 packets"],
    "stun-unanswered.pcap": ["5 requests at 0, 0.64, 1.65, 3.76, 7.81 s", "1 transaction", "udp dport 3478 accept"],
    "stun-symmetric-nat.pcap": ["203.0.113.11:38748", "203.0.113.11:42886", "symmetric"],
    "stun-cone-nat.pcap": ["203.0.113.11:16406", "as far as 2 servers can show"],
    "tls-clienthello-no-answer.pcap": ["courier.push.example", "acknowledged", "gives up after 5.96 s"],
    "tls-alert-protocol-version.pcap": ["alert 70 (protocol_version)", "TLS 1.2 at most"],
}


@pytest.mark.parametrize("name", STATED)
def test_each_row_is_stated_with_its_values(name):
    text = " ".join(run(DATA / name).stdout.decode().split())
    for part in STATED[name]:
        assert part in text


def test_other_traffic_beside_it_changes_nothing(plain, tmp_path):
    for name in ALL:
        frames = captures.read(DATA / name)
        begin = min(frame.time for frame in frames) - 2 * 10**9
        client, server = "10.9.0.2", "198.51.100.10"
        others = [captures.good_connection(begin + number * 37_000_000, (f"10.9.1.{number % 40}", 42_000 + number),
                                           ("198.51.100.77", 443), number) for number in range(300)]
        # And the same two hosts, with a session that began before and ends behind it all.
        others.append(captures.good_connection(begin, (client, 50_022), (server, 22), 777, exchanges=30, every=5 * 10**9))
        if "asymmetric" in name:
            others.pop()
        file = tmp_path / name
        file.write_bytes(captures.pcapng(captures.mixed(frames, *others)))
        report = diagnose(file)[1]
        if "linux-syn" not in name and "ident" not in name:  # the session shows where these were captured
            same(report, plain[name])
        assert [row[1] for row in told(report)] == [row[1] for row in told(plain[name])]


def test_a_file_cut_anywhere_gives_what_it_holds(tmp_path):
    whole = (DATA / "seed003-drop-server.pcap").read_bytes()
    file = tmp_path / "cut.pcap"
    for size in range(0, len(whole), 13):
        file.write_bytes(whole[:size])
        done = run("--json", file)
        assert done.returncode in (0, 3, 10)
        if size > 500:
            report = json.loads(done.stdout)
            assert [one["id"] for one in report["findings"]] == ["syn-silent"]
            assert any("cut" in note for note in report["notes"]) or size == len(whole)
        packed = gzip.compress(whole)
        file.write_bytes(packed[:size * len(packed) // len(whole)])
        assert run(file).returncode in (0, 3, 10)


def test_what_is_packed_and_damaged_is_used_and_told(tmp_path):
    packed = gzip.compress((DATA / "seed003-drop-server.pcap").read_bytes())
    file = tmp_path / "x.pcap"
    for bad, told in ((packed[:-8] + b"\0" * 8, True), (packed[:-1], True), (packed + b"\0" * 512, False)):
        file.write_bytes(bad)
        status, report = diagnose(file)
        assert status == 10 and ("what the file is packed in is cut or damaged" in report["notes"]) == told


@pytest.mark.parametrize("length", [64, 96])
def test_frames_of_which_the_beginning_was_kept_give_no_other_fault(length, plain, tmp_path):
    for name in ALL:
        file = tmp_path / name
        frames = captures.read(DATA / name)
        file.write_bytes(captures.pcapng([frame._replace(data=frame.data[:length]) for frame in frames], wire=[len(frame.data) for frame in frames]))
        report = diagnose(file)[1]
        if name not in WRONG:
            assert not [row for row in told(report) if row[0] != "info"]
        if length == 96 and "sip" not in name:
            same(report, plain[name])
        assert any("not captured whole" in note for note in report["notes"]) == any(len(frame.data) > length for frame in frames)


def test_standard_input_is_read_as_well():
    status, report = diagnose("-", input=(DATA / "seed003-drop-server.pcap").read_bytes())
    assert status == 10 and report["files"] == ["standard input"]
    assert [one["id"] for one in report["findings"]] == ["syn-silent"]


def test_several_files_make_one_report():
    status, report = diagnose(DATA / "seed003-drop-server.pcap", DATA / "dns-unanswered-then-second.pcap")
    assert status == 10 and report["packets"] == 18 and len(report["files"]) == 2
    assert {one["id"]: (pathlib.Path(one["file"]).name, one["packets"][0]) for one in report["findings"]} == {
        "syn-silent": ("seed003-drop-server.pcap", 1), "dns-unanswered": ("dns-unanswered-then-second.pcap", 1)}


def test_each_client_gets_a_verdict(tmp_path):
    frames = captures.read(DATA / "seed003-drop-server.pcap")
    other = captures.readdressed(captures.shifted(captures.read(DATA / "dns-unanswered-then-second.pcap"), 1),
                                 lambda old: bytes([10, 9, 0, 7]) if old == bytes([10, 9, 0, 2]) else old, lambda port: port)
    file = tmp_path / "two.pcap"
    file.write_bytes(captures.pcap(captures.mixed(frames, captures.shifted(other, (frames[0].time - other[0].time) // 10**9))))
    report = diagnose(file)[1]
    assert [(one["client"], one["seconds_lost"]) for one in report["clients"]] == [("10.9.0.2", pytest.approx(20.02, abs=.1)), ("10.9.0.7", pytest.approx(5, abs=.1))]
    text = run(file).stdout.decode()
    assert "10.9.0.2: 20.02 s lost." in text and "10.9.0.7: 5.00 s lost." in text


@pytest.mark.parametrize("content, says", [(b"GET / HTTP/1.1\r\n\r\n", b"not a capture"), (b"", b"not a capture"), (None, b"can't open")])
def test_what_is_no_capture_is_invalid_input(content, says, tmp_path):
    file = tmp_path / "x"
    if content is not None:
        file.write_bytes(content)
    done = run(file)
    assert done.returncode == 3 and says in done.stderr and done.stdout == b""


@pytest.mark.parametrize("args", [[], ["--live", "lo", DATA / ALL[0]], ["--client", "nobody", DATA / ALL[0]], ["--for", "1s", DATA / ALL[0]],
                                  ["--live", "lo", "--for", "soon"]])
def test_a_wrong_call_is_told(args):
    assert run(*args).returncode == 2


def test_only_one_client_is_looked_at():
    status, report = diagnose("--client", "192.0.2.1", DATA / "seed003-drop-server.pcap")
    assert (status, report["findings"]) == (0, [])
    assert diagnose("--client", "10.9.0.2", DATA / "seed003-drop-server.pcap")[0] == 10


def test_the_text_holds_the_number_the_reason_and_the_rule():
    text = run(DATA / "seed003-drop-server.pcap").stdout.decode()
    for part in ("20.02 s lost", "packets 1, 2, 3, 4, 5", "port 443",
                 "nft insert rule inet filter input tcp dport 1935 reject with tcp reset",
                 "iptables -I INPUT -p tcp --dport 1935 -j REJECT --reject-with tcp-reset"):
        assert part in text
    assert text.splitlines()[0].startswith("198.51.100.10 port 1935")


def hostile_hello():
    """A query for a name that would like to be markup and to move the cursor."""
    name = b"<script>alert(1)</script>\x1b[2J\"'&"
    question = bytes([len(name)]) + name + b"\x07example\0" + b"\0\x01\0\x01"
    head = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0"
    return [captures.udp(time * 10**9, ("10.0.0.1", 4000), ("10.0.0.2", 53), head + question, time) for time in (100, 105, 120)]


def test_hostile_names_break_out_of_nothing(tmp_path):
    file, page = tmp_path / "hostile.pcap", tmp_path / "report.html"
    file.write_bytes(captures.pcap(hostile_hello()))
    done = run("--report", page, file)
    assert done.returncode == 10 and b"\x1b" not in done.stdout
    html = page.read_text()
    assert "<script" not in html and "\x1b" not in html and "script" in html
    report = diagnose(file)[1]
    assert report["findings"][0]["id"] == "dns-unanswered"


def test_the_page_needs_nothing_from_elsewhere(tmp_path):
    page = tmp_path / "report.html"
    assert run("--report", page, DATA / "seed003-drop-server.pcap").returncode == 10
    html = page.read_text()
    assert "<svg" in html and "20.02 s lost" in html and "prefers-color-scheme" in html
    assert "http://" not in html and "https://" not in html and "src=" not in html


# What a browser makes of the page, told by a script that only the test adds to it, and allows: the page lets none run.
LOOK = """<script>
const lost = [...document.querySelectorAll("svg text")].find(one => one.textContent.includes("20.02 s lost")).getBoundingClientRect()
document.title = JSON.stringify({background: getComputedStyle(document.body).backgroundColor, width: lost.width, right: lost.right,
                                 wide: document.documentElement.scrollWidth > innerWidth, scripts: document.scripts.length})
</script></body>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed: ./dev deps test")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_draws_the_seconds_lost(dark, tmp_path):
    page, hostile = tmp_path / "report.html", tmp_path / "hostile.pcap"
    hostile.write_bytes(captures.pcap(hostile_hello()))
    run("--report", page, DATA / "seed003-drop-server.pcap", hostile)
    html = page.read_text()
    assert html.count("</body>") == html.count("default-src 'none'") == 1
    page.write_text(html.replace("default-src 'none'", "script-src 'unsafe-inline'").replace("</body>", LOOK))
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/browser", *scheme,
                           "--window-size=900,900", "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    seen = json.loads(re.search("<title>(.*?)</title>", done.stdout)[1])
    assert seen["width"] > 20 and seen["right"] < 900 and not seen["wide"] and seen["scripts"] == 1
    brightness = sum(int(part) for part in re.findall(r"\d+", seen["background"])[:3]) / 3
    assert brightness < 80 if dark else brightness > 200


def test_a_page_that_cant_be_written_is_a_failure(tmp_path):
    done = run("--report", tmp_path / "no/where.html", DATA / "tls12-ok.pcap")
    assert done.returncode == 1 and b"can't write" in done.stderr
