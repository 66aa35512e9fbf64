"""Hosts in network namespaces of their own, with wires between them. They end with the test that made them."""
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

_numbers = itertools.count()


def sh(*words, **more):
    """What a program printed; CalledProcessError, with its stderr, when it failed."""
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **more).stdout


class Host:
    def __init__(self, name):
        self.name = f"sp{os.getpid()}-{next(_numbers)}-{name}"
        self.processes = []
        sh("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    @property
    def enter(self):
        """What a program is started by to run here."""
        return ["ip", "netns", "exec", self.name]

    def ip(self, *words):
        return sh("ip", "-n", self.name, *words)

    def run(self, *words, **more):
        return sh(*self.enter, *words, **more)

    def try_run(self, *words, **more):
        """A finished run, however it ended."""
        return subprocess.run([*self.enter, *map(str, words)], capture_output=True, text=True, **more)

    def nft(self, text):
        return self.run("nft", "-f", "-", input=text)

    def nft_alone(self, text):
        """These rules and no others."""
        return self.nft("flush ruleset\n" + text)

    def forwards(self):
        """Makes it a router of both families."""
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")

    def start(self, *words, **more):
        process = subprocess.Popen([*self.enter, *map(str, words)], stdout=subprocess.PIPE, text=True, **more)
        self.processes.append(process)
        return process

    def python(self, code, *arguments):
        """What a piece of Python printed that ran here."""
        return self.run(sys.executable, "-c", code, *arguments)

    def serve(self, code, *arguments):
        """A server in Python, a file or code, that prints "up" when it is."""
        source = [code] if isinstance(code, Path) else ["-c", code]
        process = self.start(sys.executable, *source, *arguments, stderr=subprocess.STDOUT)
        line = process.stdout.readline()
        assert line == "up\n", line + process.stdout.read()

    def address(self, interface, *addresses):
        for address in addresses:
            self.ip("address", "add", address, "dev", interface, *(["nodad"] if ":" in address else []))

    def route(self, to, via):
        self.ip("route", "add", to, "via", via)

    def close(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        subprocess.run(["ip", "netns", "delete", self.name], check=False)


class Network:
    def __init__(self):
        self.hosts = []

    def host(self, name):
        self.hosts.append(Host(name))
        return self.hosts[-1]

    def wire(self, a, a_interface, b, b_interface):
        sh("ip", "link", "add", a_interface, "netns", a.name, "type", "veth", "peer", "name", b_interface, "netns", b.name)
        a.ip("link", "set", a_interface, "up")
        b.ip("link", "set", b_interface, "up")

    def join(self, a, a_addresses, b, b_addresses):
        """A wire between addresses such as "10.0.0.1/24"; the names that its ends have got."""
        number = next(_numbers)
        names = (f"w{number}a", f"w{number}b")
        self.wire(a, names[0], b, names[1])
        a.address(names[0], *a_addresses)
        b.address(names[1], *b_addresses)
        return names

    def bridge(self, at, name, *hosts):
        """Joins hosts, each by its eth0, to one network that `at` has as this interface."""
        at.ip("link", "add", name, "type", "bridge")
        for number, host in enumerate(hosts, 1):
            self.wire(at, f"port{number}", host, "eth0")
            at.ip("link", "set", f"port{number}", "master", name)
        at.ip("link", "set", name, "up")

    def close(self):
        for host in self.hosts:
            host.close()


def open_network():
    """A Network, or the test is skipped with the reason."""
    network = Network()
    try:
        network.host("probe").run("nft", "list", "ruleset")
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        network.close()
        pytest.skip(f"no network namespaces or no nft here: {getattr(error, 'stderr', error)}")
    return network
