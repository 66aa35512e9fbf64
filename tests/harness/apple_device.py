"""A device of Apple's for tests, as a program: connects, shakes hands with Apple end to end, and says the lines.

    python3 apple_device.py CA ADDRESS PORT SERVER_NAME ALPN OWN_ADDRESS LINE...

Prints one JSON object: "answers" to the lines, "intact": whether Apple saw exactly what was sent and sent exactly what
was seen, "ended": how the connection ended ("" when it did not), "error": what went wrong before. At the line "wait" it says so
and is silent until the other side does something; at "pause" it says so and is silent until a line comes to its standard input.
"""
import asyncio
import json
import ssl
import sys

from fake_apple import Wire


async def converse(wire, lines):
    out = {"answers": [], "intact": True, "ended": ""}
    await wire.call(wire.tls.do_handshake)
    for line in lines:
        if line == "wait":  # for a push that does not come
            print("waits", flush=True)
            try:
                ended = not await wire.reader.read(4096)
            except ConnectionResetError:
                out["ended"] = "reset"
                break
            out["ended"] = "closed" if ended else "pushed"
            break
        if line == "pause":
            print("pauses", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            continue
        await wire.call(wire.tls.write, line.encode() + b"\n")
        sent, came = wire.went.hexdigest(), wire.came.hexdigest()
        try:
            data = await wire.call(wire.tls.read, 4096)
        except (EOFError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        except ConnectionResetError:
            out["ended"] = "reset"
            break
        if not data:
            out["ended"] = "closed"
            break
        answer = json.loads(data)
        out["intact"] = out["intact"] and answer["came"] == sent and (answer["went"] == came or not out["answers"])
        out["answers"].append(answer)
    return out


async def main(ca, address, port, name, alpn, own, *lines):
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if alpn:
        context.set_alpn_protocols(alpn.split(","))
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(address, int(port), local_addr=(own, 0) if own else None), 20)
        wire = Wire(reader, writer, context, server_hostname=name)
        patience = None if "pause" in lines else 60 if "wait" in lines else 20
        print(json.dumps(await asyncio.wait_for(converse(wire, lines), patience)))
    except (OSError, EOFError, ssl.SSLError, asyncio.TimeoutError) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
