"""What the demo prints: the story as it happens, the messages, the summary. 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from relance.demo.checks import Check
from relance.demo.inbox import Message
from relance.story import NUMBER_WIDTH, RULE_WIDTH, SERVICE_WIDTH
from shared.domain.count import counted, noun

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

    def columns(self) -> None:
        """What the columns of the story are."""
        self._console.print()
        left = f"{'time':<5} {'service':<{SERVICE_WIDTH}} {'lead':<{NUMBER_WIDTH}} what happened"
        self._console.print(Text(f"{left:<{WIDTH - RULE_WIDTH}}rule", style="dim"))

    def _indented(self, text: str, by: int, style: str = "") -> None:
        """Wrapped at the screen's width; items of a list keep their edge."""
        for line in text.splitlines():
            hang = len(line) - len(line.lstrip()) + 2 * line.lstrip().startswith("- ")
            for part in wrap(line, WIDTH - by, subsequent_indent=" " * hang) or [""]:
                self._console.print(Text(f"{' ' * by}{part}".rstrip(), style=style))

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
            length = counted(len(message.text), "character")
            head.append(f"   {length}, {counted(message.parts, 'part')}", style="dim")
        if more:
            head.append(f"   and {more} more like it", style="dim")
        self._console.print()
        self._console.print(head)
        if message.subject:
            self._indented(message.subject, 6, "bold")
        self._indented(message.text.strip(), 6)

    def summary(self, checks: Sequence[Check], counts: str, seconds: str) -> None:
        """One screen: each check, the figures, the verdict."""
        self.title("Summary")
        for check in checks:
            mark, style = ("✓", "green") if check.ok else ("✗", "bold red")
            self._console.print(Text(f" {mark} {check.name}", style=style))
            self._indented(check.detail, 3, "dim")
        self._console.print()
        self._console.print(Text(f" {counts}"))
        self._console.print(Text(f" {seconds}", style="dim"))
        self._console.print()
        broken = sum(not check.ok for check in checks)
        if broken:
            hold = noun(broken, "does not hold", "do not hold")
            told = f" {broken} of {counted(len(checks), 'check')} {hold}."
            self._console.print(Text(told, style="bold red"))
        else:
            hold = noun(len(checks), "holds", "hold")
            told = f" All {counted(len(checks), 'check')} {hold}."
            self._console.print(Text(told, style="bold green"))
