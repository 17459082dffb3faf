"""People who answer an instrument: answers with known true values.

`simulate` draws people, couples and waves from a stated `Population`, lets some of
them be careless, skip or leave, and returns raw responses together with everything that
was true of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from survey.errors import SurveyError
from survey.instrument import (
    ChoiceItem,
    Instrument,
    LikertItem,
    NumberItem,
    TextItem,
)
from survey.latent import People
from survey.population import Population
from survey.responses import RawResponses, mapping_report
from survey.schema import shown

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What was true of the simulated people.

    Attributes
    ----------
    population
        The parameters that were drawn from.
    people
        Latent values, one row per respondent and wave (index ``respondent``, column
        ``wave``): ``general``, ``partner_general``, ``coping``, one column per scale,
        ``careless``, ``ended``; standard deviations of wave 1. Where a scale has one
        of these names, the other column ends in ``_``.
    items
        One row per item of a scale: ``item scale loading`` (negative where reversed)
        and ``thresholds`` (tuple, in standard deviations of the latent answer).
    paths
        One row per structural effect: ``outcome term estimate``.
    """

    population: Population
    people: pd.DataFrame
    items: pd.DataFrame
    paths: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedResponses(RawResponses):
    """Raw responses that were drawn, with what is true of them.

    Attributes
    ----------
    truth
        Every true value, for tests of recovery.
    """

    truth: Truth = field(kw_only=True)


def simulate(
    instrument: Instrument,
    n: int = 600,
    *,
    seed: int,
    waves: int = 1,
    form: str | None = None,
    population: Population | None = None,
    item_times: bool = False,
) -> SimulatedResponses:
    """Draw `n` people who answer `instrument`.

    Parameters
    ----------
    n
        People at wave 1, partners of couples included.
    seed
        Seed of the random numbers; the same seed gives the same answers.
    waves
        Number of waves; people leave and relationships end in between.
    form
        The form they answer; the first one when left out.
    population
        True values; those bundled with the instrument, or the defaults, if left out.
    item_times
        Whether the seconds spent on each item are recorded beside the total.

    Returns
    -------
    SimulatedResponses
        Answers as strings would be exported: codes, missing codes, empty cells;
        `truth` holds every true value.

    Raises
    ------
    SurveyError
        If `n` or `waves` is below 1, the form is unknown, or the population names what
        is not there or does not fit.
    """
    if n < 1 or waves < 1:
        raise SurveyError(
            f"simulate: n={n}, waves={waves}: both must be 1 or more. Raise them."
        )
    forms = [one.id for one in instrument.all_forms]
    if form is not None and form not in forms:
        raise SurveyError(f"simulate: unknown form {form!r}. Use one of {forms}.")
    chosen = population or Population.of(instrument)
    _check_names(instrument, chosen)
    _check_codes(instrument, chosen)
    draw = _Draw(instrument, chosen, np.random.default_rng(seed), n)
    return draw.responses(waves, form or forms[0], item_times=item_times, seed=seed)


def _check_names(instrument: Instrument, population: Population) -> None:
    scales = {scale.id for scale in instrument.scales}
    items = set(instrument.item_ids)
    used = {*population.sign_loading, *population.severity, *population.reasons}
    used |= set(population.outcomes)
    stray = sorted(used - scales)
    named = {*population.numbers, *population.choices}
    event = population.event
    single = [population.change_item, population.mar_item]
    single += [event.item] if event else []
    named |= {name for name in single if name}
    stray += sorted(named - items)
    if stray:
        raise SurveyError(
            f"population: {stray} are no scales or items of {instrument.id!r}. "
            "Correct the names."
        )


