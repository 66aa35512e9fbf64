"""Hosts in network namespaces of their own, joined by wires: for NAT, routes and addresses that no machine has."""
import contextlib
import itertools
import os
import subprocess
import sys

import pytest

_numbers = itertools.count()


def sh(*words, **more):
    """What the command printed; CalledProcessError with its stderr when it fails."""
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **more).stdout


class Host:
    """One namespace. Its processes end with it."""

    def __init__(self, name):
        self.name = f"sp-{name}-{os.getpid()}-{next(_numbers)}"
        self.processes = []
        sh("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    @property
    def within(self):
        """What to put before a command that is to run here."""
        return ["ip", "netns", "exec", self.name]

    def ip(self, *words):
        return sh("ip", "-n", self.name, *words)

    def run(self, *words, **more):
        return sh(*self.within, *words, **more)

    def python(self, program, *arguments, **more):
        return self.run(sys.executable, "-c", program, *arguments, **more)

    def start(self, *words, ready=None, **more):
        """A process; with `ready`, once it has printed this line."""
        process = subprocess.Popen([*self.within, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, **more)
        self.processes.append(process)
        if ready is not None:
            line = process.stdout.readline()
            assert line == ready + "\n", line + process.stdout.read()
        return process

    def nft(self, rules):
        """These and no others."""
        done = subprocess.run([*self.within, "nft", "-f", "-"], input="flush ruleset\n" + rules, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def forwards(self):
        """Makes it a router."""
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")

    def close(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        subprocess.run(["ip", "netns", "delete", self.name], check=False)


class Networks:
    """All hosts of a test."""

    def __init__(self):
        self.hosts = []

    def host(self, name):
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def wire(self, a, a_addresses, b, b_addresses):
        """Joins two hosts, each with addresses such as "10.0.0.1/24"."""
        number = next(_numbers)
        names = (f"w{number}a", f"w{number}b")
        sh("ip", "link", "add", names[0], "netns", a.name, "type", "veth", "peer", "name", names[1], "netns", b.name)
        for host, name, addresses in ((a, names[0], a_addresses), (b, names[1], b_addresses)):
            for address in addresses:
                host.ip("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
            host.ip("link", "set", name, "up")
        return names

    def close(self):
        for host in self.hosts:
            host.close()


@contextlib.contextmanager
def networks():
    """Skips the test where the machine forbids namespaces."""
    made = Networks()
    try:
        try:
            made.host("probe")
        except (subprocess.CalledProcessError, FileNotFoundError, PermissionError) as error:
            pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', error)}")
        yield made
    finally:
        made.close()
