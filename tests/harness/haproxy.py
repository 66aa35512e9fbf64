"""haproxy: as the balancer in front that tells who its clients are, and as a target that wants to be told."""
import pathlib
import socket
import subprocess

from harness.waiting import free_port, wait_until

BALANCER = "127.0.0.50"  # whence every Haproxy connects, so that a test can tell it from a stranger

CONFIGURATION = """\
global
    maxconn 500
    nbthread 1
defaults
    retries 0
    timeout connect 15s
    timeout check 15s
    timeout client 1m
    timeout server 1m
"""


def balances(port, version, check=False):
    """A section that passes TCP on to this port of loopback, behind a PROXY header "v1" or "v2". `check`: it also asks
    for / itself, again and again, over connections of its own."""
    send = "send-proxy" if version == "v1" else "send-proxy-v2"
    lines = ["mode tcp", f"server gateway 127.0.0.1:{port} {send} source {BALANCER}" +
             (" check check-send-proxy inter 300ms" if check else "")]
    question = ["option httpchk", "http-check send meth GET uri /check ver HTTP/1.1 hdr Host web.example"]
    return {"lines": lines + question * check}


def answers(certificate=None, **more):
    """A section that wants a PROXY header and answers every request with who it was told asks."""
    lines = ["mode http", 'http-request return status 200 content-type text/plain lf-string "name=haproxy\\npeer=%ci\\n'
             'peer_port=%cp\\nown=%[dst]\\nxff=%[req.hdr(X-Forwarded-For)]\\n"']
    return {"options": "accept-proxy", "certificate": certificate, "lines": lines, **more}


class Haproxy:
    """One haproxy with a port for each section; `ports` has them by the sections' names.

    A section: {"lines": [...], "bind": the address, "options": of bind, "certificate": (chain, key) for TLS}.
    """

    def __init__(self, directory, sections):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.ports = {name: free_port() for name in sections}
        self._addresses = {name: section.get("bind", "127.0.0.1") for name, section in sections.items()}
        file = self.directory / "haproxy.cfg"
        file.write_text(CONFIGURATION + "".join(self._section(name, section) for name, section in sections.items()))
        with open(self.directory / "log", "wb") as log:
            self._process = subprocess.Popen(["haproxy", "-db", "-f", file], stdout=log, stderr=log)
        for name in sections:
            wait_until(lambda: self._listens(name), f"haproxy {name}")  # noqa: B023: called at once

    def _section(self, name, section):
        bind = f"bind {section.get('bind', '127.0.0.1')}:{self.ports[name]} {section.get('options', '')}"
        if section.get("certificate"):
            both = self.directory / f"{name}.pem"
            both.write_text("".join(pathlib.Path(part).read_text() for part in section["certificate"]))
            bind += f" ssl crt {both}"
        return "".join(f"{line}\n" for line in [f"listen {name}", *(f"    {line}" for line in [bind, *section["lines"]])])

    def _listens(self, name):
        assert self._process.poll() is None, (self.directory / "log").read_text()
        family = socket.AF_INET6 if ":" in self._addresses[name] else socket.AF_INET
        with socket.socket(family) as probe:
            return probe.connect_ex((self._addresses[name], self.ports[name])) == 0

    def stop(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
