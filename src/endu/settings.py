"""Every knob Endu has: read once, whole and strictly, from ENDU_… variables and from flags."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from endu.logs import Format, Level, Logs
from endu.web.crowd import Reception
from endu.web.proxies import Proxies

PREFIX = "ENDU_"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one running Endu needs to know. `docs/operate.md` has a line for each."""

    data: Path = Path("endu-data")
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8400  # 0: any free one
    connections: Annotated[int, Meta(ge=16, le=100_000)] = Reception().connections
    proxies: tuple[str, ...] = Reception().proxies  # networks, as 10.0.0.0/8
    question_seconds: Annotated[int, Meta(ge=1, le=3600)] = 30
    question_megabytes: Annotated[int, Meta(ge=64)] = 512  # below that, ClickHouse starts nothing
    disk_reserve_megabytes: Annotated[int, Meta(ge=16)] = 2048
    segment_records: Annotated[int, Meta(ge=100, le=10_000_000)] = 200_000
    log_level: Level = "info"
    log_format: Format = "text"

    @property
    def operator_key_file(self) -> Path:
        """Holds the instance's operator key; readable by its owner alone."""
        return self.data / "operator.key"

    @property
    def logs(self) -> Logs:
        return Logs(self.log_level, self.log_format)

    @property
    def address_file(self) -> Path:
        """Where the server that runs on this directory was last reached."""
        return self.data / "address"


# What each setting may be, in the words of the sentence that turns another value down.
MAY_BE = {
    "data": "a directory",
    "host": "a host name or address, such as 127.0.0.1",
    "port": "a whole number from 0 to 65535",
    "connections": "a whole number from 16 to 100000",
    "proxies": "addresses or networks with commas between them, such as 127.0.0.1,10.0.0.0/8",
    "question_seconds": "a whole number from 1 to 3600",
    "question_megabytes": "a whole number from 64",
    "disk_reserve_megabytes": "a whole number from 16",
    "segment_records": "a whole number from 100 to 10000000",
    "log_level": "debug, info, warning or error",
    "log_format": "text or json",
}


class BadSetting(Exception):
    """A setting that Endu does not know or cannot use; its text is one sentence."""


def read_settings(environ: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """ENDU_PORT=9000 sets the port; a flag that is not None wins over it. Raises BadSetting."""
    given: dict[str, Any] = {}
    for variable, text in environ.items():
        if variable.startswith(PREFIX):
            given[_name_of(variable)] = _read(variable, _name_of(variable), text)
    for name, value in flags.items():
        if value is not None:
            given[name] = _read(f"--{name}", name, value)
    return Settings(**given)


def _name_of(variable: str) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name in MAY_BE and variable == PREFIX + name.upper():
        return name
    near = get_close_matches(name, MAY_BE, 1)
    hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else "unset it."
    raise BadSetting(f"{variable} is not a setting of Endu; {hint}")


def _read(said_as: str, name: str, value: Any) -> Any:
    try:
        if name in _READERS:
            return _READERS[name](str(value))
        return msgspec.convert(value, _KINDS[name], strict=False)
    except (msgspec.ValidationError, ValueError) as mistake:
        raise BadSetting(f"{said_as} is {value!r}; it has to be {MAY_BE[name]}.") from mistake


def _path(text: str) -> Path:
    if not text:
        raise ValueError(text)
    return Path(text)


def _networks(text: str) -> tuple[str, ...]:
    networks = tuple(each.strip() for each in text.split(",") if each.strip())
    Proxies(networks)
    return networks


# Of those that are no plain value.
_READERS: dict[str, Callable[[str], Any]] = {"data": _path, "proxies": _networks}

_KINDS: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Settings)}
