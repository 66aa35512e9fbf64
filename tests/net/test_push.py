"""Devices in an isolated network, this gateway, and an Apple of our own behind it: what a device does reaches Apple
octet by octet, and nothing else reaches anybody."""
import contextlib
import itertools
import json
import shutil
import subprocess

import pytest

from harness.dns_query import Answer
from harness.foreign_sockets import hasten, keepalive, tcp_sockets
from harness.namespaces import open_network
from harness.waiting import wait_until
from push_scene import ALPN, APPLE, APPLE6, DEVICES, DNS, NAME, Site, relayed

@pytest.fixture(scope="module")
def site(module_stage):
    with contextlib.closing(open_network()) as net:
        yield Site(net, module_stage)


@pytest.fixture
def prefix(site):
    with site.gateway({}) as gateway:
        yield gateway


@pytest.mark.parametrize("vip, number", [("10.100.100.7", 7), ("10.100.100.0", 0), ("10.100.100.50", 50),
                                         ("fd00:100::7", 7), ("fd00:100::32", 50)])
def test_a_courier_is_reached_by_its_address(site, prefix, vip, number):
    before = len(prefix.records())
    seen = relayed(site.device(vip))
    assert seen["local"][0].removeprefix("::ffff:") in APPLE + APPLE6 and seen["local"][1] == 5223
    record = prefix.latest_record(before)
    assert record["protocol"] == "push" and record["verdict"] == "forwarded" and record["reason"] == "ok"
    assert record["looked_for"] == f"{number}-{NAME}" and record["bytes_in"] > 0 and record["bytes_out"] > 0


@pytest.mark.parametrize("port, name, alpn", [(443, NAME, ALPN), (5223, "courier2.push.apple.com", ALPN)])
def test_the_other_port_and_the_other_family_are_relayed(site, prefix, port, name, alpn):
    before = len(prefix.records())
    assert relayed(site.device("10.100.100.7", port, name, alpn))["local"][1] == port
    assert prefix.latest_record(before)["looked_for"] == f"7-{name}"


@pytest.mark.parametrize("address, port, name, alpn, detail", [
    ("10.100.100.7", 5223, "www.example.com", ALPN, "is no name of the push service"),
    ("10.100.100.7", 443, NAME, "h2", "offers no protocol of the push service"),
    ("10.100.100.7", 2197, "api.push.apple.com", "h2", "providers is false"),
    ("10.100.100.13", 5223, NAME, ALPN, "resolves to 10.0.0.1, which is not in allow_to"),
    ("10.100.100.14", 5223, NAME, ALPN, "resolves to 10.100.100.7, which is not in allow_to"),
    ("10.100.100.15", 5223, NAME, ALPN, "resolves to 192.0.2.1, which is not in allow_to"),
])
def test_what_is_not_apples_is_refused_and_told(site, prefix, address, port, name, alpn, detail):
    before = len(prefix.records())
    assert "error" in site.device(address, port, name, alpn)
    record = prefix.latest_record(before)
    assert record["verdict"] == "refused" and record["reason"] == "push.not_apple" and detail in record["detail"]


# Connections of a client beyond its share are reset before they have said anything.
CROWD = """
import select, socket
held = [socket.create_connection(("10.100.100.7", 5223), 20) for _ in range(3)]
for one in select.select(held, [], [], 20)[0]:
    try:
        print(one.recv(1))
    except ConnectionResetError:
        print("reset")
"""


def test_nobody_takes_all_places(site):
    with site.gateway({}, listen={"http": "10.1.0.1:8080", "max_connections_per_client": 2}) as gateway:
        assert site.devices.python(CROWD) == "reset\n"
        assert gateway.latest_record(0)["reason"] == "limit.client"


def test_a_courier_that_does_not_exist_leads_nowhere(site, prefix):
    before = len(prefix.records())
    assert "error" in site.device("10.100.100.51")
    assert prefix.latest_record(before)["reason"] == "target.unresolved"


