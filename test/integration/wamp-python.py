"""Autobahn|Python as it is: joins, calls, registers, publishes, subscribes, leaves, once for each case.

Usage: wamp-python.py asyncio|twisted, cases as JSON on standard input; results as JSON on standard output.
"""

import json
import sys
from urllib.parse import urlsplit

import txaio

framework = sys.argv[1]
if framework == "twisted":
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred, ensureDeferred
    from twisted.internet.endpoints import TCP4ClientEndpoint

    txaio.use_twisted()
    txaio.config.loop = reactor
    from autobahn.twisted.rawsocket import WampRawSocketClientFactory
    from autobahn.twisted.wamp import Session
    from autobahn.twisted.websocket import WampWebSocketClientFactory
else:
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    txaio.use_asyncio()
    txaio.config.loop = loop
    from autobahn.asyncio.rawsocket import WampRawSocketClientFactory
    from autobahn.asyncio.wamp import Session
    from autobahn.asyncio.websocket import WampWebSocketClientFactory

from autobahn.wamp.auth import create_authenticator
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer
from autobahn.wamp.types import CallOptions, PublishOptions, RegisterOptions, SubscribeOptions

kinds = {"json": JsonSerializer, "msgpack": MsgPackSerializer, "cbor": CBORSerializer}
step_s = 0.05


def serializer_of(name):
    kind, _, batched = name.partition(".")
    return kinds[kind](batched=batched == "batched")


class Guest(Session):
    """One case. `over` fires when the transport is gone."""

    def __init__(self, case, over):
        super().__init__()
        self.case = case
        self.over = over
        self.result = {"joins": [], "leaves": []}
        self.events = []
        if case.get("method") is not None:
            self.add_authenticator(create_authenticator(case["method"], **case["with"]))

    def onConnect(self):
        args = {}
        if self.case.get("method") is not None:
            args = {"authmethods": [self.case["method"]]}
        self.enter(args)

    def enter(self, args):
        if self._authenticators:
            (authenticator,) = self._authenticators.values()
            args = dict(args, authextra=authenticator.authextra)
            if "authid" in authenticator._args:
                args["authid"] = authenticator._args["authid"]
        self.join(self.case["realm"], **args)

    async def onJoin(self, details):
        joined = {name: getattr(details, name) for name in ("realm", "authid", "authrole", "authmethod", "authprovider")}
        joined["serializer"] = self._transport._serializer.SERIALIZER_ID
        self.result["joins"].append(joined)
        try:
            if len(self.result["joins"]) == 1:
                await self.converse()
            else:
                self.result["second"] = await self.again()
        except Exception as error:
            self.result["failure"] = repr(error)
        self.leave()

    async def again(self):
        registration = await self.register(lambda one, two: one + two, self.name("sum"))
        total = await self.call(self.name("sum"), 20, 22)
        await registration.unregister()
        return total

    def name(self, tail):
        return "com.python.{}.{}".format(self.case["name"], tail)

    async def converse(self):
        result = self.result

        def fail():
            raise ApplicationError("com.python.broken", "not today", why="because")

        def count(to, details=None):
            for each in range(to):
                details.progress(each)
            return to

        async def slow():
            await txaio.sleep(30)

        registrations = [
            await self.register(lambda value: value, self.name("echo")),
            await self.register(fail, self.name("fail")),
            await self.register(count, self.name("count"), RegisterOptions(details_arg="details")),
            await self.register(slow, self.name("slow")),
        ]
        value = {"text": "h\u00e9", "whole": 2**53, "part": 0.5, "none": None, "list": [True, []]}
        result["echo"] = await self.call(self.name("echo"), value) == value
        # In a list: alone it would be a payload that the router is asked not to look at.
        result["bytes"] = await self.call(self.name("echo"), [b"\x00\xff"]) == [b"\x00\xff"]
        try:
            await self.call(self.name("fail"))
        except ApplicationError as error:
            result["error"] = [error.error, list(error.args), error.kwargs]
        steps = []
        total = await self.call(self.name("count"), 3, options=CallOptions(on_progress=steps.append))
        result["progress"] = steps + [total]
        result["canceled"] = await self.cancel()
        try:
            await self.call("com.python.nowhere")
        except ApplicationError as error:
            result["missing"] = error.error

        subscriptions = [
            await self.subscribe(self.heard, self.name("topic"), SubscribeOptions(details=True)),
            await self.subscribe(self.heard, self.name(""), SubscribeOptions(match="prefix", details=True)),
        ]
        await self.publish(self.name("topic"), "news", options=PublishOptions(acknowledge=True, exclude_me=False))
        await self.until(lambda: len(self.events) == 2)
        await self.publish(self.name("topic"), "not for me", options=PublishOptions(acknowledge=True))
        for one in subscriptions:
            await one.unsubscribe()
        for one in registrations:
            await one.unregister()
        await self.publish(self.name("topic"), "late", options=PublishOptions(acknowledge=True, exclude_me=False))
        result["events"] = sorted(self.events, key=repr)
        result["denied"] = await self.denied()

    async def cancel(self):
        """Cancels a call that is under way. The session must live on: the next call tells."""
        pending = self.call(self.name("slow"))
        await txaio.sleep(step_s)
        pending.cancel()
        try:
            await pending
        except BaseException as error:
            if await self.call(self.name("echo"), 1) == 1:
                return type(error).__name__
        return "the call came back"

    async def denied(self):
        try:
            await self.subscribe(self.heard, "org.not.allowed")
        except ApplicationError as error:
            return error.error

    def heard(self, text, details=None):
        self.events.append([text, details.topic])

    async def until(self, what):
        for _ in range(200):
            if what():
                return
            await txaio.sleep(step_s)
        raise Exception("nothing was heard")

    def onLeave(self, details):
        self.result["leaves"].append(details.reason)
        if self.case.get("rejoin") and len(self.result["joins"]) == 1:
            self.enter({} if self.case.get("method") is None else {"authmethods": [self.case["method"]]})
        else:
            self.disconnect()

    def onDisconnect(self):
        self.over(self.result)


def factory_of(case, over):
    session = lambda: Guest(case, over)
    serializers = [serializer_of(name) for name in case["serializers"]]
    if case["url"].startswith("rs:"):
        return WampRawSocketClientFactory(session, serializer=serializers[0])
    return WampWebSocketClientFactory(session, url=case["url"], serializers=serializers or None)


def run_twisted(cases):
    async def all_cases():
        results = []
        for case in cases:
            over = Deferred()
            at = urlsplit(case["url"])
            await TCP4ClientEndpoint(reactor, "127.0.0.1", at.port).connect(factory_of(case, over.callback))
            results.append(await over)
        return results

    outcome = []

    def begin():
        done = ensureDeferred(all_cases())
        done.addCallbacks(outcome.append, lambda failure: print(failure, file=sys.stderr))
        done.addBoth(lambda _none: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    return outcome[0]


def run_asyncio(cases):
    async def all_cases():
        results = []
        for case in cases:
            over = loop.create_future()
            at = urlsplit(case["url"])
            await loop.create_connection(factory_of(case, over.set_result), "127.0.0.1", at.port)
            results.append(await over)
        return results

    return loop.run_until_complete(asyncio.wait_for(all_cases(), 60))


cases = json.load(sys.stdin)
results = run_twisted(cases) if framework == "twisted" else run_asyncio(cases)
json.dump(results, sys.stdout, default=repr)
