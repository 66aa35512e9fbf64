"""The firewall in namespaces of its own: what it opens, what it forwards, and how it refuses."""
import json
import os
import random

import pytest

from firewall_scene import ADMINS, INSIDE_4, INSIDE_6, OUTSIDE_4, OUTSIDE_6, SERVER, Scene, seen_as, sent_again, try_ports

GATEWAY = pytest.mark.parametrize("server", [f"{OUTSIDE_4}.1", f"{OUTSIDE_6}1"], ids=["IPv4", "IPv6"])


# ---------------------------------------------------------------- what passes, and what is refused

def expect_served_and_refused(scene, server, served=(80, 443, 8083)):
    for port in served:
        assert try_ports(scene.client, server, [port] * 50) == ["connected"] * 50
    repeated = sent_again(scene.client)
    closed = random.sample([port for port in range(1, 65536) if port not in (22, *served)], 250)
    for batch in (closed[i:i + 50] for i in range(0, len(closed), 50)):
        assert try_ports(scene.client, server, batch) == ["refused"] * 50
    assert try_ports(scene.client, server, [113, 1935] * 25) == ["refused"] * 50
    assert sent_again(scene.client) == repeated  # one SYN each was enough: refused within one round trip


@GATEWAY
def test_what_is_configured_is_reachable_and_every_other_port_refused_at_once(one_box, server):
    one_box.apply()
    expect_served_and_refused(one_box, server)


@GATEWAY
def test_iptables_behaves_the_same(one_box, server):
    for form, restore in (("iptables", "iptables-restore"), ("ip6tables", "ip6tables-restore")):
        rules = one_box.firewall("show", "--format", form)
        one_box.gateway.run(restore, "--noflush", input=rules.stdout)
    expect_served_and_refused(one_box, server)


def test_the_scene_of_the_streaming_server_before_and_after(one_box):
    """1935 is tried first and nobody serves it: dropped, the player waits out its patience; refused, it goes on."""
    one_box.gateway.nft("table inet usual {\nchain input {\ntype filter hook input priority 0; policy drop;\n"
                        "ct state established accept\nip6 nexthdr icmpv6 accept\ntcp dport 443 accept\n}\n}\n")
    assert try_ports(one_box.client, f"{OUTSIDE_4}.1", [1935], patience=3) == ["silence"]
    one_box.gateway.run("nft", "delete", "table", "inet", "usual")
    one_box.apply()
    repeated = sent_again(one_box.client)
    assert try_ports(one_box.client, f"{OUTSIDE_4}.1", [1935, 443]) == ["refused", "connected"]
    assert sent_again(one_box.client) == repeated


def test_only_admins_reach_the_admin_ports(network, tmp_path):
    scene = Scene(network, tmp_path, {"firewall": {"admin_from": [f"{OUTSIDE_4}.7", f"{OUTSIDE_6}8"]}})
    scene.gateway.serve(SERVER, 22)
    scene.apply()
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [22]) == ["connected"]
    assert try_ports(scene.client, f"{OUTSIDE_6}1", [22]) == ["refused"]


def test_who_is_banned_is_refused_and_who_is_exempt_is_not(network, tmp_path):
    scene = Scene(network, tmp_path, {"guard": {"always_ban": [f"{OUTSIDE_4}.0/29", f"{OUTSIDE_6}/64"], "never_ban": f"{OUTSIDE_4}.6"},
                                      "firewall": {**ADMINS}})
    scene.gateway.serve(SERVER, 80)
    scene.client.address("eth0", f"{OUTSIDE_4}.6/24")
    scene.apply()
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [80]) == ["refused"]
    assert try_ports(scene.client, f"{OUTSIDE_6}1", [80]) == ["refused"]
    assert seen_as(scene.client, 80, [f"{OUTSIDE_4}.1"], f"{OUTSIDE_4}.6") == [f"{OUTSIDE_4}.6"]


