"""slapd as a target, with a small tree below dc=example,dc=com, and OpenLDAP's programs as clients."""
import base64
import os
import socket
import subprocess

from harness.peer import Peer
from harness.waiting import free_port, wait_until

ROOT = "dc=example,dc=com"
PASSWORD = "secret of a guest"
LARGE = 5 * 1024 * 1024  # bytes that a search for everything below ou=photos of the first domain brings, at least
PHOTOS = 40

CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
pidfile {directory}/pid
sizelimit unlimited
{tls}
database mdb
suffix "{root}"
rootdn "cn=admin,{root}"
rootpw admin
directory {directory}/data
maxsize 268435456
{replica}
"""

SYNCREPL = """\
syncrepl rid=1 provider=ldap://127.0.0.1:{port} type=refreshAndPersist retry="1 +" searchbase="{root}"
  bindmethod=simple binddn="{name}" credentials="{password}"
"""


def domain_dn(domain):
    return ",".join(f"dc={label}" for label in domain.split("."))


def guest(domain):
    """The DN of a user who may read, in this domain."""
    return f"cn=ldap-guest,ou=people,{domain_dn(domain)}"


def _entry(name, *lines):
    return "\n".join([f"dn: {name}", *lines, "", ""])


def _tree(domains):
    ldif = _entry(ROOT, "objectClass: dcObject", "objectClass: organization", "o: example", "dc: example")
    for domain in domains:
        base = domain_dn(domain)
        label = domain.split(".")[0]
        ldif += _entry(base, "objectClass: dcObject", "objectClass: organization", f"o: {label}", f"dc: {label}")
        ldif += _entry(f"ou=people,{base}", "objectClass: organizationalUnit", "ou: people")
        ldif += _person(guest(domain), "ldap-guest")
        for name in ("alice", "bob"):
            ldif += _person(f"cn={name},ou=people,{base}", name)
    base = domain_dn(domains[0])
    photo = base64.b64encode(os.urandom(LARGE // PHOTOS)).decode()
    ldif += _entry(f"ou=photos,{base}", "objectClass: organizationalUnit", "ou: photos")
    for number in range(PHOTOS):
        ldif += _person(f"cn=photo-{number},ou=photos,{base}", f"photo-{number}", f"jpegPhoto:: {photo}")
    return ldif


def _person(name, short, *more):
    return _entry(name, "objectClass: inetOrgPerson", f"cn: {short}", f"sn: {short}", f"userPassword: {PASSWORD}",
                  f"telephoneNumber: {len(short)}", *more)


class Slapd(Peer):
    """One slapd with a plain port and, with a `certificate` (chain, key), an ldaps:// port too.

    `domains`: those it has users for, below example.com. `replica_of`: the port of a provider of the whole tree, whom
    it asks as the guest of this first domain; then it begins empty. `proxy_protocol`: there is also a port that takes
    nothing without a PROXY header, `told_port`.
    """

    def __init__(self, directory, domains, certificate=None, replica_of=None, proxy_protocol=False):
        self.directory = directory
        (directory / "data").mkdir(parents=True)
        self.port = free_port()
        self.tls_port = free_port() if certificate else None
        tls = ""
        if certificate:
            tls = "TLSCertificateFile {}\nTLSCertificateKeyFile {}".format(*certificate)
        replica = "overlay syncprov"
        if replica_of:
            replica = SYNCREPL.format(port=replica_of, root=ROOT, name=guest(domains[0]), password=PASSWORD)
        file = directory / "slapd.conf"
        file.write_text(CONFIGURATION.format(directory=directory, root=ROOT, tls=tls, replica=replica))
        if not replica_of:
            (directory / "tree.ldif").write_text(_tree(domains))
            subprocess.run(["slapadd", "-q", "-f", file, "-l", directory / "tree.ldif"], check=True,
                           capture_output=True, text=True)
        addresses = f"ldap://127.0.0.1:{self.port}/"
        if certificate:
            addresses += f" ldaps://127.0.0.1:{self.tls_port}/"
        if proxy_protocol:
            self.told_port = free_port()
            addresses += f" pldap://127.0.0.1:{self.told_port}/"
        self._log = directory / "log"
        with open(self._log, "wb") as log:  # stats: every operation a line
            self._process = subprocess.Popen(["slapd", "-d", "stats", "-f", file, "-h", addresses], stdout=log,
                                             stderr=log)
        wait_until(self._listens, "slapd")

    def _listens(self):
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def ldap_program(program, url, *arguments, ca=None, name=None, password=PASSWORD, timeout=30):
    """A finished run of one of OpenLDAP's programs: returncode (the LDAP result code), stdout, stderr."""
    environment = {**os.environ, "LDAPNOINIT": "1"}
    if ca:
        del environment["LDAPNOINIT"]
        environment.update(LDAPTLS_CACERT=str(ca), LDAPTLS_REQCERT="demand", LDAPCONF=os.devnull)
    who = ["-D", name, "-w", password] if name else []
    return subprocess.run([program, "-x", "-o", "ldif-wrap=no", "-H", url, *who, *map(str, arguments)],
                          capture_output=True, text=True, timeout=timeout, env=environment)
