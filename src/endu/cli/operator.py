"""The operator at the command line: how a command reaches the running server and answers.

`for_operator` gives a command the options that all of them share, and hands it an Operator.
"""

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import httpx
import msgspec
import typer
from rich.console import Console, RenderableType

from endu.cli.stop import FAILED, UNREACHABLE, USAGE, Stop
from endu.settings import BadSetting, Settings, read_settings

P = ParamSpec("P")

ANSWER_WITHIN_SECONDS = 60  # a fresh=true question may take 10, a dry run over a long history more
PAGE = 1_000  # the most that the server gives at once

Data = Annotated[
    Path | None, typer.Option(help="The server's data directory.", show_default="endu-data")
]
InOrganization = Annotated[
    str | None,
    typer.Option(
        "--organization", help="Its id or name.", show_default="the only one, or 'default'"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Operator:
    """One command's connection. Refusals and silence of the server become a Stop."""

    def __init__(self, settings: Settings, organization: str | None, as_json: bool) -> None:
        self.settings = settings
        self.as_json = as_json
        self.console = Console()
        self._said_organization = organization
        self._organization_id: str | None = None
        self.client = httpx.Client(
            base_url=address_of(settings),
            headers={"Authorization": f"Bearer {operator_key(settings)}"},
            timeout=ANSWER_WITHIN_SECONDS,
            trust_env=False,  # a proxy is not between an operator and this machine
        )

    @property
    def organization_id(self) -> str:
        """The one that was asked for by id or name, else the only one or "default"."""
        if self._organization_id is None:
            everyone = list(self.pages("/organizations", for_organization=False))
            self._organization_id = _pick(everyone, self._said_organization)
        return self._organization_id

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: dict[str, Any] | None = None,
        for_organization: bool = True,
    ) -> Any:
        """The `data` of the answer."""
        return envelope_of(self.send(method, path, body, params, for_organization)).get("data")

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: dict[str, Any] | None = None,
        for_organization: bool = True,
    ) -> httpx.Response:
        """The answer as it is, once it is a 200; raises Stop otherwise."""
        headers = {"Endu-Organization": self.organization_id} if for_organization else {}
        try:
            answer = self.client.request(method, path, json=body, params=params, headers=headers)
        except httpx.TransportError as problem:
            raise unreachable(self.settings) from problem
        if answer.is_success:
            return answer
        raise Stop(sentence_of(answer), FAILED)

    def lines(self, path: str, params: dict[str, Any]) -> Iterator[str]:
        """An answer of NDJSON, a line after the other; raises Stop where it breaks off."""
        headers = {"Endu-Organization": self.organization_id}
        try:
            with self.client.stream("GET", path, params=params, headers=headers) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Stop(sentence_of(answer), FAILED)
                yield from answer.iter_lines()
        except httpx.TransportError as problem:
            raise unreachable(self.settings) from problem

    def pages(
        self, path: str, params: dict[str, Any] | None = None, *, for_organization: bool = True
    ) -> Iterator[Any]:
        """Every item of a list, page after page."""
        asked = {"limit": PAGE, **(params or {})}
        while True:
            page = self.ask("GET", path, params=asked, for_organization=for_organization)
            yield from page["items"]
            if page.get("next") is None:
                return
            asked["cursor"] = page["next"]

    def show(self, answer: Any, drawn: RenderableType) -> None:
        """The answer as JSON where that was asked for, else as it was drawn for people."""
        if self.as_json:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            self.console.print(drawn)


def for_operator(command: Callable[Concatenate[Operator, P], None]) -> Callable[..., None]:
    """Puts --data, --organization and --json beside the command's own options."""

    @wraps(command)
    def with_options(
        *args: Any, data: Path | None, organization: str | None, as_json: bool, **own: Any
    ) -> None:
        operator = Operator(settings_for(data), organization, as_json)
        with operator.client:
            command(operator, *args, **own)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        _option("data", Data, None),
        _option("organization", InOrganization, None),
        _option("as_json", AsJson, False),
    ]
    every = [*own, *shared]
    with_options.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
    return with_options


def settings_for(data: Path | None, **flags: Any) -> Settings:
    try:
        return read_settings(os.environ, {"data": data, **flags})
    except BadSetting as mistake:
        raise Stop(str(mistake), USAGE) from mistake


def address_of(settings: Settings) -> str:
    """Where the server on this directory said that it is, else where it would be."""
    if settings.address_file.exists():
        return settings.address_file.read_text().strip()
    return f"http://{settings.host}:{settings.port}"


def operator_key(settings: Settings) -> str:
    try:
        return settings.operator_key_file.read_text().strip()
    except FileNotFoundError as missing:
        raise Stop(
            f"There is no {settings.operator_key_file}; say --data with the directory that "
            "`endu up` was started on.",
            USAGE,
        ) from missing
    except OSError as problem:
        raise Stop(f"{settings.operator_key_file}: {problem.strerror}.", USAGE) from problem


def unreachable(settings: Settings) -> Stop:
    return Stop(
        f"No server answers at {address_of(settings)}; start it with "
        f"`endu up --data {settings.data}`.",
        UNREACHABLE,
    )


def envelope_of(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object, {} where it is empty or something else."""
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def sentence_of(answer: httpx.Response) -> str:
    """What a refusal says, with its code and every problem it names."""
    said = envelope_of(answer)
    if not said:
        return f"The server answered {answer.status_code} to {answer.request.url.path}."
    problems = (said.get("data") or {}).get("problems") or []
    named = "".join(f"\n  {each['path']}: {each['message']}" for each in problems)
    return f"{said.get('error')}: {said.get('error_text')}{named}"


def warn(sentence: str) -> None:
    print(f"endu: {sentence}", file=sys.stderr)


def _option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _pick(everyone: list[dict[str, Any]], said: str | None) -> str:
    if said is None:
        named = everyone if len(everyone) == 1 else [o for o in everyone if o["name"] == "default"]
    else:
        named = [o for o in everyone if said in (o["organization_id"], o["name"])]
    if len(named) == 1:
        return str(named[0]["organization_id"])
    names = ", ".join(f"{o['name']} ({o['organization_id']})" for o in everyone)
    raise Stop(f"Say --organization with the id of one of these: {names}.", USAGE)