def test_what_is_denied_by_silence_still_fails_fast_where_programs_try_first(network, tmp_path):
    scene = Scene(network, tmp_path, {"firewall": {**ADMINS, "deny": "drop"}})
    scene.apply()
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [25, 113, 1935], patience=2) == ["silence", "refused", "refused"]


def test_refusals_have_a_limit(network, tmp_path):
    scene = Scene(network, tmp_path, {"firewall": {**ADMINS, "deny_rate": 5}})
    scene.apply()
    answers = try_ports(scene.client, f"{OUTSIDE_4}.1", range(2000, 2050), patience=.5)
    assert "silence" in answers and "refused" in answers
    assert scene.counter("too-fast-outside") > 0


# ---------------------------------------------------------------- a router

def test_clients_inside_reach_what_the_presets_name_and_nothing_else(router):
    router.apply()
    assert try_ports(router.inside, "17.1.2.3", [443, 5223, 53, 25, 1935]) == ["connected", "connected", "connected", "refused", "refused"]
    assert try_ports(router.inside, "203.0.113.1", [443, 53]) == ["refused", "connected"]
    assert try_ports(router.client, f"{INSIDE_4}.2", [88, 8088]) == ["refused", "refused"]


def test_forwarded_ports_lead_to_who_serves_them(router):
    router.apply()
    assert seen_as(router.client, 88, [f"{OUTSIDE_4}.1"]) == [f"{OUTSIDE_4}.7"]
    assert seen_as(router.client, 749, [f"{OUTSIDE_6}1"]) == [f"{OUTSIDE_6}7"]


def test_one_client_keeps_one_source_for_many_destinations_and_through_reloads(router):
    router.gateway.address("eth0", *(f"{OUTSIDE_4}.{last}/24" for last in (20, 21, 22)))
    sources = set()
    for _ in range(4):
        router.apply()
        sources |= set(seen_as(router.inside, 5223, [f"17.9.0.{i}" for i in range(1, 13)]))
    assert sources == {f"{OUTSIDE_4}.1"}


def test_pins_and_pools_keep_their_clients(network, tmp_path):
    """The rules that hold pins and a pool, as the unit tests' golden file has them, with packets."""
    scene = Scene(network, tmp_path, {"firewall": {"inside": "eth1", "outside": "eth0"}}, router=True)
    golden = os.path.join(os.path.dirname(__file__), "../../src/firewall/golden/pooled.nft")
    with open(golden, encoding="utf-8") as rules:
        scene.gateway.address("eth1", "10.1.0.1/8")
        for last in range(17, 31):
            scene.gateway.address("eth0", f"192.0.2.{last}/24")
        scene.gateway.route("default", f"{OUTSIDE_4}.7")
        text = rules.read()
    scene.client.address("lo", *(f"17.9.0.{i}/32" for i in range(1, 13)))
    scene.client.route("192.0.2.0/24", f"{OUTSIDE_4}.1")
    scene.client.serve(SERVER, 5223)
    clients = {"10.1.2.3": "192.0.2.18", "10.1.9.9": "192.0.2.17", "10.3.0.1": None}
    scene.inside.address("eth0", *(f"{client}/8" for client in clients))
    servers = [f"17.9.0.{i}" for i in range(1, 13)]
    for client, source in clients.items():
        seen = set()
        for _ in range(3):
            scene.gateway.nft(text)
            seen |= set(seen_as(scene.inside, 5223, servers, client))
        assert len(seen) == 1 and source in (None, *seen), (client, seen)


