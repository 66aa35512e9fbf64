"""unbound as a name server that knows some names: what the gateway's own is to ask, by UDP, TCP and TLS."""
import pathlib
import subprocess

from harness.dns_query import ask
from harness.waiting import free_port, wait_until

CONFIGURATION = """\
server:
    directory: "{directory}"
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    num-threads: 1
    interface: 127.0.0.1@{port}
    {tls}
    port: {port}
    access-control: 127.0.0.0/8 allow
    do-ip6: no
    module-config: "iterator"
    do-not-query-localhost: no
    local-zone: "." static
    local-data: ". 60 IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60"
    {data}
remote-control:
    control-enable: no
"""


class Unbound:
    """`records`: lines of a zone file. With a `certificate` (chain, key) it answers by TLS on `tls_port` too."""

    def __init__(self, directory, records, certificate=None):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True)
        self.port = free_port()
        self.tls_port = free_port() if certificate else None
        tls = ""
        if certificate:
            chain, key = certificate
            tls = (f"interface: 127.0.0.1@{self.tls_port}\n    tls-port: {self.tls_port}\n"
                   f"    tls-service-pem: \"{chain}\"\n    tls-service-key: \"{key}\"")
        data = "\n    ".join(f"local-data: '{record}'" for record in records)
        file = directory / "unbound.conf"
        file.write_text(CONFIGURATION.format(directory=directory, port=self.port, tls=tls, data=data))
        self._process = subprocess.Popen(["/usr/sbin/unbound", "-d", "-c", file], stderr=subprocess.PIPE, text=True)
        wait_until(self._answers, "unbound")

    def _answers(self):
        assert self._process.poll() is None, self._process.stderr.read()
        return ask(self.port, ".", "SOA", timeout=1, tries=1) is not None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self._process.kill()
        self._process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
