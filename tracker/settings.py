"""Settings: ``billtracker.toml`` in the working folder and ``BILLTRACKER_*`` variables; the latter win."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as Unreadable


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it."""


class Settings(BaseSettings):
    """What an installation may choose. Every field is ``BILLTRACKER_<FIELD>`` in the environment."""

    model_config = SettingsConfigDict(env_prefix="BILLTRACKER_", toml_file="billtracker.toml", extra="forbid")

    home: Path = Field(Path("var"), description="Folder for the database, outbox, records, logs and backups.")
    database_url: str = Field(
        "", description="SQLAlchemy address of the database; empty means SQLite in the home folder."
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="smtp://user:password@host:port or smtps://…; empty writes mail to home/outbox/*.eml.",
    )
    mail_from: str = Field("Bill tracker <digest@localhost>", description="Sender of every mail, name and address.")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="Address under which readers reach the pages; used in links."
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs links in mail; made and kept in home/secret-key if empty."
    )
    admin_key: SecretStr = Field(
        SecretStr(""),
        description="Password of the admin pages, 16 characters or more; empty: they open on this machine only.",
    )
    suppression_key: SecretStr = Field(
        SecretStr(""), description="Keys the list of addresses that must get no mail; the signing key if empty."
    )
    bounce_address: str = Field(
        "", description="Where delivery reports go (the envelope's sender); mail_from's address if empty."
    )
    bounce_mailbox: SecretStr = Field(
        SecretStr(""),
        description="Where delivery reports are read: an mbox file, a Maildir, or imaps://user:password@host/INBOX.",
    )
    mail_limit: int = Field(
        2_000,
        ge=1,
        description="Mails in 24 hours at which sending stops for a person to look; twice the last day's if more.",
    )
    open_signup: bool = Field(True, description="Whether the page /subscribe takes new readers.")
    public_archive: str = Field(
        "", description="A reader's address whose issues anybody may read at /archive; empty shows none."
    )
    contact: str = Field(
        "",
        description="Web address or mailbox that legislatures find in our User-Agent; set it before crawling live.",
    )
    admins: list[str] = Field(default_factory=list, description="Addresses that get alert mails.")
    starter_states: list[str] = Field(
        default_factory=lambda: ["va", "us"],
        description="Jurisdictions that `billtracker run` crawls when none is named.",
    )
    sources: dict[str, str] = Field(
        default_factory=dict,
        description="Source to use instead of the default, by jurisdiction: {tx = 'govbot'}.",
    )
    queries: dict[str, int] = Field(
        default_factory=dict,
        description="Queries allowed a month or day, where a key allows other than the free one: {legiscan = 30000}.",
    )
    text_budget: int = Field(2_000, ge=0, description="Version texts fetched at most in one run.")
    text_first: bool = Field(
        True, description="Fetch texts of bills whose title, summary or subjects may be in scope first."
    )
    alert_after_failures: int = Field(3, ge=1, description="Failed crawls in a row before the admins get a mail.")
    records_days: int = Field(
        30, ge=0, description="Days that a crawl's file of records is kept; 0 keeps all. Cleaned after each load."
    )
    tag_processes: int = Field(
        0, ge=0, description="Processes that tag when there is much to tag; 0 is one for each core, at most four."
    )
    logs_days: int = Field(90, ge=0, description="Days that logs of crawls and jobs are kept; 0 keeps all.")
    logs_mb: int = Field(1_000, ge=0, description="Megabytes of logs at most, the oldest go first; 0 is no bound.")
    outbox_days: int = Field(
        0, ge=0, description="Days that mails in home/outbox are kept (there are some without smtp_url); 0 keeps all."
    )
    backups_kept: int = Field(14, ge=1, description="Nightly copies in home/backups that are kept, the newest.")
    replaced_days: int = Field(
        90, ge=0, description="Days that a database which a restore replaced is kept; 0 keeps all."
    )
    job_runs_days: int = Field(
        400, ge=0, description="Days that accounts of jobs (job_run) are kept, a job's newest always; 0 keeps all."
    )
    silence_hours: float = Field(
        30.0,
        gt=0,
        description="Hours in which no crawl of any jurisdiction brought anything before the admins get a mail.",
    )
    scheduled_states: list[str] = Field(
        default_factory=list,
        description="Jurisdictions that the clock crawls; empty: starter_states; ['all'] is all 56.",
    )
    jobs: dict[str, str] = Field(
        default_factory=dict,
        description="Another time for a job of the clock, as a crontab line, or off: {backup = '0 2 * * *'}.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token for Prometheus at /metrics; empty: there is no such page."
    )
    heartbeat_url: SecretStr = Field(
        SecretStr(""),
        description="Address that the clock asks every five minutes while all is well; its owner tells you of silence.",
    )
    heartbeat_hosts: list[str] = Field(
        default_factory=lambda: ["hc-ping.com", "healthchecks.io", "cronitor.link", "uptime.betterstack.com"],
        description="Hosts that heartbeat_url may name, beside this machine; add your own watcher's.",
    )
    log_format: str = Field("console", pattern="^(console|json)$", description="console or json.")

    @field_validator("admin_key")
    @classmethod
    def _not_guessable(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < 16:
            raise ValueError("an admin key has 16 characters or more")
        return key

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @cached_property
    def url(self) -> str:
        """The database address, with psycopg named for PostgreSQL."""
        if not self.database_url:
            return f"sqlite:///{(self.home / 'billtracker.db').absolute()}"
        for plain in ("postgres://", "postgresql://"):
            if self.database_url.startswith(plain):
                return "postgresql+psycopg://" + self.database_url.removeprefix(plain)
        return self.database_url

    @property
    def outbox(self) -> Path:
        """Folder for mail when there is no SMTP server."""
        return self.home / "outbox"

    @property
    def records(self) -> Path:
        """Folder for what crawls bring, one file a run."""
        return self.home / "records"

    def signing_key(self) -> str:
        """The key for signed links: from the settings, else made once and kept, readable by the owner only."""
        given = self.secret_key.get_secret_value()
        if given:
            return given
        path = self.home / "secret-key"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(secrets.token_urlsafe(48))
            except FileExistsError:
                pass
        return path.read_text(encoding="ascii").strip()


def load() -> Settings:
    """Read the settings; raises :class:`SettingsError` with one sentence."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {name}: {first['msg']}") from error
    except Unreadable as error:
        name = next((word for word in str(error).split('"') if word in Settings.model_fields), "")
        raise SettingsError(
            f"setting {name}: lists and tables in the environment are JSON, such as "
            f'BILLTRACKER_SOURCES=\'{{"tx": "govbot"}}\' or BILLTRACKER_ADMINS=\'["ops@example.org"]\''
        ) from error
