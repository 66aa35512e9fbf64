"""What a start does with ports, privileges and files, and how clearly it fails."""
import os
import pwd
import re
import shutil
import socket

import pytest

from harness import Client, GatewayFailed, curl, free_port, http_service, program

UNPRIVILEGED = "nobody"
CAP_NET_BIND_SERVICE = 1 << 10

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
NO_TRACE = {"ASAN_OPTIONS": "detect_leaks=0"}  # a process that dropped its privileges may not trace itself


def as_nobody():
    account = pwd.getpwnam(UNPRIVILEGED)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups",
            "--bounding-set=-all"]


@pytest.fixture
def for_nobody(stage):
    """A copy of the program, and a folder, that an unprivileged user can reach: the checkout may be closed to it."""
    copy = stage.directory / "sallyport"
    shutil.copy(program(), copy)
    copy.chmod(0o755)
    folder = stage.directory / "theirs"
    folder.mkdir()
    shutil.chown(folder, UNPRIVILEGED)
    return copy, folder


def process_facts(pid):
    text = open(f"/proc/{pid}/status").read()
    return dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.MULTILINE))


def config_of(stage, **tables):
    return {"service": [http_service("it.example", stage.target())], **tables}


@as_root
def test_root_binds_low_ports_and_goes_on_as_a_user_with_one_capability(stage):
    low = free_port(low=True)
    if low is None:
        pytest.skip("ports below 1024 are closed to us")
    gateway = stage.gateway(config_of(stage, listen={"http": f"127.0.0.1:{low}"}, node={"user": UNPRIVILEGED},
                                      admin={"socket": stage.directory / "run" / "admin.sock"}), environment=NO_TRACE)
    account = pwd.getpwnam(UNPRIVILEGED)
    for thread in os.listdir(f"/proc/{gateway.pid}/task"):  # capabilities and users are a thread's own
        facts = process_facts(f"{gateway.pid}/task/{thread}")
        assert facts["Uid"].split() == [str(account.pw_uid)] * 4
        assert facts["Gid"].split() == [str(account.pw_gid)] * 4
        assert facts["Groups"].split() in ([], [str(account.pw_gid)])
        assert int(facts["CapEff"], 16) == CAP_NET_BIND_SERVICE
        assert int(facts["CapPrm"], 16) == CAP_NET_BIND_SERVICE
        assert int(facts["CapInh"], 16) == 0 and int(facts["CapAmb"], 16) == 0
    assert gateway.status()["user"] == UNPRIVILEGED
    assert curl("http://it.example/", connect_to=low) == "fine"


@as_root
def test_without_the_account_root_says_so_and_keeps_one_capability(stage):
    gateway = stage.gateway(config_of(stage, node={"user": "nobody-has-this-name"}))
    assert gateway.wait_message("nobody-has-this-name")["level"] == "warning"
    assert int(process_facts(gateway.pid)["CapEff"], 16) == CAP_NET_BIND_SERVICE


@as_root
def test_a_key_that_the_user_may_not_read_fails_the_start(stage):
    chain, key = stage.authority.issue("edge", ["it.example"])
    key.chmod(0o600)
    gateway = stage.gateway(config_of(stage, node={"user": UNPRIVILEGED},
                                      certificate=[{"name": "edge", "chain": chain, "key": key}],
                                      admin={"socket": stage.directory / "run" / "admin.sock"}),
                            start=False, environment=NO_TRACE)
    with pytest.raises(GatewayFailed) as failed:
        gateway.start()
    assert failed.value.status == 3
    assert str(key) in failed.value.stderr and "Permission denied" in failed.value.stderr
    status, findings = gateway.check()  # which runs as root, and says it all the same
    assert status == 3 and any(str(key) in error["message"] for error in findings["errors"])


@as_root
def test_a_port_that_needs_a_privilege_says_which(stage, for_nobody, monkeypatch):
    low = free_port(low=True)
    if open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read().strip() != "1024":
        pytest.skip("here everyone may bind low ports")
    copy, folder = for_nobody
    monkeypatch.setenv("SALLYPORT", str(copy))
    gateway = stage.gateway(config_of(stage, listen={"http": f"127.0.0.1:{low}"}, node={"state_dir": folder / "state"},
                                      admin={"socket": folder / "admin.sock"}),
                            start=False, wrapper=as_nobody())
    with pytest.raises(GatewayFailed) as failed:
        gateway.start()
    assert failed.value.status == 1
    assert f"127.0.0.1:{low}" in failed.value.stderr and "CAP_NET_BIND_SERVICE" in failed.value.stderr
    done = gateway.verb("check", wrapper=as_nobody())
    assert done.returncode == 3 and "CAP_NET_BIND_SERVICE" in done.stderr