def test_push_is_taken_on_its_way_to_apple(network, tmp_path):
    """The gateway's own port answers, and it sees the client by its own address."""
    scene = Scene(network, tmp_path, {"push": {"intercept": True}, "firewall": {"inside": "eth1", "outside": "eth0", "presets": "apns"}},
                  router=True)
    scene.client.address("lo", "17.1.2.3/32", "2620:149:a44::1/128")
    scene.gateway.route("default", f"{OUTSIDE_4}.7")
    scene.gateway.ip("-6", "route", "add", "default", "via", f"{OUTSIDE_6}7")
    scene.client.serve(SERVER, 5223, 2195)
    scene.gateway.serve(SERVER, 5223)
    scene.apply()
    assert seen_as(scene.inside, 5223, ["17.1.2.3", "2620:149:a44::1"]) == [f"{INSIDE_4}.2", f"{INSIDE_6}2"]
    assert seen_as(scene.inside, 2195, ["17.1.2.3"]) == [f"{OUTSIDE_4}.1"]  # no port of [push]: goes on to Apple
    assert try_ports(scene.inside, f"{INSIDE_4}.1", [5223]) == ["refused"]  # what was not redirected
    scene.gateway.run("nft", "delete", "table", "inet", "sallyport")
    scene.gateway.run("iptables-restore", "--noflush", input=scene.firewall("show", "--format", "iptables").stdout)
    assert seen_as(scene.inside, 5223, ["17.1.2.3"]) == [f"{INSIDE_4}.2"]


def test_devices_are_seen_outside_as_egress_says_wherever_leases_place_them(network, tmp_path):
    scene = Scene(network, tmp_path, {
        "egress": {"pool": ["192.0.2.16/28", "192.0.3.0/29"], "seed": "site-1", "leases": tmp_path / "leases"},
        "egress.pin": [{"mac": "02:00:00:00:00:01", "source": "203.0.113.9"}, {"user": "alice", "source": "203.0.113.10"}],
        "firewall": {"inside": "eth1", "outside": "eth0", "presets": "apns"}}, router=True)
    clients = [f"{INSIDE_4}.{last}" for last in range(20, 32)]
    scene.inside.address("eth0", *(f"{client}/24" for client in clients))
    scene.client.address("lo", "17.9.0.1/32", "17.9.0.2/32")
    for network_of_pool in ("192.0.2.16/28", "192.0.3.0/29", "203.0.113.0/24"):
        scene.gateway.ip("route", "add", "local", network_of_pool, "dev", "lo")
        scene.client.route(network_of_pool, f"{OUTSIDE_4}.1")
    scene.gateway.route("default", f"{OUTSIDE_4}.7")
    scene.client.serve(SERVER, 5223)

    def lease(mac, client):
        (tmp_path / "leases").write_text(f"4102444800 {mac} {client} tablet *\n")

    def sources(client):
        return set(seen_as(scene.inside, 5223, ["17.9.0.1", "17.9.0.2"], client))
    lease("02:00:00:00:00:01", clients[0])
    shown = scene.firewall("show").stdout
    assert "# Not here, because nobody knows behind which address: user alice" in shown
    assert json.loads(scene.firewall("show", "--json").stdout)["unplaced"] == ["user alice"]
    scene.apply()
    assert sources(clients[0]) == {"203.0.113.9"}
    first = {client: sources(client) for client in clients[1:]}
    assert all(len(seen) == 1 for seen in first.values())
    networks = {address.rpartition(".")[0] for seen in first.values() for address in seen}
    assert networks == {"192.0.2", "192.0.3"}  # all of the pool is used
    lease("02:00:00:00:00:01", clients[1])
    assert scene.firewall("diff").returncode == 0  # that a device moves is no drift
    scene.apply()
    assert sources(clients[1]) == {"203.0.113.9"}
    assert {client: sources(client) for client in clients[2:]} == {client: first[client] for client in clients[2:]}


def test_the_running_gateway_tells_who_is_where(network, tmp_path):
    scene = Scene(network, tmp_path, {"egress": {"pool": "192.0.2.16/28", "seed": "site-1"},
                                      "firewall": {"inside": "eth1", "outside": "eth0"}}, router=True)
    with scene.program as gateway:
        done = gateway.verb("egress", "pin", "--client", f"{INSIDE_4}.9", "192.0.2.30")
        assert done.returncode == 0, done.stderr
        assert f"{INSIDE_4}.9 : 192.0.2.30" in scene.firewall("show").stdout
    assert f"{INSIDE_4}.9 : 192.0.2.30" not in scene.firewall("show").stdout
