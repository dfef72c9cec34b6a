"""A certificate authority of tests' own, made with the program openssl."""

import base64
import ipaddress
import itertools
import re
import subprocess
import time
import uuid
from dataclasses import dataclass

NODE_GROUP = "system:nodes"
NODE_PREFIX = "system:node:"
BOOTSTRAP_GROUP = "system:bootstrappers"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING_SIGNER = "kubernetes.io/kubelet-serving"
USAGES = {CLIENT_SIGNER: {"digital signature", "client auth"},
          SERVING_SIGNER: {"digital signature", "server auth"}}
RSA_USAGE = "key encipherment"
EXTENDED = {"client auth": "clientAuth", "server auth": "serverAuth"}
YEAR = 365 * 24 * 3600
BACKDATED = 300  # seconds: clocks differ

# openssl's "ca" is the one of its commands that takes any dates.
CONFIG = """\
[ca]
default_ca = tests
[tests]
database = {directory}/database
new_certs_dir = {directory}
certificate = {directory}/ca.crt
private_key = {directory}/ca.key
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = optional
organizationName = optional
"""


class BadRequest(Exception):
    """Why a certificate signing request is not signed."""


def openssl(*arguments, text=None):
    result = subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True,
                            text=True)
    if result.returncode:
        raise BadRequest(result.stderr.strip())
    return result.stdout


@dataclass(frozen=True)
class Pair:
    certificate: object  # paths
    key: object


@dataclass(frozen=True)
class Subject:
    """What a request asks for."""

    common_name: str
    organizations: tuple
    names: tuple  # "DNS:a", "IP:10.0.0.1"
    rsa: bool


def distinguished_name(common_name, organizations):
    return "".join(f"/O={name}" for name in organizations) + f"/CN={common_name}"


def alternative_names(names):
    """As openssl wants them: "IP:127.0.0.1,DNS:localhost"."""
    def kind(name):
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return "DNS"
        return "IP"

    return ",".join(name if name.startswith(("DNS:", "IP:")) else f"{kind(name)}:{name}"
                    for name in names)


class Authority:
    """Its files are in `directory`, which must be there."""

    def __init__(self, directory):
        self.directory = directory
        self.name = f"tests {uuid.uuid4()}"
        self.certificate, self.key = directory / "ca.crt", directory / "ca.key"
        self.numbers = itertools.count()
        (directory / "database").touch()
        (directory / "config").write_text(CONFIG.format(directory=directory))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-subj", distinguished_name(self.name, ()), "-days", "3650",
                "-keyout", self.key, "-out", self.certificate,
                "-addext", "keyUsage=critical,keyCertSign,digitalSignature")

    @property
    def text(self):
        return self.certificate.read_text()

    def issue(self, common_name, organizations=(), names=(), not_before=None, not_after=None):
        """A key and a certificate for clients and servers; `not_before` and `not_after` are
        seconds from now."""
        place = self.directory / f"issued-{next(self.numbers)}"
        key, request = place.with_suffix(".key"), place.with_suffix(".csr")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", distinguished_name(common_name, organizations), "-keyout", key,
                "-out", request)
        certificate = place.with_suffix(".crt")
        certificate.write_text(self.sign(
            request.read_text(), ("digital signature", "client auth", "server auth"),
            alternative_names(names), not_before, not_after))
        return Pair(certificate, key)

    def sign(self, request, usages, names="", not_before=None, not_after=None):
        """The certificate (PEM) for a request (PEM). May be called by several threads."""
        place = self.directory / f"signing-{next(self.numbers)}"
        extensions = ["basicConstraints=critical,CA:false",
                      "keyUsage=critical,digitalSignature" +
                      (",keyEncipherment" if RSA_USAGE in usages else ""),
                      "extendedKeyUsage=" + ",".join(EXTENDED[usage] for usage in usages
                                                     if usage in EXTENDED)]
        if names:
            extensions.append(f"subjectAltName={names}")
        place.with_suffix(".ext").write_text("\n".join(extensions) + "\n")
        # Each call has a database of its own, so that two may run at once.
        config = place.with_suffix(".config")
        config.write_text((self.directory / "config").read_text().replace(
            f"{self.directory}/database", str(place.with_suffix(".database"))))
        place.with_suffix(".database").touch()
        place.with_suffix(".csr").write_text(request)
        now = time.time()
        dates = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(now + seconds)) for seconds in (
            -BACKDATED if not_before is None else not_before,
            YEAR if not_after is None else not_after)]
        openssl("ca", "-config", config, "-batch", "-notext", "-preserveDN",
                "-in", place.with_suffix(".csr"), "-out", place.with_suffix(".crt"),
                "-startdate", dates[0], "-enddate", dates[1],
                "-extfile", place.with_suffix(".ext"))
        return place.with_suffix(".crt").read_text()