def test_what_comes_to_another_address_of_this_machine_is_reset(site, prefix):
    assert "error" in site.device("10.1.0.1")


def test_the_device_learns_at_once_that_apple_has_gone(site, prefix):
    assert site.device("10.100.100.7", lines=("who", "reset"))["ended"] == "reset"
    assert site.device("10.100.100.7", lines=("who", "end"))["ended"] == "closed"


def test_the_device_learns_in_time_that_apple_has_vanished(site):
    with site.gateway({}) as gateway:
        device = site.devices.start(*site.device_words("10.100.100.7", lines=("who", "wait")))
        assert device.stdout.readline() == "waits\n"
        legs = [one for one in tcp_sockets(gateway.pid) if 5223 in (one.getpeername()[1], one.getsockname()[1])]
        assert len(legs) == 2
        for leg in legs:  # so often that a NAT which forgets after three minutes does not, and Apple's 635 s are far
            assert keepalive(leg)["silence"] < 180 and keepalive(leg)["budget"] < 240
        apple = next(leg for leg in legs if leg.getpeername()[1] == 5223)
        hasten(apple)
        for leg in legs:  # else the gateway's close would close nothing
            leg.close()
        site.outside.nft_alone("table inet apple {\nchain input {\ntype filter hook input priority 0;\n"
                               "tcp dport 5223 drop\n}\n}\n")
        try:
            told = json.loads(device.stdout.readline())
            assert told.get("ended") == "reset", told
            assert gateway.wait_record()["reason"] == "target.closed"
        finally:
            site.outside.nft_alone("")


def test_addresses_that_are_silent_or_refuse_are_passed_by(site, prefix):
    silent, refusing = ", ".join(APPLE[:3]), APPLE[3]
    site.outside.nft_alone("table inet apple {\nchain input {\ntype filter hook input priority 0;\n"
                     f"ip daddr {{ {silent} }} tcp dport 5223 drop\n"
                     f"ip daddr {refusing} tcp dport 5223 reject with tcp reset\n"
                     "ip6 daddr 2620:149:a44::/48 tcp dport 5223 drop\n}\n}\n")
    try:
        for device in DEVICES:
            assert relayed(site.device("10.100.100.7", own=device))["local"][0].removeprefix("::ffff:") in APPLE[4:]
    finally:
        site.outside.nft_alone("")


def test_our_own_name_server_leads_devices_here(site):
    dns = {"listen": "10.1.0.1:53", "upstream": [DNS], "clients": ["10.1.0.0/24"]}

    def ask(name, kind, *options):
        return Answer(site.devices.run("kdig", "@10.1.0.1", "-t", kind, name, "+timeout=10", *options))

    with site.gateway({}, dns=dns) as gateway:
        for options in ([], ["+tcp"]):
            assert ask(f"7-{NAME}", "A", *options).addresses == {"10.100.100.7"}
            assert ask(f"7-{NAME}", "AAAA", *options).addresses == {"fd00:100::7"}
            nothing = ask(f"7-{NAME}", "TYPE65", *options)
            assert nothing.code == "NOERROR" and not nothing.records
            assert ask(f"51-{NAME}", "A", *options).code == "NXDOMAIN"
        assert ask("init.push.apple.com", "A").addresses == {"17.1.1.1"}
        relayed(site.device("10.100.100.7"))
        answer = gateway.json_verb("push", "devices")[1]["devices"]
        assert answer and all(row["remark"] != "connected without asking" for row in answer)


WANTED = {  # of facts 4.2: code, and what the answer holds
    ("7-courier", "A"): ("NOERROR", {"10.100.100.7"}),
    ("7-courier", "AAAA"): ("NOERROR", {"fd00:100::7"}),
    ("7-courier", "TYPE65"): ("NOERROR", set()),
    ("7-courier", "TXT"): ("NOERROR", set()),
    ("0-courier2", "A"): ("NOERROR", {"10.100.100.0"}),
    ("51-courier", "A"): ("NXDOMAIN", set()),
    ("51-courier", "AAAA"): ("NXDOMAIN", set()),
    ("api", "A"): ("NOERROR", {APPLE[0]}),
    ("", "TXT"): ("NOERROR", {'"count=50"'}),
}


