"""What the surroundings tell the hub: addresses, keys, limits.

Knows every setting by name, its default and what it means; this is the only reader of the environment.
Must not know what the settings are used for, nor open what they name. `deploy/env.sample` is written from this table.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(Exception):
    """The settings are not usable; `faults` holds one sentence for each thing to mend, in the order of the table."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"the hub cannot start with these settings:\n{lines}")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as data: `default` is what one would write in the environment, None where there is none."""

    name: str
    parse: Callable[[str], object]
    default: str | None
    meaning: str
    production: bool = False

    @property
    def field(self) -> str:
        """Name of the attribute of Settings that holds the parsed value."""
        return self.name.removeprefix("HUB_").lower()


def _database_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("must look like postgresql://user:password@host:5432/hub")
    if not urlsplit(f"postgresql://{rest}").path.strip("/"):
        raise ValueError("names no database: end it with /hub")
    return f"postgresql+psycopg://{rest}"


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    by_host = parts.scheme in {"redis", "rediss"} and parts.hostname
    by_socket = parts.scheme in {"redis+socket", "unix"} and parts.path.strip("/")
    if not (by_host or by_socket):
        raise ValueError("must look like redis://:password@host:6379/0 or redis+socket:///path/redis.sock")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must look like https://hub.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end after the host: the hub is served from the root")
    return text.rstrip("/")


def _environment(text: str) -> str:
    if text not in {"development", "production"}:
        raise ValueError("must be development or production")
    return text


