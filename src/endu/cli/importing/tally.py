"""What became of an import's rows: counted, and the refused ones kept in a file of their own."""

from collections import Counter
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from endu.cli.importing.rows import ReadRow
from endu.cli.importing.sending import Batch, Result
from endu.cli.stop import USAGE, Stop

NO_EVENT = "NOT_AN_EVENT"  # a row that the mapping could make nothing of; it was never sent


class Summary(Struct, frozen=True, kw_only=True):
    """`kept` are new, `duplicates` were there before, `refused` are in `refused_file`."""

    file: str
    resumed_at: int
    rows: int
    kept: int
    duplicates: int
    refused: int
    reasons: dict[str, int]
    warnings: dict[str, int]
    refused_file: str | None
    seconds: float


class Tally:
    """Opens the file of refused rows with the first of them; a run that goes on adds to it."""

    def __init__(self, refused_file: Path, resumed_at: int) -> None:
        self.refused_file = refused_file
        self.resumed_at = resumed_at
        self.rows = 0
        self.results: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self._refused: BinaryIO | None = None

    def add(self, batch: Batch, results: list[Result]) -> None:
        self.rows += len(batch.rows)
        answers = iter(results)
        for row in batch.rows:
            if row.event is None:
                self._refuse(row, NO_EVENT, row.fault)
                continue
            result = next(answers)
            self.warnings.update(result.warnings)
            if result.result == "refused":
                self._refuse(row, result.error or "", result.error_text or "")
            else:
                self.results[result.result] += 1

    def __enter__(self) -> "Tally":
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._refused is not None:
            self._refused.close()

    def summary(self, file: Path, seconds: float) -> Summary:
        return Summary(
            file=file.name,
            resumed_at=self.resumed_at,
            rows=self.rows,
            kept=self.results["ok"],
            duplicates=self.results["duplicate"],
            refused=self.results["refused"],
            reasons=dict(self.reasons),
            warnings=dict(self.warnings),
            refused_file=str(self.refused_file) if self.results["refused"] else None,
            seconds=round(seconds, 3),
        )

    def _refuse(self, row: ReadRow, error: str, error_text: str) -> None:
        if self._refused is None:
            self._refused = self._open()
        self.results["refused"] += 1
        self.reasons[error] += 1
        said = {"row": row.number, "error": error, "error_text": error_text}
        said |= {"event": row.event} if row.event is not None else {"text": row.text}
        self._refused.write(msgspec.json.encode(said) + b"\n")

    def _open(self) -> BinaryIO:
        try:
            return self.refused_file.open("ab" if self.resumed_at else "wb")
        except OSError as problem:
            raise Stop(
                f"{self.refused_file} cannot be written: {problem.strerror}; say --refused FILE.",
                USAGE,
            ) from problem


def told(summary: Summary) -> str:
    """For people: every number, and where the refused rows are."""
    speed = summary.rows / summary.seconds if summary.seconds else 0
    lines = [
        f"{summary.rows:,} rows of {summary.file} in {summary.seconds:.1f} s "
        f"({speed:,.0f} a second)",
        f"  {summary.kept:,} kept, {summary.duplicates:,} there already, "
        f"{summary.refused:,} refused",
    ]
    if summary.resumed_at:
        lines.append(f"  went on behind row {summary.resumed_at:,}, where it was interrupted")
    lines += [f"  warning {code}: {count:,}" for code, count in sorted(summary.warnings.items())]
    lines += [f"  refused {code}: {count:,}" for code, count in sorted(summary.reasons.items())]
    if summary.refused_file:
        lines.append(f"The refused rows and their reasons are in {summary.refused_file}")
    return "\n".join(lines)
