"""Source addresses that two gateways share through a real Redis: pins, their end, and what was given."""
import pytest

from harness import wait_until

CLIENT = "10.1.0.7"
WITHIN = 15


def gateway(stage, redis, name, pool):
    return stage.gateway({"node": {"name": name}, "shared": {"redis": redis.url}, "egress": {"pool": pool, "seed": "site"}})


def in_step(node, wanted=True):
    wait_until(lambda: node.status()["guard"]["shared"] is wanted, f"shared: {wanted}")


@pytest.fixture
def redis(stage):
    return stage.redis()


@pytest.fixture
def pair(stage, redis):
    nodes = [gateway(stage, redis, name, ["127.9.1.0/28"]) for name in ("edge-1", "edge-2")]
    for node in nodes:
        in_step(node)
    return nodes


def source(node):
    return node.json_verb("egress", "whois", CLIENT)[1]["v4"]


def pin(node, address, *more):
    done = node.verb("egress", "pin", "--client", CLIENT, address, *more)
    assert done.returncode == 0, done.stderr


def test_a_pin_on_one_holds_on_the_other_until_it_is_taken_away_anywhere(pair):
    one, other = pair
    pin(one, "127.9.1.3")
    wait_until(lambda: source(other) == {"source": "127.9.1.3", "why": "pin"}, "the pin")
    pin(other, "127.9.1.4")
    wait_until(lambda: source(one)["source"] == "127.9.1.4", "the newer pin")
    pin(one, "127.9.1.4", "--remove")
    wait_until(lambda: source(other)["why"] != "pin", "its end")


def test_what_changes_while_redis_is_away_travels_when_it_is_back(pair, redis):
    one, other = pair
    pin(one, "127.9.1.3")
    wait_until(lambda: source(other)["why"] == "pin", "the pin")
    redis.kill()
    for node in pair:
        in_step(node, False)
    pin(other, "127.9.1.3", "--remove")
    assert source(one)["why"] == "pin"
    other.stop()  # and its end is not forgotten by that
    other.start()
    redis.start()
    wait_until(lambda: source(one)["why"] != "pin", "its end", WITHIN)
    assert source(other)["why"] != "pin"


def test_who_comes_later_learns_of_pins_and_so_does_one_that_starts_again(stage, pair, redis):
    pin(pair[0], "127.9.1.5")
    wait_until(lambda: source(pair[1])["why"] == "pin", "the pin")
    third = gateway(stage, redis, "edge-3", ["127.9.1.0/28"])
    wait_until(lambda: source(third)["source"] == "127.9.1.5", "the pin")
    pair[1].stop()
    pair[1].start()
    assert source(pair[1]) == {"source": "127.9.1.5", "why": "pin"}
    fourth = gateway(stage, redis, "edge-4", ["127.9.2.0/28"])
    in_step(fourth)
    assert source(fourth)["why"] != "pin"  # that address is in no pool of its own
