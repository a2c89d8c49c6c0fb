"""The sandbox as people see it: a phone's bubbles, newest first, renewed by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from shared.domain.count import counted

_RENEWED_S = 1
_NUMBER = re.compile(r"(\+\d{7,15})\b")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{seconds}"><title>SMS sandbox ({count})</title>
<style>
:root {{ color-scheme: light dark; --back: #eceff4; --card: #fff; --ink: #1c2331; --dim: #6c7789;
  --bubble: #e3f3ec; --edge: #12805c }}
@media (prefers-color-scheme: dark) {{ :root {{ --back: #11151c; --card: #1a202b; --ink: #e8ecf3;
  --dim: #93a0b4; --bubble: #1d3a30; --edge: #3fb98a }} }}
body {{ margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }}
main {{ max-width: 480px; margin: 0 auto; padding: 24px 12px 48px }}
h1 {{ font-size: 20px; margin: 0 0 2px }}
p.about {{ color: var(--dim); font-size: 14px; margin: 0 0 20px }}
article {{ background: var(--card); border-radius: 16px; padding: 12px 14px 14px;
  margin: 0 0 12px; overflow-wrap: anywhere }}
header {{ display: flex; justify-content: space-between; gap: 12px; font-size: 13px;
  color: var(--dim); margin-bottom: 8px }}
time {{ white-space: nowrap }}
header b {{ color: var(--ink); font-size: 15px }}
.bubble {{ background: var(--bubble); border-radius: 4px 14px 14px 14px; padding: 10px 12px;
  white-space: pre-line }}
a {{ color: var(--edge); font-weight: 600; text-decoration: none }}
footer {{ font-size: 12px; color: var(--dim); margin-top: 8px }}
.empty {{ text-align: center; color: var(--dim); padding: 48px 0 }}
</style></head><body><main>
<h1>SMS sandbox</h1>
<p class="about">Nothing here was sent: these are the texts that would have gone out, newest first.
The page renews itself.</p>
{messages}
</main></body></html>
"""

_MESSAGE = """<article><header><span>to <b>{to}</b></span><time>{at}</time></header>
<div class="bubble">{text}</div>
<footer>from {sender} · {parts}{again}</footer></article>"""

_EMPTY = '<p class="empty">No SMS yet. Send in a lead and look here again.</p>'


def page(messages: Sequence[Mapping[str, Any]]) -> str:
    """The page that shows `messages` (as `GET /sandbox/messages` tells them)."""
    shown = "\n".join(_shown(message) for message in messages) or _EMPTY
    return _PAGE.format(seconds=_RENEWED_S, count=len(messages), messages=shown)


def _shown(message: Mapping[str, Any]) -> str:
    parts, times = int(message["parts"]), int(message["times"])
    return _MESSAGE.format(
        to=escape(str(message["to"])),
        at=f"{datetime.fromisoformat(str(message['at'])):%d.%m.%Y %H:%M:%S} UTC",
        text=_with_links(str(message["text"])),
        sender=escape(str(message["sender"]) or "nobody"),
        parts=counted(parts, "part"),
        again=f" · handed over {times} times" if times > 1 else "",
    )


def _with_links(text: str) -> str:
    """Phone numbers can be tapped, as on a phone."""
    return _NUMBER.sub(r'<a href="tel:\1">\1</a>', escape(text))
