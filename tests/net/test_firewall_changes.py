"""A change of the firewall is tried, confirmed or undone, whatever happens meanwhile: none locks anybody out."""
import os
import signal
import subprocess

import pytest

from firewall_scene import OUTSIDE_4, kill_keeper, try_ports
from harness.gateway import program
from harness.namespaces import sh
from harness.waiting import wait_until


def test_a_change_that_nobody_confirms_undoes_itself(one_box):
    one_box.apply("--confirm", "1s")
    one_box.wait_until_gone()
    wait_until(lambda: not (one_box.state / "pending").exists(), "nothing to be tried any more")


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
    one_box.want_open(22)
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
            one_box.program.wait_message("undone")
    elif next_start == "boot":
        assert one_box.firewall("boot").returncode == 0
        assert one_box.table() is None
    else:
        assert "undone" in one_box.apply("--now").stderr
        assert one_box.table()


def test_after_a_reboot_the_confirmed_rules_are_there_and_the_others_are_not(one_box):
    one_box.apply()
    confirmed = one_box.table()
    one_box.want_open(9999)
    one_box.apply("--confirm", "1h")
    assert one_box.table() != confirmed
    kill_keeper(one_box)
    one_box.gateway.run("nft", "flush", "ruleset")  # all that a reboot leaves of a kernel's tables
    assert one_box.firewall("boot").returncode == 0
    assert one_box.table() == confirmed
    one_box.gateway.run("nft", "flush", "ruleset")
    assert one_box.firewall("boot").returncode == 0
    assert one_box.table() == confirmed


def test_a_file_with_errors_keeps_nobody_from_confirming_going_back_or_starting(one_box):
    """It may be in the midst of being edited when the machine starts, or when something has to be undone at once."""
    one_box.apply()
    first = one_box.table()
    one_box.want_open(9999)
    one_box.apply("--confirm", "1h")
    good = one_box.program.file.read_text()
    one_box.program.write_text(good.replace("[listen]", "[listen]\nhtpp = ':80'"))
    done = one_box.firewall("confirm")
    assert done.returncode == 0 and "has errors" in done.stderr, done.stderr
    second = one_box.table()
    one_box.gateway.run("nft", "flush", "ruleset")
    assert one_box.firewall("boot").returncode == 0 and one_box.table() == second
    assert one_box.firewall("rollback").returncode == 0 and one_box.table() == first
    assert one_box.firewall("apply", "--now").returncode == 3 and one_box.table() == first
    assert one_box.firewall("remove").returncode == 0 and one_box.table() is None


def test_no_confirmation_is_asked_for_by_name_alone(one_box):
    done = one_box.firewall("apply", "--confirm", "0s")
    assert done.returncode == 2 and "--now" in done.stderr and one_box.table() is None


def test_rollback_undoes_at_once_and_once_more_goes_further_back(one_box):
    one_box.apply()
    first = one_box.table()
    one_box.want_open(9999)
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


def test_a_failure_at_the_last_step_changes_nothing_either(one_box):
    one_box.apply()
    before = one_box.table()
    one_box.want_open(9999)
    (one_box.state / "previous.nft.new").mkdir()  # what was confirmed before can't be kept, as on a disk that is full by then
    done = one_box.firewall("apply", "--now")
    assert done.returncode == 1 and "previous.nft" in done.stderr, done.stderr
    assert one_box.table() == before
    one_box.gateway.run("nft", "flush", "ruleset")
    assert one_box.firewall("boot").returncode == 0 and one_box.table() == before


def test_a_full_disk_changes_nothing(one_box):
    one_box.apply()
    before = one_box.table()
    one_box.want_open(9999)
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
