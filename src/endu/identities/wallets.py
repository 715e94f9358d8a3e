"""Which wallet addresses are certainly of one form (R1): EVM and Solana ones."""

import re

_EVM = re.compile(r"0[xX][0-9a-fA-F]{40}")
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")

# Chains whose accounts are something else, so that 20 bytes of hexadecimal are not an EVM
# address there. Any other name is taken for an EVM chain: a new one appears every week.
_NOT_EVM = frozenset(
    [
        "solana",
        "sol",
        "bitcoin",
        "btc",
        "litecoin",
        "ltc",
        "dogecoin",
        "doge",
        "bitcoincash",
        "bch",
        "zcash",
        "zec",
        "monero",
        "xmr",
        "dash",
        "aptos",
        "sui",
        "starknet",
        "mina",
        "aleo",
        "cardano",
        "ada",
        "polkadot",
        "dot",
        "kusama",
        "ksm",
        "near",
        "ton",
        "tron",
        "trx",
        "cosmos",
        "cosmoshub",
        "atom",
        "osmosis",
        "ripple",
        "xrp",
        "xrpl",
        "stellar",
        "xlm",
        "algorand",
        "algo",
        "tezos",
        "xtz",
        "hedera",
        "flow",
        "icp",
        "dfinity",
        "eos",
        "wax",
        "icon",
        "icx",
        "zilliqa",
        "zil",
        "nano",
        "kaspa",
        "stacks",
        "stx",
        "multiversx",
        "elrond",
        "egld",
    ]
)
_SOLANA = frozenset({"solana", "sol"})

# 2**248 and 2**256 - 1 in base58, whose digits are in the order of their characters' codes: of
# numbers as long as these, the greater one is the greater text.
_LEAST_OF_32_BYTES = "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM"
_GREATEST_OF_32_BYTES = "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def is_evm(chain_name: str, account: str) -> bool:
    """`chain_name` in lower case, without a reference ("eip155" of "eip155:1")."""
    return _EVM.fullmatch(account) is not None and chain_name not in _NOT_EVM


def is_solana(chain_name: str, account: str) -> bool:
    """`chain_name` as for `is_evm`. An address is base58 for exactly 32 bytes."""
    if chain_name not in _SOLANA or _BASE58.fullmatch(account) is None:
        return False
    if account[0] == "1":
        return _bytes_of_base58(account) == 32
    if len(account) == len(_LEAST_OF_32_BYTES):
        return account >= _LEAST_OF_32_BYTES
    return len(account) == len(_GREATEST_OF_32_BYTES) and account <= _GREATEST_OF_32_BYTES


def _bytes_of_base58(text: str) -> int:
    number = 0
    for character in text:
        number = number * 58 + _ALPHABET.index(character)
    leading_zeros = len(text) - len(text.lstrip("1"))
    return leading_zeros + (number.bit_length() + 7) // 8
