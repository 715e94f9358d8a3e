"""The people behind a number over HTTP: how many they are, and a page of them."""

from msgspec import Struct

from endu.journeys.people import PeoplePage, PersonShown
from endu.web.lists import Cursor, Limit, read_cursor, write_cursor


class PeopleQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of them."""

    limit: Limit = 100
    cursor: Cursor = None

    @property
    def after(self) -> int:
        """Where the page begins. Raises Refusal."""
        (place,) = read_cursor(self.cursor, (0,))
        return place


class PeopleShown(Struct, frozen=True):
    """`total` is the number that was asked about. `next` is the cursor of the page behind this
    one, null at the end."""

    total: int
    items: list[PersonShown]
    next: str | None


def shown(page: PeoplePage) -> PeopleShown:
    cursor = None if page.next is None else write_cursor(page.next)
    return PeopleShown(page.total, page.people, cursor)
