"""Other rules in the same kernel, and the gateway that watches over its own."""
import os
import re
import shutil

from firewall_scene import ADMINS, OUTSIDE_4, SERVER, Scene, kill_keeper, try_ports
from harness.waiting import wait_until


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
    one_box.want_open(9999)
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


def test_a_kernel_that_refuses_what_was_there_before_a_change_gets_what_was_confirmed(one_box):
    one_box.apply()
    confirmed = one_box.table()
    one_box.want_open(9999)
    one_box.apply("--confirm", "1h")
    kill_keeper(one_box)
    (one_box.state / "snapshot.nft").write_text((one_box.state / "snapshot.nft").read_text() + REFUSED)
    one_box.gateway.run("nft", "flush", "ruleset")
    done = one_box.firewall("boot")
    assert done.returncode == 1 and "Operation not supported" in done.stderr and "instead" in done.stderr
    assert one_box.table() == confirmed and not (one_box.state / "pending").exists()


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
        gateway.wait_message("ready")  # they come before it
        assert len(gateway.messages("is not watched: that takes CAP_NET_ADMIN")) == 1
        assert len(gateway.messages("restore of [firewall] has no effect")) == 1
        assert gateway.status()["firewall"] == {"watched": False, "loaded": None, "restores": False}
        assert "NOT watched" in gateway.verb("status").stdout
        assert "sallyport_firewall_loaded" not in gateway.metrics()
