"""Kamailio as a target: a registrar and proxy for several domains that wants a password, and reaches its phones only
over the connections that they came by."""
import pathlib
import re
import socket
import subprocess
from typing import NamedTuple

from harness.peer import Peer
from harness.waiting import free_port, wait_until

CONFIGURATION = """\
#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
{proxy_protocol}
listen=tcp:127.0.0.1:{port}
{domains}
{tls}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "nathelper.so"
loadmodule "auth.so"
loadmodule "xlog.so"
modparam("usrloc", "use_domain", 1)
modparam("registrar", "received_avp", "$avp(received)")
modparam("nathelper", "received_avp", "$avp(received)")
modparam("registrar", "method_filtering", 0)
#!ifdef BY_ROUTE
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
#!endif

request_route {{
    xlog("L_ALERT", "saw $rm of $fu over $proto from $si:$sp certificate {certificate}\\n");
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL") || has_totag()) {{
        loose_route();
#!ifndef BY_ROUTE
        handle_ruri_alias();
#!endif
        set_forward_no_connect();
        t_relay();
        exit;
    }}
    if (is_method("ACK")) exit;
    if (uri == myself && $rU == $null && is_method("OPTIONS")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (!pv_www_authenticate("$fd", "{password}", "0")) {{
        www_challenge("$fd", "0");
        exit;
    }}
    consume_credentials();
    if (is_method("REGISTER")) {{
#!ifndef BY_ROUTE
        fix_nated_register();
#!endif
        save("location", "0x04");  # a user has one phone: the latest
        exit;
    }}
#!ifndef BY_ROUTE
    set_contact_alias();
#!endif
    record_route();
    if (!lookup("location")) {{
        sl_send_reply("404", "Not Found");
        exit;
    }}
    t_on_reply("answers");
    set_forward_no_connect();
    t_relay();
}}

onreply_route[answers] {{
#!ifndef BY_ROUTE
    set_contact_alias();
#!endif
    exit;
}}
"""

TLS = """\
listen=tls:127.0.0.1:{port}
enable_tls=yes
loadmodule "tls.so"
modparam("tls", "config", "{file}")
"""

# A client certificate is asked for, not required; one that is shown has to be good.
TLS_FILE = """\
[server:default]
method = TLSv1.2+
certificate = {certificate}
private_key = {key}
ca_list = {ca}
verify_certificate = yes
require_certificate = no
"""


class Seen(NamedTuple):
    """A request as it came."""
    method: str
    sender: str  # the From URI
    transport: str  # tcp or tls
    source: str  # address:port
    certificate: str  # the name in the client's certificate; "" without one


class Kamailio(Peer):
    """Every user of `domains` is known and has `PASSWORD`. With a `certificate` (chain, key) there is a TLS port too,
    which believes the client certificates of `ca`. With `proxy_protocol` it takes nothing without a PROXY header. It finds
    the connection of a phone by whence that registered; `by_route`: by Path and Record-Route alone."""

    PASSWORD = "secret"

    def __init__(self, directory, domains, certificate=None, ca=None, proxy_protocol=False,
                 by_route=False):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.port = free_port()
        self.tls_port = free_port() if certificate else None
        tls = ""
        if certificate:
            tls_file = self.directory / "tls.cfg"
            tls_file.write_text(TLS_FILE.format(certificate=certificate[0], key=certificate[1], ca=ca))
            tls = TLS.format(port=self.tls_port, file=tls_file)
        file = self.directory / "kamailio.cfg"
        file.write_text(CONFIGURATION.format(
            port=self.port, domains="\n".join(f'alias="{domain}"' for domain in domains), tls=tls,
            proxy_protocol="tcp_accept_haproxy=yes" if proxy_protocol else "", password=self.PASSWORD,
            certificate="$tls_peer_subject_cn" if certificate else "<null>"))
        self._log = self.directory / "log"
        self._command = ["kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-f", file, "-Y", self.directory,
                         *["-A", "BY_ROUTE"] * by_route]
        self.start()

    def start(self):
        """At the beginning, and again after stop()."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self._listens, lambda: f"kamailio: {self.log}")

    def _listens(self):
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.tls_port or self.port)) == 0

    @property
    def seen(self):
        """The requests that came, in their order."""
        found = re.findall(r"saw (\S+) of (\S+) over (\S+) from (\S+) certificate (.*)$", self.log, re.MULTILINE)
        return [Seen(*parts, "" if name == "<null>" else name) for *parts, name in found]
