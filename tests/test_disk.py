"""How much has to stay free, and what is said where it does not."""

from pathlib import Path

from endu.stores.ballast import FILES, Ballast, ballast_for
from endu.stores.disk import MORE_TO_OPEN, Reserve, Space, reserve_of, space_of, too_little_to_start

MB, GB = 1 << 20, 1 << 30
LARGE = Space(500 * GB, 1000 * GB, 10**7, 10**8)


def test_the_reserve_is_what_was_set_or_twice_the_largest_part() -> None:
    assert reserve_of(LARGE, 2 * GB, 100 * MB).bytes == 2 * GB
    assert reserve_of(LARGE, 2 * GB, 3 * GB).bytes == 6 * GB


def test_of_a_small_disk_the_reserve_is_a_tenth() -> None:
    small = Space(5 * GB, 10 * GB, 1_000, 10_000)
    assert reserve_of(small, 2 * GB, 9 * GB) == Reserve(GB, 1_000)


def test_what_is_missing_is_said_in_bytes_or_in_inodes() -> None:
    reserve = Reserve(2 * GB, 2_000)
    assert reserve.lacks(LARGE) == ""
    assert "1,024.0 MB are free" in reserve.lacks(Space(GB, 1000 * GB, 10**7, 10**8))
    assert "1,999 inodes are free" in reserve.lacks(Space(500 * GB, 1000 * GB, 1_999, 10**8))
    assert reserve.lacks(Space(500 * GB, 1000 * GB, 0, 0)) == ""  # inodes as they are needed


def test_a_closed_door_opens_only_when_there_is_more_than_the_reserve() -> None:
    reserve, just_enough = Reserve(2 * GB, 0), Space(2 * GB, 1000 * GB, 0, 0)
    assert reserve.lacks(just_enough) == ""
    assert reserve.lacks(just_enough, MORE_TO_OPEN) != ""


def test_the_ballast_takes_space_and_gives_it_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast")
    size = ballast_for(2 * GB)
    before = space_of(tmp_path).bytes_free
    ballast.take(size)
    assert (ballast.bytes, Ballast(tmp_path / "ballast").bytes) == (size, size)
    assert len(list((tmp_path / "ballast").iterdir())) == FILES
    assert space_of(tmp_path).bytes_free < before
    ballast.give_back()
    assert (ballast.bytes, list(tmp_path.iterdir())) == (0, [])


def test_giving_the_ballast_back_never_looks_like_space_that_somebody_made() -> None:
    for reserve_bytes in (0, 5 * MB, GB, 100 * GB):
        assert 2 * ballast_for(reserve_bytes) <= reserve_bytes


def test_nothing_is_begun_on_a_disk_without_room_for_one_batch() -> None:
    assert too_little_to_start(Space(MB, GB, 10_000, 10_000))
    assert too_little_to_start(Space(GB, GB, 10, 10_000))
    assert not too_little_to_start(Space(GB, GB, 0, 0))
