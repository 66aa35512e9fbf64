"""kdig asks the gateway's name server, which knows names of its own and asks unbound for all others."""
import json
import os
import subprocess

import pytest

from harness import free_port, wait_until
from harness.dns_query import ask
from harness.dns_wire import ScriptedServer, address, answer_to
from harness.gateway import program
from harness.unbound import Unbound

OUTSIDE = [
    "hq.example.com. 60 IN A 198.51.100.9", "hq.example.com. 60 IN AAAA 2001:db8:bad::9",
    'hq.example.com. 60 IN HTTPS 1 . ipv4hint=198.51.100.9', "api.example.com. 300 IN A 198.51.100.1",
    'example.com. 300 IN TXT "count=50"', "x.apps.example.com. 60 IN A 198.51.100.8",
    "www.example.net. 300 IN CNAME web.example.net.", "web.example.net. 300 IN A 198.51.100.2",
    "evil.example.net. 60 IN A 10.0.0.1", "nas.lan.example. 60 IN A 10.0.0.2",
    "odd.example.net. 60 IN TYPE65280 \\# 3 abcdef",
    *[f'big.example.net. 60 IN TXT "{"x" * 200}{number}"' for number in range(12)],
]
TRANSPORTS = {"udp": ["+notcp"], "edns": ["+edns", "+bufsize=1232"], "tcp": ["+tcp"]}
LETTERS = {"udp": str.lower, "edns": str.upper, "tcp": str.title}  # each transport in letters of its own


def dns_table(*upstreams, **more):
    return {"listen": f"127.0.0.1:{free_port()}", "upstream": list(upstreams), "clients": ["127.0.0.0/24"], **more}


@pytest.fixture(scope="module")
def outside(module_stage):
    certificate = module_stage.authority.issue("unbound", ["ns.test"])
    outside = module_stage.keep(Unbound(module_stage.folder("unbound"), OUTSIDE, certificate))
    outside.ca = module_stage.authority.ca
    return outside


@pytest.fixture(scope="module")
def corporate(module_stage):
    records = ["intern.corp.example. 60 IN A 172.16.0.77", "hq.example.com. 60 IN A 198.51.100.66"]
    return module_stage.keep(Unbound(module_stage.folder("unbound"), records))


def start(stage, dns, **tables):
    gateway = stage.gateway({"listen": {}, "dns": dns, **tables})
    gateway.dns_port = int(dns["listen"].rsplit(":", 1)[1])
    return gateway


@pytest.fixture(scope="module")
def gateway(module_stage, outside, corporate):
    return start(module_stage, dns_table(outside.address, deny=["ads.example"], rebind_allow=["lan.example"],
                                         log_queries=True),
                 **{"dns.view": [{"name": "branch", "clients": ["127.0.0.2/32"]}],
                    "dns.forward": [{"domain": "corp.example", "upstream": [corporate.address]}],
                    "dns.record": [
                        {"name": "hq.example.com", "address": ["172.16.0.10"], "ttl": "30s"},
                        {"name": "hq.example.com", "address": ["10.2.0.10", "fd00::10"], "view": ["branch"]},
                        {"name": "*.apps.example.com", "address": ["172.16.0.20"]}]})


