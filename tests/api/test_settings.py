"""Settings: what may be set, what is said when it is wrong, and that the documents tell the truth."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from api import settings
from persistence.startup import StartupError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without a `.env`, and an environment without settings."""
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(name: str) -> str:
    """The default of a setting as the documents write it."""
    default = settings.Settings.model_fields[name].default
    return "" if default is None else str(default)


def test_the_table_names_every_setting_with_its_default_and_bounds() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (?:`(.*?)`)? ?\| (.*?) \| .+ \|$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    fields = settings.Settings.model_fields
    assert rows == [(name.upper(), shown(name), field.description) for name, field in fields.items()]


def test_the_example_names_every_setting_with_its_default() -> None:
    lines = re.findall(r"^# (\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert lines == [(name.upper(), shown(name)) for name in settings.Settings.model_fields]


def test_the_environment_goes_before_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / ".env").write_text("PORT=9001\nENGINE_BATCH_MAX=7\nUNKNOWN=ignored\n")
    monkeypatch.setenv("PORT", "9002")
    loaded = settings.load()
    assert (loaded.port, loaded.engine_batch_max) == (9002, 7)


def test_empty_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("DATABASE_URL", "")
    loaded = settings.load()
    assert (loaded.port, loaded.database_url) == (8000, None)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "PORT must be a whole number from 0 to 65535; it is 'abc'."),
        ("PORT", "65536", "PORT must be a whole number from 0 to 65535; it is '65536'."),
        ("ENGINE_BATCH_MAX", "0", "ENGINE_BATCH_MAX must be a whole number from 1 to 4096; it is '0'."),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be debug, info, warning or error; it is 'loud'."),
        (
            "DATABASE_URL",
            "mysql://root:hunter2@localhost/shop",
            "DATABASE_URL must be a URL that begins with postgresql:// or postgres://; "
            "what it holds is not (it is not shown, for it may be secret).",
        ),
        (
            "REDIS_URL",
            "localhost:6379",
            "REDIS_URL must be a URL that begins with redis:// or rediss:// or unix://; "
            "what it holds is not (it is not shown, for it may be secret).",
        ),
        (
            "SECRET_KEY",
            "hunter2",
            "SECRET_KEY must be at least 32 random characters; "
            "what it holds is not (it is not shown, for it may be secret).",
        ),
    ],
)
def test_a_wrong_value_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.InvalidSettings) as caught:
        settings.load()
    assert str(caught.value) == sentence
    assert caught.value.exit_status == 2


def test_two_wrong_values_are_two_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "-1")
    monkeypatch.setenv("QUERY_DEPTH_MAX", "deep")
    with pytest.raises(settings.InvalidSettings) as caught:
        settings.load()
    assert str(caught.value).splitlines() == [
        "PORT must be a whole number from 0 to 65535; it is '-1'.",
        "QUERY_DEPTH_MAX must be a whole number from 1 to 100; it is 'deep'.",
    ]


def test_a_file_that_is_no_text_is_one_sentence(elsewhere: Path) -> None:
    (elsewhere / ".env").write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(settings.InvalidSettings, match=r"^The file \.env cannot be read: "):
        settings.load()


def test_settings_do_not_change_and_do_not_show_secrets() -> None:
    loaded = settings.load(database_url="postgresql://li:hunter2@localhost/shop", secret_key="k" * 32)
    assert settings.revealed(loaded.database_url) == "postgresql://li:hunter2@localhost/shop"
    assert "hunter2" not in repr(loaded)
    assert "k" * 32 not in repr(loaded)
    with pytest.raises(ValidationError, match="frozen"):
        loaded.port = 1


def test_a_given_key_signs(elsewhere: Path) -> None:
    given = settings.Settings(data_dir=elsewhere, secret_key=SecretStr("k" * 32))
    assert settings.signing_key(given) == "k" * 32
    assert list(elsewhere.iterdir()) == []


def test_a_key_is_made_once_and_kept_for_its_owner_alone(elsewhere: Path) -> None:
    unset = settings.Settings(data_dir=elsewhere / "data")
    key = settings.signing_key(unset)
    assert len(key) >= 32
    assert settings.signing_key(unset) == key
    assert [path.name for path in (elsewhere / "data").iterdir()] == ["secret_key"]
    assert (elsewhere / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_kept_key_that_was_cut_short_is_refused(elsewhere: Path) -> None:
    (elsewhere / "secret_key").write_text("short\n")
    with pytest.raises(StartupError, match="is too short"):
        settings.signing_key(settings.Settings(data_dir=elsewhere))
