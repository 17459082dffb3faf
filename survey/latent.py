"""Latent variables of simulated people: drawn once, carried from wave to wave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from survey.errors import SurveyError

if TYPE_CHECKING:
    import numpy.typing as npt

    from survey.instrument import Instrument
    from survey.population import Population

    Array = npt.NDArray[np.float64]
    State = dict[str, Array]


class People:
    """`n` people, some of them in couples, with their latent variables.

    Attributes
    ----------
    couple
        Number of the couple, -1 for people without their partner, shape (n,).
    partner
        Position of the partner, -1 where there is none, shape (n,).
    """

    def __init__(
        self,
        instrument: Instrument,
        population: Population,
        rng: np.random.Generator,
        n: int,
    ) -> None:
        self.instrument, self.population, self.rng = instrument, population, rng
        self.n = n
        n_couples = min(round(n * population.couple_share / 2), n // 2)
        couple = np.repeat(np.arange(n_couples), 2)
        self.couple = np.concatenate([couple, np.full(n - 2 * n_couples, -1)])
        pairs = np.arange(2 * n_couples).reshape(-1, 2)
        self.partner = np.full(n, -1)
        self.partner[pairs[:, 0]], self.partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]

    @property
    def ids(self) -> list[str]:
        """Respondent ids, in order."""
        width = len(str(self.n))
        return [f"p{i + 1:0{width}d}" for i in range(self.n)]

    def column(self, name: str) -> str:
        """Name a column of true values; a scale of this name goes first."""
        taken = {scale.id for scale in self.instrument.scales}
        return f"{name}_" if name in taken else name

    def _correlated(self, k: int, r: float) -> Array:
        """Draw standard normals, shape (n, k), all correlated `r`."""
        common = self.rng.standard_normal((self.n, 1))
        own = self.rng.standard_normal((self.n, k))
        return np.asarray(np.sqrt(r) * common + np.sqrt(1 - r) * own)

    def _in_couples(self, r: float) -> Array:
        """Draw standard normals, shape (n,), correlated `r` between partners."""
        own = self.rng.standard_normal(self.n)
        shared = self.rng.standard_normal(self.couple.max(initial=0) + 1)
        mixed = np.sqrt(r) * shared[self.couple] + np.sqrt(1 - r) * own
        return np.where(self.couple >= 0, mixed, own)

    def first_state(self) -> State:
        """Draw all latent variables at wave 1."""
        p, instrument = self.population, self.instrument
        reasons = [scale.id for scale in instrument.scales_of("reason")]
        drawn = self._correlated(len(reasons), p.reason_correlation)
        weights = np.array([p.reasons.get(name, p.default_reason) for name in reasons])
        r = p.reason_correlation
        explained = float((1 - r) * weights @ weights + r * weights.sum() ** 2)
        if explained >= 1:
            raise SurveyError(
                f"population: reasons explain {explained:.2f} of the general factor. "
                "Lower them below 1."
            )
        left = 1 - explained
        if p.couple_correlation > left:
            raise SurveyError(
                f"population: couple_correlation {p.couple_correlation} is more than "
                f"the {left:.2f} of the general factor that reasons leave. Lower it."
            )
        rest = self._in_couples(p.couple_correlation / left)
        state = {name: drawn[:, i] for i, name in enumerate(reasons)}
        state["_general"] = drawn @ weights + np.sqrt(1 - explained) * rest
        responses = [scale.id for scale in instrument.scales_of("response")]
        coped = self._correlated(len(responses), p.response_correlation)
        state |= {name: coped[:, i] for i, name in enumerate(responses)}
        k = max(len(responses), 1)
        sd = np.sqrt((1 + (k - 1) * p.response_correlation) / k)
        state["_coping"] = coped.mean(axis=1) / sd if responses else np.zeros(self.n)
        others = [s.id for s in instrument.scales if s.kind is None]
        free = self._correlated(len(others), p.other_correlation)
        state |= {name: free[:, i] for i, name in enumerate(others)}
        for scale in (*instrument.scales_of("sign"), *instrument.scales_of("outcome")):
            state[f"_rest_{scale.id}"] = self.rng.standard_normal(self.n)
        state["_lag"] = np.zeros(self.n)
        state["_elsewhere"] = np.where(
            self.couple >= 0,
            0.0,
            self._partner_of_single(state["_general"]),
        )
        return state

    def _partner_of_single(self, general: Array) -> Array:
        """Draw the general factor of partners who do not take part."""
        r = self.population.couple_correlation
        noise = self.rng.standard_normal(self.n)
        return np.asarray(r * general + np.sqrt(1 - r**2) * noise)

    def next_state(self, state: State) -> State:
        """Carry the latent variables to the next wave."""
        p, out = self.population, dict(state)
        keep, fresh = p.stability, np.sqrt(1 - p.stability**2)
        change = self._in_couples(p.couple_correlation)
        out["_general"] = p.drift + keep * state["_general"] + fresh * change
        noise = self.rng.standard_normal(self.n)
        out["_elsewhere"] = p.drift + keep * state["_elsewhere"] + fresh * noise
        out["_lag"] = state["_general"]
        for name in state:
            if name.startswith("_rest_"):
                noise = self.rng.standard_normal(self.n)
                carry = p.carry_over
                out[name] = carry * state[name] + np.sqrt(1 - carry**2) * noise
        return out

    def values(
        self,
        state: State,
        wave: int,
    ) -> pd.DataFrame:
        """Give every person's latent value of every scale at this wave."""
        p = self.population
        general = state["_general"]
        partner = np.where(
            self.partner >= 0, general[self.partner], state["_elsewhere"]
        )
        out: dict[str, object] = {
            "respondent": self.ids,
            "wave": wave,
            self.column("general"): general,
            self.column("partner_general"): partner,
            self.column("coping"): state["_coping"],
        }
        for scale in self.instrument.scales:
            if scale.kind == "sign":
                loading = p.sign_loading_of(scale.id)
                rest = state[f"_rest_{scale.id}"]
                out[scale.id] = loading * general + np.sqrt(1 - loading**2) * rest
            elif scale.kind == "outcome":
                e = p.effects_on(scale.id, desirable=scale.desirable is not False)
                explained = self._explained(scale.id)
                out[scale.id] = (
                    e.actor * general
                    + e.partner * partner
                    + e.response * state["_coping"]
                    + e.interaction * general * state["_coping"]
                    + e.lagged * state["_lag"]
                    + np.sqrt(1 - explained) * state[f"_rest_{scale.id}"]
                )
            else:
                out[scale.id] = state[scale.id]
        return pd.DataFrame(out)

    def _explained(self, outcome: str) -> float:
        """Share of an outcome's variance that its effects explain at wave 1."""
        p, scale = self.population, self.instrument.scale(outcome)
        e = p.effects_on(outcome, desirable=scale.desirable is not False)
        r = p.couple_correlation
        share = e.actor**2 + e.partner**2 + 2 * r * e.actor * e.partner
        share += e.response**2 + e.interaction**2
        if share >= 1:
            raise SurveyError(
                f"population: effects explain {share:.2f} of {outcome!r}. Lower them."
            )
        return share

    def ends(self, general: Array) -> npt.NDArray[np.bool_]:
        """Draw whose relationship ends before the next wave; couples end together."""
        p = self.population
        if p.event is None:
            return np.zeros(self.n, bool)
        mean = np.where(
            self.partner >= 0, (general + general[self.partner]) / 2, general
        )
        base = np.log(p.ending_rate / (1 - p.ending_rate))
        chance = 1 / (1 + np.exp(-(base + p.ending_slope * mean)))
        luck = self.rng.random(self.n)
        one_draw = np.where(self.partner >= 0, luck[np.maximum(self.couple, 0)], luck)
        return np.asarray(one_draw < chance)

    def stays(self, general: Array) -> npt.NDArray[np.bool_]:
        """Draw who answers the next wave, too."""
        p = self.population
        if p.attrition == 0:
            return np.ones(self.n, bool)
        base = np.log(p.attrition / (1 - p.attrition))
        return np.asarray(
            self.rng.random(self.n) > 1 / (1 + np.exp(-(base + 0.3 * general)))
        )