CASES = {  # what facts demand of names that are ours, and of those that are not
    "our name": (("hq.example.com", "A"), "NOERROR", {("A", "172.16.0.10")}),
    "its other types are not the outside's": (("hq.example.com", "AAAA"), "NOERROR", set()),
    "nor is its HTTPS": (("hq.example.com", "TYPE65"), "NOERROR", set()),
    "a pattern": (("x.apps.example.com", "A"), "NOERROR", {("A", "172.16.0.20")}),
    "its reverse": (("10.0.16.172.in-addr.arpa", "PTR"), "NOERROR", {("PTR", "hq.example.com.")}),
    "a neighbor outside": (("api.example.com", "A"), "NOERROR", {("A", "198.51.100.1")}),
    "text above": (("example.com", "TXT"), "NOERROR", {("TXT", '"count=50"')}),
    "an alias": (("www.example.net", "A"), "NOERROR", {("CNAME", "web.example.net.")}),  # unbound follows no local one
    "a type that nobody has yet": (("odd.example.net", "TYPE65280"), "NOERROR", {("TYPE65280", "\\# 3 ABCDEF")}),
    "what does not exist": (("nowhere.example.com", "A"), "NXDOMAIN", set()),
    "what has no such type": (("api.example.com", "AAAA"), "NOERROR", set()),
    "a domain with its own server": (("intern.corp.example", "A"), "NOERROR", {("A", "172.16.0.77")}),
    "what is denied": (("x.ads.example", "A"), "NXDOMAIN", set()),
    "a private address from outside": (("evil.example.net", "A"), "NOERROR", set()),
    "where it is allowed": (("nas.lan.example", "A"), "NOERROR", {("A", "10.0.0.2")}),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("case", CASES)
def test_each_name_is_answered_as_it_should_be(gateway, case, transport):
    (name, kind), code, records = CASES[case]
    answer = ask(gateway.dns_port, LETTERS[transport](name), kind, *TRANSPORTS[transport])
    assert (answer.code, answer.records) == (code, records), answer.text
    assert {"qr", "rd", "ra"} <= answer.flags
    if not records:
        assert answer.authority == ["SOA"], answer.text
    if transport == "edns":
        assert "EDNS PSEUDOSECTION" in answer.text


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_view_tells_its_clients_otherwise(gateway, transport):
    def told(name, kind):
        return ask(gateway.dns_port, LETTERS[transport](name), kind, "-b", "127.0.0.2", *TRANSPORTS[transport])

    branch = told("hq.example.com", "A")
    assert branch.addresses == {"10.2.0.10"} and branch.ttls == {300}
    assert told("hq.example.com", "AAAA").addresses == {"fd00::10"}
    assert told("hq.example.com", "TYPE65").records == set()
    assert told("x.apps.example.com", "A").addresses == {"172.16.0.20"}, "what is for every view"
    assert told("nowhere.example.com", "A").code == "NXDOMAIN"


def test_strangers_are_refused_with_no_more_than_they_sent(gateway):
    answer = ask(gateway.dns_port, "hq.example.com", "ANY", "+edns", "-b", "127.0.1.1")
    assert answer.code == "REFUSED" and "EDNS PSEUDOSECTION" not in answer.text


def test_what_is_too_long_comes_by_tcp(gateway):
    cut = ask(gateway.dns_port, "big.example.net", "TXT", "+ignore")
    assert "tc" in cut.flags and not cut.records
    assert len(ask(gateway.dns_port, "big.example.net", "TXT").records) == 12


def test_a_second_question_is_answered_from_the_cache(gateway):
    name = "web.example.net"
    first = ask(gateway.dns_port, name)
    wait_until(lambda: max(ask(gateway.dns_port, name).ttls) < 300, "a TTL that goes down")


def test_each_question_is_a_record_where_that_is_asked_for(gateway):
    ask(gateway.dns_port, "x.ads.example")
    record = wait_until(lambda: next((one for one in gateway.records() if one["looked_for"] == "x.ads.example"), None),
                        "the record")
    assert record["protocol"] == "dns" and record["verdict"] == "refused" and record["reason"] == "dns.denied"


def test_explain_and_dns_query_say_what_live_traffic_is_told(gateway):
    def verb(*arguments):
        done = subprocess.run([program(), "-c", gateway.file, "--json", *arguments], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout)

    status, told = verb("explain", "dns:hq.example.com?AAAA", "--client", "127.0.0.2")
    assert status == 0 and told["source"] == "live" and told["target"] == "NOERROR AAAA fd00::10"
    assert told["service"] == "branch" and told["trail"][0]["rule"] == "dns.view branch"
    status, told = verb("dns", "query", "hq.example.com", "--as", "192.0.2.1")
    assert status == 10 and told["reason"] == "dns.refused"
    status, told = verb("dns", "query", "x.corp.example", "MX", "--as", "127.0.0.1")
    assert status == 0 and "dns.forward corp.example" in [step["rule"] for step in told["trail"]]
    assert told["target"] == "NXDOMAIN"


def test_dns_query_tells_what_upstreams_answer(gateway, corporate):
    def told(name, kind="A", client="127.0.0.1"):
        return gateway.json_verb("dns", "query", name, kind, "--as", client)[1]["target"]

    assert told("api.example.com") == "NOERROR A 198.51.100.1"
    assert told("api.example.com", "AAAA") == "NOERROR, no data"
    assert told("intern.corp.example") == "NOERROR A 172.16.0.77"
    assert told("www.example.net").startswith("NOERROR CNAME web.example.net")
    assert told("odd.example.net", "TYPE65280") == "NOERROR TYPE65280 (3 octets)"
    assert told("evil.example.net") is None, "a private address from outside"
    before = len(gateway.records())
    asked = gateway.json_verb("explain", "dns:intern.corp.example", "--client", "127.0.0.1")[1]
    assert asked["target"] == f"what {corporate.address} answers", "explain asks nobody"
    assert len(gateway.records()) == before


def test_upstreams_are_asked_by_tls_and_verified(stage, outside):
    for name, code in (("ns.test", "NOERROR"), ("other.test", "SERVFAIL")):
        upstream = f"tls://127.0.0.1:{outside.tls_port}#{name}"
        gateway = start(stage, dns_table(upstream, upstream_ca=outside.ca))
        assert ask(gateway.dns_port, "api.example.com").code == code


def test_a_dead_upstream_is_no_more_than_a_delay(stage, outside):
    gateway = start(stage, dns_table(f"127.0.0.1:{free_port()}", outside.address))
    for number in range(20):
        assert ask(gateway.dns_port, f"n{number}.example.com").code == "NXDOMAIN"


def test_a_list_of_authorities_that_changes_is_read_again(stage, outside):
    ca = stage.directory / "upstream.pem"
    ca.write_text(stage.authority.ca.read_text())  # another one's
    gateway = start(stage, dns_table(f"tls://127.0.0.1:{outside.tls_port}#ns.test", upstream_ca=ca))
    assert ask(gateway.dns_port, "api.example.com").code == "SERVFAIL"
    ca.write_text(outside.ca.read_text())
    wait_until(lambda: ask(gateway.dns_port, "api.example.com").code == "NOERROR", "the new list", timeout=60)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its privileges")
def test_check_sees_that_authorities_cannot_be_read(stage, outside):
    ca = stage.directory / "upstream.pem"
    ca.write_text(outside.ca.read_text())
    gateway = stage.gateway({"node": {"user": "nobody"}, "listen": {},
                             "dns": dns_table(f"tls://127.0.0.1:{outside.tls_port}#ns.test", upstream_ca=ca)}, start=False)
    for mode, words in ((0o644, None), (0o600, f"the user nobody can't read {ca}")):
        ca.chmod(mode)
        errors = [error["message"] for error in gateway.json_verb("check")[1]["errors"]]
        assert errors == ([words] if words else []), errors


def test_special_names_are_asked_of_nobody(stage):
    with ScriptedServer(lambda asked, tcp: [answer_to(asked, address("198.51.100.1"))]) as upstream:
        gateway = start(stage, dns_table(upstream.address))
        assert ask(gateway.dns_port, "x.localhost").addresses == {"127.0.0.1"}
        assert ask(gateway.dns_port, "localhost", "AAAA").addresses == {"::1"}
        assert ask(gateway.dns_port, "x.onion").code == "NXDOMAIN" and not upstream.asked
        assert ask(gateway.dns_port, "tv.local").code == "NOERROR", "this upstream is in a private network"


def test_cache_and_upstreams_are_counted(stage, outside):
    gateway = start(stage, dns_table(outside.address, f"127.0.0.1:{free_port()}"), node={"threads": 1})
    for _ in range(3):
        ask(gateway.dns_port, "api.example.com")
    metrics = gateway.admin("GET", "/metrics")[1].decode()
    assert "sallyport_dns_cached_answers 1\n" in metrics
    told = gateway.json_verb("status")[1]["dns"]
    assert told["cached"] >= 1 and sum(told["forwarded"][event] for event in ("hit", "miss")) == 3
    working = next(one for one in told["upstreams"] if one["name"] == outside.address)
    assert working["up"] and working["answered"] >= 1 and working["round_trip_s"] > 0
    assert f'sallyport_dns_upstream_up{{upstream="{outside.address}"}} 1' in metrics


def test_what_was_known_is_served_while_the_upstream_is_away(stage):
    with Unbound(stage.folder("unbound"), ["brief.test. 1 IN A 198.51.100.5"]) as upstream:
        gateway = start(stage, dns_table(upstream.address))
        assert ask(gateway.dns_port, "brief.test").addresses == {"198.51.100.5"}
    answer = wait_until(lambda: (lambda one: one if one.ttls == {30} else None)(ask(gateway.dns_port, "brief.test")),
                        "an answer past its time")
    assert answer.addresses == {"198.51.100.5"}
    assert ask(gateway.dns_port, "never.test").code == "SERVFAIL"


def test_a_reload_changes_names_at_once_and_cuts_nothing(stage, outside):
    gateway = start(stage, dns_table(outside.address), **{"dns.record": [{"name": "a.test", "address": ["172.16.0.1"]}]})
    assert ask(gateway.dns_port, "a.test").addresses == {"172.16.0.1"}
    gateway.config["dns.record"][0]["address"] = ["172.16.0.2"]
    gateway.write()
    gateway.reload()
    wait_until(lambda: ask(gateway.dns_port, "a.test").addresses == {"172.16.0.2"}, "the new address")


def test_the_file_alone_says_what_devices_are_told_of_a_courier(stage):
    file = stage.directory / "couriers.toml"
    file.write_text('[dns]\nlisten = "127.0.0.1:5399"\nupstream = "192.0.2.53"\nclients = "10.0.0.0/8"\n'
                    '[push]\nvip = "10.100.100.0/24"\n')
    def told(name):
        return subprocess.run([program(), "-c", file, "dns", "query", name, "--as", "10.1.2.3"],
                              capture_output=True, text=True).stdout.splitlines()[0]
    assert told("7-courier.push.apple.com").endswith(": is told NOERROR A 10.100.100.7")
    assert told("www.apple.com").endswith(": is told what 192.0.2.53 answers")
