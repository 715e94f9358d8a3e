"""Values that stand where an identifier should be, and name nobody (R1).

They come from code that printed a missing value, from defaults, and from addresses that nobody
holds the key of. Each of them would join all the strangers who carry it.
"""

# What the languages of the web print for "nothing", then what people write for it, then names of
# fields that a template did not fill in. Compared without casing, quotes and outer space.
_WORDS = frozenset(
    [
        "null",
        "nil",
        "none",
        "undefined",
        "nan",
        "void",
        "nul",
        "inf",
        "infinity",
        "-infinity",
        "true",
        "false",
        "object",
        "{}",
        "[]",
        "()",
        "(null)",
        "<null>",
        "(nil)",
        "<nil>",
        "(none)",
        "<none>",
        "(undefined)",
        "<undefined>",
        "(empty)",
        "<empty>",
        "n/a",
        "na",
        ".",
        "?",
        "anonymous",
        "anon",
        "anonymous_user",
        "guest",
        "guest_user",
        "unknown",
        "unknown_user",
        "nobody",
        "no_one",
        "noone",
        "not_authenticated",
        "unauthenticated",
        "default",
        "empty",
        "missing",
        "-1",
        "id",
        "distinct_id",
        "distinctid",
        "user_id",
        "userid",
        "p_user_id",
        "c_user_id",
        "platform_type",
        "chain_type",
        "chain_account",
        "fingerprint",
        "wallet",
        "wallet_address",
        "address",
        "account",
        "visitor_id",
        "visitorid",
    ]
) | {
    "[object object]",
    "[object undefined]",
    "[object null]",
    "[object promise]",
    "(not set)",
    "not set",
}

_AROUND = " \t\r\n\"'`“”‘’"

# Addresses below this one are zero, precompiled contracts and 0x…dead: nobody's.
_EVM_LOW = "0x" + "0" * 36
_EVM_DEAD = frozenset(
    {
        "0xdead000000000000000042069420694206942069",
        "0xdeaddeaddeaddeaddeaddeaddeaddeaddeaddead",
        "0xdead000000000000000000000000000000000000",
    }
)

# Programs, mints and sysvars that every Solana transaction may name; case counts here.
_SOLANA = frozenset(
    [
        "11111111111111111111111111111111",
        "1nc1nerator11111111111111111111111111111111",
        "So11111111111111111111111111111111111111112",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
        "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
        "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
        "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s",
        "ComputeBudget111111111111111111111111111111",
        "BPFLoaderUpgradeab1e11111111111111111111111",
        "BPFLoader2111111111111111111111111111111111",
        "NativeLoader1111111111111111111111111111111",
        "Stake11111111111111111111111111111111111111",
        "StakeConfig11111111111111111111111111111111",
        "Vote111111111111111111111111111111111111111",
        "Config1111111111111111111111111111111111111",
        "AddressLookupTab1e1111111111111111111111111",
        "Ed25519SigVerify111111111111111111111111111",
        "KeccakSecp256k11111111111111111111111111111",
        "SysvarC1ock11111111111111111111111111111111",
        "SysvarRent111111111111111111111111111111111",
        "SysvarRecentB1ockHashes11111111111111111111",
        "SysvarStakeHistory1111111111111111111111111",
        "Sysvar1nstructions1111111111111111111111111",
    ]
)


def is_placeholder(text: str) -> bool:
    bare = text.strip(_AROUND).lower()
    return bare in _WORDS or not bare.strip("0-") or _is_hex_zero(bare)


def is_nobodys_evm_address(address: str) -> bool:
    """`address` in lower case."""
    digits = address[2:]
    return address.startswith(_EVM_LOW) or address in _EVM_DEAD or not digits.strip(digits[0])


def is_nobodys_solana_address(address: str) -> bool:
    return address in _SOLANA


def _is_hex_zero(bare: str) -> bool:
    """Zero as wide as an address. The published example's `0x0` is not one: it is kept (R1)."""
    return bare.startswith("0x00") and len(bare) >= 42 and not bare[2:].strip("0")
