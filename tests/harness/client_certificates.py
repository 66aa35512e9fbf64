"""Certificates that clients show: good ones, and every kind that must not be believed. Made in memory, so that dates,
names and lengths can be what no tool would write."""
import base64
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.gateway import http_service

USAGES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


def seconds_from_now(seconds):
    return datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)


def day(days):
    return seconds_from_now(days * 86400)


def subject(*parts, **named):
    """A name of attributes in this order: ("CN", "value"), or CN="value". Values are not checked for sense."""
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
    return x509.Name([x509.NameAttribute(oids[key], value, _validate=False) for key, value in [*parts, *named.items()]])


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def in_rfc_9440(shown):
    """As Client-Cert has it."""
    return f":{base64.b64encode(der(shown.leaf)).decode()}:"


class Shown:
    """What a client shows: `chain` (its own certificate first) and `key` are files, `leaf` the certificate itself."""

    def __init__(self, folder, name, certificates, key):
        self.leaf = certificates[0]
        self.chain, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.chain.write_bytes(b"".join(map(pem, certificates)))
        self.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))


class DeviceAuthority:
    """An authority for client certificates. `ca`: its certificate's file. `parent`: who has signed it, else itself."""

    def __init__(self, directory, name="Device CA", parent=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.name = subject(CN=name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _sign(self.name, self.key, parent or self, day(-30), day(30), is_ca=True)
        self.ca = self.directory / f"{name}.pem"
        self.ca.write_bytes(pem(self.certificate))
        self._count = 0

    def issue(self, name="phone", subject_name=None, usages=("client",), begin=None, end=None, issuers=(),
              alternatives=()):
        """`issuers`: the authorities whose certificates are sent along. `alternatives`: DNS names, or URIs."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _sign(subject_name or subject(CN=name), key, self, begin or day(-1), end or day(1), usages=usages,
                     alternatives=alternatives)
        self._count += 1
        return Shown(self.directory, f"shown-{self._count}", [leaf, *(one.certificate for one in issuers)], key)

    def self_signed(self, name="phone"):
        """Nobody's but its own; in this folder only."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = type("Own", (), {"name": subject(CN=name), "key": key})
        self._count += 1
        return Shown(self.directory, f"shown-{self._count}", [_sign(own.name, key, own, day(-1), day(1))], key)


def _sign(name, key, issuer, begin, end, is_ca=False, usages=("client",), alternatives=()):
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer.name).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
               .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True))
    if not is_ca and usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage([USAGES[usage] for usage in usages]), critical=False)
    if alternatives:
        names = x509.SubjectAlternativeName([
            x509.UniformResourceIdentifier(one) if ":" in one else x509.DNSName(one) for one in alternatives])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def every_kind(folder, trusted):
    """{what it is: a Shown, or None}: what an authority's service may be shown, good and bad."""
    other, namesake = DeviceAuthority(folder / "other", "Other CA"), DeviceAuthority(folder / "namesake")
    middle = DeviceAuthority(folder / "middle", "Middle CA", parent=trusted)
    client = DeviceAuthority(folder / "client", "Poser")  # signs with the key of what is no authority
    posing = trusted.issue("Poser")
    client.certificate = posing.leaf
    return {
        "nothing": None,
        "valid": trusted.issue(),
        "by an intermediate that is sent along": middle.issue(issuers=[middle]),
        "by an intermediate that is not sent along": middle.issue(),
        "for any purpose": trusted.issue(usages=()),
        "for servers and clients": trusted.issue(usages=("server", "client")),
        "for servers only": trusted.issue(usages=("server",)),
        "expired": trusted.issue(begin=day(-9), end=day(-1)),
        "not valid yet": trusted.issue(begin=day(1), end=day(9)),
        "self-signed": trusted.self_signed(),
        "of another authority": other.issue(),
        "of another authority, expired": other.issue(begin=day(-9), end=day(-1)),
        "of another authority of the same name": namesake.issue(),
        "of another authority that is sent along": other.issue(issuers=[other]),
        "by a client of ours": client.issue(issuers=[client]),
    }


def services_that_want(port):
    """One service of each kind, all of them with this target."""
    return [http_service(["need.example", "alias.example"], port, client_certificate="required"),
            http_service("may.example", port, client_certificate="optional"),
            http_service("*.wild.example", port, client_certificate="optional"),
            http_service("open.example", port), http_service("other.example", port)]
