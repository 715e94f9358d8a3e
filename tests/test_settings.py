"""Settings are read whole and strictly: a mistake is never silently a default."""

from pathlib import Path

import pytest

from endu.settings import MAY_BE, BadSetting, Settings, read_settings


def test_without_a_word_everything_has_its_default() -> None:
    assert read_settings({}, {}) == Settings()


def test_the_environment_sets_what_it_names() -> None:
    given = {"ENDU_PORT": "9000", "ENDU_DATA": "/srv/endu", "ENDU_LOG_LEVEL": "debug", "HOME": "/"}
    assert read_settings(given, {}) == Settings(
        port=9000, data=Path("/srv/endu"), log_level="debug"
    )


def test_a_flag_wins_over_the_environment_and_none_is_no_flag() -> None:
    given = {"ENDU_PORT": "9000", "ENDU_HOST": "::1"}
    settings = read_settings(given, {"port": 9001, "host": None, "data": Path("here")})
    assert (settings.port, settings.host, settings.data) == (9001, "::1", Path("here"))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ENDU_PORT", "eight"),
        ("ENDU_PORT", "65536"),
        ("ENDU_PORT", ""),
        ("ENDU_PORT", "8400.5"),
        ("ENDU_DATA", ""),
        ("ENDU_HOST", ""),
        ("ENDU_LOG_LEVEL", "loud"),
        ("ENDU_QUESTION_SECONDS", "0"),
        ("ENDU_CONNECTIONS", "3"),
        ("ENDU_PROXIES", "10.0.0.0/8, my-proxy"),
        ("ENDU_QUESTION_MEGABYTES", "10"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_what_it_may_be(variable: str, text: str) -> None:
    with pytest.raises(BadSetting) as bad:
        read_settings({variable: text}, {})
    assert variable in str(bad.value)
    assert MAY_BE[variable.removeprefix("ENDU_").lower()] in str(bad.value)


def test_proxies_are_addresses_and_networks_with_commas_between_them() -> None:
    assert read_settings({"ENDU_PROXIES": ""}, {}).proxies == ()
    settings = read_settings({"ENDU_PROXIES": "127.0.0.1, 2001:db8::/32"}, {})
    assert settings.proxies == ("127.0.0.1", "2001:db8::/32")


def test_a_misspelt_name_is_an_error_that_says_the_right_one() -> None:
    with pytest.raises(BadSetting, match="did you mean ENDU_PORT"):
        read_settings({"ENDU_PROT": "9000"}, {})
    with pytest.raises(BadSetting, match="ENDU_Port"):
        read_settings({"ENDU_Port": "9000"}, {})
    with pytest.raises(BadSetting, match="not a setting of Endu; unset it"):
        read_settings({"ENDU_QQQQ": "1"}, {})


def test_a_flag_that_cannot_be_is_named_as_a_flag() -> None:
    with pytest.raises(BadSetting, match="--port is 70000"):
        read_settings({}, {"port": 70000})


def test_every_setting_has_its_sentence() -> None:
    assert set(MAY_BE) == set(Settings.__struct_fields__)
