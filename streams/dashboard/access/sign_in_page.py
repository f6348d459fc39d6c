"""The page to sign in at: plain HTML without a script. Pure."""

import html
from typing import Final
from urllib.parse import quote, urlsplit

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 15vh auto 0; max-width: 24rem; padding: 0 16px; }
h1 { font-size: 1.3rem; } label, input, button { display: block; font: inherit; width: 100%; box-sizing: border-box; }
input { margin: 4px 0 16px; padding: 8px; border: 1px solid #57606a; border-radius: 4px; }
button { padding: 8px; border: 0; border-radius: 4px; background: #00599c; color: #fff; cursor: pointer; }
[role="alert"] { border-left: 4px solid #b33c00; padding-left: 12px; }
:focus-visible { outline: 3px solid #56b4e9; outline-offset: 1px; }
"""


def page(title: str, content: str, nonce: str, head: str = "") -> str:
    """A small page; ``content`` and ``head`` are HTML."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} · wellsentry</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}<style nonce="{nonce}">{_STYLE}</style>'
        f"</head><body><main><h1>{html.escape(title)}</h1>{content}</main></body></html>"
    )


def sign_in_form(then: str, nonce: str, wrong: str = "") -> str:
    """The form, which leads to ``then``; ``wrong`` says what was wrong with the last try."""
    told = f'<p role="alert">{html.escape(wrong)}</p>' if wrong else ""
    return page(
        "Sign in to wellsentry",
        f'{told}<form method="post" action="{SIGN_IN}"><input type="hidden" name="next" value="{html.escape(then)}">'
        '<label for="token">Token</label><input id="token" name="token" type="password" required autofocus '
        'autocomplete="current-password" autocapitalize="none" spellcheck="false">'
        "<button>Sign in</button></form><p>Whoever runs wellsentry has it for you.</p>",
        nonce,
    )


def go_there_yourself(then: str, nonce: str) -> str:
    """Has the browser go to ``then`` again by itself.

    Who follows a link from another site comes without the cookie, which is for our own pages alone; from this one, with it.
    """
    address = html.escape(then)
    return page(
        "One moment",
        f'<p><a href="{address}">Go on</a></p>',
        nonce,
        f'<meta http-equiv="refresh" content="0;url={address}">',
    )


def path_to_sign_in(path: str, query: str) -> str:
    """Where to sign in, and come back from.

    >>> path_to_sign_in("/machine/acme/well 1", "stack=load")
    '/sign-in?next=/machine/acme/well%25201%3Fstack%3Dload'
    """
    then = quote(path) + (f"?{query}" if query else "")
    return SIGN_IN if then == "/" else f"{SIGN_IN}?next={quote(then)}"


def safe_next(then: str) -> str:
    """``then`` if it is a place of ours, else the first page.

    >>> safe_next("/incidents?state=open"), safe_next("//evil.example"), safe_next("/\\\\evil.example"), safe_next("https://x")
    ('/incidents?state=open', '/', '/', '/')
    """
    if len(then) > 2_000 or not then.startswith("/") or "\\" in then or not then.isprintable() or " " in then:
        return "/"
    try:
        parts = urlsplit(then)
    except ValueError:
        return "/"
    is_ours = not parts.scheme and not parts.netloc and not then.startswith("//")
    return then if is_ours and parts.path not in (SIGN_IN, SIGN_OUT) else "/"
