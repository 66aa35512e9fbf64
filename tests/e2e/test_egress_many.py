"""Ten thousand devices of a leases file, and who goes out from where: through a kill, a restart, changes of the pool, and
from one gateway to another. All are asked about at once: what `egress list` says of NAT is what a connection would get."""
import contextlib
import sqlite3
import time

import pytest

from harness import wait_until

DEVICES = 10_000
POOL, GROWN = "127.9.1.0/27", "127.9.1.0/26"
MEMBERS = [f"127.9.1.{number}" for number in range(32)]
WITHIN = 60


def address(number):
    return f"10.64.{number // 250}.{number % 250 + 1}"


def mac(number):
    return f"02:00:5e:10:{number >> 8:02x}:{number & 255:02x}"


@pytest.fixture(scope="module")
def leases(module_stage):
    file = module_stage.directory / "dnsmasq.leases"
    until = int(time.time()) + 86_400
    file.write_text("".join(f"{until} {mac(number)} {address(number)} phone *\n" for number in range(DEVICES)))
    return file


def gateway(stage, leases, name, pool=POOL, redis=None):
    shared = {"shared": {"redis": redis.url}} if redis else {}
    return stage.gateway({"node": {"name": name}, **shared, "egress": {"pool": [pool], "seed": "site-1", "leases": leases}})


def given(node):
    """{device: its source}, of all of them."""
    rows = node.json_verb("egress", "list")[1]["nat"]["clients"]
    assert len(rows) == DEVICES
    return {row["client"].removesuffix("/32"): row["source"] for row in rows}


def set_pool(node, *pool):
    node.config["egress"]["pool"] = list(pool)
    node.write()
    node.reload()


def on_disk(node):
    """How many lines."""
    with contextlib.closing(sqlite3.connect(f"file:{node.directory / 'state' / 'sallyport.db'}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM egress_line").fetchone()[0]


def test_they_keep_their_addresses_through_all_that_happens_to_one_gateway(stage, leases):
    node = gateway(stage, leases, "edge-1")
    before = given(node)
    assert set(before.values()) == set(MEMBERS)

    set_pool(node, GROWN)
    assert given(node) == before, "the pool has grown"

    wait_until(lambda: on_disk(node) == DEVICES, "all to be written")
    node.kill()
    node.start()
    assert given(node) == before, "after a kill, though by the hash half of them would move"

    node.stop()
    node.start()
    assert given(node) == before, "and after a restart"

    set_pool(node, *MEMBERS[1:])
    after = given(node)
    moved = {device for device in before if after[device] != before[device]}
    assert moved == {device for device, source in before.items() if source == MEMBERS[0]}, "whose pool member is gone"
    assert DEVICES / 64 < len(moved) < DEVICES / 16


def test_another_gateway_of_the_same_seed_and_pool_agrees_without_a_word(stage, leases):
    one, other = (gateway(stage, leases, name) for name in ("edge-1", "edge-2"))
    before = given(one)
    one.kill()
    assert given(other) == before
    (one.directory / "state" / "sallyport.db").unlink()
    one.start()
    assert given(one) == before, "nor does it take a memory"


def test_another_gateway_takes_over_what_was_given_and_pinned(stage, leases):
    redis = stage.redis()
    one = gateway(stage, leases, "edge-1", redis=redis)
    before = given(one)
    for number in range(3):
        pinned = MEMBERS[0] if before[address(number)] != MEMBERS[0] else MEMBERS[1]
        assert one.verb("egress", "pin", "--mac", mac(number), pinned).returncode == 0
        before[address(number)] = pinned
    assert given(one) == before
    wait_until(lambda: int(redis.command("hlen", "sallyport:egress")) == DEVICES + 3, "all to be shared", WITHIN)

    other = gateway(stage, leases, "edge-2", pool=GROWN, redis=redis)  # whose hash alone would move half of them
    wait_until(lambda: other.status()["guard"]["shared"], "to be in step", WITHIN)
    one.kill()
    assert given(other) == before
    redis.kill()
    other.stop()
    other.start()
    assert given(other) == before, "when nobody else is left"
