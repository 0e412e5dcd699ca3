"""A web application in plain Python whose pages speak to a WebSocket that Countersign guards.

It logs its own users in, as it always did. For a user who is logged in it asks Countersign over HTTP for a ticket
(an API key of the scope `issue`), and hands that ticket to the page, which connects with it. The socket server never
learns a password, and this application never touches a socket.

    COUNTERSIGN_API_KEY=csk_... python3 app.py

Settings, all from the environment:

    COUNTERSIGN_URL      the site that issues tickets      [http://localhost:8000]
    COUNTERSIGN_API_KEY  key with the scopes `issue` and, to end sockets at logout, `revoke`
    AUDIENCE             what tickets are for              [chat]
    SOCKET_URL           where the page connects           [ws://localhost:8002/]
    PORT                 where this application listens, on loopback; 0 for any   [5000]
"""

import hashlib
import hmac
import html
import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COUNTERSIGN_URL = os.environ.get("COUNTERSIGN_URL", "http://localhost:8000").rstrip("/")
API_KEY = os.environ.get("COUNTERSIGN_API_KEY", "")
AUDIENCE = os.environ.get("AUDIENCE", "chat")
SOCKET_URL = os.environ.get("SOCKET_URL", "ws://localhost:8002/")
PORT = int(os.environ.get("PORT", "5000"))

MAX_BODY = 4_096
MAX_SESSIONS = 1_000


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


SALT = secrets.token_bytes(16)
USERS = {"dora": (hashed("explorer-dora", SALT), ["member"]), "erik": (hashed("viking-erik", SALT), [])}
NOBODY = hashed(secrets.token_hex(16), SALT)
SESSIONS: dict[str, str] = {}


def ask_countersign(path: str, body: dict) -> dict:
    """One call to Countersign's HTTP API; raises OSError when it is out of reach or refuses."""
    request = urllib.request.Request(
        COUNTERSIGN_URL + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {API_KEY}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def ticket_for(username: str, origin: str) -> dict:
    """A ticket that opens one socket within 30 seconds, as this user, from this page's origin only."""
    _, roles = USERS[username]
    asked = {"audience": AUDIENCE, "subject": username, "roles": roles, "origin": origin}
    issued = ask_countersign("/countersign/ticket", asked)
    return {"url": SOCKET_URL, "ticket": issued["ticket"], "expires_in": issued["expires_in"]}


class Application(BaseHTTPRequestHandler):
    """The whole application: a login form, a page, a ticket for the page."""

    server_version = "example"

    def do_GET(self) -> None:
        if self.path == "/":
            self.answer_page(chat_page(self.user()) if self.user() else login_page(""))
        elif self.path == "/chat.js":
            script = Path(__file__).with_name("chat.js").read_bytes()
            self.answer(200, "text/javascript; charset=utf-8", script)
        else:
            self.answer_json(404, {"error": "not_found"})

    def do_POST(self) -> None:
        # Cookies travel with requests of any page: what changes something must come from a page of this application.
        if self.headers.get("Origin") != self.own_origin():
            self.answer_json(403, {"error": "forbidden_origin"})
        elif self.path == "/login":
            self.log_in()
        elif self.path == "/logout":
            self.log_out()
        elif self.path == "/ticket":
            self.give_ticket()
        else:
            self.answer_json(404, {"error": "not_found"})

    def log_in(self) -> None:
        fields = urllib.parse.parse_qs(self.read_body().decode("utf-8", "replace"))
        username = fields.get("username", [""])[0]
        stored, _ = USERS.get(username, (NOBODY, []))
        right = hmac.compare_digest(hashed(fields.get("password", [""])[0], SALT), stored)
        if not right or username not in USERS:
            self.answer_page(login_page("That name and password do not belong together."), 401)
            return
        session = secrets.token_urlsafe(32)
        if len(SESSIONS) >= MAX_SESSIONS:
            SESSIONS.pop(next(iter(SESSIONS)))
        SESSIONS[session] = username
        self.redirect_home(f"session={session}; Path=/; HttpOnly; SameSite=Strict")

    def log_out(self) -> None:
        username = self.user()
        SESSIONS.pop(self.session(), None)
        if username:
            try:
                ask_countersign("/countersign/revoke", {"subject": username})
            except OSError:
                pass  # The key may lack the scope `revoke`; sockets then end with their leases.
        self.redirect_home("session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")

    def give_ticket(self) -> None:
        username = self.user()
        if not username:
            self.answer_json(401, {"error": "missing_credential"})
            return
        try:
            self.answer_json(200, ticket_for(username, self.own_origin()))
        except (OSError, KeyError, ValueError):
            self.answer_json(502, {"error": "no_ticket"})

    def session(self) -> str:
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        except CookieError:
            return ""
        return cookie.value if cookie else ""

    def user(self) -> str | None:
        return SESSIONS.get(self.session())

    def own_origin(self) -> str:
        return f"http://localhost:{self.server.server_address[1]}"

    def read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        plain = length.isascii() and length.isdigit() and len(length) < 8
        return self.rfile.read(min(int(length), MAX_BODY)) if plain else b""

    def redirect_home(self, cookie: str) -> None:
        self.answer(303, "text/plain", b"", {"Location": "/", "Set-Cookie": cookie})

    def answer_page(self, page: str, status: int = 200) -> None:
        socket = urllib.parse.urlsplit(SOCKET_URL)
        policy = f"default-src 'none'; script-src 'self'; form-action 'self'; connect-src 'self' {socket.scheme}://{socket.netloc}"
        self.answer(status, "text/html; charset=utf-8", page.encode(), {"Content-Security-Policy": policy})

    def answer_json(self, status: int, body: dict) -> None:
        self.answer(status, "application/json", json.dumps(body).encode())

    def answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        common = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        for name, value in {**common, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Request lines are not logged: they may hold what is secret."""


def login_page(error: str) -> str:
    return f"""<!doctype html><html lang="en"><title>Log in</title>
<h1>Log in</h1><p role="alert">{html.escape(error)}</p>
<form method="post" action="/login">
<label>User name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button></form></html>"""


def chat_page(username: str) -> str:
    return f"""<!doctype html><html lang="en"><title>Chat</title>
<script type="module" src="/chat.js"></script>
<h1>Chat</h1><p>Logged in as <b>{html.escape(username)}</b>.</p>
<form method="post" action="/logout"><button>Log out</button></form>
<pre id="log" role="log"></pre></html>"""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Application)
    print(f"ready http://localhost:{server.server_address[1]}/", flush=True)
    server.serve_forever()
