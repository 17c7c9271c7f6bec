"""What an operator may set, from the environment or a file `.env`; the table for readers is `docs/settings.md`."""

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from persistence.startup import StartupError

_SECRET: Final = frozenset({"secret_key", "database_url", "redis_url"})
_SECRET_KEY_LENGTH_MIN: Final = 32


class InvalidSettings(StartupError):
    """Settings are outside their bounds: one sentence each, with the name, what is wrong and what would be right."""

    exit_status = 2


def _number(default: int, minimum: int, maximum: int) -> Any:
    return Field(default, ge=minimum, le=maximum, description=f"a whole number from {minimum} to {maximum}")


def _url(*schemes: str) -> Any:
    return Field(None, description=f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")


class Settings(BaseSettings):
    """Every setting; its name in the environment is the field's in capitals, and empty means not set."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    host: str = Field(default="127.0.0.1", max_length=255, description="an address or a name of this machine")
    # 0 takes any free port.
    port: int = _number(8000, 0, 65535)
    database_url: SecretStr | None = _url("postgresql", "postgres")
    redis_url: SecretStr | None = _url("redis", "rediss", "unix")
    data_dir: Path = Field(default=Path(".data"), description="a directory")
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=_SECRET_KEY_LENGTH_MIN,
        description=f"at least {_SECRET_KEY_LENGTH_MIN} random characters",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="debug, info, warning or error"
    )

    worker: Literal["auto", "on", "off"] = Field(default="auto", description="auto, on or off")

    database_pool_size: int = _number(10, 1, 90)
    engine_batch_max: int = _number(256, 1, 4096)
    engine_queue_max: int = _number(10_000, 1, 1_000_000)
    engine_retry_max: int = _number(5, 0, 100)

    request_body_max_bytes: int = _number(524_288, 1024, 10_485_760)
    query_depth_max: int = _number(16, 1, 100)
    query_tokens_max: int = _number(2000, 10, 100_000)
    query_aliases_max: int = _number(30, 0, 1000)
    query_root_fields_max: int = _number(20, 1, 1000)
    query_directives_max: int = _number(50, 0, 1000)

    operator_token_minutes: int = _number(60, 1, 1440)
    member_token_minutes: int = _number(60, 1, 43_200)
    api_key_cache_seconds: int = _number(5, 0, 300)

    @property
    def works(self) -> bool:
        """Whether the worker runs inside the server: unless it is told, where the server has its own database."""
        return self.worker == "on" or (self.worker == "auto" and self.database_url is None)

    @field_validator("log_level", "worker", mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _names_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked(value, "postgresql", "postgres")

    @field_validator("redis_url")
    @classmethod
    def _names_redis(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked(value, "redis", "rediss", "unix")


def load(**given: object) -> Settings:
    """The settings of this process; `given` (by field name) goes before the environment. Raises `InvalidSettings`."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
        raise InvalidSettings("\n".join(_sentence(detail["loc"], detail["input"]) for detail in details)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"The file .env cannot be read: {error}.") from None


def revealed(secret: SecretStr | None) -> str:
    """What a secret setting holds; empty if it is not set."""
    return secret.get_secret_value() if secret else ""


def signing_key(settings: Settings) -> str:
    """`SECRET_KEY`, or a random key made once and kept, readable by its owner alone, in `DATA_DIR/secret_key`.

    Processes that do not share a data directory need the setting. Raises `StartupError` if the file cannot be used.
    """
    if settings.secret_key:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir.absolute() / "secret_key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _keep_new_key(path)
        key = path.read_text().strip()
    except OSError as error:
        raise StartupError(f"The key in {path} cannot be used: {error.strerror}; set SECRET_KEY.") from error
    if len(key) < _SECRET_KEY_LENGTH_MIN:
        raise StartupError(f"The key in {path} is too short; remove the file to get a new one, or set SECRET_KEY.")
    return key


def _keep_new_key(path: Path) -> None:
    draft = path.with_name(f"secret_key.{os.getpid()}")
    draft.touch(mode=0o600, exist_ok=True)
    draft.write_text(secrets.token_urlsafe(48) + "\n")
    # A link, not a rename: of two processes that start at once, the second finds the key of the first.
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _checked(value: SecretStr | None, *schemes: str) -> SecretStr | None:
    if value is not None and value.get_secret_value().partition("://")[0] not in schemes:
        raise ValueError
    return value


def _sentence(location: tuple[int | str, ...], value: object) -> str:
    name = str(location[0])
    fields: Mapping[str, Any] = Settings.model_fields
    wrong = "what it holds is not (it is not shown, for it may be secret)" if name in _SECRET else f"it is {value!r}"
    return f"{name.upper()} must be {fields[name].description}; {wrong}."


def identity_key(signing_key: str) -> bytes:
    """What identities are hashed with: the same in all processes, and no token is signed with it."""
    return f"identity:{signing_key}".encode()
