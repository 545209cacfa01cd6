"""Bearer tokens verified with PyJWT."""

from order_jwt.issuing import issue_token
from order_jwt.settings import JwtSettings
from order_jwt.verifier import JwtVerifier

__all__ = ["JwtSettings", "JwtVerifier", "issue_token"]
