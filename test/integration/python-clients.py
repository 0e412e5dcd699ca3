"""Knocks on the lab's doors with Debian's python3-websockets. Reads what to do as JSON, answers in JSON."""
import asyncio
import json
import sys

import websockets


async def talk(step):
    headers = step.get("headers", {})
    try:
        async with websockets.connect(step["url"], extra_headers=headers, open_timeout=10) as socket:
            for message in step.get("send", []):
                await socket.send(message)
            heard = [await asyncio.wait_for(socket.recv(), 10) for _ in range(step.get("expect", 1))]
            await socket.send("echo me")
            heard.append(await asyncio.wait_for(socket.recv(), 10))
            return {"opened": True, "heard": heard}
    except websockets.exceptions.InvalidStatusCode as refused:
        return {"opened": False, "status": refused.status_code, "challenge": refused.headers.get("WWW-Authenticate")}
    except websockets.exceptions.ConnectionClosed as closed:
        return {"opened": False, "code": closed.rcvd.code, "reason": closed.rcvd.reason}


async def main():
    steps = json.load(sys.stdin)
    print(json.dumps([await talk(step) for step in steps]))


asyncio.run(main())
