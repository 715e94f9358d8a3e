"""`endu identities …`: who is who, why, and how to change it."""

from itertools import islice
from typing import Annotated, Any

import typer

from endu.cli.operator import Operator, for_operator
from endu.cli.stop import USAGE, Stop
from endu.cli.tables import facts, table

# Of each identifier, to people: a line of a terminal. JSON has everything.
SHOWN = ("kind", "value", "c_user_id", "proof", "standing", "events")

app = typer.Typer(help="Who is who, why, and how to change it.", no_args_is_help=True)

Who = Annotated[
    str,
    typer.Argument(
        help="A c_user_id, or an identifier: discord:702877938567086080, telegram:…, "
        "wallet:ethereum:0x…, fingerprint:…"
    ),
]
Why = Annotated[str, typer.Option("--reason", help="Kept with the rule.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say which identities and events would move.")
]


@app.command("show")
@for_operator
def show(operator: Operator, who: Who) -> None:
    """A person: every identifier, how well it is proved, first and last seen."""
    identity = find(operator, who)
    known = [{name: each[name] for name in SHOWN} for each in identity["identifiers"]]
    operator.show(identity, facts({**identity, "identifiers": known}))


@app.command("timeline")
@for_operator
def timeline(
    operator: Operator,
    who: Who,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50,
) -> None:
    """A person's events, newest first, and which identifier put each one here."""
    number = find(operator, who)["c_user_id"]
    pages = operator.pages(f"/identities/{number}/timeline", {"fresh": True})
    items = list(islice(pages, limit))
    columns = ["timestamp", "event_type", "property_id", "because", "event_data"]
    operator.show(items, table(items, columns))


@app.command("explain")
@for_operator
def explain(operator: Operator, a: Who, b: Who) -> None:
    """Why two identifiers are one person, or why they are not."""
    body = {"a": a, "b": b}
    answer = operator.ask("POST", "/identities/explain", body=body, params={"fresh": True})
    operator.show(answer, facts(answer))


@app.command("link")
@for_operator
def link(operator: Operator, a: Who, b: Who, reason: Why, dry_run: DryRun = False) -> None:
    """Say that two identifiers are one person (an always-link rule)."""
    make_rule(operator, {"rule": "always-link", "a": a, "b": b}, reason, dry_run)


@app.command("unlink")
@for_operator
def unlink(operator: Operator, a: Who, b: Who, reason: Why, dry_run: DryRun = False) -> None:
    """Say that two identifiers are different people (a never-link rule)."""
    make_rule(operator, {"rule": "never-link", "a": a, "b": b}, reason, dry_run)


@app.command("undo")
@for_operator
def undo(
    operator: Operator,
    rule_id: Annotated[str | None, typer.Argument(help="Without it: the rules that stand.")] = None,
) -> None:
    """Take a rule back: the state before it comes back, for past events too."""
    if rule_id is None:
        rules = [rule for rule in operator.pages("/rules") if rule["taken_back_at"] is None]
        operator.show(rules, table(rules, ["rule_id", "rule", "identifiers", "reason", "made_at"]))
        return
    answer = operator.ask("DELETE", f"/rules/{rule_id}")
    operator.show(answer, facts(answer))


@app.command("erase")
@for_operator
def erase(
    operator: Operator,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")] = False,
) -> None:
    """Erase a person, in the log as well. It cannot be taken back; `endu export` first."""
    number = find(operator, who)["c_user_id"]
    if not yes and not typer.confirm(f"Erase {number} and everything that they did?", err=True):
        raise Stop("Nothing was erased.")
    receipt = operator.ask("DELETE", f"/identities/{number}")
    operator.show(receipt, facts(receipt))


def find(operator: Operator, who: str) -> dict[str, Any]:
    """As it stands once everything acknowledged has settled. Raises Stop."""
    if who.isdecimal():
        return dict(operator.ask("GET", f"/identities/{who}", params={"fresh": True}))
    return dict(operator.ask("GET", "/identities", params={**question(who), "fresh": True}))


def question(who: str) -> dict[str, str]:
    """From "wallet:ethereum:0x1" to what the server is asked: wallet=0x1, chain_type=ethereum."""
    kind, _, value = who.partition(":")
    if kind == "wallet":
        chain, _, account = value.partition(":")
        if chain and account:
            return {"wallet": account, "chain_type": chain}
    elif kind in ("discord", "telegram", "fingerprint") and value:
        return {kind: value}
    raise Stop(
        f"{who} is no identifier; say a c_user_id, discord:…, telegram:…, wallet:CHAIN:ACCOUNT "
        "or fingerprint:….",
        USAGE,
    )


def make_rule(operator: Operator, rule: dict[str, Any], reason: str, dry_run: bool) -> None:
    answer = operator.ask("POST", "/rules", body={**rule, "reason": reason, "dry_run": dry_run})
    operator.show(answer, facts(answer))
