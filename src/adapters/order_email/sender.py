"""Who the mails are from."""

from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.policy import SMTP

from order_email.address import split_address


@dataclass(frozen=True, slots=True)
class Sender:
    """A name that customers see, which may be empty, and an address."""

    name: str
    local_part: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> "Sender":
        """Read `orders@shop.example` or `Shop <orders@shop.example>`.

        Raises:
            ValueError: not exactly one address.
        """
        if not text.isprintable():
            raise ValueError("the sender must be printable text on one line")
        try:
            address = _only_address(text)
            local_part, domain = split_address(address.addr_spec)
        except (ValueError, MessageError, IndexError):
            raise ValueError(
                "the sender must be one address, such as "
                "orders@shop.example or Shop <orders@shop.example>"
            ) from None
        if not local_part.isascii():
            raise ValueError("the sender's address must be ASCII, so that every server takes it")
        return cls(address.display_name, local_part, domain)

    @property
    def address(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @property
    def header(self) -> Address:
        """The value of a From header."""
        return Address(self.name, self.local_part, self.domain)

    def __str__(self) -> str:
        return str(self.header)


def _only_address(text: str) -> Address:
    header = SMTP.header_factory("From", text)
    if header.defects or len(header.addresses) != 1 or header.groups[0].display_name:
        raise ValueError("not one address")
    address: Address = header.addresses[0]
    return address
