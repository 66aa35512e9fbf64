"""Many devices of Apple's at once, as a program: each connects to each courier and asks Apple what address it has.

    python3 apple_fleet.py CA DEVICES COURIERS     addresses, with commas between them

Prints {device: [the address that Apple saw, for each courier]}; what went wrong stands in an address's place.
"""
import asyncio
import json
import ssl
import sys

from apple_device import converse
from fake_apple import Wire

NAME, ALPN = "courier.push.apple.com", ["apns-security-v3", "apns-pack-v1"]


async def seen(context, device, courier):
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(courier, 5223, local_addr=(device, 0)), 20)
        told = await asyncio.wait_for(converse(Wire(reader, writer, context, server_hostname=NAME), ["who"]), 20)
        writer.close()
        return told["answers"][0]["peer"].removeprefix("::ffff:") if told["answers"] else told["ended"]
    except (OSError, EOFError, ssl.SSLError, asyncio.TimeoutError) as error:
        return f"{type(error).__name__}: {error}"


async def main(ca, devices, couriers):
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(ALPN)
    out = {}
    for device in devices.split(","):
        out[device] = await asyncio.gather(*(seen(context, device, courier) for courier in couriers.split(",")))
    print(json.dumps(out))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
