"""`endu import FILE`: a file of events into the running server; twice changes nothing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from endu.cli.event_types import registration
from endu.cli.importing.mapping import Mapping, read_mapping
from endu.cli.importing.mark import Mark, mark_file, read_mark, write_mark
from endu.cli.importing.rows import Content, ReadRow, content_of, rows_of
from endu.cli.importing.sending import (
    STOPPED,
    Batch,
    Result,
    Sender,
    batches_of,
    import_key,
    largest_batch,
    send_all,
)
from endu.cli.importing.tally import Summary, Tally, told
from endu.cli.operator import Operator, for_operator
from endu.cli.stop import Stop
from endu.cli.upkeep import bars

File = Annotated[
    Path, typer.Argument(help="NDJSON of events, or with --mapping a table; also packed as .gz.")
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML: which column means what.")
]
RegisterTypes = Annotated[
    bool, typer.Option("--register-types", help="Register event types that are not known yet.")
]
RefusedFile = Annotated[
    Path | None,
    typer.Option("--refused", help="Where to write refused rows.",
                 show_default="FILE.refused.ndjson here"),
]  # fmt: skip


@for_operator
def import_(
    operator: Operator,
    file: File,
    mapping: MappingFile = None,
    register_types: RegisterTypes = False,
    refused: RefusedFile = None,
) -> None:
    """Bring a file of events in. The same file twice changes nothing."""
    form = read_mapping(mapping) if mapping else None
    content = content_of(file)
    work = Import(operator, file, form, content)
    with Tally(refused or Path(f"{file.name}.refused.ndjson"), work.resumed_at) as tally:
        summary = work.run(tally, register_types)
    if operator.as_json:
        print(msgspec.json.encode(summary).decode())
    else:
        print(told(summary))
    if summary.refused:
        raise Stop(f"{summary.refused:,} of {summary.rows:,} rows were refused.")


class Import:
    """One run over one file."""

    def __init__(
        self, operator: Operator, file: Path, mapping: Mapping | None, content: Content
    ) -> None:
        self._operator = operator
        self._file = file
        self._mapping = mapping
        self._content = content
        self._mark_file = mark_file(
            operator.settings.data / "imports", operator.organization_id, content.digest, mapping
        )
        self.resumed_at = read_mark(self._mark_file).rows

    def run(self, tally: Tally, register_types: bool) -> Summary:
        began = time.monotonic()
        with import_key(self._operator, f"import of {self._file.name}") as key, bars() as progress:
            sender = Sender(self._operator.client, key)

            def answered(batch: Batch, results: list[Result]) -> None:
                tally.add(batch, results)
                write_mark(self._mark_file, Mark(batch.last))
                progress(self._file.name, batch.last, max(self._content.lines, batch.last))

            batches = batches_of(self._ready(register_types), largest_batch(self._operator))
            try:
                send_all(batches, sender, answered)
            except KeyboardInterrupt as interrupt:
                raise Stop(STOPPED) from interrupt
        self._mark_file.unlink(missing_ok=True)
        return tally.summary(self._file, time.monotonic() - began)

    def _ready(self, register_types: bool) -> Iterator[ReadRow]:
        """The rows behind the mark, each with its organization and of a type that is known."""
        known = {each["event_type"] for each in self._operator.pages("/event-types")}
        for row in rows_of(self._file, self._mapping, self._content.digest):
            if row.number <= self.resumed_at:
                continue
            if row.event is not None:
                row.event.setdefault("organization_id", self._operator.organization_id)
                name = row.event.get("event_type")
                if isinstance(name, str) and name not in known:
                    self._register(row.number, name, register_types)
                    known.add(name)
            yield row

    def _register(self, number: int, name: str, register_types: bool) -> None:
        if not register_types:
            raise Stop(
                f"Row {number} is of the event type {name}, which is not registered: say "
                f"--register-types, or `endu event-types create {name}`."
            )
        self._operator.ask(
            "POST", "/events/create/eventid", body=registration(name, None, {}, False)
        )
