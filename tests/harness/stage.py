"""All that a test sets up, taken down again in reverse order; a gateway is held to a clean end."""
import contextlib
import pathlib
import shutil
import tempfile

from harness.certificates import Authority, server_context
from harness.gateway import Gateway
from harness.haproxy import Haproxy
from harness.kamailio import Kamailio
from harness.nginx import Nginx
from harness.redis import Redis
from harness.slapd import Slapd
from harness.target import ScriptedTarget


class Stage:
    def __init__(self):
        self._stack = contextlib.ExitStack()
        # Short, for the path of a Unix socket may have 107 bytes; open to other users, for tests that drop privileges.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-"))
        self.directory.chmod(0o755)
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._authority = None
        self._count = 0

    def folder(self, kind):
        self._count += 1
        return self.directory / f"{kind}-{self._count}"

    def gateway(self, config, start=True, **options):
        """A running Gateway; with start=False one that only has its file."""
        gateway = Gateway(self.folder("gateway"), config, **options)
        self._stack.callback(gateway.__exit__, None)
        return gateway.start() if start else gateway

    def nginx(self, name, tls_names=None, **options):
        """`tls_names`: serve TLS as well, with a certificate of the authority for these."""
        certificate = self.authority.issue(f"nginx-{name}", tls_names) if tls_names else None
        return self._stack.enter_context(Nginx(self.folder("nginx"), name, certificate, **options))

    def redis(self, **options):
        return self._stack.enter_context(Redis(self.folder("redis"), **options))

    def slapd(self, domains, tls_names=None, **options):
        """`tls_names` as for nginx()."""
        certificate = self.authority.issue(f"slapd-{self._count}", tls_names) if tls_names else None
        return self._stack.enter_context(Slapd(self.folder("slapd"), domains, certificate, **options))

    def kamailio(self, domains, tls_names=None, **options):
        """`tls_names` as for nginx(); it then also believes the authority's client certificates."""
        certificate = self.authority.issue(f"kamailio-{self._count}", tls_names) if tls_names else None
        return self._stack.enter_context(
            Kamailio(self.folder("kamailio"), domains, certificate, self.authority.ca, **options))

    def haproxy(self, sections):
        return self._stack.enter_context(Haproxy(self.folder("haproxy"), sections))

    def target(self, script=None, tls_names=None, **options):
        """A ScriptedTarget; `tls_names` as for nginx()."""
        tls = None
        if tls_names:
            tls = server_context(*self.authority.issue(f"target-{self._count}", tls_names))
            self._count += 1
        return self._stack.enter_context(ScriptedTarget(script, tls, **options))

    def keep(self, resource):
        """Closes this context manager with everything else."""
        return self._stack.enter_context(resource)

    @property
    def authority(self):
        if self._authority is None:
            self._authority = Authority(self.directory / "authority")
        return self._authority

    def close(self):
        self._stack.close()
