"""What the demo prints: the story as it happens, the messages, the summary. 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from relance.demo.checks import Check
from relance.demo.inbox import Message

WIDTH = 80


class Screen:
    """Prints to a terminal, in colours where there are any; `quiet` prints nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(width=WIDTH, highlight=False, quiet=quiet, soft_wrap=True)

    def step(self, text: str) -> None:
        """A line of progress."""
        self._console.print(Text(f"· {text}", style="dim"))

    def title(self, text: str) -> None:
        """The head of a part."""
        self._console.print()
        self._console.print(Text(text, style="bold"))
        self._console.print(Text("─" * WIDTH, style="dim"))

    def scene(self, at: datetime, text: str) -> None:
        """Something done by hand, at a local time."""
        self._console.print(Text(f"{at:%H:%M} ▸ {text}", style="bold cyan"))

    def _indented(self, text: Text, by: int) -> None:
        """Wrapped at the screen's width, without spaces at the end of lines."""
        for line in text.wrap(self._console, WIDTH - by):
            line.rstrip()
            self._console.print(Text(" " * by) + line)

    def jump(self, text: str) -> None:
        """The clock has stepped."""
        self._console.print(Text(text, style="dim"))

    def lines(self, lines: Iterable[str]) -> None:
        """Lines of the story, laid out already."""
        for line in lines:
            self._console.print(Text(line))

    def messages(self, messages: Sequence[Message]) -> None:
        """The messages as people received them: every SMS, and one e-mail of each kind."""
        shown: set[tuple[str, str]] = set()
        for message in messages:
            kind = (message.channel, message.template)
            if kind in shown:
                continue
            shown.add(kind)
            more = sum((m.channel, m.template) == kind for m in messages) - 1
            self._message(message, more)

    def _message(self, message: Message, more: int) -> None:
        head = Text(f"{message.channel.upper():<6}", style="bold green")
        head.append(f"{message.to}", style="bold")
        if message.channel == "sms":
            head.append(f"   {len(message.text)} characters, {message.parts} part(s)", style="dim")
        if more:
            head.append(f"   and {more} more like it", style="dim")
        self._console.print()
        self._console.print(head)
        if message.subject:
            self._indented(Text(message.subject, style="bold"), 6)
        self._indented(Text(message.text.replace("\r\n", "\n")), 6)

    def summary(self, checks: Sequence[Check], counts: str, seconds: str) -> None:
        """One screen: each check, the figures, the verdict."""
        self.title("Summary")
        for check in checks:
            mark, style = ("✓", "green") if check.ok else ("✗", "bold red")
            self._console.print(Text(f" {mark} {check.name}", style=style))
            self._indented(Text(check.detail, style="dim"), 3)
        self._console.print()
        self._console.print(Text(f" {counts}"))
        self._console.print(Text(f" {seconds}", style="dim"))
