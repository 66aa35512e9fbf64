"""The firewall in namespaces of its own: what it opens, how it refuses, and that no change of it locks anybody out."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys

import pytest

from firewall_scene import (INSIDE_4, INSIDE_6, OUTSIDE_4, OUTSIDE_6, SERVER, Scene, seen_as, sent_again, try_ports)
from harness.gateway import program
from harness.namespaces import open_network, sh
from harness.waiting import wait_until

GATEWAY = pytest.mark.parametrize("server", [f"{OUTSIDE_4}.1", f"{OUTSIDE_6}1"], ids=["IPv4", "IPv6"])
ADMINS = {"admin_from": f"{OUTSIDE_4}.0/24"}


@pytest.fixture
def network():
    network = open_network()
    yield network
    network.close()


@pytest.fixture
def one_box(network, tmp_path):
    """A gateway with one interface that serves three ports, two of them as the gateway would."""
    scene = Scene(network, tmp_path, {"listen": {"http": ":80", "https": ":443"}, "firewall": {**ADMINS},
                                      "firewall.open": [{"name": "player", "port": 8083}]})
    scene.gateway.serve(SERVER, 80, 443, 8083, 22, 1935)
    return scene


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

@pytest.fixture
def router(network, tmp_path):
    scene = Scene(network, tmp_path, {
        "firewall": {"inside": "eth1", "outside": "eth0", "presets": ["apns", "dns"]},
        "firewall.forward": [{"port": 88, "to": f"{INSIDE_4}.2:8088"}, {"port": 749, "to": f"[{INSIDE_6}2]:8749"}]}, router=True)
    scene.client.address("lo", "17.1.2.3/32", "203.0.113.1/32", *(f"17.9.0.{i}/32" for i in range(1, 13)))
    scene.client.route(f"{INSIDE_4}.0/24", f"{OUTSIDE_4}.1")
    scene.client.ip("-6", "route", "add", f"{INSIDE_6}/64", "via", f"{OUTSIDE_6}1")
    scene.gateway.route("default", f"{OUTSIDE_4}.7")
    scene.client.serve(SERVER, 443, 5223, 25, 53)
    scene.inside.serve(SERVER, 8088, 8749, 88)
    return scene


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


# ---------------------------------------------------------------- trying a change, and undoing it

def test_a_change_that_nobody_confirms_undoes_itself(one_box):
    one_box.apply("--confirm", "1s")
    one_box.wait_until_gone()
    assert not (one_box.state / "pending").exists()


def test_a_confirmed_change_stays(one_box):
    one_box.apply("--confirm", "1h")
    keepers = one_box.keepers()
    assert len(keepers) == 1
    done = one_box.firewall("confirm")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: not one_box.keepers(), "the keeper to end")
    assert one_box.table() and (one_box.state / "confirmed.nft").exists()
    assert one_box.firewall("confirm").returncode == 10  # nothing is left to be confirmed


def test_what_was_there_before_comes_back_with_its_counters(one_box):
    one_box.apply()
    try_ports(one_box.client, f"{OUTSIDE_4}.1", [8083] * 7)
    before = one_box.table()
    assert one_box.counter("firewall.open") == 7
    one_box.program.config["firewall.open"] = [{"name": "other", "port": 22}]
    one_box.program.write()
    one_box.apply("--confirm", "1s")
    wait_until(lambda: one_box.table() == before, "the old rules")
    assert one_box.counter("firewall.open") == 7


def test_counters_go_on_through_an_apply(one_box):
    one_box.apply()
    try_ports(one_box.client, f"{OUTSIDE_4}.1", [80] * 5)
    one_box.apply()
    assert one_box.counter("listen.http") == 5


def test_the_keeper_outlives_who_started_it(one_box):
    """Everything of the session is killed, as when a connection breaks; only the keeper has left it."""
    session = subprocess.Popen([*one_box.gateway.enter, program(), "firewall", "apply", "--confirm", "2s", "-c", one_box.program.file],
                               start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert b"applied" in session.stdout.readline()
    try:
        os.killpg(session.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has ended by itself
    session.wait()
    session.stdout.close()
    assert one_box.table()
    one_box.wait_until_gone()


def kill_keeper(scene):
    for keeper in scene.keepers():
        os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not scene.keepers(), "the end of the keeper")


@pytest.mark.parametrize("next_start", ["boot", "apply", "run"])
def test_after_a_kill_of_all_the_next_start_undoes_the_change(one_box, next_start):
    one_box.apply("--confirm", "1h")
    kill_keeper(one_box)
    assert one_box.table()
    if next_start == "run":
        one_box.program.config["listen"] = {"http": ":8000"}
        one_box.program.write()
        with one_box.program:
            one_box.wait_until_gone()  # beside its first connections, which wait for nothing
            assert one_box.program.messages("undone")
    elif next_start == "boot":
        assert one_box.firewall("boot").returncode == 0
        assert one_box.table() is None
    else:
        assert "undone" in one_box.apply("--now").stderr
        assert one_box.table()


def test_after_a_reboot_the_confirmed_rules_are_there_and_the_others_are_not(one_box):
    one_box.apply()
    confirmed = one_box.table()
    one_box.program.config["firewall.open"] = [{"name": "other", "port": 9999}]
    one_box.program.write()
    one_box.apply("--confirm", "1h")
    assert one_box.table() != confirmed
    kill_keeper(one_box)
    one_box.gateway.run("nft", "flush", "ruleset")  # all that a reboot leaves of a kernel's tables
    assert one_box.firewall("boot").returncode == 0
    assert one_box.table() == confirmed
    one_box.gateway.run("nft", "flush", "ruleset")
    assert one_box.firewall("boot").returncode == 0
    assert one_box.table() == confirmed


def test_rollback_undoes_at_once_and_once_more_goes_further_back(one_box):
    one_box.apply()
    first = one_box.table()
    one_box.program.config["firewall.open"] = [{"name": "other", "port": 9999}]
    one_box.program.write()
    one_box.apply("--confirm", "1h")
    assert one_box.firewall("rollback").returncode == 0
    assert one_box.table() == first
    one_box.apply()
    assert one_box.table() != first
    assert one_box.firewall("rollback").returncode == 0
    assert one_box.table() == first


def test_no_change_cuts_the_admin_off(one_box):
    cut = {"SSH_CONNECTION": f"203.0.113.9 50022 {OUTSIDE_4}.1 22"}
    refused = one_box.firewall("apply", "--now", environment=cut)
    assert refused.returncode == 10 and "admin_from" in refused.stderr and one_box.table() is None
    one_box.apply("--now", "--even-if-cut-off", environment=cut)
    one_box.apply("--now", environment={"SSH_CONNECTION": f"{OUTSIDE_4}.7 50022 {OUTSIDE_4}.1 22"})


def test_only_a_new_connection_confirms(one_box):
    first = {"SSH_CONNECTION": f"{OUTSIDE_4}.7 50022 {OUTSIDE_4}.1 22"}
    one_box.apply("--confirm", "1h", environment=first)
    refused = one_box.firewall("confirm", environment=first)
    assert refused.returncode == 10 and "new" in refused.stderr
    confirmed = one_box.firewall("confirm", environment={"SSH_CONNECTION": f"{OUTSIDE_4}.7 50023 {OUTSIDE_4}.1 22"})
    assert confirmed.returncode == 0, confirmed.stderr


def test_two_at_once_do_not_mix(one_box):
    words = [*one_box.gateway.enter, program(), "firewall", "apply", "--confirm", "1h", "-c", str(one_box.program.file)]
    both = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [one.communicate()[1] for one in both]
    assert sorted(one.returncode for one in both) == [0, 1], errors
    assert any("changing the firewall" in error or "waits until" in error for error in errors)
    assert one_box.table() and len(one_box.keepers()) == 1
    kill_keeper(one_box)


def test_a_full_disk_changes_nothing(one_box):
    one_box.apply()
    before = one_box.table()
    one_box.program.config["firewall.open"] = [{"name": "other", "port": 9999}]
    one_box.program.write()
    kept = {path.name: path.read_bytes() for path in one_box.state.iterdir()}
    sh("mount", "-t", "tmpfs", "-o", "size=16k,mode=0700", "none", one_box.state)
    try:
        (one_box.state / "filler").write_bytes(b"x" * 12288)
        done = one_box.firewall("apply", "--now")
        assert done.returncode == 1 and "No space left" in done.stderr, done.stderr
        assert one_box.table() == before and not one_box.keepers()
        assert not list(one_box.state.glob("*.new")) and not (one_box.state / "pending").exists()
    finally:
        sh("umount", one_box.state)
    assert {path.name: path.read_bytes() for path in one_box.state.iterdir()} == kept


# ---------------------------------------------------------------- others in the same kernel

OTHERS = ("table inet other {\nchain input {\ntype filter hook input priority 10; policy drop;\nct state established accept\n"
          "tcp dport 80 accept\n}\n}\n")


def test_other_tables_that_would_still_drop_are_named(one_box):
    one_box.gateway.nft(OTHERS)
    done = one_box.firewall("check")
    assert done.returncode == 10
    assert "chain input of table inet other" in done.stderr and "listen.https" in done.stderr
    assert "listen.http " not in done.stderr
    one_box.apply()
    assert try_ports(one_box.client, f"{OUTSIDE_4}.1", [80, 443], patience=2) == ["connected", "silence"]  # it was right


def test_nothing_of_others_is_touched(one_box):
    one_box.gateway.nft(OTHERS)
    others = one_box.gateway.run("nft", "list", "table", "inet", "other")
    one_box.apply()
    one_box.apply("--confirm", "1h")
    assert one_box.firewall("rollback").returncode == 0
    assert one_box.firewall("remove").returncode == 0
    assert one_box.gateway.run("nft", "list", "ruleset") == others
    assert one_box.firewall("remove").returncode == 10


def test_what_was_changed_by_hand_is_shown_and_put_right(one_box):
    assert one_box.firewall("diff").returncode == 10
    one_box.apply()
    assert one_box.firewall("diff").returncode == 0
    try_ports(one_box.client, f"{OUTSIDE_4}.1", [25, 80])  # what packets fill in is no drift
    assert one_box.firewall("diff").returncode == 0
    one_box.gateway.run("nft", "add", "rule", "inet", "sallyport", "input", "tcp", "dport", "25", "accept")
    one_box.gateway.run("nft", "flush", "chain", "inet", "sallyport", "reset_outside")
    done = one_box.firewall("diff")
    assert done.returncode == 10
    assert "-\t\ttcp dport 25 accept" in done.stdout and "+\t\tmeta l4proto tcp reject with tcp reset" in done.stdout
    one_box.apply()
    assert one_box.firewall("diff").returncode == 0


# What `nft -c` lets through and the kernel does not: a refusal at a place where it can't be sent from.
REFUSED = """
table inet sallyport {
chain after {
type filter hook postrouting priority filter
reject
}
}
"""


def nft_that_adds(folder, rules):
    """A PATH with an `nft` whose rules get these as well, on their way to the real one and the kernel."""
    folder.mkdir()
    (folder / "rules").write_text(rules)
    (folder / "nft").write_text(f'#!/bin/sh\ncase "$*" in\n*"-f -") cat - {folder}/rules | {shutil.which("nft")} "$@" ;;\n'
                                f'*) exec {shutil.which("nft")} "$@" ;;\nesac\n')
    (folder / "nft").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_rules_that_the_kernel_refuses_and_nft_does_not_change_nothing(one_box, tmp_path):
    one_box.apply()
    before = one_box.table()
    one_box.program.config["firewall.open"] = [{"name": "other", "port": 9999}]
    one_box.program.write()
    path = nft_that_adds(tmp_path / "bin", REFUSED)
    shown = one_box.firewall("show").stdout
    one_box.gateway.run("env", f"PATH={path}", "nft", "-c", "-f", "-", input=shown)  # a dry run finds nothing
    for words in (["check"], ["apply", "--now"], ["apply", "--confirm", "1h"]):
        done = one_box.firewall(*words, environment={"PATH": path})
        assert done.returncode == 1, done.stderr
        assert "Operation not supported" in done.stderr and "tried in a namespace of their own" in done.stderr
        assert one_box.table() == before and not one_box.keepers() and not (one_box.state / "pending").exists()


def test_a_kernel_that_refuses_what_was_confirmed_gets_what_was_before(one_box):
    """As after an upgrade of the kernel or of nft: no firewall at all would be the worst."""
    one_box.apply()
    before = one_box.table()
    one_box.apply()  # so that there is something before
    (one_box.state / "confirmed.nft").write_text(one_box.firewall("show").stdout + REFUSED)
    one_box.gateway.run("nft", "flush", "ruleset")
    done = one_box.firewall("boot")
    assert done.returncode == 1 and "Operation not supported" in done.stderr and "instead" in done.stderr
    assert one_box.table() == before


def test_apply_tells_who_does_not_answer(network, tmp_path):
    scene = Scene(network, tmp_path, {"listen": {"http": ":80", "https": ":443"}, "stun": {"listen": f"{OUTSIDE_4}.1:3478"},
                                      "admin": {"listen": ":9443"}, "firewall": {**ADMINS}})
    scene.gateway.serve(SERVER, 443)
    told = re.findall("nobody answers on (.*?): is the gateway", scene.apply().stderr)
    assert told == [":80 (http)", ":9443 (admin)", f"{OUTSIDE_4}.1:3478 (stun, UDP)"]


def test_nothing_is_told_where_all_answer(network, tmp_path):
    scene = Scene(network, tmp_path, {"stun": {"listen": f"{OUTSIDE_4}.1:3478"}, "admin": {"listen": ":9443"}, "firewall": {**ADMINS}})
    with scene.program:
        assert "nobody answers" not in scene.apply().stderr


# ---------------------------------------------------------------- questions

@pytest.mark.parametrize("subject, verdict", [
    (f"fw:tcp:{OUTSIDE_4}.7->{OUTSIDE_4}.1:80", "forwarded"),
    (f"fw:tcp:{OUTSIDE_6}7->[{OUTSIDE_6}1]:80", "forwarded"),
    (f"fw:tcp:{OUTSIDE_4}.7->{OUTSIDE_4}.1:1935", "refused"),
    (f"fw:tcp:{OUTSIDE_4}.7->{OUTSIDE_4}.1:22", "refused"),
    (f"fw:tcp:{OUTSIDE_4}.7->{OUTSIDE_4}.1:88", "forwarded"),
    (f"fw:tcp:{OUTSIDE_4}.7->{INSIDE_4}.2:8088", "refused"),
    (f"fw:tcp:{INSIDE_4}.2->17.1.2.3:5223", "forwarded"),
    (f"fw:tcp:{INSIDE_4}.2->203.0.113.1:443", "refused"),
    (f"fw:tcp:{INSIDE_4}.2->{INSIDE_4}.1:22", "forwarded"),
])
def test_explain_says_what_the_kernel_does(router, subject, verdict):
    router.gateway.serve(SERVER, 80, 22)
    router.apply()
    done = router.program.verb("explain", subject, "--json", wrapper=router.gateway.enter)
    explanation = json.loads(done.stdout)
    assert explanation["verdict"] == verdict and done.returncode == (0 if verdict == "forwarded" else 10)
    _, _, rest = subject.split(":", 2)
    client, _, to = rest.partition("->")
    server, _, port = to.rpartition(":")
    host = router.inside if client.startswith((INSIDE_4, INSIDE_6)) else router.client
    notices = try_ports(host, server.strip("[]"), [int(port)])
    assert notices == ["connected" if verdict == "forwarded" else "refused"]


def test_ports_tells_who_listens_what_is_closed_and_what_was_wanted(one_box):
    one_box.apply()
    one_box.gateway.serve(SERVER, 9100)
    try_ports(one_box.client, f"{OUTSIDE_4}.1", [1935, 1935, 2222])
    done = one_box.program.verb("ports", "--json", wrapper=one_box.gateway.enter)
    assert done.returncode == 10, done.stderr
    told = json.loads(done.stdout)
    policies = {one["port"]: one["policy"] for one in told["listeners"] if one["protocol"] == "tcp"}
    assert policies[80] == "allowed" and policies[8083] == "allowed" and policies[9100] == "denied"
    one = next(one for one in told["listeners"] if one["port"] == 9100)
    assert one["process"].startswith("python3") and one["user"] == "root" and one["pid"] > 0
    wanted = {one["port"]: one["tries"] for one in told["wanted"] if one["client"] == f"{OUTSIDE_4}.7"}
    assert wanted == {1935: 2, 2222: 1}
    assert any("9100" in line and "lets nobody in" in line for line in told["remarks"])


def test_ports_names_the_unit_of_a_process(one_box):
    roots = [path for path in (pathlib.Path("/sys/fs/cgroup/unified"), pathlib.Path("/sys/fs/cgroup")) if (path / "cgroup.procs").exists()]
    group = roots[0] / f"sallyport-test-{os.getpid()}.service" if roots else None
    try:
        group.mkdir()
    except (AttributeError, OSError) as error:
        pytest.skip(f"no control groups here: {error}")
    server = one_box.gateway.start(sys.executable, "-c", SERVER, 9100)
    try:
        assert server.stdout.readline() == "up\n"
        (group / "cgroup.procs").write_text(str(server.pid))
        told = json.loads(one_box.program.verb("ports", "--json", wrapper=one_box.gateway.enter).stdout)
        assert {one["unit"] for one in told["listeners"] if one["port"] == 9100} == {group.name}
    finally:
        server.kill()
        server.wait()
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
        group.rmdir()


def test_a_port_is_refused_for_a_while_and_no_longer_than_its_process_lives(network, tmp_path):
    scene = Scene(network, tmp_path, {"firewall": {**ADMINS}})
    scene.gateway.nft("table inet usual {\nchain input {\ntype filter hook input priority 0; policy drop;\n}\n}\n")
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [1935], patience=1) == ["silence"]
    attempt = scene.gateway.start(program(), "firewall", "try-reset", 1935, "--for", "1h", "-c", scene.program.file)
    assert "1935 is refused" in attempt.stdout.readline()
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [1935]) == ["refused"]
    attempt.kill()
    wait_until(lambda: "sallyport_try" not in scene.gateway.run("nft", "list", "tables"), "the end of the experiment")
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [1935], patience=1) == ["silence"]


# ---------------------------------------------------------------- the running gateway

def test_the_gateway_notices_that_its_table_is_gone(network, tmp_path):
    scene = Scene(network, tmp_path, {"firewall": {**ADMINS}})
    scene.apply()
    with scene.program as gateway:
        assert gateway.metrics()["sallyport_firewall_loaded"] == 1
        assert gateway.status()["firewall"] == {"watched": True, "loaded": True, "restores": False}
        scene.apply()  # replaced by ourselves: no news
        scene.gateway.run("nft", "flush", "ruleset")
        gateway.wait_message("firewall")
        assert gateway.messages("gone") and gateway.metrics()["sallyport_firewall_loaded"] == 0
        assert "firewall: NOT loaded" in gateway.verb("status").stdout
        scene.apply()
        wait_until(lambda: gateway.metrics()["sallyport_firewall_loaded"] == 1, "the news that it is back")
        assert len(gateway.messages("gone")) == 1


def test_the_gateway_puts_its_table_back_where_it_is_told_to(network, tmp_path):
    scene = Scene(network, tmp_path, {"firewall": {**ADMINS, "restore": True}})
    scene.apply()
    confirmed = scene.table()
    with scene.program as gateway:
        scene.gateway.run("nft", "flush", "ruleset")
        gateway.wait_message("put back")
        assert scene.table() == confirmed
        gateway.wait_message("the firewall is loaded")
        assert gateway.status()["firewall"] == {"watched": True, "loaded": True, "restores": True}
        assert scene.firewall("remove").returncode == 0  # by its admin: it stays away
        gateway.wait_message("could not be put back")
        assert scene.table() is None


def test_a_gateway_without_the_right_to_watch_says_so(network, tmp_path):
    """As by the systemd unit, which gives it no CAP_NET_ADMIN."""
    scene = Scene(network, tmp_path, {"listen": {"http": ":8000"}, "firewall": {**ADMINS, "restore": True}})
    scene.program.wrapper = [*scene.gateway.enter, "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    with scene.program as gateway:
        assert len(gateway.messages("is not watched: that takes CAP_NET_ADMIN")) == 1
        assert len(gateway.messages("restore of [firewall] has no effect")) == 1
        assert gateway.status()["firewall"] == {"watched": False, "loaded": None, "restores": False}
        assert "NOT watched" in gateway.verb("status").stdout
        assert "sallyport_firewall_loaded" not in gateway.metrics()
