"""Bearer tokens: which are believed, and how to make one for trying things out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from order_core.ports import Clock, TokenVerifier
from order_jwt import (
    FetchKeys,
    IssuerUnreadable,
    JwtSettings,
    JwtVerifier,
    PublishedKeys,
    Revocations,
    Trust,
    issue_token,
)
from order_oauth import CLIENT_PREFIX, SCOPES
from order_wiring.given_variables import PREFIX
from order_wiring.mistakes import ConfigurationInvalid, Mistake
from order_wiring.setting_groups.access import KEY_SOURCES
from order_wiring.settings import Settings


def token_verifier(
    settings: Settings,
    clock: Clock,
    also: Iterable[Trust] = (),
    *,
    revocations: Revocations | None = None,
) -> TokenVerifier:
    """Whoever checks the tokens of requests: those that the settings trust, and `also`.

    Raises:
        ConfigurationInvalid: the key cannot be used, or two issuers have one name.
    """
    given = any(getattr(settings, source) is not None for source in KEY_SOURCES)
    trusts = [*([trust_of(settings)] if given else []), *also]
    try:
        return JwtVerifier(trusts, clock, revocations=revocations)
    except ValueError as error:
        raise ConfigurationInvalid([Mistake(f"{PREFIX}OAUTH_ISSUER", str(error))]) from None


def trust_of(settings: Settings) -> Trust:
    """Whose tokens are believed. What an issuer publishes is fetched when a token comes.

    Raises:
        ConfigurationInvalid: the key cannot be used.
    """
    trust = _given_trust(settings)
    # Somebody whom the other issuer lets choose a name would be a client of ours otherwise.
    return replace(trust, foreign_prefix=CLIENT_PREFIX) if settings.oauth else trust


def _given_trust(settings: Settings) -> Trust:
    fetch = _keys_of_issuer(settings)
    if fetch is None:
        return _static_key(settings).trust
    issuer = settings.oidc_issuer or settings.jwt_issuer
    return Trust(PublishedKeys(fetch), issuer, settings.jwt_audience)


async def look_at_issuer(settings: Settings) -> str:
    """What the issuer of tokens says at present, for people; empty if none is asked."""
    fetch = _keys_of_issuer(settings)
    if fetch is None:
        return ""
    try:
        keys = await fetch()
    except IssuerUnreadable as unreadable:
        return f"does not publish its keys at present: {unreadable}. Until it does, callers get 503"
    return f"publishes keys, of which {len(keys)} can prove tokens"


def _keys_of_issuer(settings: Settings) -> FetchKeys | None:
    """How to fetch the keys of the issuer that the settings name, if they name one."""
    if settings.oidc_issuer is None and settings.jwks_url is None:
        return None
    from order_jwt.issuer_documents import discovered_keys, keys_at

    if settings.oidc_issuer is not None:
        return discovered_keys(settings.oidc_issuer)
    return keys_at(settings.jwks_url or "")


def _static_key(settings: Settings) -> JwtSettings:
    """The key and the claims to insist on.

    Raises:
        ConfigurationInvalid: the key cannot be used.
    """
    secret, key_file = settings.jwt_secret, settings.jwt_public_key_file
    try:
        return JwtSettings(
            secret=None if secret is None else secret.get_secret_value(),
            public_key=None if key_file is None else key_file.read_text(encoding="ascii"),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )
    except (ValueError, OSError) as error:
        name = "JWT_SECRET" if key_file is None else "JWT_PUBLIC_KEY_FILE"
        raise ConfigurationInvalid([Mistake(f"{PREFIX}{name}", str(error))]) from None


def token_for(
    settings: Settings, *, subject: str, scope: str, lifetime: timedelta, email: str | None
) -> str:
    """A token that this service believes. `scope` holds words separated by blanks.

    Raises:
        ConfigurationInvalid: there is no secret to sign with.
        ValueError: an empty subject, that of a client of our own issuer, a scope that nothing
            here asks for, or a lifetime that is too long.
    """
    if settings.oauth and subject.startswith(CLIENT_PREFIX):
        raise ValueError(f"a subject that begins with {CLIENT_PREFIX} is a client; it has a secret")
    if not SCOPES.issuperset(scopes := scope.split()):
        raise ValueError(f"the scope must be some of: {', '.join(sorted(SCOPES))}")
    if settings.jwt_secret is None:
        raise ConfigurationInvalid(
            [
                Mistake(
                    f"{PREFIX}JWT_SECRET",
                    "must be set to make tokens; all others are signed by whoever holds the "
                    "private key",
                )
            ]
        )
    return issue_token(
        settings.jwt_secret.get_secret_value(),
        subject=subject,
        scopes=scopes,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        lifetime=lifetime,
        email=email,
    )
