"""The command ``serve``."""

import argparse
import secrets
import sys

from livingdrug.cli.arguments import DONE, Parser, folder, positive

TOKEN = "LIVINGDRUG_TOKEN"
MOST_PORT = 65535


def _port(text: str) -> int:
    number = positive(text)
    if number > MOST_PORT:
        raise argparse.ArgumentTypeError(f"must be a port up to {MOST_PORT}, but was {text!r}")
    return number


def add_serve(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command."""
    serve = commands.add_parser("serve", help="a web page and a programming interface on this machine")
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to answer on (default 127.0.0.1: this machine only)"
    )
    serve.add_argument("--port", type=_port, default=8000, metavar="N", help="default 8000")
    serve.add_argument("--data", type=folder, default=None, metavar="DIR", help="default livingdrug-data")
    serve.add_argument("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DB")
    serve.set_defaults(run=run_serve)


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until stopped."""
    import importlib.util
    import os
    from pathlib import Path

    from livingdrug.core.errors import InputError

    missing = [name for name in ("fastapi", "uvicorn", "python_multipart") if not importlib.util.find_spec(name)]
    if missing:
        raise InputError(
            f"`serve` needs the web extra, but {', '.join(missing)} is missing. Hint: pip install 'livingdrug[web]'."
        )
    import uvicorn

    from livingdrug.web.application import create_application
    from livingdrug.web.settings import DATABASE, Settings, is_loopback, locate_database

    data = (arguments.data or Path("livingdrug-data")).absolute()
    token = os.environ.get(TOKEN, "")
    if not token and not is_loopback(arguments.host):
        token = secrets.token_urlsafe(24)
        print(f"Log in with the token {token} (set {TOKEN} to choose it yourself).", file=sys.stderr)
    settings = Settings(
        data, locate_database(data, arguments.database or os.environ.get(DATABASE)), arguments.host, token
    )
    shown = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    print(f"http://{shown}:{arguments.port} - data in {data}. Stop with Ctrl-C.", file=sys.stderr, flush=True)
    uvicorn.run(
        create_application(settings),
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=15,
    )
    return DONE
