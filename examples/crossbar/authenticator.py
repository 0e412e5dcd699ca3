"""Decides who may join: answers com.example.authenticate(realm, authid, details), and denies by raising.

    AUTHENTICATOR_SECRET=... python3 authenticator.py [ws://127.0.0.1:8080/backend]
"""

import hmac
import os
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import auth
from autobahn.wamp.exception import ApplicationError

TICKETS = {"ann": "secret-of-ann", "bob": "secret-of-bob"}


def authenticate(realm, authid, details):
    """The role of whoever shows the right ticket."""
    expected = TICKETS.get(authid, "")
    if not expected or not hmac.compare_digest(expected.encode(), details["ticket"].encode()):
        raise ApplicationError("com.example.invalid_ticket", "this ticket is not good")
    return {"role": "frontend", "extra": {"answered-by": "python"}}


class Authenticator(ApplicationSession):
    def onConnect(self):
        self.join(self.config.realm, ["wampcra"], "authenticator")

    def onChallenge(self, challenge):
        return auth.compute_wcs(os.environ["AUTHENTICATOR_SECRET"], challenge.extra["challenge"])

    async def onJoin(self, details):
        await self.register(authenticate, "com.example.authenticate")
        print("ready", flush=True)

    def onDisconnect(self):
        sys.exit("the router is gone")


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8080/backend"
    ApplicationRunner(url, "realm1").run(Authenticator)
