"""`endu up`: everything, until Ctrl-C."""

import shlex
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from endu.announcements import Announce, CannotRun, FirstEvent, Started
from endu.cli.engine import load_engine
from endu.cli.greeting import Say, as_json, first_event, welcome
from endu.cli.operator import AsJson, settings_for, warn
from endu.cli.stop import Stop
from endu.settings import Settings

Data = Annotated[
    Path | None, typer.Option(help="Where everything is kept.", show_default="endu-data")
]
Host = Annotated[str | None, typer.Option(help="Where to listen.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="0 takes any free one.", show_default="8400")]


def up(data: Data = None, host: Host = None, port: Port = None, json: AsJson = False) -> None:
    """Start everything. The first start prints keys, once."""
    settings = settings_for(data, host=host, port=port)
    if not (settings.proxies or is_this_machines_own(settings.host)):
        warn(
            f"others can reach {settings.host}, and Endu speaks no TLS: keys could be read on the "
            "way. Put a proxy in front and name it in ENDU_PROXIES; docs/proxy.md has examples."
        )
    try:
        load_engine().run(settings, _announcer(settings, json))
    except CannotRun as problem:
        raise Stop(str(problem)) from problem


def is_this_machines_own(host: str) -> bool:
    """Whether nobody else reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def sayer(settings: Settings, called_as: str) -> Say:
    """`called_as` is how this `endu` was called: a bare name is found again on the PATH."""
    program = "endu" if "/" not in called_as else shlex.quote(_from_here(Path(called_as)))
    rest = "" if settings.data == Settings().data else f" --data {shlex.quote(str(settings.data))}"
    return lambda command: f"{program} {command}{rest}"


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _announcer(settings: Settings, json: bool) -> Announce:
    say = sayer(settings, sys.argv[0])

    def announce(what: Started | FirstEvent) -> None:
        if isinstance(what, Started):
            settings.address_file.write_text(what.address + "\n")
            now_seconds = int(time.time())
            print(as_json(what) if json else welcome(what, say, now_seconds), flush=True)
        elif not json:
            print("\n" + first_event(what, say), flush=True)

    return announce