def test_devices_are_told_what_they_should_be(site):
    dns = {"listen": "10.1.0.1:53", "upstream": [DNS], "clients": ["10.1.0.0/24"]}
    views = [{"name": "branch", "clients": [f"{DEVICES[1]}/32"]}]
    transports = ([], ["+edns", "+bufsize=1232"], ["+tcp"])
    with site.gateway({}, dns=dns, **{"dns.view": views}):
        for transport, (question, wanted) in itertools.product(transports, WANTED.items()):
            for spell, device in zip((str.lower, str.upper, str.title), [*DEVICES[:2], DEVICES[0]]):  # one is in the view
                name = spell(f"{question[0]}.push.apple.com".lstrip("."))
                answer = Answer(site.devices.run("kdig", "@10.1.0.1", "-b", device, "-t", question[1], name, "+timeout=10",
                                                 *transport))
                told = {data for kind, data in answer.records if kind != "CNAME"}
                assert (answer.code, told) == wanted, answer.text


def test_one_address_may_stand_for_all_couriers(site):
    with site.gateway({"vip": ["10.100.100.1"]}) as gateway:
        for device in DEVICES[:3]:
            relayed(site.device("10.100.100.1", own=device))
        assert "error" in site.device("10.100.100.7"), "another address of the network is not listened on"
        named = [record["looked_for"] for record in gateway.records()]
        assert len(named) == 3 and all(name.endswith("-" + NAME) for name in named)


def test_senders_are_relayed_where_they_may(site):
    with site.gateway({"providers": True}):
        device = site.device("10.100.100.192", 2197, "api.push.apple.com", "apns-security-v3")
        assert relayed(device)["local"][1] == 2197


@pytest.mark.parametrize("address, rule, own", [
    (APPLE[2], "ip saddr 10.1.0.0/24 ip daddr 17.0.0.0/8", "198.51.100.1"),
    (APPLE6[2], "ip6 saddr fd01::/64 ip6 daddr 2620:149:a44::/48", "2001:db8::1"),
], ids=["IPv4", "IPv6"])
def test_a_redirected_connection_goes_where_it_was_going(site, address, rule, own):
    site.house.nft_alone("table inet nat {\nchain pre {\ntype nat hook prerouting priority -100;\n"
                         f"{rule} tcp dport {{ 5223, 443 }} redirect\n}}\n}}\n")
    try:
        with site.gateway({"vip": [], "intercept": True}) as gateway:
            seen = relayed(site.device(address))
            assert seen["local"][0].removeprefix("::ffff:") == address and seen["peer"].removeprefix("::ffff:") == own
            assert gateway.wait_record()["target"] == (f"[{address}]:5223" if ":" in address else f"{address}:5223")
    finally:
        site.house.nft_alone("")


def test_each_device_goes_out_from_its_own_address(site):
    site.house.ip("route", "replace", "local", "192.0.2.16/28", "dev", "lo")
    with site.gateway({}, egress={"pool": ["192.0.2.16/28"], "mode": "exclusive"}):
        seen = {device: {relayed(site.device(vip, own=device))["peer"].removeprefix("::ffff:")
                         for vip in ("10.100.100.7", "10.100.100.8")} for device in DEVICES}
        assert all(len(addresses) == 1 for addresses in seen.values()), seen
        assert len(set.union(*seen.values())) == len(DEVICES)


