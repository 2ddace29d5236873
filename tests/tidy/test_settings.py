"""The settings are one table: the dataclass, the sample file and the code agree with it."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from hub.settings import SETTINGS, Settings, SettingsError, env_sample

ROOT = Path(__file__).parents[2]

PRODUCTION = {
    "HUB_ENV": "production",
    "HUB_DATABASE_URL": "postgresql://hub_app:geheim@db.example.org/hub",
    "HUB_REDIS_URL": "rediss://:geheim@redis.example.org:6379/0",
    "HUB_VAULT_KEY_FILE": "/run/secrets/vault",
    "HUB_SECRET_KEY": "0123456789abcdef0123456789abcdef",
    "HUB_PUBLIC_URL": "https://hub.example.org",
    "HUB_TRUSTED_HOSTS": "hub.example.org",
}


def refused(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return caught.value.faults


def reads_the_environment(tree: ast.Module) -> bool:
    ways = {"environ", "environb", "getenv", "getenvb"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ways and ast.unparse(node.value) == "os":
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "os" and ways & {alias.name for alias in node.names}:
            return True
    return False


def test_every_setting_has_its_field_and_every_field_its_setting():
    fields = {field.name for field in dataclasses.fields(Settings)}

    assert {setting.field for setting in SETTINGS} == fields
    assert len(SETTINGS) == len(fields)


def test_the_sample_file_is_written_from_the_table():
    sample = (ROOT / "deploy" / "env.sample").read_text(encoding="utf-8")

    assert sample == env_sample(), "write deploy/env.sample anew from hub.settings.env_sample()"


def test_the_environment_is_read_in_one_place_only():
    """Ruff bans the calls as well; this test also holds where its rule was switched off for a line."""
    readers = {
        file.relative_to(ROOT).as_posix()
        for folder in ("hub", "adapters", "catalogs")
        for file in (ROOT / folder).rglob("*.py")
        if reads_the_environment(ast.parse(file.read_text(encoding="utf-8")))
    }

    assert readers == {"hub/settings.py"}


def test_an_empty_environment_is_a_development_hub_on_this_machine_only():
    settings = Settings.from_env({})

    assert (settings.env, settings.database_url, settings.redis_url) == ("development", None, None)
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8080, "http://localhost:8080")
    assert settings.state_dir == Path.cwd() / ".hub"


def test_a_complete_production_environment_is_read():
    settings = Settings.from_env(PRODUCTION)

    assert settings.production
    assert settings.database_url == "postgresql+psycopg://hub_app:geheim@db.example.org/hub"
    assert settings.trusted_hosts == ("hub.example.org",)


def test_passwords_and_keys_stay_out_of_the_printed_settings():
    printed = repr(Settings.from_env(PRODUCTION))

    assert "geheim" not in printed
    assert "0123456789abcdef" not in printed


def test_everything_wrong_is_told_at_once():
    faults = refused(HUB_PORT="eighty", HUB_DATABASE_URL="mysql://x/y", HUB_LOG_LEVEL="loud", HUB_DATABSE_URL="x")

    assert [fault.split()[0] for fault in faults] == [
        "HUB_DATABASE_URL",
        "HUB_PORT",
        "HUB_LOG_LEVEL",
        "HUB_DATABSE_URL",
    ]
    assert "did you mean HUB_DATABASE_URL?" in faults[-1]


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.production])
def test_production_does_not_start_without(name):
    environ = {key: value for key, value in PRODUCTION.items() if key != name}

    (fault,) = refused(**environ)

    assert fault.startswith(f"{name} must be given in production")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HUB_PORT", "0"),
        ("HUB_PORT", "65536"),
        ("HUB_PORT", "８０８０"),
        ("HUB_PORT", "tcp://10.0.0.1:8080"),
        ("HUB_DATABASE_URL", "postgresql://host"),
        ("HUB_REDIS_URL", "redis://"),
        ("HUB_REDIS_URL", "valkey://host/0"),
        ("HUB_SECRET_KEY", "short"),
        ("HUB_TRUSTED_HOSTS", "*"),
        ("HUB_TRUSTED_HOSTS", "https://hub.example.org"),
        ("HUB_PUBLIC_URL", "hub.example.org"),
        ("HUB_PUBLIC_URL", "https://hub.example.org/hub"),
        ("HUB_WEB_WORKERS", "1.5"),
        ("HUB_MAX_BODY_BYTES", "-1"),
        ("HUB_REGION_TIMEOUT_SECONDS", "999"),
        ("HUB_ENV", "test"),
    ],
)
def test_a_malformed_value_is_refused_by_name(name, text):
    (fault,) = (fault for fault in refused(**{name: text}) if "production" not in fault or name == "HUB_ENV")

    assert fault.startswith((f"{name} must", f"{name} names"))


def test_an_empty_value_counts_as_absent():
    assert Settings.from_env({"HUB_REDIS_URL": " "}).redis_url is None


def test_an_owner_url_alone_is_refused():
    (fault,) = refused(HUB_DATABASE_OWNER_URL="postgresql://owner@host/hub")

    assert "give both or none" in fault
