"""Settings, read from the environment: every name begins with WHETSTONE_."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from coach.llm.call import Endpoint


class Settings(BaseSettings):
    """What can be set.

    Attributes:
        home: folder of all state. database_url: SQLite in `home` unless given (postgresql+psycopg://...).
        chroma_url: a Chroma server; in this process, under `home`, unless given.
        llm_base_url, llm_api_key, llm_model: an OpenAI-compatible chat endpoint; without a model name there is none.
        embed_base_url, embed_api_key, embed_model: an OpenAI-compatible embeddings endpoint; the built-in model else.
    """

    model_config = SettingsConfigDict(env_prefix="WHETSTONE_", extra="ignore")

    home: Path = Field(default_factory=lambda: Path.home() / ".whetstone")
    database_url: str = ""
    chroma_url: str | None = None
    llm_base_url: str = ""
    llm_api_key: SecretStr = SecretStr("")
    llm_model: str = ""
    embed_base_url: str = ""
    embed_api_key: SecretStr = SecretStr("")
    embed_model: str = ""

    @field_validator("home", mode="before")
    @classmethod
    def _not_nowhere(cls, home: object) -> object:
        if home == "":
            raise ValueError("is empty: name a folder, or leave it unset")
        return home

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if bool(self.llm_base_url) != bool(self.llm_model):
            raise ValueError("WHETSTONE_LLM_BASE_URL and WHETSTONE_LLM_MODEL go together")
        if bool(self.embed_base_url) != bool(self.embed_model):
            raise ValueError("WHETSTONE_EMBED_BASE_URL and WHETSTONE_EMBED_MODEL go together")
        return self

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'whetstone.db'}"

    def endpoint(self) -> Endpoint | None:
        """The configured chat endpoint, or None."""
        if not self.llm_model:
            return None
        return Endpoint(base_url=self.llm_base_url, api_key=self.llm_api_key, model=self.llm_model)
