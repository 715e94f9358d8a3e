"""Identifiers are brought to one form (R1), and placeholders identify nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endu.identities.identifier import (
    LENGTH,
    Kind,
    NotAnIdentifier,
    c_user_id,
    fingerprint,
    kind_of,
    parse_identifier,
    platform_named,
    platform_user,
    value_of,
    wallet,
)

ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
SOLANA = "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"

PLACEHOLDERS = [
    *("null", "NULL", "none", "None", "undefined", "nan", "NaN", "nil", "N/A"),
    *("anonymous", "Anonymous", "guest", "unknown", "true", "TRUE", "false"),
    *("0", "-1", "0000000000", "00000000-0000-0000-0000-000000000000"),
    *("", "   ", '"', '"null"', "'undefined'", ' "none" '),
    *("[object Object]", "[OBJECT object]"),
]


@pytest.mark.parametrize("name", ["Discord", "discord", "DISCORD", " Discord "])
def test_a_platform_goes_by_its_name_in_any_casing(name: str) -> None:
    assert platform_named(name) is Kind.DISCORD


def test_an_unknown_platform_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotAnIdentifier, match="Discord, Telegram"):
        platform_named("Slack")


@pytest.mark.parametrize("user_id", ["702877938567086080", 702877938567086080])
def test_an_integer_is_taken_exactly(user_id: str | int) -> None:
    assert platform_user(Kind.DISCORD, user_id) == "discord:702877938567086080"


@pytest.mark.parametrize("user_id", ["@ada", "12a", "1.5", "-100123", "١٢٣", "1" * 201])
def test_a_platform_user_is_a_decimal_number(user_id: str) -> None:
    with pytest.raises(NotAnIdentifier):
        platform_user(Kind.TELEGRAM, user_id)


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_identifies_nobody(value: str) -> None:
    assert platform_user(Kind.DISCORD, value) is None
    assert fingerprint(value) is None
    assert c_user_id(value) is None
    assert wallet("ethereum", value) == (None, True)


@pytest.mark.parametrize("number", ["1", "9" * 20, 59078598125872925])
def test_a_number_has_one_to_twenty_digits(number: str | int) -> None:
    assert c_user_id(number) == f"c_user_id:{number}"


@pytest.mark.parametrize("number", ["9" * 21, "x1", "1e5", "-7"])
def test_anything_else_is_no_number(number: str) -> None:
    with pytest.raises(NotAnIdentifier):
        c_user_id(number)


@pytest.mark.parametrize("chain", ["Ethereum", "polygon", "base", "eip155:1", "eip155"])
def test_one_address_on_all_evm_chains_is_one_identifier(chain: str) -> None:
    assert wallet(chain, ADDRESS) == (f"wallet:eip155:{ADDRESS.lower()}", True)


def test_a_solana_address_keeps_its_case() -> None:
    assert wallet("Solana", SOLANA) == (f"wallet:solana:{SOLANA}", True)


@pytest.mark.parametrize(
    ("chain", "account", "identifier"),
    [
        ("solana", "0x0", "wallet:solana:0x0"),
        ("Solana", ADDRESS, f"wallet:solana:{ADDRESS}"),
        ("solana", SOLANA + "4", f"wallet:solana:{SOLANA}4"),
        ("solana", "z" * 44, "wallet:solana:" + "z" * 44),  # 33 bytes
        ("solana", "1" + SOLANA, f"wallet:solana:1{SOLANA}"),
        ("TON", "0:83df", "wallet:ton:0:83df"),
        ("cosmos:cosmoshub-4", "cosmos1x", "wallet:cosmos-cosmoshub-4:cosmos1x"),
        ("ethereum", "ada.eth", "wallet:ethereum:ada.eth"),
    ],
)
def test_an_account_of_no_certain_form_is_kept_under_its_chain(
    chain: str, account: str, identifier: str
) -> None:
    assert wallet(chain, account) == (identifier, False)


@pytest.mark.parametrize(
    ("chain", "account"),
    [
        ("ethereum", "0x" + "0" * 40),
        ("ethereum", "0x000000000000000000000000000000000000dEaD"),
        ("ethereum", "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"),
        ("base", "0x0000000000000000000000000000000000000001"),
        ("solana", "1" * 32),
        ("solana", "1nc1nerator11111111111111111111111111111111"),
        ("aptos", "0x" + "0" * 64),
    ],
)
def test_an_address_that_nobody_holds_identifies_nobody(chain: str, account: str) -> None:
    assert wallet(chain, account) == (None, True)


def test_two_chains_never_share_an_account_by_where_a_colon_stands() -> None:
    assert wallet("a:b", "c") != wallet("a", "b:c")


@pytest.mark.parametrize("value", ["x" * (LENGTH + 1), "a\x00b", "a\u200bb", "a\nb"])
def test_what_is_too_long_or_invisible_is_refused_never_cut(value: str) -> None:
    with pytest.raises(NotAnIdentifier):
        fingerprint(value)
    with pytest.raises(NotAnIdentifier):
        wallet("bitcoin", value)


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("discord:1", "discord:1"),
        ("Discord:1", "discord:1"),
        (f"wallet:ethereum:{ADDRESS}", f"wallet:eip155:{ADDRESS.lower()}"),
        (f"wallet:eip155:1:{ADDRESS}", f"wallet:eip155:{ADDRESS.lower()}"),
        (f"wallet:{ADDRESS}", f"wallet:eip155:{ADDRESS.lower()}"),
        (f"wallet:solana:{SOLANA}", f"wallet:solana:{SOLANA}"),
        ("wallet:solana:0x0", "wallet:solana:0x0"),
        ("c_user_id:12", "c_user_id:12"),
        ("fingerprint:a:b", "fingerprint:a:b"),
    ],
)
def test_what_operators_write_is_normalised_as_events_are(written: str, identifier: str) -> None:
    assert parse_identifier(written) == identifier


@pytest.mark.parametrize("written", ["", "discord", "slack:1", "discord:null", "wallet:0x0"])
def test_what_operators_write_wrongly_is_refused(written: str) -> None:
    with pytest.raises(NotAnIdentifier):
        parse_identifier(written)


@settings(deadline=None)
@given(chain=st.text(max_size=30), account=st.text(max_size=60))
def test_a_normalised_wallet_is_normal(chain: str, account: str) -> None:
    try:
        identifier, _ = wallet(chain, account)
    except NotAnIdentifier:
        return
    if identifier is not None:
        assert parse_identifier(identifier) == identifier
        assert kind_of(identifier) is Kind.WALLET


@settings(deadline=None)
@given(value=st.text(max_size=60))
def test_a_normalised_fingerprint_is_normal(value: str) -> None:
    try:
        identifier = fingerprint(value)
    except NotAnIdentifier:
        return
    if identifier is not None:
        assert fingerprint(value_of(identifier)) == identifier
