"""`endu limits`: what an organization may do, as callers with its keys see it."""

from endu.cli.operator import Operator, for_operator
from endu.cli.tables import facts


@for_operator
def limits(operator: Operator) -> None:
    """The limits that hold for an organization."""
    answer = operator.ask("GET", "/limits")
    operator.show(answer, facts(answer))
