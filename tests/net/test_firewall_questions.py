"""What `explain` and `ports` say of the firewall is what packets meet."""
import json
import os
import pathlib
import sys

import pytest

from firewall_scene import ADMINS, INSIDE_4, INSIDE_6, OUTSIDE_4, OUTSIDE_6, SERVER, Scene, try_ports
from harness.gateway import program
from harness.waiting import wait_until


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


def test_ports_says_why_there_is_no_policy_and_prints_no_name_as_it_is(one_box):
    name = "import ctypes, sys; ctypes.CDLL(None).prctl(15, b'\\x1b[2Jx', 0, 0, 0); exec(sys.argv.pop(1))"
    assert one_box.gateway.start(sys.executable, "-c", name, SERVER, 9100).stdout.readline() == "up\n"
    one_box.program.write_text("[firewall]\ndenny = 1\n")
    done = one_box.program.verb("ports", wrapper=one_box.gateway.enter)
    assert "has errors, so there is no policy" in done.stderr
    assert "\x1b" not in done.stdout and "\\x1b[2Jx" in done.stdout


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
    other = scene.firewall("try-reset", 443)  # one at a time: that it works would be said of the first one's port
    assert other.returncode == 1 and "another experiment" in other.stderr and other.stdout == ""
    attempt.kill()
    wait_until(lambda: "sallyport_try" not in scene.gateway.run("nft", "list", "tables"), "the end of the experiment")
    assert try_ports(scene.client, f"{OUTSIDE_4}.1", [1935], patience=1) == ["silence"]
