"""Whose address a request comes from, where proxies stand before Endu.

What X-Forwarded-For says is believed only of a connection that one of the named proxies made,
and only as far as the next address that is none of them: the rest anyone could have written.
"""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

NETWORK_BITS = 64  # of IPv6: what one subscriber has, or less


class Proxies:
    """`networks` as 10.0.0.0/8 or ::1; raises ValueError where one is none."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = [ip_network(each) for each in networks]

    def address(self, peer: str, forwarded: str) -> str:
        """The sender's; of IPv6 its network, since one machine has 2**64 addresses."""
        address = peer
        hops = forwarded.split(",") if forwarded else []
        while hops and self._is_proxy(address):
            address = hops.pop().strip()
        found = _parsed(address)
        if isinstance(found, IPv6Address):
            return str(IPv6Network((found, NETWORK_BITS), strict=False))
        return str(found)

    def _is_proxy(self, address: str) -> bool:
        found = _parsed(address)
        return found is not None and any(found in network for network in self._networks)


def forwarded_for(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(b"x-forwarded-for", b"").decode("latin-1")


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """None of what is no address: whoever writes that shares one bucket with all who do."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
