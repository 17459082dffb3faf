"""The parts an instrument is made of: scales, items, pages, texts and claims.

Read from YAML by `survey.instrument`; every class is frozen and refuses unknown keys.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text: TypeAlias = str | dict[str, str]
Code: TypeAlias = int | str
Kind: TypeAlias = Literal["sign", "reason", "response", "outcome"]

ItemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,18}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]


class Part(BaseModel):
    """A frozen value that refuses unknown keys and wrong types."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False
    )


class MissingCode(Part):
    """A code that says why there is no answer, e.g. "Prefer not to answer"."""

    code: int
    label: Text


class ResponseScale(Part):
    """Answer options shared by several items.

    Attributes
    ----------
    labels
        What the options say, in order.
    codes
        What is stored for each; 1, 2, … when left out.
    missing
        Options that are no answer; offered apart from the others, never between them.
    """

    id: Name
    labels: tuple[Text, ...] = Field(min_length=2)
    codes: tuple[Code, ...] = ()
    missing: tuple[MissingCode, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _number_codes(cls, data: object) -> object:
        if isinstance(data, dict) and data.get("codes") in (None, [], ()):
            labels = data.get("labels")
            if isinstance(labels, list | tuple):
                return data | {"codes": tuple(range(1, len(labels) + 1))}
        return data

    @property
    def options(self) -> dict[Code, Text]:
        """Code and label of every answer, in order; missing codes left out."""
        return dict(zip(self.codes, self.labels, strict=True))

    @property
    def missing_codes(self) -> tuple[int, ...]:
        """The codes that stand for no answer."""
        return tuple(option.code for option in self.missing)

    @cached_property
    def accepted(self) -> frozenset[str]:
        """Every code as text, those that stand for no answer too."""
        return frozenset(map(str, (*self.codes, *self.missing_codes)))


class _Item(Part):
    id: ItemId
    text: Text
    hint: Text | None = None
    show_if: str | None = None
    required: bool = False
    safety: bool = False
    source: str | None = None


class LikertItem(_Item):
    """An item answered on an ordered `ResponseScale`.

    `expected` makes it an attention check: the code an attentive person gives.
    """

    type: Literal["likert"]
    response_scale: str
    expected: int | None = None


class ChoiceItem(_Item):
    """An item answered by one of several options without an order."""

    type: Literal["choice"]
    response_scale: str


class NumberItem(_Item):
    """An item answered with a number in ``[minimum, maximum]``, in `unit`."""

    type: Literal["number"]
    minimum: float
    maximum: float
    integer: bool = False
    unit: Text | None = None


class TextItem(_Item):
    """An item answered in the respondent's own words."""

    type: Literal["text"]
    max_length: int = Field(default=2000, ge=1)
    multiline: bool = False


Item = Annotated[
    LikertItem | ChoiceItem | NumberItem | TextItem, Field(discriminator="type")
]


class Scale(Part):
    """Items that together measure one construct.

    Attributes
    ----------
    kind
        What the scale is in the theory: sign, reason, response or outcome.
    reversed
        Items whose high codes mean little of the construct.
    min_answered
        Answers needed for a score; at least half of the items when left out.
    desirable
        Whether a high score is good news; needed to read a claim about an outcome.
    measurement
        ``reflective`` when the items mirror one construct; ``formative`` when they
        are a checklist, for which alpha and factor models say nothing.
    """

    id: Name
    label: Text
    kind: Kind | None = None
    items: tuple[str, ...] = Field(min_length=1)
    reversed: tuple[str, ...] = ()
    min_answered: int = Field(default=0, ge=0)
    scoring: Literal["mean", "sum"] = "mean"
    desirable: bool | None = None
    measurement: Literal["reflective", "formative"] = "reflective"
    description: Text | None = None
    source: str | None = None

    @property
    def good_news(self) -> bool | None:
        """Whether a high score is desirable; by kind where it is not stated.

        Signs and reasons are not, responses are; None where nobody says.
        """
        if self.desirable is not None:
            return self.desirable
        return {"sign": False, "reason": False, "response": True}.get(self.kind or "")

    @property
    def needed(self) -> int:
        """Answers needed for a score."""
        return self.min_answered or (len(self.items) + 1) // 2


class Composite(Part):
    """The mean of several scale scores, e.g. all signs together."""

    id: Name
    label: Text
    scales: tuple[str, ...] = Field(min_length=2)
    min_scales: int = Field(default=0, ge=0)
    desirable: bool | None = None
    description: Text | None = None
    source: str | None = None

    @property
    def needed(self) -> int:
        """Scale scores needed for the composite."""
        return self.min_scales or (len(self.scales) + 1) // 2


class Form(Part):
    """A selection of the items that is fielded together."""

    id: Name
    label: Text
    items: tuple[str, ...] | Literal["all"] = "all"


class Page(Part):
    """Items shown together; `random_order` shuffles them for each person."""

    id: Name
    title: Text
    text: Text | None = None
    items: tuple[str, ...] = Field(min_length=1)
    show_if: str | None = None
    random_order: bool = False


class Consent(Part):
    """What a person agrees to before the first item."""

    text: Text
    agree: Text


class Support(Part):
    """A place where a respondent finds help."""

    name: Text
    text: Text
    url: str | None = Field(default=None, pattern=r"^https://")


class Ending(Part):
    """The last page: thanks, and where to find support."""

    text: Text
    support: tuple[Support, ...] = ()


class Safety(Part):
    """A note for people who may not be safe, and the link that leaves the page."""

    note: Text
    leave_label: Text
    leave_url: str = Field(pattern=r"^https://")


Analysis: TypeAlias = Literal[
    "one_pattern",
    "severity_order",
    "associations",
    "consequences",
    "moderation",
    "two_way",
    "incremental",
    "diagnostic",
    "prospective",
]


class Claim(Part):
    """A sentence about the constructs that data can answer.

    Attributes
    ----------
    analysis
        The kind of analysis that answers it (see `analysis.claims`).
    focal
        Scales or composites the claim is about.
    base
        What it is compared with or adjusted for: scales or composites.
    outcomes
        Scales or composites the claim says something about.
    controls
        Items adjusted for.
    event
        A condition on items that says the event has happened, e.g. the end of the
        relationship.
    event_label
        What the event is called, e.g. "the end of the relationship".
    """

    id: Name | Annotated[str, Field(pattern=r"^[A-Z]\d{1,2}$")]
    text: Text
    analysis: Analysis
    focal: tuple[str, ...] = Field(min_length=1)
    base: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    event: str | None = None
    event_label: Text | None = None
    source: str | None = None
