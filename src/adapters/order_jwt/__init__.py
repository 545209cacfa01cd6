"""Bearer tokens verified with PyJWT."""

from order_jwt.issuer_documents import IssuerUnreadable, discovered_keys, keys_at
from order_jwt.issuing import issue_token
from order_jwt.key_source import KeySource, StaticKey
from order_jwt.keys import VerificationKey
from order_jwt.published_keys import PublishedKeys
from order_jwt.revocations import Revocations
from order_jwt.settings import JwtSettings
from order_jwt.trust import Trust
from order_jwt.verifier import JwtVerifier

__all__ = [
    "IssuerUnreadable",
    "JwtSettings",
    "JwtVerifier",
    "KeySource",
    "PublishedKeys",
    "Revocations",
    "StaticKey",
    "Trust",
    "VerificationKey",
    "discovered_keys",
    "issue_token",
    "keys_at",
]
