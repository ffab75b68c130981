"""Running the server: what may be served where, and what is said at the start."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable

import uvicorn

from api.observe import set_up_logging
from coach.compose import Whetstone
from coach.llm.call import Endpoint, is_loopback


class ServeError(ValueError):
    """The server cannot be started as asked; says why."""


def serve(
    build: Callable[[Endpoint | None], Whetstone], *, host: str, port: int, demo: bool, local_model: bool
) -> None:
    """Serve until stopped.

    Args:
        build: makes the coach, with the chat endpoint given or, for None, the configured one.

    Raises:
        ServeError: demo accounts on an address others can reach, a port in use, no local model.
    """
    if demo and not is_loopback(host):
        raise ServeError(f"--demo is for this machine alone: {host} can be reached by others; use 127.0.0.1")
    listening = _bind(host, port)
    set_up_logging()
    with contextlib.ExitStack() as stack:
        endpoint = _local_endpoint(stack) if local_model else None
        coach = build(endpoint)
        from api.app import create_app

        # What cannot be opened is told now, not to the first learner.
        _ = coach.engine, coach.catalogue
        app = create_app(coach, demo=demo)
        print(banner(coach, host, port, demo), file=sys.stderr, flush=True)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=15
        )
        uvicorn.Server(config).run(sockets=[listening])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # From here on a client that comes early waits instead of being turned away.
        listening.listen(512)
    except OSError as error:
        listening.close()
        raise ServeError(f"cannot listen on {host}:{port}: {error.strerror}; try another --port") from error
    return listening


def _local_endpoint(stack: contextlib.ExitStack) -> Endpoint:
    from coach.llm import local

    there = local.installed()
    if not there:
        raise ServeError("the local model is not installed: run `make model` (1.1 GB) first")
    try:
        server = stack.enter_context(local.serve(local.default_cache() / there[0].file))
    except local.LocalModelError as error:
        raise ServeError(str(error)) from error
    return server.endpoint


def banner(coach: Whetstone, host: str, port: int, demo: bool) -> str:
    """What is at work, and how to get more, for the one who started it."""
    shown = f"[{host}]" if ":" in host else host
    if coach.endpoint:
        voice = f"language model {coach.endpoint.model} (guarded; authored lines where it fails)"
        better = ""
    else:
        voice = "authored lines (no language model)"
        better = (
            "  better voice  make model && make run LLM=local, or set WHETSTONE_LLM_BASE_URL, WHETSTONE_LLM_API_KEY"
            " and WHETSTONE_LLM_MODEL\n"
        )
    accounts = "demo accounts, this machine only" if demo else "whetstone user add NAME makes an account"
    return (
        f"\nWhetstone 砺石  http://{shown}:{port}\n"
        f"  voice         {voice}\n"
        f"  judges        {', '.join(coach.judge_names)}\n"
        f"{better}"
        f"  sign-in       {accounts}\n"
        f"  API           http://{shown}:{port}/api/openapi.json, OpenAI clients: http://{shown}:{port}/v1"
        f"{' with key demo-learner' if demo else ''}\n"
    )
