"""Whose chat is whose: each browser has a random name, in a cookie that only the server reads."""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "rag-app-visitor"
# As long as browsers keep one; every visit begins it anew.
_SECONDS = 400 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{24}")


class VisitorCookie:
    """ASGI middleware that gives a browser its name when it opens a page, and the same one again on later visits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "text/html" not in headers.get("accept", ""):  # programs, and what belongs to a page
            await self._app(scope, receive, send)
            return
        secure = "; Secure" if scope["scheme"] == "https" else ""
        cookie = f"{COOKIE}={_name(headers)}; Max-Age={_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def visitor_of(cookie: str) -> str:
    """The name in the value of the cookie; "" for what this program did not make."""
    return cookie if _NAME.fullmatch(cookie) else ""


def _name(headers: Headers) -> str:
    try:
        sent = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        sent = SimpleCookie()
    return visitor_of(sent[COOKIE].value if COOKIE in sent else "") or secrets.token_urlsafe(18)
