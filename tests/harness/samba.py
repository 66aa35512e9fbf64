"""Samba as the domain controller of an Active Directory, of which only LDAP runs, on an address of loopback of its own:
its ports are fixed."""
import pathlib
import random
import shutil
import socket
import subprocess
import sys

from harness.peer import Peer
from harness.waiting import wait_until

DOMAIN, NETBIOS_NAME = "hq.example.com", "HQ"
USER, PASSWORD = "alice", "Secret-of-Alice-1"
BASE = "CN=Users,DC=hq,DC=example,DC=com"
PLAIN_PORT, TLS_PORT = 389, 636
PORTS = PLAIN_PORT, TLS_PORT, 3268, 3269  # the last two: of its global catalog

# By Samba's own library, for samba-tool also sets lists of access that not every file system can hold. In a process of
# its own, for the library takes signals and logs for itself. Level 4 of function is that of Windows 2008 R2.
PROVISION = """
import logging, sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import provision
folder, domain, netbios_name, user, password = sys.argv[1:]
logging.basicConfig(level=logging.WARNING)
made = provision(logging.getLogger(), system_session(), lp=LoadParm(), targetdir=folder, realm=domain.upper(),
                 domain=netbios_name, hostname="dc1", hostip="127.0.0.1", dom_for_fun_level=4,
                 serverrole="active directory domain controller", dns_backend="NONE", skip_sysvolacl=True)
made.samdb.newuser(user, password)
"""

CONFIGURATION = """\
[global]
netbios name = DC1
realm = {realm}
workgroup = {workgroup}
server role = active directory domain controller
server services = ldap
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
interfaces = {address}/8
bind interfaces only = yes
ldap server require strong auth = no
tls keyfile = {folder}/tls.key
tls certfile = {folder}/tls.pem
tls cafile = {ca}
logging = file
log file = {folder}/log
"""


def may_listen():
    """Whether this process may bind ports that low."""
    try:
        free_address()
        return True
    except PermissionError:
        return False


def free_address():
    """An address of loopback where nobody listens at one of Samba's ports."""
    while True:
        address = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        try:
            for port in PORTS:
                with socket.socket() as probe:
                    probe.bind((address, port))
            return address
        except PermissionError:
            raise
        except OSError:
            continue


class Samba(Peer):
    """Begins with USER and who else a new domain has. `authority` issues its certificate, for the domain's two names."""

    def __init__(self, directory, authority):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.address = free_address()
        domain = self.directory / "domain"
        done = subprocess.run([sys.executable, "-c", PROVISION, domain, DOMAIN, NETBIOS_NAME, USER, PASSWORD],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        chain, key = authority.issue("samba", [DOMAIN, NETBIOS_NAME])
        shutil.copy(chain, domain / "tls.pem")
        shutil.copy(key, domain / "tls.key")
        (domain / "tls.key").chmod(0o600)  # else Samba does not take it
        (domain / "cache").mkdir(exist_ok=True)
        file = self.directory / "smb.conf"
        file.write_text(CONFIGURATION.format(folder=domain, realm=DOMAIN.upper(), workgroup=NETBIOS_NAME,
                                             address=self.address, ca=authority.ca))
        self._log = self.directory / "log"
        with open(self._log, "wb") as log:  # one process, in the foreground
            self._process = subprocess.Popen(["samba", "-i", "-M", "single", "--no-process-group", "-s", file],
                                             stdin=subprocess.PIPE, stdout=log, stderr=log)
        try:
            wait_until(self._listens, lambda: f"samba: {self.log}", timeout=30)
        except AssertionError:
            self.stop()
            raise

    def _listens(self):
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex((self.address, PLAIN_PORT)) == 0