def _log_level(text: str) -> str:
    level = text.upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return level


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _secret_key(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters: `openssl rand -hex 32` makes one")
    return text


def _host(text: str) -> str:
    if re.fullmatch(r"[0-9A-Za-z.:_-]+", text) is None:
        raise ValueError("must be an address or a host name, for example 127.0.0.1 or 0.0.0.0")
    return text


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(host.strip() for host in text.split(",") if host.strip())
    if not hosts:
        raise ValueError("must name at least one host")
    if any("/" in host or "*" in host or " " in host for host in hosts):
        raise ValueError("must be host names divided by commas, without scheme, path or star")
    return hosts


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Parser of a whole number from `least` to `most`, both included, in ASCII digits."""

    def parse(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,10}", text) is None or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "HUB_ENV", _environment, "development", "development or production; in production nothing embedded is started"
    ),
    Setting(
        "HUB_DATABASE_URL",
        _database_url,
        None,
        "PostgreSQL 15 or later, as the role of the application; without it an embedded one is started",
        production=True,
    ),
    Setting(
        "HUB_DATABASE_OWNER_URL",
        _database_url,
        None,
        "the same database as the role that owns the tables, used by `hub migrate`; without it HUB_DATABASE_URL",
    ),
    Setting(
        "HUB_REDIS_URL",
        _redis_url,
        None,
        "Redis 6 or Valkey, for messages and rate limits; without it an embedded one is started",
        production=True,
    ),
    Setting("HUB_STATE_DIR", _path, ".hub", "folder of embedded data, sockets' record, logs and development keys"),
    Setting(
        "HUB_VAULT_KEY_FILE",
        _path,
        None,
        "file with the keys that seal personal data; in development one is made in the state folder",
        production=True,
    ),
    Setting(
        "HUB_SECRET_KEY",
        _secret_key,
        None,
        "signs cookies and form tokens, 32 characters or more; in development one is made in the state folder",
        production=True,
    ),
    Setting("HUB_HOST", _host, "127.0.0.1", "address that the web server listens on"),
    Setting("HUB_PORT", _whole(1, 65535), "8080", "port that the web server listens on"),
    Setting(
        "HUB_PUBLIC_URL",
        _public_url,
        None,
        "address under which users reach the hub, without a path; without it http://localhost and the port",
        production=True,
    ),
    Setting(
        "HUB_TRUSTED_HOSTS",
        _hosts,
        "localhost,127.0.0.1",
        "host names that requests may carry, divided by commas; others are refused",
        production=True,
    ),
    Setting("HUB_WEB_WORKERS", _whole(1, 256), "2", "web processes"),
    Setting("HUB_WEB_THREADS", _whole(1, 64), "4", "threads in each web process"),
    Setting("HUB_MAX_BODY_BYTES", _whole(1024, 1 << 30), "4194304", "largest request body in bytes"),
    Setting("HUB_REGION_TIMEOUT_SECONDS", _whole(1, 120), "10", "seconds to wait for a region's own system"),
    Setting("HUB_LOG_LEVEL", _log_level, "INFO", "DEBUG, INFO, WARNING or ERROR"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, parsed and checked. Values that may hold a password or a key stay out of `repr`.

    Database URLs are in SQLAlchemy's form for psycopg; paths are absolute; `max_body_bytes` is bytes.
    """

    env: str
    database_url: str | None = field(repr=False)
    database_owner_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    state_dir: Path
    vault_key_file: Path | None
    secret_key: str | None = field(repr=False)
    host: str
    port: int
    public_url: str
    trusted_hosts: tuple[str, ...]
    web_workers: int
    web_threads: int
    max_body_bytes: int
    region_timeout_seconds: int
    log_level: str

    @property
    def production(self) -> bool:
        """True where real persons' data are held: then nothing is made up or embedded."""
        return self.env == "production"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `environ`, by default from the process's own environment.

        An empty value counts as absent, since compose files cannot leave a variable out.

        Raises SettingsError with every fault at once: missing, malformed, contradictory, or a HUB_ name that is none.
        """
        given = {
            name: value.strip()
            for name, value in (os.environ if environ is None else environ).items()  # noqa: TID251 - the one place.
            if name.startswith("HUB_") and value.strip()
        }
        faults: list[str] = []
        values: dict[str, object] = {}
        for setting in SETTINGS:
            text = given.get(setting.name, setting.default)
            values[setting.field] = None
            if text is not None:
                try:
                    values[setting.field] = setting.parse(text)
                except ValueError as fault:
                    faults.append(f"{setting.name} {fault}")
        faults += _missing_in_production(given)
        faults += _contradictions(given)
        faults += _unknown(given)
        if faults:
            raise SettingsError(tuple(faults))
        values["public_url"] = values["public_url"] or f"http://localhost:{values['port']}"
        return cls(**values)  # type: ignore[arg-type] # the table and the fields are compared by a test.


def _missing_in_production(given: Mapping[str, str]) -> list[str]:
    if given.get("HUB_ENV") != "production":
        return []
    return [
        f"{setting.name} must be given in production: {setting.meaning.partition(';')[0]}"
        for setting in SETTINGS
        if setting.production and setting.name not in given
    ]


def _contradictions(given: Mapping[str, str]) -> list[str]:
    if "HUB_DATABASE_OWNER_URL" in given and "HUB_DATABASE_URL" not in given:
        return ["HUB_DATABASE_OWNER_URL is given without HUB_DATABASE_URL: give both or none"]
    return []


def _unknown(given: Mapping[str, str]) -> list[str]:
    known = [setting.name for setting in SETTINGS]
    faults = []
    for name in sorted(set(given) - set(known)):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        hint = (
            f"did you mean {near[0]}?" if near else "see deploy/env.sample (on Kubernetes: enableServiceLinks: false)"
        )
        faults.append(f"{name} is no setting of the hub: {hint}")
    return faults


def environment_for_child(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment to start a process of the hub with: the caller's own, handed on unread, with `changes`."""
    return {**os.environ, **changes}  # noqa: TID251 - the one place.


def env_sample() -> str:
    """Text of deploy/env.sample: every setting with its meaning and default, all commented out."""
    lines = [
        "# Settings of the hub. Written from hub/settings.py; a test keeps the two equal.",
        "# Those marked [production] must be given when HUB_ENV=production. Keep real secrets out of the repository.",
    ]
    for setting in SETTINGS:
        mark = " [production]" if setting.production else ""
        lines += [
            "",
            f"# {setting.meaning[0].upper()}{setting.meaning[1:]}.{mark}",
            f"#{setting.name}={setting.default or ''}",
        ]
    return "\n".join(lines) + "\n"
