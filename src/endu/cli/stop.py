"""How a command ends when it cannot go on: one sentence, and an exit code that scripts can read."""

# docs/operate.md has this list too.
FAILED = 1  # refused by the server, or something in the work failed
USAGE = 2  # an option, a setting or a file of the caller is not right
UNREACHABLE = 3  # no server answers at that address
DAMAGED = 4  # verify found damage


class Stop(Exception):
    """The sentence says what happened and what to do."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
