"""A release manifest: which code, packages and layouts were put together, for whoever rolls them out and back."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.times import Moment

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Artifact(BaseModel):
    """What is rolled out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["wheel", "image"]
    name: str = Field(description="A wheel's file name, or an image's name.")
    sha256: Sha256 = Field(description="Of the wheel's bytes, or the image's digest as the image registry knows it.")


class Release(BaseModel):
    """Written by ``wellsentry release``, and compared with a running environment by ``wellsentry release --check``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    layout: Literal[1] = Field(default=1, description="Of this file.")
    version: str
    git_commit: str = Field(description="`unknown` where neither git nor the build could tell.")
    tree_clean: bool | None = Field(description="Whether that commit is all there was; null where it cannot be known.")
    made_at: Moment
    artifacts: list[Artifact]
    state_layout: int = Field(description="State of another layout is refused: going back over it means to judge anew.")
    schemas: dict[str, Sha256] = Field(
        description="SHA-256 of each published schema, as `wellsentry schema` writes it."
    )
    python: str
    packages: dict[str, str] = Field(description="Version of each package that wellsentry asks for.")
    locks: dict[str, Sha256] = Field(description="SHA-256 of each lock file that the environment was made from.")