@pytest.fixture
def dmz(site):
    """Nothing but a proxy and the name server can be reached from the gateway."""
    site.house.ip("route", "delete", "17.0.0.0/8")
    site.house.ip("-6", "route", "delete", "2620:149:a44::/48")
    site.house.ip("route", "add", DNS, "via", "198.51.100.2")
    yield site
    site.house.ip("route", "delete", DNS)
    site.house.ip("route", "add", "17.0.0.0/8", "via", "198.51.100.2")
    site.house.ip("route", "add", "2620:149:a44::/48", "via", "2001:db8::2")


def listens(host, port):
    return f":{port} " in host.run("ss", "-Hltn")


def start_proxy(dmz, port, program, configuration, *words):
    """Skips where this machine has none."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    folder = dmz.stage.folder(program)
    folder.mkdir()
    (folder / "conf").write_text(configuration)
    dmz.outside.start(program, *words, folder / "conf", stderr=subprocess.DEVNULL)
    wait_until(lambda: listens(dmz.outside, port), program)


HTTP_PROXIES = {  # program: port, how it is started, what it is told
    "tinyproxy": (3128, ("-d", "-c"), "Port 3128\nListen 198.51.100.2\nTimeout 600\nAllow 198.51.100.0/24\n"
                  "ConnectPort 5223\nConnectPort 443\nLogLevel Error\n"),
    "squid": (3129, ("-N", "-f"), "http_port 198.51.100.2:3129\nacl inside src 198.51.100.0/24\nacl apns port 5223 443\n"
              "http_access allow CONNECT inside apns\nhttp_access deny all\npid_filename none\naccess_log none\n"
              "cache_log /dev/null\ncache deny all\n"),
}


@pytest.mark.parametrize("program", HTTP_PROXIES)
def test_connections_go_out_by_an_http_proxy(dmz, program):
    port, words, configuration = HTTP_PROXIES[program]
    start_proxy(dmz, port, program, configuration, *words)
    with dmz.gateway({"via": ["http://198.51.100.2:9", f"http://198.51.100.2:{port}"]}) as gateway:
        relayed(dmz.device("10.100.100.7"))
        assert gateway.wait_record()["target"].partition(":")[0] in APPLE + ["[2620"]
        assert "error" in dmz.device("10.100.100.7", 2197), "the proxy's rules forbid it"


def test_connections_go_out_by_dante(dmz):
    start_proxy(dmz, 1082, "danted", "logoutput: /dev/null\ninternal: 198.51.100.2 port = 1082\nexternal: 198.51.100.2\n"
                "clientmethod: none\nsocksmethod: none\nuser.privileged: root\nuser.unprivileged: nobody\n"
                "client pass { from: 198.51.100.0/24 to: 0.0.0.0/0 }\n"
                "socks pass { from: 198.51.100.0/24 to: 17.0.0.0/8 port = 5223\n  protocol: tcp\n  command: connect\n}\n",
                "-N", "1", "-f")
    with dmz.gateway({"via": ["socks5://198.51.100.2:1082"]}):
        relayed(dmz.device("10.100.100.7"))
        assert "error" in dmz.device("10.100.100.7", 443), "the proxy's rules forbid it"


@pytest.mark.parametrize("login", [[], ["-u", "us@er", "-P", "pass"]], ids=["open", "login"])
def test_connections_go_out_by_a_socks_proxy(dmz, login):
    port = 1081 if login else 1080
    dmz.outside.start("microsocks", "-i", "198.51.100.2", "-p", port, *login)
    wait_until(lambda: listens(dmz.outside, port), "microsocks")
    user = "us%40er:pass@" if login else ""
    with dmz.gateway({"via": [f"socks5://{user}198.51.100.2:{port}"]}):
        relayed(dmz.device("10.100.100.7"))
    if login:
        with dmz.gateway({"via": [f"socks5://us%40er:wrong@198.51.100.2:{port}"]}) as gateway:
            assert "error" in dmz.device("10.100.100.7")
            record = gateway.wait_record()
            assert record["reason"] == "target.refused" and "no such user and password" in record["detail"]
            assert "wrong" not in json.dumps(record)
