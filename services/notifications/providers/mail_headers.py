"""Headers of mail as readers will see them, whatever language they are in."""

from __future__ import annotations

from email import policy
from email.header import Header
from email.headerregistry import AddressHeader, HeaderRegistry
from email.policy import EmailPolicy
from typing import Any


class HeaderClasses(HeaderRegistry):
    """The standard classes of headers, each made once.

    The standard registry makes a class for every header of every mail: 30 classes a mail that only
    the garbage collector frees again, 50 MB until it does.
    """

    def __init__(self) -> None:
        """With the standard ones."""
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        """The class of a header of that name."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = super().__getitem__(name)
        return made


class MailHeaders(EmailPolicy):
    """The standard policy for SMTP, except for headers beyond ASCII.

    The standard one folds them at spaces and lets the space fall out between two encoded words,
    so that people read «67· Звонок»; here the words are cut at characters and keep their spaces.
    """

    def fold(self, name: str, value: Any) -> str:
        """The header as it goes out, with its line end."""
        if str(value).isascii():
            return str(super().fold(name, value))
        if not isinstance(value, AddressHeader):
            return f"{name}: {self._words(name, str(value))}{self.linesep}"
        people = [self._person(name, each) for each in value.addresses]
        return f"{name}: {f',{self.linesep} '.join(people)}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same, in bytes."""
        if str(value).isascii():
            return super().fold_binary(name, value)
        return self.fold(name, value).encode("ascii")

    def _person(self, name: str, address: Any) -> str:
        """One address with its name, on a line of its own."""
        return f"{self._words(name, address.display_name)}{self.linesep} <{address.addr_spec}>"

    def _words(self, name: str, text: str) -> str:
        return Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)


COMPOSED = policy.default.clone(header_factory=HeaderClasses())
"""How a mail is put together."""
MAIL = MailHeaders(linesep="\r\n")
"""How it goes out."""
