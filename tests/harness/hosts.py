"""Two hosts on one wire, each a network namespace of its own: `server`, where a test is, and `client`."""
import contextlib
import ctypes
import os
import subprocess
import sys

from harness.namespaces import open_network

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Hosts:
    """The client has the first address of each family, and may take more with `address()`."""
    CLIENT = {"v4": "10.78.0.1", "v6": "fd78:0:0:1::1"}
    SERVER = {"v4": "10.78.0.2", "v6": "fd78:0:0:2::2"}

    def __init__(self, network):
        self._outer, self._inner = network.host("out"), network.host("in")
        self.client, self.server = self._outer.name, self._inner.name
        network.wire(self._outer, "wire", self._inner, "wire")
        for host, own, other in ((self._outer, self.CLIENT, self.SERVER), (self._inner, self.SERVER, self.CLIENT)):
            host.address("wire", own["v4"] + "/16", own["v6"] + "/64")
            host.ip("-6", "route", "add", other["v6"].rsplit("::", 1)[0] + "::/64", "dev", "wire")

    def address(self, one):
        """Gives the client another address of 10.78.0.0/16."""
        self._outer.address("wire", one + "/16")
        return one

    @contextlib.contextmanager
    def at(self, name):
        """All that this thread opens and starts meanwhile, it does at this host."""
        with open("/proc/thread-self/ns/net", "rb") as here, open(f"/run/netns/{name}", "rb") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())

    def from_client(self, *words, **more):
        """A finished run of a program at the client: returncode, stdout, stderr."""
        return self._outer.try_run(*words, timeout=60, **more)

    def start_at_client(self, *words):
        """A program at the client whose input and output are pipes."""
        return subprocess.Popen([*self._outer.enter, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def python(self, code, *arguments):
        return self.from_client(sys.executable, "-c", code, *arguments)


@contextlib.contextmanager
def two_hosts():
    """Hosts, with this thread at the server; a skip where a machine forbids namespaces."""
    network = open_network()
    try:
        hosts = Hosts(network)
        with hosts.at(hosts.server):
            yield hosts
    finally:
        network.close()
