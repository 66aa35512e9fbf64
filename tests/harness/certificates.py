"""An authority for tests and what it signs, made by the openssl program."""
import pathlib
import ssl
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True)


class Authority:
    """A CA in a folder of its own. `ca` is its certificate's file."""

    def __init__(self, directory, name="Test CA"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ca = self.directory / "ca.pem"
        self._key = self.directory / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 30,
                "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.ca)

    def issue(self, name, names=None, days=30, directory=None):
        """(chain file, key file) of a certificate called `name` for these DNS names and IPs; days < 0: expired."""
        folder = pathlib.Path(directory or self.directory)
        chain, key, request, extensions = (folder / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        alternatives = ",".join(f"{'IP' if part.replace('.', '').isdigit() or ':' in part else 'DNS'}:{part}"
                                for part in names or [name])
        extensions.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", chain)
        return chain, key

    def client_context(self):
        """For a client that trusts this authority."""
        return ssl.create_default_context(cafile=str(self.ca))


def shown_certificate(port, name):
    """The certificate that the server at this port shows for this name, by openssl s_client; as its file holds it."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"
    assert begin in done.stdout, done.stdout + done.stderr
    return begin + done.stdout.split(begin)[1].split(end)[0] + end


def server_context(chain, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


def unverified_context():
    """For a client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
