"""Makes tokens.txt and jwks.json: access tokens by PyJWT, an independent implementation, and hostile ones by hand.

  pip install PyJWT==2.10.1 cryptography && python3 make_tokens.py

Each line of tokens.txt: good|bad, a name, the token. The keys are thrown away. Time is 2026-01-01T00:00:00Z.
"""
import base64
import hashlib
import hmac
import json
import pathlib

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

NOW = 1767225600
here = pathlib.Path(__file__).parent
key = rsa.generate_private_key(65537, 2048)
other = rsa.generate_private_key(65537, 2048)
public_pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def text(value):
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def rs256(header, payload, with_key=key):
    message = f"{b64(text(header))}.{b64(text(payload))}"
    return f"{message}.{b64(with_key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def hs256(header, payload, secret):
    message = f"{b64(text(header))}.{b64(text(payload))}"
    return f"{message}.{b64(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


header = {"alg": "RS256", "typ": "at+jwt", "kid": "k1"}
claims = {"iss": "rivermeet", "aud": "rivermeet", "sub": "u1", "tid": "t1", "role": "editor", "sid": "s1",
          "iat": NOW, "exp": NOW + 600}
lines = []


def good(name, token):
    lines.append(f"good {name} {token}")


def bad(name, token):
    lines.append(f"bad {name} {token}")


def by_peer(payload, **head):
    return jwt.encode(payload, key, algorithm="RS256", headers={"typ": "at+jwt", "kid": "k1", **head})


good("by_pyjwt", by_peer(claims))
good("audience_list", by_peer({**claims, "aud": ["other", "rivermeet"]}))
good("media_type", by_peer(claims, typ="application/at+jwt"))
good("unknown_claim", by_peer({**claims, "color": "blue"}))
good("not_before_now", by_peer({**claims, "nbf": NOW}))

for alg in ("none", "None", "NONE", "nOnE", ""):
    bad(f"alg_{alg or 'empty'}", f"{b64(text({**header, 'alg': alg}))}.{b64(text(claims))}.")
    bad(f"alg_{alg or 'empty'}_signed", rs256({**header, "alg": alg}, claims))
bad("alg_missing", rs256({"typ": "at+jwt", "kid": "k1"}, claims))
bad("alg_lower_case", rs256({**header, "alg": "rs256"}, claims))
bad("alg_number", rs256({**header, "alg": 256}, claims))
for alg in ("RS384", "PS256", "ES256", "EdDSA", "HS256"):
    bad(f"alg_{alg}_named", rs256({**header, "alg": alg}, claims))
