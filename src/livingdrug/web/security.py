"""What stands between a request and the application: size, origin, login, headers, and the audit log."""

import hashlib
import hmac
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from livingdrug.web.settings import LOOPBACK, MEBIBYTE, Settings
from livingdrug.web.storage import Storage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "livingdrug_session"
OPEN_PATHS = ("/login", "/health")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class TooLargeError(Exception):
    """A body has more bytes than a request may have."""


def sign_session(token: str) -> str:
    """Return what the cookie of somebody who has shown the token holds; the token cannot be read from it."""
    return hmac.new(token.encode(), b"livingdrug session", hashlib.sha256).hexdigest()


def is_token(settings: Settings, shown: str) -> bool:
    """Compare what somebody shows with the token, in a time that tells nothing."""
    return hmac.compare_digest(shown.encode(), settings.token.encode())


class Guard:
    """Refuses what is too large, comes from another site, or is not logged in; adds headers; keeps the audit log."""

    def __init__(self, app: "ASGIApp", settings: Settings, storage: Storage) -> None:
        self.app, self.settings, self.storage = app, settings, storage

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        status = 500

        async def send_guarded(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out[name] = value
                out.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refuse(scope, headers)
        try:
            if refusal is not None:
                await refusal(scope, receive, send_guarded)
            else:
                await self.app(scope, self._count(receive), send_guarded)
        except TooLargeError:
            await self._too_large(scope)(scope, receive, send_guarded)
        finally:
            if scope["method"] not in SAFE_METHODS or "/report" in scope["path"]:
                caller = (scope.get("client") or ("unknown",))[0]
                await run_in_threadpool(self.storage.add_audit, caller, scope["method"], scope["path"][:200], status)

    def _count(self, receive: "Receive") -> "Receive":
        """Count the bytes of a body as they come, whatever its header promised."""
        seen = 0

        async def counted() -> "Message":
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.settings.most_upload:
                raise TooLargeError
            return message

        return counted

    def _refuse(self, scope: "Scope", headers: Headers) -> Response | None:
        """Return why this request goes no further, or None."""
        if not self._is_known_host(headers):
            return _say(scope, 421, "This server answers to its own name only.")
        if _is_foreign(scope, headers):
            return _say(scope, 403, "This request comes from another site. Hint: use the page of this server.")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.settings.most_upload:
            return self._too_large(scope)
        if self.settings.needs_login and not self._is_logged_in(scope, headers):
            if scope["path"].startswith("/api/") or scope["method"] not in SAFE_METHODS:
                return _say(scope, 401, "This needs a login. Hint: send `Authorization: Bearer TOKEN`.")
            return RedirectResponse("/login", status_code=303)
        return None

    def _is_known_host(self, headers: Headers) -> bool:
        """Without a login only the names of this machine are answered, so that no other name can be pointed here."""
        if self.settings.needs_login:
            return True
        name = urlsplit(f"//{headers.get('host', '')}").hostname
        return name in LOOPBACK

    def _is_logged_in(self, scope: "Scope", headers: Headers) -> bool:
        if scope["path"] in OPEN_PATHS or scope["path"].startswith("/static/"):
            return True
        kind, _, shown = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return is_token(self.settings, shown)
        cookie: SimpleCookie = SimpleCookie()
        cookie.load(headers.get("cookie", ""))
        session = cookie[COOKIE].value if COOKIE in cookie else ""
        return hmac.compare_digest(session.encode(), sign_session(self.settings.token).encode())

    def _too_large(self, scope: "Scope") -> Response:
        most = self.settings.most_upload // MEBIBYTE
        return _say(scope, 413, f"A request must be at most {most} MiB, but is larger. Hint: send fewer subjects.")


def _is_foreign(scope: "Scope", headers: Headers) -> bool:
    """Tell whether a changing request was caused by a page of another site."""
    if scope["method"] in SAFE_METHODS:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != headers.get("host", "")
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


def _say(scope: "Scope", status: int, sentence: str) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": sentence, "faults": []}, status_code=status)
    return PlainTextResponse(sentence, status_code=status)
