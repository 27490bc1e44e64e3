"""What the service allows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Settings(BaseModel):
    """Limits of the service, and the key that opens it.

    Attributes:
        api_key: what a request must bring as ``Authorization: Bearer KEY``; nothing by default.
        max_bytes: of the body of one request.
        max_seconds: of one recording, and of one stream.
        max_requests: recordings that are taken in or recognized at the same time; one more is told to come back.
        max_streams: streams that are open at the same time.
        body_timeout: seconds in which a body must arrive, one more for every 50 kB of it.
        request_timeout: seconds in which a recording must be recognized once it is there.
        idle_timeout: seconds that a stream may say nothing.
        batch_size: windows or recordings that are recognized together, at most.
        batch_wait: seconds that one waits for others to come along, at most.
        threads: of the recognizer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr | None = Field(default=None, min_length=1)
    max_bytes: int = Field(default=32_000_000, gt=0)
    max_seconds: float = Field(default=600.0, gt=0)
    max_requests: int = Field(default=64, gt=0)
    max_streams: int = Field(default=16, gt=0)
    body_timeout: float = Field(default=20.0, gt=0)
    request_timeout: float = Field(default=120.0, gt=0)
    idle_timeout: float = Field(default=30.0, gt=0)
    batch_size: int = Field(default=16, gt=0)
    batch_wait: float = Field(default=0.003, ge=0)
    threads: int = Field(default=1, gt=0)