bad("hs256_with_the_public_key", hs256({**header, "alg": "HS256"}, claims, public_pem))
bad("rs256_named_hmac_made", hs256(header, claims, public_pem))
bad("es256_zero", f"{b64(text({**header, 'alg': 'ES256'}))}.{b64(text(claims))}.{b64(bytes(64))}")
bad("other_key", rs256(header, claims, other))
bad("no_signature", rs256(header, claims).rsplit(".", 1)[0] + ".")
bad("zero_signature", rs256(header, claims).rsplit(".", 1)[0] + "." + b64(bytes(256)))
bad("short_signature", rs256(header, claims)[:-4])
numbers = other.public_key().public_numbers()
jwk = {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
bad("embedded_jwk", rs256({**header, "jwk": jwk}, claims, other))
bad("embedded_jwk_own_key", rs256({**header, "jwk": jwk}, claims))
bad("jku", rs256({**header, "jku": "https://attacker.test/jwks"}, claims))
bad("x5u", rs256({**header, "x5u": "https://attacker.test/cert"}, claims))
bad("x5c", rs256({**header, "x5c": ["MIIB"]}, claims))
bad("crit_unknown", rs256({**header, "crit": ["x"], "x": 1}, claims))
bad("crit_empty", rs256({**header, "crit": []}, claims))
bad("b64_false", rs256({**header, "crit": ["b64"], "b64": False}, claims))
bad("zip", rs256({**header, "zip": "DEF"}, claims))
bad("nested", rs256({**header, "cty": "JWT"}, rs256(header, claims)))
for name, kid in {"traversal": "../../etc/passwd", "sql": "k1' OR '1'='1", "long": "k" * 10240, "empty": "",
                  "other": "k2", "zero_byte": "k1\0"}.items():
    bad(f"kid_{name}", rs256({**header, "kid": kid}, claims))
bad("kid_number", rs256({**header, "kid": 1}, claims))
bad("kid_missing", rs256({"alg": "RS256", "typ": "at+jwt"}, claims))
bad("kid_twice", rs256('{"alg":"RS256","typ":"at+jwt","kid":"k2","kid":"k1"}', claims))
bad("alg_twice", rs256('{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"k1"}', claims))
for typ in ("JWT", "id_token", "logout+jwt", "dpop+jwt", ""):
    bad(f"typ_{typ or 'empty'}", rs256({**header, "typ": typ}, claims))
bad("typ_missing", rs256({"alg": "RS256", "kid": "k1"}, claims))
body = json.dumps(claims)[1:]
bad("tenant_twice", rs256(header, '{"tid":"t2",' + body))
bad("tenant_twice_escaped", rs256(header, '{"t\\u0069d":"t2",' + body))
bad("nested_twice", rs256(header, '{"x":{"a":1,"a":2},' + body))
bad("deep", rs256(header, '{"x":' + "[" * 500 + "]" * 500 + "," + body))
bad("not_json", rs256(header, "{" + body + "}"))
bad("json_array", rs256(header, "[" + json.dumps(claims) + "]"))
bad("invalid_utf8", (lambda m: f"{m}.{b64(key.sign(m.encode(), padding.PKCS1v15(), hashes.SHA256()))}")(
    f"{b64(text(header))}.{b64(text(claims).replace(b'u1', bytes([0xC0, 0xAF])))}"))
for name in ("iss", "aud", "sub", "tid", "role", "exp"):
    bad(f"{name}_missing", rs256(header, {k: v for k, v in claims.items() if k != name}))
    bad(f"{name}_null", rs256(header, {**claims, name: None}))
    bad(f"{name}_empty", rs256(header, {**claims, name: ""}))
for name, change in {
        "iss_other": {"iss": "rivermeet.attacker.test"}, "iss_case": {"iss": "Rivermeet"},
        "iss_slash": {"iss": "rivermeet/"}, "iss_list": {"iss": ["rivermeet"]}, "aud_other": {"aud": "other"},
        "aud_list_other": {"aud": ["other"]}, "aud_list_mixed": {"aud": ["rivermeet", 1]}, "aud_list_empty": {"aud": []},
        "role_unknown": {"role": "root"}, "role_none": {"role": "none"}, "role_list": {"role": ["admin"]},
        "expired": {"exp": NOW - 5}, "expired_long_ago": {"exp": 1}, "exp_negative": {"exp": -1},
        "exp_text": {"exp": str(NOW + 600)}, "exp_float": {"exp": NOW + 600.5}, "exp_huge": {"exp": 2 ** 63},
        "nbf_later": {"nbf": NOW + 6}, "iat_later": {"iat": NOW + 6}, "nbf_text": {"nbf": "0"},
        "sid_empty": {"sid": ""}, "sid_number": {"sid": 1}, "pwd_change_text": {"pwd_change": "false"}}.items():
    bad(name, rs256(header, {**claims, **change}))

token = rs256(header, claims)
h, p, s = token.split(".")
bad("padded", f"{h}.{p}.{s}==")
bad("standard_base64", f"{h}.{p}.{s.replace('-', '+').replace('_', '/')}" if "-" in s or "_" in s else f"{h}.{p}.+{s[1:]}")
# 256 bytes leave four unused bits in the last character: another character with the same bytes.
alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
bad("non_canonical", f"{h}.{p}.{s[:-1]}{alphabet[alphabet.index(s[-1]) + 1]}")
bad("trailing_dot", token + ".")
bad("trailing_part", token + ".x")
bad("trailing_bytes", token + "AAAA")
bad("two_parts", f"{h}.{p}")
bad("one_part", h)
bad("five_parts", f"{h}.{p}.{s}.{s}.{s}")
bad("swapped_payload", f"{h}.{b64(text({**claims, 'role': 'admin'}))}.{s}")
bad("swapped_tenant", f"{h}.{b64(text({**claims, 'tid': 't2'}))}.{s}")
ec_key = ec.generate_private_key(ec.SECP256R1())
bad("es256_by_peer", jwt.encode(claims, ec_key, algorithm="ES256", headers={"typ": "at+jwt", "kid": "k1"}))

numbers = key.public_key().public_numbers()
jwks = {"keys": [{"kty": "EC", "kid": "e1", "crv": "P-256", "x": "AA", "y": "AA"},
                 {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1",
                  "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}]}
(here / "jwks.json").write_text(json.dumps(jwks, indent=1) + "\n")
(here / "tokens.txt").write_text("\n".join(lines) + "\n")
print(len(lines), "tokens")
