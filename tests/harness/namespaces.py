"""Hosts in network namespaces of their own, with wires between them. They end with the test that made them."""
import itertools
import os
import subprocess
import sys

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

    def start(self, *words, **more):
        process = subprocess.Popen([*self.enter, *map(str, words)], stdout=subprocess.PIPE, text=True, **more)
        self.processes.append(process)
        return process

    def python(self, code, *arguments):
        """What a piece of Python printed that ran here."""
        return self.run(sys.executable, "-c", code, *arguments)

    def serve(self, code, *arguments):
        """A server in Python that prints a line when it is up."""
        process = self.start(sys.executable, "-c", code, *arguments)
        assert process.stdout.readline(), "the server did not come up"

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
