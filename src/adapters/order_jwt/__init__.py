"""Bearer tokens verified with PyJWT.

What asks other issuers is in `order_jwt.issuer_documents` (for their keys) and in
`order_jwt.introspection` (for revoked tokens): both load an HTTP client, for which a service with a
key of its own has no use.
"""

from order_jwt.fetch_keys import FetchKeys, IssuerUnreadable
from order_jwt.issuing import issue_token
from order_jwt.key_source import KeySource, StaticKey
from order_jwt.keys import VerificationKey
from order_jwt.published_keys import PublishedKeys
from order_jwt.revocations import Revocations
from order_jwt.settings import JwtSettings
from order_jwt.trust import Trust
from order_jwt.verifier import JwtVerifier

__all__ = [
    "FetchKeys",
    "IssuerUnreadable",
    "JwtSettings",
    "JwtVerifier",
    "KeySource",
    "PublishedKeys",
    "Revocations",
    "StaticKey",
    "Trust",
    "VerificationKey",
    "issue_token",
]
