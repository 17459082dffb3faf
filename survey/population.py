"""The population that `simulate` draws from, stated as numbers.

All latent variables are standard normal at wave 1. Signs hang together through one
general factor; reasons stand behind it; outcomes depend on the person's own and the
partner's general factor, on the responses, and on the product of the two::

    general  = sum(reasons * reason) + rest
    sign     = loading * general + rest
    outcome  = actor * general + partner * partner's general
               + response * coping + interaction * general * coping + rest
    answer   = code whose thresholds enclose  item_loading * scale + rest

Reasons are independent between partners; the rest correlates so that their general
factors correlate `couple_correlation`. `coping` is the mean of the response scales,
standardised. From wave to wave the general factor keeps `stability` of itself, outcomes
keep `carry_over` of their rest and take `lagged` from the earlier general factor;
couples end with a probability that rises with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from survey import faults, yaml12
from survey.errors import InstrumentError

if TYPE_CHECKING:
    from pathlib import Path

    from survey.instrument import Instrument


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutcomeEffects(_Frozen):
    """Effects on one outcome, in standard deviations of the latent variables."""

    actor: float = -0.45
    partner: float = -0.15
    response: float = 0.20
    interaction: float = 0.15
    lagged: float = -0.10


class NumberModel(_Frozen):
    """A number item: normal, kept within the item's range."""

    mean: float
    sd: float = Field(gt=0)


class EventModel(_Frozen):
    """How the end of a relationship shows in the answers.

    `item` has the code `before` while it lasts, unless `choices` states how the codes
    are shared, and `after` once it has ended.
    """

    item: str
    before: int
    after: int


class Population(_Frozen):
    """True values of a simulated population; see the module for the model."""

    sign_loading: dict[str, float] = {}
    default_sign_loading: float = Field(default=0.75, ge=0, lt=1)
    item_loading: float = Field(default=0.75, gt=0, lt=1)
    severity: dict[str, float] = {}
    reasons: dict[str, float] = {}
    default_reason: float = 0.25
    reason_correlation: float = Field(default=0.3, ge=0, lt=1)
    response_correlation: float = Field(default=0.4, ge=0, lt=1)
    other_correlation: float = Field(default=0.3, ge=0, lt=1)
    outcomes: dict[str, OutcomeEffects] = {}
    couple_share: float = Field(default=0.5, ge=0, le=1)
    couple_correlation: float = Field(default=0.4, ge=0, lt=1)
    stability: float = Field(default=0.7, ge=0, lt=1)
    carry_over: float = Field(default=0.5, ge=0, lt=1)
    drift: float = 0.1
    ending_rate: float = Field(default=0.08, gt=0, lt=1)
    ending_slope: float = 0.6
    event: EventModel | None = None
    change_item: str | None = None
    numbers: dict[str, NumberModel] = {}
    choices: dict[str, dict[str, float]] = {}
    mcar: float = Field(default=0.004, ge=0, lt=1)
    mar: float = Field(default=0.004, ge=0, lt=1)
    mar_item: str | None = None
    refused: float = Field(default=0.003, ge=0, lt=1)
    attrition: float = Field(default=0.12, ge=0, lt=1)
    careless: float = Field(default=0.04, ge=0, lt=1)
    seconds_per_item: float = Field(default=4.5, gt=0)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a population from YAML.

        Raises
        ------
        InstrumentError
            If the file does not state a population; lists every fault with its line.
        """
        document = yaml12.read(path)
        try:
            return cls.model_validate(document.value)
        except ValidationError as error:
            found = faults.from_pydantic(error, document)
            raise InstrumentError(faults.in_order(found)) from None

    @classmethod
    def of(cls, instrument: Instrument) -> Self:
        """Read the population that comes with a bundled instrument, or the defaults."""
        path = faults.BUNDLED / f"{instrument.id}.population.yaml"
        return cls.load(path) if path.is_file() else cls()

    def sign_loading_of(self, scale: str) -> float:
        """Look up the loading of a sign on the general factor."""
        return self.sign_loading.get(scale, self.default_sign_loading)

    def effects_on(self, scale: str, *, desirable: bool) -> OutcomeEffects:
        """Effects on an outcome; the defaults turn round where high is bad news."""
        if scale in self.outcomes:
            return self.outcomes[scale]
        sign = 1.0 if desirable else -1.0
        default = OutcomeEffects()
        return OutcomeEffects(
            actor=sign * default.actor,
            partner=sign * default.partner,
            response=sign * default.response,
            interaction=sign * default.interaction,
            lagged=sign * default.lagged,
        )