# certificate signing requests


def subject_of(request):
    """What a request (PEM) asks for; raises BadRequest when it is none, or its key did not sign
    it."""
    subject = openssl("req", "-noout", "-verify", "-subject",
                      "-nameopt", "multiline,utf8,-esc_msb", text=request)
    text = openssl("req", "-noout", "-text", text=request)
    names = re.search(r"Subject Alternative Name:[^\n]*\n\s*([^\n]*)", text)
    return Subject(
        common_name="".join(re.findall(r"^\s*commonName\s*= (.*)$", subject, re.M)[:1]),
        organizations=tuple(re.findall(r"^\s*organizationName\s*= (.*)$", subject, re.M)),
        names=tuple(name.replace("IP Address:", "IP:")
                    for name in names[1].split(", ")) if names else (),
        rsa="rsaEncryption" in text)


def request_of(csr):
    """The PEM text in an object of kind CertificateSigningRequest."""
    try:
        return base64.b64decode(csr["spec"]["request"], validate=True).decode()
    except (KeyError, TypeError, ValueError):
        raise BadRequest("spec.request: PEM block type must be CERTIFICATE REQUEST") from None


def check(csr):
    """Raises BadRequest when the signers of nodes' certificates do not sign such a thing. Returns
    what is asked for."""
    spec = csr["spec"]
    subject = subject_of(request_of(csr))
    usages = set(spec.get("usages", []))
    if spec["signerName"] not in USAGES:
        raise BadRequest(f'no signer is named {spec["signerName"]}')
    wanted = USAGES[spec["signerName"]]
    if usages not in (wanted, wanted | {RSA_USAGE}):
        raise BadRequest(f"usages did not match {sorted(wanted)}")
    if subject.organizations != (NODE_GROUP,):
        raise BadRequest(f"organization in subject is not {NODE_GROUP}")
    if not subject.common_name.startswith(NODE_PREFIX):
        raise BadRequest(f"subject common name does not begin with {NODE_PREFIX}")
    if spec["signerName"] == CLIENT_SIGNER:
        if subject.names:
            raise BadRequest("subjectAltNames are not allowed")
    else:
        if not subject.names:
            raise BadRequest("at least one of dnsNames or ipAddresses is required")
        if any(not name.startswith(("DNS:", "IP:")) for name in subject.names):
            raise BadRequest("subjectAltNames may be DNS names and IP addresses alone")
        if not any(name.startswith("IP:") for name in subject.names):
            raise BadRequest("at least one IP address is required")
        if spec.get("username") != subject.common_name:
            raise BadRequest("the requestor is not the node that the certificate is for")
    return subject


def approvable(csr):
    """Whether the approver lets a node's *client* certificate through by itself: it is asked for by
    a node that joins, or by the node that it is for."""
    if csr["spec"]["signerName"] != CLIENT_SIGNER:
        return False
    try:
        subject = check(csr)
    except BadRequest:
        return False
    return BOOTSTRAP_GROUP in csr["spec"].get("groups", []) \
        or csr["spec"].get("username") == subject.common_name


def signed(authority, csr, not_before=None, not_after=None):
    """The certificate (PEM) for an object of kind CertificateSigningRequest."""
    subject = check(csr)
    seconds = csr["spec"].get("expirationSeconds")
    if seconds and not_after is None:
        not_after = seconds
    return authority.sign(request_of(csr), csr["spec"]["usages"], ",".join(subject.names),
                          not_before, not_after)