@as_root
def test_an_unprivileged_user_runs_it_on_high_ports(stage, for_nobody, monkeypatch):
    copy, folder = for_nobody
    monkeypatch.setenv("SALLYPORT", str(copy))
    gateway = stage.gateway(config_of(stage, node={"state_dir": folder / "state"},
                                      admin={"socket": folder / "admin.sock"}),
                            wrapper=as_nobody(), environment=NO_TRACE)
    assert curl("http://it.example/", connect_to=gateway.http_port) == "fine"
    assert gateway.status()["user"] == UNPRIVILEGED


@as_root
def test_another_user_may_ask_for_health_and_for_nothing_else(stage, for_nobody, monkeypatch):
    copy, _ = for_nobody
    monkeypatch.setenv("SALLYPORT", str(copy))
    gateway = stage.gateway(config_of(stage))
    gateway.directory.chmod(0o755)
    for verb in ("status", "reload", "drain"):
        done = gateway.verb(verb, wrapper=as_nobody())
        assert (done.returncode, done.stdout) == (5, ""), verb
        assert done.stderr
    assert gateway.is_ready()


def test_a_port_that_is_taken_fails_the_start_and_is_named(stage):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        gateway = stage.gateway(config_of(stage, listen={"http": f"127.0.0.1:{taken}"}), start=False)
        with pytest.raises(GatewayFailed) as failed:
            gateway.start()
    assert failed.value.status == 1
    assert f"127.0.0.1:{taken}" in failed.value.stderr and "another program" in failed.value.stderr


def test_a_second_gateway_on_the_same_ports_does_not_share_them(stage):
    first = stage.gateway(config_of(stage))
    second = stage.gateway(config_of(stage, listen=first.config["listen"]), start=False)
    with pytest.raises(GatewayFailed) as failed:
        second.start()
    assert failed.value.status == 1 and str(first.http_port) in failed.value.stderr


def test_a_second_gateway_on_the_same_admin_socket_is_refused_and_the_first_lives_on(stage):
    first = stage.gateway(config_of(stage))
    second = stage.gateway(config_of(stage, admin={"socket": first.socket}), start=False)
    second.start(wait=False)
    assert second.wait() == 1
    assert str(first.socket) in second.stderr
    assert first.status()["pid"] == first.pid
    with Client(first.http_port) as client:
        assert client.request("it.example").status == 200


def test_a_socket_left_by_a_crash_does_not_hinder_the_next_start(stage):
    gateway = stage.gateway(config_of(stage))
    gateway.kill()
    assert gateway.socket.exists()
    gateway.start()
    assert gateway.status()["state"] == "ready"


@pytest.mark.parametrize("text, status, word", [
    ("[node\n", 3, "sallyport.toml:1:"),
    ('[lisent]\nhttp = ":1"\n', 3, "listen"),
    ('[listen]\nhttp = "nowhere"\n', 3, "sallyport.toml:2:"),
])
def test_a_bad_file_fails_the_start_with_its_place(stage, text, status, word):
    gateway = stage.gateway(config_of(stage), start=False)
    gateway.write_text(text)
    with pytest.raises(GatewayFailed) as failed:
        gateway.start()
    assert failed.value.status == status and word in failed.value.stderr


def test_a_file_that_is_not_there_is_named(stage):
    gateway = stage.gateway(config_of(stage), start=False)
    gateway.file.unlink()
    with pytest.raises(GatewayFailed) as failed:
        gateway.start()
    assert failed.value.status == 3 and str(gateway.file) in failed.value.stderr


@pytest.mark.parametrize("verb", ["status", "reload", "drain"])
def test_a_verb_without_a_gateway_says_that_nobody_answers(stage, verb):
    gateway = stage.gateway(config_of(stage), start=False)
    done = gateway.verb(verb)
    assert (done.returncode, done.stdout) == (4, "")
    assert str(gateway.socket) in done.stderr


@pytest.mark.parametrize("arguments, status", [
    (["version"], 0), (["--version"], 0), (["--help"], 0), (["explain", "--help"], 0), (["reference"], 0),
    (["reference", "reasons"], 0),
    ([], 2), (["no-such-verb"], 2), (["run", "--no-such-option"], 2), (["reference", "nothing"], 2),
])
def test_the_command_line_ends_with_the_status_of_its_contract(stage, arguments, status):
    gateway = stage.gateway(config_of(stage), start=False)
    done = gateway.verb(*arguments)
    assert done.returncode == status
    assert bool(done.stdout) == (status == 0)
    assert bool(done.stderr) == (status != 0)


def test_status_tells_what_runs(stage):
    gateway = stage.gateway(config_of(stage))
    status = gateway.status()
    assert (status["node"], status["state"], status["services"]) == ("test-node", "ready", 1)
    assert status["pid"] == gateway.pid
    addresses = {listener["address"] for listener in status["listeners"]}
    assert {f"127.0.0.1:{gateway.http_port}", f"127.0.0.1:{gateway.https_port}"} <= addresses
    text = gateway.verb("status").stdout
    assert "test-node" in text and f"127.0.0.1:{gateway.http_port}" in text
