"""A mail server: tells its port, keeps the last mail and its envelope in a folder.  smtp.py FOLDER ADDRESS"""
import asyncio
import pathlib
import sys

from aiosmtpd.smtp import SMTP

folder = pathlib.Path(sys.argv[1])


class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 nobody lives here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        told = [session.host_name, envelope.mail_from, *envelope.mail_options, *envelope.rcpt_tos]
        (folder / "mail").write_bytes(envelope.original_content)
        (folder / "envelope").write_text("\n".join(told))
        return "250 kept"


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keeper(), ident="a test"), sys.argv[2], 0)
    print(f"port {server.sockets[0].getsockname()[1]}.", flush=True)
    await server.serve_forever()


asyncio.run(serve())