def _check_codes(instrument: Instrument, population: Population) -> None:
    """Refuse what the population says of an item of another type or code."""
    stray = [
        f"choices.{name}: {code!r} is no code of it"
        for name, shares in population.choices.items()
        for code in shares
        if code not in {str(known) for known in instrument.codes(name)}
    ]
    stray += [
        f"choices.{name}: shares {list(shares.values())} are below 0 or all 0"
        for name, shares in population.choices.items()
        if min(shares.values(), default=0) < 0 or not sum(shares.values())
    ]
    if event := population.event:
        stray += [
            f"event: {code} is no code of {event.item!r}"
            for code in (event.before, event.after)
            if code not in instrument.codes(event.item)
        ]
    numbers = [*population.numbers, population.mar_item]
    stray += [
        f"{name}: is no number item"
        for name in numbers
        if name and not isinstance(instrument.item(name), NumberItem)
    ]
    change = population.change_item
    if change and not isinstance(instrument.item(change), LikertItem):
        stray.append(f"change_item: {change!r} is no likert item")
    if stray:
        raise SurveyError(f"population: {'; '.join(stray)}. Correct them.")


class _Draw:
    """One run: holds the random numbers and what stays the same over waves."""

    def __init__(
        self,
        instrument: Instrument,
        population: Population,
        rng: np.random.Generator,
        n: int,
    ) -> None:
        self.instrument, self.population, self.rng = instrument, population, rng
        self.n = n
        self.people = People(instrument, population, rng, n)
        self.careless = rng.random(n) < population.careless
        self.style = rng.integers(0, 2, n)
        self.speed = rng.lognormal(0, 0.25, n)
        self.thresholds = {
            name: self._cuts(name, scale.id, scale.kind == "sign")
            for scale in instrument.scales
            for name in scale.items
            if isinstance(instrument.item(name), LikertItem)
        }

    def responses(
        self,
        waves: int,
        form: str,
        *,
        item_times: bool,
        seed: int,
    ) -> SimulatedResponses:
        state = self.people.first_state()
        facts = self._facts()
        here, ended = np.ones(self.n, bool), np.zeros(self.n, bool)
        answers, people = [], []
        for wave in range(1, waves + 1):
            before = None
            if wave > 1:
                before = state
                ended = ended | self.people.ends(state["_general"])
                here = here & self.people.stays(state["_general"])
                state = self.people.next_state(state)
            latent = self.people.values(state, wave)
            latent[self.people.column("careless")] = self.careless
            latent[self.people.column("ended")] = ended
            table = self._answers(latent, facts, ended, wave, form, before)
            if item_times:
                table = table.join(self._item_times(table))
            answers.append(table[here])
            people.append(latent[here])
        frame = pd.concat(answers).set_index("respondent")
        frame.index = frame.index.astype(str)
        truth = Truth(
            self.population,
            pd.concat(people).set_index("respondent"),
            self._item_truth(),
            self._path_truth(),
        )
        note = f"synthetic answers, seed {seed}, nobody gave them"
        return SimulatedResponses(
            frame=frame,
            source=f"simulate:{self.instrument.id}:seed={seed}",
            report=mapping_report([("", "", "note", note)]),
            truth=truth,
        )

    def _roles(self) -> npt.NDArray[np.str_]:
        """Call the members of a couple a and b; nobody else has a role."""
        member = np.where(np.arange(self.n) % 2 == 0, "a", "b")
        return np.where(self.people.couple < 0, "", member)

    def _facts(self) -> dict[str, pd.Series]:
        """Answers that stay the same over waves: numbers and choices."""
        out = {}
        for item in self.instrument.items:
            if isinstance(item, NumberItem):
                out[item.id] = self._number(item)
            elif isinstance(item, ChoiceItem):
                out[item.id] = self._choice(item)
        return out

    def _number(self, item: NumberItem) -> pd.Series:
        span = item.maximum - item.minimum
        model = self.population.numbers.get(item.id)
        mean = model.mean if model else item.minimum + span / 3
        sd = model.sd if model else span / 8
        value = np.clip(self.rng.normal(mean, sd, self.n), item.minimum, item.maximum)
        if item.integer:
            low, high = np.ceil(item.minimum), np.floor(item.maximum)
            return pd.Series(np.round(value).clip(low, high).astype(int))
        return pd.Series(np.round(value, 1).clip(item.minimum, item.maximum))

    def _choice(self, item: ChoiceItem) -> pd.Series:
        codes = list(self.instrument.codes(item.id))
        shares = self.population.choices.get(item.id)
        event = self.population.event
        if shares is None and event and item.id == event.item:
            shares = {str(event.before): 1.0}
        weights = np.array([shares.get(str(c), 0.0) if shares else 1 for c in codes])
        picked = self.rng.choice(len(codes), self.n, p=weights / weights.sum())
        return pd.Series([codes[i] for i in picked])

    def _answers(  # noqa: PLR0917 - one table from six parts
        self,
        latent: pd.DataFrame,
        facts: dict[str, pd.Series],
        ended: npt.NDArray[np.bool_],
        wave: int,
        form: str,
        before: dict[str, Array] | None,
    ) -> pd.DataFrame:
        keys = pd.DataFrame(
            {
                "respondent": self.people.ids,
                "couple": [
                    f"c{c + 1:04d}" if c >= 0 else "" for c in self.people.couple
                ],
                "role": self._roles(),
                "wave": wave,
                "language": self.instrument.language,
                "form": form,
                "seconds": 0,
            }
        )
        event = self.population.event
        cells: dict[str, pd.Series] = {}
        for item in self.instrument.items:
            if event and item.id == event.item:
                cells[item.id] = facts[item.id].mask(ended, event.after)
            elif isinstance(item, TextItem):
                words = "made up"[: item.max_length] if item.required else ""
                cells[item.id] = pd.Series(words, index=keys.index, dtype=object)
            elif isinstance(item, LikertItem):
                cells[item.id] = self._likert(item, latent, before)
            else:
                cells[item.id] = facts[item.id]
        table = pd.concat([keys, pd.DataFrame(cells)], axis="columns")
        table = self._be_careless(table)
        table = self._leave_out(table, facts)
        offered = {}
        for name in self.instrument.item_ids:
            offered[name] = shown(name, self.instrument, table)
            table[name] = table[name].astype(object).where(offered[name], "")
        asked = pd.DataFrame(offered).sum(axis="columns").to_numpy()
        table["seconds"] = np.round(self._seconds(asked)).astype(int)
        return table.copy()

    def _cuts(self, item: str, scale: str, sign: bool) -> Array:  # noqa: FBT001
        """Thresholds of an item: evenly spread, higher for severe signs."""
        k = len(self.instrument.codes(item))
        cuts = np.linspace(-1.3, 1.3, k - 1) if k > 2 else np.zeros(1)  # noqa: PLR2004
        shift = self.population.severity.get(scale, 0.0)
        jitter = self.rng.uniform(-0.2, 0.2)
        return np.asarray(cuts + (0.45 if sign else -0.2) + shift + jitter)

    def _likert(
        self,
        item: LikertItem,
        latent: pd.DataFrame,
        before: dict[str, Array] | None,
    ) -> pd.Series:
        codes = np.array(self.instrument.codes(item.id))
        if item.expected is not None:
            slip = self.rng.random(self.n) < 0.02  # noqa: PLR2004
            other = self.rng.choice(codes, self.n)
            return pd.Series(np.where(slip, other, item.expected))
        noise = self.rng.standard_normal(self.n)
        scale = self._scale_of(item.id)
        if scale is None:
            cuts = np.asarray(norm.ppf(np.arange(1, len(codes)) / len(codes)))
            value = noise
            if before is not None and item.id == self.population.change_item:
                now = latent[self.people.column("general")].to_numpy()
                change = now - before["_general"]
                value = -0.7 * change + 0.7 * noise
            return pd.Series(codes[np.searchsorted(cuts, value)])
        loading = self.population.item_loading
        value = loading * latent[scale].to_numpy() + np.sqrt(1 - loading**2) * noise
        position = np.searchsorted(self.thresholds[item.id], value)
        if item.id in self.instrument.scale(scale).reversed:
            position = len(codes) - 1 - position
        return pd.Series(codes[position])

    def _scale_of(self, item: str) -> str | None:
        for scale in self.instrument.scales:
            if item in scale.items:
                return scale.id
        return None

    def _be_careless(self, table: pd.DataFrame) -> pd.DataFrame:
        """Replace the answers of careless people: one code throughout, or any."""
        out = table.copy()
        rows = np.flatnonzero(self.careless)
        for name in self.instrument.item_ids:
            item = self.instrument.item(name)
            if not isinstance(item, LikertItem) or rows.size == 0:
                continue
            codes = np.array(self.instrument.codes(name))
            column = out[name].to_numpy().copy()
            column[rows] = np.where(
                self.style[rows] == 0,
                codes[len(codes) // 2],
                self.rng.choice(codes, rows.size),
            )
            out[name] = column
        return out

    def _leave_out(
        self, table: pd.DataFrame, facts: dict[str, pd.Series]
    ) -> pd.DataFrame:
        """Leave cells empty at random and by `mar_item`; choose a missing code."""
        p = self.population
        extra = np.full(self.n, p.mar)
        if p.mar_item and p.mar:
            driver = facts[p.mar_item].astype(float)
            z = ((driver - driver.mean()) / driver.std()).to_numpy()
            extra = 1 / (1 + np.exp(-(np.log(p.mar / (1 - p.mar)) + z)))
        out = table.copy()
        for item in self.instrument.items:
            if item.required or isinstance(item, TextItem) or item.id == p.mar_item:
                continue
            blank = self.rng.random(self.n) < p.mcar + extra
            refuse = self.rng.random(self.n) < p.refused
            column = out[item.id].astype(object)
            missing = self.instrument.missing_codes(item.id)
            if missing:
                column = column.mask(refuse, missing[0])
            out[item.id] = column.mask(blank, "")
        return out

    def _seconds(self, asked: Array) -> Array:
        pace = self.population.seconds_per_item * self.speed
        pace = np.where(self.careless, 0.25 * pace, pace)
        return np.asarray(asked * pace * self.rng.lognormal(0, 0.1, self.n))

    def _item_times(self, table: pd.DataFrame) -> pd.DataFrame:
        """Split the total time over the items that were answered."""
        answered = (table[list(self.instrument.item_ids)] != "").to_numpy()
        weight = self.rng.lognormal(0, 0.4, answered.shape) * answered
        total = table["seconds"].to_numpy()[:, None]
        share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
        columns = [f"seconds_{name}" for name in self.instrument.item_ids]
        seconds = pd.DataFrame(np.round(share * total, 2), table.index, columns)
        return seconds.astype(object).where(answered, "")

    def _item_truth(self) -> pd.DataFrame:
        loading = self.population.item_loading
        rows = [
            {
                "item": name,
                "scale": scale.id,
                "loading": -loading if name in scale.reversed else loading,
                "thresholds": tuple(float(cut) for cut in self.thresholds[name]),
            }
            for scale in self.instrument.scales
            for name in scale.items
            if name in self.thresholds
        ]
        return pd.DataFrame(rows, columns=["item", "scale", "loading", "thresholds"])

    def _path_truth(self) -> pd.DataFrame:
        p, rows = self.population, []
        for scale in self.instrument.scales_of("reason"):
            weight = p.reasons.get(scale.id, p.default_reason)
            rows.append(("general", scale.id, weight))
        rows.extend(
            (scale.id, "general", p.sign_loading_of(scale.id))
            for scale in self.instrument.scales_of("sign")
        )
        for scale in self.instrument.scales_of("outcome"):
            effects = p.effects_on(scale.id, desirable=scale.desirable is not False)
            rows.extend((scale.id, name, value) for name, value in effects)
        return pd.DataFrame(rows, columns=["outcome", "term", "estimate"])
