"""A certificate that is replaced on disk is shown by itself once it is found good, with or without privileges."""
import os

import pytest

from harness import Client, curl, free_port, http_service, shown_certificate, wait_until

UNPRIVILEGED = "nobody"


def replace(pair, new_pair):
    """Puts new files into the places of the old ones by renaming, key first."""
    for place, new in zip(reversed(pair), reversed(new_pair)):
        new.chmod(0o644)
        new.rename(place)


def garbage(stage, path):
    broken = stage.directory / "broken"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnothing of the kind\n-----END CERTIFICATE-----\n")
    broken.chmod(0o644)
    broken.rename(path)


@pytest.fixture(params=["as started", "after dropping privileges"])
def gateway(request, stage):
    """A gateway that shows `stage.pair`, as we are or as root that has become another user."""
    stage.pair = stage.authority.issue("edge", ["it.example"])
    for file in stage.pair:
        file.chmod(0o644)
    config = {"certificate": [{"name": "edge", "chain": stage.pair[0], "key": stage.pair[1]}],
              "service": [http_service("it.example", stage.target())]}
    if request.param == "after dropping privileges":
        if os.geteuid() != 0:
            pytest.skip("only root can start the gateway with privileges to drop")
        config["node"] = {"user": UNPRIVILEGED}
        config["admin"] = {"socket": stage.directory / "run" / "admin.sock"}
        gateway = stage.gateway(config, environment={"ASAN_OPTIONS": "detect_leaks=0"})  # it may not trace itself then
        assert gateway.status()["user"] == UNPRIVILEGED
        return gateway
    return stage.gateway(config)


def shown(gateway, name="it.example"):
    return shown_certificate(gateway.https_port, name)


def test_a_replaced_pair_is_shown_without_a_reload_and_a_broken_one_is_not(stage, gateway):
    first = stage.pair
    second, third = (stage.authority.issue(name, ["it.example"]) for name in ("second", "third"))
    texts = [pair[0].read_text() for pair in (first, second, third)]
    assert shown(gateway) == texts[0]

    replace(stage.pair, second)
    wait_until(lambda: shown(gateway) == texts[1], "the second certificate")

    garbage(stage, stage.pair[0])
    gateway.wait_message("replaced certificate files are not good")
    assert shown(gateway) == texts[1]

    third[0].chmod(0o644)
    os.rename(third[0], stage.pair[0])  # with the second one's key
    wait_until(lambda: len(gateway.messages("replaced certificate files are not good")) >= 2, "a word on the wrong key")
    assert shown(gateway) == texts[1]

    third[1].chmod(0o644)
    os.rename(third[1], stage.pair[1])
    wait_until(lambda: shown(gateway) == texts[2], "the third certificate, now that its key is there")
    assert curl("https://it.example/", connect_to=gateway.https_port, ca=stage.authority.ca) == "fine"


def test_a_connection_in_use_lives_on_with_its_old_certificate(stage, gateway):
    client = stage.keep(Client(gateway.https_port, stage.authority.client_context(), "it.example"))
    assert client.request("it.example").status == 200
    second = stage.authority.issue("second", ["it.example"])
    text = second[0].read_text()
    replace(stage.pair, second)
    wait_until(lambda: shown(gateway) == text, "the second certificate")
    assert client.request("it.example").status == 200


def test_a_reload_reads_files_and_opens_ports_as_the_start_did(stage, gateway):
    second = stage.authority.issue("second", ["second.example"])
    for file in second:
        file.chmod(0o644)
    gateway.config["certificate"].append({"name": "second", "chain": second[0], "key": second[1]})
    gateway.config["service"].append(gateway.config["service"][0] | {"name": "second.example"})
    low = free_port(low=True)
    if low:
        gateway.config["listen"]["http"] = [gateway.config["listen"]["http"], f"127.0.0.1:{low}"]
    gateway.write()
    gateway.reload()
    assert shown(gateway, "second.example") == second[0].read_text()
    assert shown(gateway, "it.example") == stage.pair[0].read_text()
    assert curl("https://second.example/", connect_to=gateway.https_port, ca=stage.authority.ca) == "fine"
    if low:
        assert curl("http://second.example/", connect_to=low) == "fine"


def test_the_name_that_the_client_sends_chooses_the_certificate(stage):
    names = ("first.example", "*.wild.example", "deep.wild.example")
    pairs = {name: stage.authority.issue(name.strip("*."), [name]) for name in names}
    gateway = stage.gateway({
        "certificate": [{"name": name, "chain": chain, "key": key} for name, (chain, key) in pairs.items()],
        "service": [http_service("first.example", stage.target())]})
    for name, shown_name in (("first.example", "first.example"), ("a.wild.example", "*.wild.example"),
                             ("deep.wild.example", "deep.wild.example"), ("DEEP.wild.example", "deep.wild.example"),
                             ("unknown.example", "first.example"), ("a.b.wild.example", "first.example")):
        assert shown(gateway, name) == pairs[shown_name][0].read_text(), name


def test_without_certificates_one_is_made_and_kept(stage):
    config = {"service": [http_service("it.example", stage.target())]}
    gateway = stage.gateway(config)
    made = shown(gateway)
    gateway.stop()
    gateway.start()
    assert shown(gateway) == made
    files = [path for path in (gateway.directory / "state").rglob("*") if path.is_file()]
    keys = [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert keys and all(path.stat().st_mode & 0o077 == 0 for path in keys)
