"""A file server: tells its port.  ftp.py FOLDER ADDRESS [COMMAND-IT-DOES-NOT-KNOW]"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

folder, address, *unknown = sys.argv[1:]
who = DummyAuthorizer()
who.add_anonymous(folder)
who.add_user("ana", "a secret", folder)


class Handler(FTPHandler):
    authorizer = who
    banner = "a test\nof several lines\n226 of them"
    auth_failed_timeout = 0
    proto_cmds = {name: what for name, what in FTPHandler.proto_cmds.items() if name not in unknown}


server = FTPServer((address, 0), Handler)
print(f"port {server.socket.getsockname()[1]}.", flush=True)
server.serve_forever()
