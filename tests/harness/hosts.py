"""Two hosts on one wire, each a network namespace of its own: `server`, where a test is, and `client`."""
import contextlib
import ctypes
import os
import subprocess
import sys

import pytest

from harness.namespaces import sh

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Hosts:
    """The client has the first address of each family, and may take more with `address()`."""
    CLIENT = {"v4": "10.78.0.1", "v6": "fd78:0:0:1::1"}
    SERVER = {"v4": "10.78.0.2", "v6": "fd78:0:0:2::2"}

    def __init__(self):
        self.client, self.server = f"sp-out{os.getpid()}", f"sp-in{os.getpid()}"
        for name in (self.client, self.server):
            sh("ip", "netns", "add", name)
            sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "link", "add", "wire", "netns", self.client, "type", "veth", "peer", "name", "wire", "netns", self.server)
        for name, own, other in ((self.client, self.CLIENT, self.SERVER), (self.server, self.SERVER, self.CLIENT)):
            sh("ip", "-n", name, "address", "add", own["v4"] + "/16", "dev", "wire")
            sh("ip", "-n", name, "address", "add", own["v6"] + "/64", "dev", "wire", "nodad")
            sh("ip", "-n", name, "link", "set", "wire", "up")
            sh("ip", "-n", name, "-6", "route", "add", other["v6"].rsplit("::", 1)[0] + "::/64", "dev", "wire")

    def address(self, one):
        """Gives the client another address of 10.78.0.0/16."""
        sh("ip", "-n", self.client, "address", "add", one + "/16", "dev", "wire")
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
        return subprocess.run(["ip", "netns", "exec", self.client, *map(str, words)], capture_output=True, text=True,
                              timeout=60, **more)

    def start_at_client(self, *words):
        """A program at the client whose input and output are pipes."""
        return subprocess.Popen(["ip", "netns", "exec", self.client, *map(str, words)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)

    def python(self, code, *arguments):
        return self.from_client(sys.executable, "-c", code, *arguments)

    def close(self):
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "delete", name], check=False)


@contextlib.contextmanager
def two_hosts():
    """Hosts, with this thread at the server; a skip where a machine forbids namespaces."""
    try:
        hosts = Hosts()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', error)}")
    try:
        with hosts.at(hosts.server):
            yield hosts
    finally:
        hosts.close()
