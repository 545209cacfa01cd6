"""Where the service may listen, and with which certificate."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from order_wiring.certificates import mistakes_of_certificate, warn_of_expiry
from order_wiring.mistakes import ConfigurationInvalid
from order_wiring.settings import Settings
from tests.unit.own_certificates import Key, OwnCertificate, own_certificate


def read(**texts: str) -> Settings:
    environment = {f"ORDER_CORE_{name}": text for name, text in texts.items()}
    return Settings.read(environment, installed=["sandbox"])


def refusal(**texts: str) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        read(**texts)
    (mistake,) = refused.value.mistakes
    return str(mistake)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_plain_http_is_for_this_machine_alone(host: str) -> None:
    assert read(HOST=host).scheme == "http"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "10.0.0.7", "::ffff:127.0.0.1"])  # noqa: S104 - refused
def test_plain_http_where_others_can_reach_it_is_refused(host: str) -> None:
    said = refusal(HOST=host)
    assert said.startswith("ORDER_CORE_HOST: must be an address of this machine alone")
    for way_out in (
        "ORDER_CORE_TLS_CERT_FILE",
        "ORDER_CORE_TLS_KEY_FILE",
        "ORDER_CORE_ALLOW_HTTP=1",
    ):
        assert way_out in said
    assert refusal(HOST=host, ALLOW_HTTP="0") == said


def test_plain_http_behind_a_proxy_can_be_allowed(tmp_path: Path) -> None:
    assert read(HOST="10.0.0.7", ALLOW_HTTP="1").scheme == "http"
    assert read(HOST="10.0.0.7", **own_certificate(tmp_path).settings).scheme == "https"


def test_a_mistake_is_not_told_twice() -> None:
    assert "must be 1 or 0" in refusal(HOST="10.0.0.7", ALLOW_HTTP="perhaps")
    assert "must be the IP address" in refusal(HOST="shop.example")


def test_a_certificate_and_its_key_come_together(tmp_path: Path) -> None:
    made = own_certificate(tmp_path)
    assert refusal(TLS_CERT_FILE=str(made.cert_file)).startswith(
        "ORDER_CORE_TLS_CERT_FILE: needs ORDER_CORE_TLS_KEY_FILE beside it"
    )
    assert refusal(TLS_KEY_FILE=str(made.key_file)).startswith(
        "ORDER_CORE_TLS_KEY_FILE: needs ORDER_CORE_TLS_CERT_FILE beside it"
    )
    assert "must be a file that can be read" in refusal(
        TLS_CERT_FILE=str(tmp_path / "gone.pem"), TLS_KEY_FILE=str(made.key_file)
    )


def test_proxies_are_addresses_and_networks() -> None:
    assert read(TRUSTED_PROXIES="10.0.0.5, 10.1.0.0/16 2001:db8::/32").trusted_proxies == (
        "10.0.0.5/32",
        "10.1.0.0/16",
        "2001:db8::/32",
    )
    for wrong in ("10.0.0.5/8", "proxy.example", "*", ",", "10.0.0"):
        assert "must be IP addresses or networks" in refusal(TRUSTED_PROXIES=wrong)
    for everybody in ("0.0.0.0/0", "10.0.0.5,::/0"):
        assert "must not be every address" in refusal(TRUSTED_PROXIES=everybody)
    many = ",".join(f"10.0.0.{n}" for n in range(101))
    assert "100 at most" in refusal(TRUSTED_PROXIES=many)
    assert "must be x-forwarded-for or forwarded" in refusal(FORWARDING_HEADER="x-real-ip")


def mistakes(made: OwnCertificate) -> list[str]:
    return [str(mistake) for mistake in mistakes_of_certificate(read(**made.settings))]


@pytest.mark.parametrize(
    "key",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate,
        lambda: rsa.generate_private_key(65_537, 2_048),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA-2048"],
)
def test_a_certificate_that_can_be_used_has_no_mistakes(
    tmp_path: Path, key: Callable[[], Key]
) -> None:
    assert mistakes(own_certificate(tmp_path, key=key())) == []
    assert mistakes_of_certificate(read()) == []


@pytest.mark.parametrize(
    "key",
    [
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: rsa.generate_private_key(65_537, 1_024),  # noqa: S505 - refused
    ],
    ids=["P-521", "RSA-1024"],
)
def test_a_key_that_the_server_would_not_take_is_named(
    tmp_path: Path, key: Callable[[], Key]
) -> None:
    (said,) = mistakes(own_certificate(tmp_path, key=key()))
    assert said.startswith("ORDER_CORE_TLS_KEY_FILE: must be an RSA key of 2048 bits or more")


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    one, other = own_certificate(tmp_path, name="one"), own_certificate(tmp_path, name="other")
    (said,) = mistakes(OwnCertificate(one.cert_file, other.key_file))
    assert said.startswith("ORDER_CORE_TLS_KEY_FILE: is not the key of the first certificate")


def test_a_certificate_that_no_client_would_believe_is_refused(tmp_path: Path) -> None:
    over = own_certificate(tmp_path, begins=timedelta(days=-9), ends=timedelta(seconds=-1))
    (said,) = mistakes(over)
    assert said.startswith("ORDER_CORE_TLS_CERT_FILE: ended at 20")
    (said,) = mistakes(own_certificate(tmp_path, begins=timedelta(hours=1)))
    assert said.startswith("ORDER_CORE_TLS_CERT_FILE: begins at 20")


def test_files_that_hold_something_else_are_named(tmp_path: Path) -> None:
    made = own_certificate(tmp_path)
    swapped = mistakes(OwnCertificate(made.key_file, made.cert_file))
    assert [said.partition(":")[0] for said in swapped] == [
        "ORDER_CORE_TLS_CERT_FILE",
        "ORDER_CORE_TLS_KEY_FILE",
    ]
    (said,) = mistakes(own_certificate(tmp_path, passphrase=b"sesame"))
    assert said == "ORDER_CORE_TLS_KEY_FILE: must be a private key without a passphrase"


def test_a_certificate_that_ends_soon_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    soon = read(**own_certificate(tmp_path, ends=timedelta(days=13)).settings)
    warn_of_expiry(soon)
    assert "the certificate of this service ends at" in caplog.text
    caplog.clear()
    warn_of_expiry(read(**own_certificate(tmp_path).settings))
    warn_of_expiry(read())
    assert not caplog.text


@pytest.mark.parametrize(("workers", "each"), [("1", 32), ("3", 10), ("64", 4)])
def test_the_processes_share_the_connections_to_the_database(workers: str, each: int) -> None:
    assert read(WORKERS=workers).connections_of_a_process == each
