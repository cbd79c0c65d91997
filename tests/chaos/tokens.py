"""Access tokens of any content: a signing key of the test's own, published among the suite's."""
import base64
import json
import pathlib
import subprocess
import tempfile
import time


def base64url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def sql(suite, statement):
    """Runs SQL in the suite's private PostgreSQL; returns its output."""
    lines = (suite.data / "postgres/postmaster.pid").read_text().splitlines()
    return subprocess.run(["psql", "-h", lines[4].strip(), "-p", lines[3].strip(), "-U", "rivermeet", "-d", "postgres",
                           "-v", "ON_ERROR_STOP=1", "-qAtc", statement], check=True, capture_output=True, text=True).stdout


class Mint:
    """Signs tokens with RS256. Publish its key before the suite's next start."""

    def __init__(self, kid="tests"):
        self.kid = kid
        self.folder = tempfile.TemporaryDirectory()
        self.pem = pathlib.Path(self.folder.name) / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(self.pem), "2048"], check=True, capture_output=True)

    def modulus(self):
        out = subprocess.run(["openssl", "rsa", "-in", str(self.pem), "-noout", "-modulus"], check=True,
                             capture_output=True, text=True).stdout
        return bytes.fromhex(out.strip().partition("=")[2])

    def publish(self, suite):
        jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": base64url(self.modulus()),
               "e": "AQAB"}
        sql(suite, "INSERT INTO signing_keys (kid, sealed_private_key, public_jwk, created_at, signs_until,"
                   f" verifies_until) VALUES ('{self.kid}', '\\x00', '{json.dumps(jwk)}', now(), now(),"
                   " now() + interval '1 day')")

    def sign(self, header, claims):
        signed = base64url(json.dumps(header).encode()) + "." + base64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.pem)], input=signed.encode(),
                                   check=True, capture_output=True).stdout
        return signed + "." + base64url(signature)

    def token(self, header=None, **claims):
        now = int(time.time())
        return self.sign({"alg": "RS256", "typ": "at+jwt", "kid": self.kid, **(header or {})},
                         {"iss": "rivermeet", "aud": "rivermeet", "sub": "ada", "tid": "default", "role": "admin",
                          "iat": now, "exp": now + 600, **claims})
