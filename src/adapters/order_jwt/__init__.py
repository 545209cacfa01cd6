"""Bearer tokens verified with PyJWT."""

from order_jwt.issuing import issue_token
from order_jwt.key_source import KeySource, StaticKey
from order_jwt.keys import VerificationKey
from order_jwt.revocations import Revocations
from order_jwt.settings import JwtSettings
from order_jwt.trust import Trust
from order_jwt.verifier import JwtVerifier

__all__ = [
    "JwtSettings",
    "JwtVerifier",
    "KeySource",
    "Revocations",
    "StaticKey",
    "Trust",
    "VerificationKey",
    "issue_token",
]
