"""What the guard remembers over restarts, kills and bad files."""
import sqlite3
import time

import pytest

from harness import wait_until


@pytest.fixture
def gateway(stage):
    return stage.gateway({})


def listed(gateway):
    lists = gateway.json_verb("bans")[1]
    return {one["address"] for one in lists["bans"]}, {one["address"] for one in lists["allows"]}


def database(gateway):
    return gateway.directory / "state" / "sallyport.db"


def stored(gateway):
    with sqlite3.connect(f"file:{database(gateway)}?mode=ro", uri=True) as read:
        return {who for who, in read.execute("SELECT who FROM guard_entry")}


def add(gateway):
    assert gateway.verb("bans", "add", "203.0.113.7", "--for", "1h", "--reason", "scans").returncode == 0
    assert gateway.verb("bans", "add", "198.51.100.0/24", "--for", "ever").returncode == 0
    assert gateway.verb("bans", "allow", "203.0.113.9", "--reason", "office").returncode == 0


EVERYTHING = ({"203.0.113.7", "198.51.100.0/24"}, {"203.0.113.9"})


def test_the_lists_outlive_a_stop(gateway):
    add(gateway)
    gateway.stop()
    gateway.start()
    assert listed(gateway) == EVERYTHING
    entry = next(one for one in gateway.json_verb("bans")[1]["bans"] if one["address"] == "203.0.113.7")
    assert entry["reason"] == "scans" and entry["origin"] == "manual" and entry["node"] == "test-node"


def test_a_kill_loses_no_more_than_the_last_second(gateway):
    add(gateway)
    wait_until(lambda: len(stored(gateway)) == 3, "the next write", timeout=3)
    gateway.kill()
    gateway.start()
    assert listed(gateway) == EVERYTHING


def test_what_was_removed_stays_away(gateway):
    add(gateway)
    wait_until(lambda: len(stored(gateway)) == 3, "the next write")
    assert gateway.verb("bans", "remove", "203.0.113.7").returncode == 0
    gateway.stop()
    gateway.start()
    assert listed(gateway) == ({"198.51.100.0/24"}, {"203.0.113.9"})


def test_what_ended_meanwhile_is_gone(gateway):
    assert gateway.verb("bans", "add", "203.0.113.7", "--for", "1s").returncode == 0
    gateway.stop()
    time.sleep(1.1)  # the wall clock's own second is what is tested
    gateway.start()
    assert listed(gateway) == (set(), set())


def garbage(file):
    file.write_bytes(b"no database at all " * 1000)


def newer(file):
    with sqlite3.connect(file) as write:
        write.execute("PRAGMA user_version = 1000")


@pytest.mark.parametrize("spoil, says", [(garbage, "is damaged"), (newer, "newer version")])
def test_a_file_of_no_use_is_set_aside_and_the_gateway_starts(gateway, spoil, says):
    add(gateway)
    gateway.stop()
    spoil(database(gateway))
    gateway.start()
    assert listed(gateway) == (set(), set())
    assert says in gateway.wait_message("it is kept as")["message"]
    assert list(database(gateway).parent.glob("sallyport.db.unusable-*"))
    add(gateway)
    gateway.stop()
    gateway.start()
    assert listed(gateway) == EVERYTHING
