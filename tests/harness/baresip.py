"""baresip: a telephone as people have it. It registers, takes calls and makes them; its ends of sound lead nowhere."""
import pathlib
import subprocess

from harness.peer import Peer
from harness.waiting import free_port, wait_until

CONFIGURATION = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
sip_cafile {ca}
{certificate}
net_interface 127.0.0.1
audio_source aubridge,nowhere
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
"""

ACCOUNT = """\
<sip:{user}@{domain};transport={transport}>;auth_user={user};auth_pass={password};\
outbound="sip:{host}:{proxy_port};transport={transport}";regint=600;answermode=auto
"""


class Baresip(Peer):
    """`user` at `domain`, by way of the proxy at `port`. `transport`: "tcp" or "tls"; the proxy's name is `host`.
    `certificate`: (chain, key) to be shown; `dial`: a URI to call once it runs."""

    def __init__(self, directory, user, domain, port, ca, transport="tls", password="secret", host="127.0.0.1",
                 certificate=None, dial=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        shown = ""
        if certificate:
            both = self.directory / "shown.pem"
            both.write_text("".join(pathlib.Path(part).read_text() for part in certificate))
            shown = f"sip_certificate {both}"
        (self.directory / "config").write_text(CONFIGURATION.format(port=free_port(), ca=ca, certificate=shown))
        (self.directory / "accounts").write_text(ACCOUNT.format(
            user=user, domain=domain, transport=transport, password=password, host=host, proxy_port=port))
        self._log = self.directory / "log"
        command = ["stdbuf", "-oL", "baresip", "-v", "-f", self.directory]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(command + (["-e", f"/dial {dial}"] if dial else []),
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def says(self, text):
        """Waits until it does."""
        wait_until(lambda: text in self.log, lambda: f"baresip to say {text!r}: {self.log}")
