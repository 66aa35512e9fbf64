"""stunnel: TLS for a client that has none."""
import pathlib
import socket
import subprocess

from harness.waiting import free_port, wait_until

CONFIGURATION = """\
foreground = yes
syslog = no
pid =
debug = notice
[client]
client = yes
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{to}
CAfile = {ca}
verifyChain = yes
{certificate}
"""


class Stunnel:
    """What connects to `port` is at the TLS port `to`, whose certificate `ca` must have signed. `certificate`: (chain,
    key) to be shown there."""

    def __init__(self, directory, to, ca, certificate=None):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True)
        self.port = free_port()
        shown = "cert = {}\nkey = {}".format(*certificate) if certificate else ""
        file = directory / "stunnel.conf"
        file.write_text(CONFIGURATION.format(port=self.port, to=to, ca=ca, certificate=shown))
        self._log = directory / "log"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(["stunnel4", file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._is_ready, lambda: f"stunnel: {self._log.read_text()}")

    def _is_ready(self):
        """Listens; without connecting, for that would be passed on."""
        assert self._process.poll() is None, self._log.read_text()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", self.port))
                return False
            except OSError:
                return True

    def stop(self):
        self._process.kill()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
