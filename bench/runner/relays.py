"""How relays that people install are run in the foreground, with one process: each between a port and a target."""

import re
import shutil
import subprocess
from pathlib import Path


def socat(*options: str):
    def command(port: str, target: str, _: Path) -> list[str]:
        listening = f"TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr"
        return ["socat", *options, listening, f"TCP4:127.0.0.1:{target}"]

    return command


def nginx(port: str, target: str, scratch: Path) -> list[str]:
    (scratch / "nginx.conf").write_text(
        f"""\
load_module {NGINX_STREAM};
daemon off;
master_process off;
pid {scratch}/pid;
error_log stderr error;
events {{}}
stream {{
  access_log off;
  server {{
    listen 127.0.0.1:{port};
    proxy_pass 127.0.0.1:{target};
    proxy_buffer_size 64k;
  }}
}}
"""
    )
    return ["nginx", "-e", "stderr", "-c", str(scratch / "nginx.conf")]


def haproxy(port: str, target: str, scratch: Path) -> list[str]:
    (scratch / "haproxy.cfg").write_text(
        f"""\
global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen relay
  bind 127.0.0.1:{port}
  server target 127.0.0.1:{target}
"""
    )
    return ["haproxy", "-q", "-db", "-f", str(scratch / "haproxy.cfg")]


NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


def versions() -> dict[str, str]:
    """Of those that are there, as they tell it."""
    found = {}
    for program, flag in (("socat", "-V"), ("nginx", "-v"), ("haproxy", "-v")):
        if is_there(program):
            said = subprocess.run([program, flag], capture_output=True, text=True)
            version = re.search(r"\d+[.]\d[\w.]*", said.stdout + said.stderr)
            found |= {program: version[0]} if version else {}
    return found


def is_there(program: str) -> bool:
    return bool(shutil.which(program)) and (program != "nginx" or NGINX_STREAM.exists())
