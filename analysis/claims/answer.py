"""Answer every claim of an instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analysis.claims import prediction, relations, structure
from analysis.claims.ledger import Answer, ClaimLedger, estimates
from analysis.claims.material import Material
from analysis.errors import AnalysisError
from analysis.result import warning_table
from analysis.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.claims.ledger import Verdict
    from survey.instrument import Claim
    from survey.responses import Responses

    Found = tuple[Verdict, str, pd.DataFrame, pd.DataFrame]

_DIRECTIONS = (
    "supported if every estimate has the claimed sign at p < .05 (Holm-corrected "
    "within the claim), not supported if none has (nothing clear was found, which few "
    "people can also cause), mixed otherwise or if a part could not be tested"
)
_ONE_PATTERN = (
    "supported if omega hierarchical is at least .70 and ECV at least .60 (Reise et "
    "al. 2013), not supported if omega hierarchical is below .50 or ECV below .40, "
    "mixed otherwise; where only scores exist: one factor, CFI at least .95, SRMR at "
    "most .08, loadings at least .40; not supported if CFI is below .90, SRMR above "
    ".10, the median loading below .40 or the scores are unrelated"
)
_ORDER = (
    "supported if the scores lie more than half a standard deviation apart (lower "
    "limit) and H is at least .40 with its lower limit at least .30 (Mokken 1971), "
    "mixed if H is between .30 and that, not supported otherwise; 200 people are needed"
)
_GAIN = (
    "supported if the interval of the out-of-fold gain lies above zero for every "
    "outcome, not supported if for none, mixed otherwise"
)
_PROOF = (
    "supported if, at the observed base rate, the interval of the positive predictive "
    "value lies below 95 %, not supported if it lies above, mixed otherwise"
)
_ANALYSES: Final[dict[str, tuple[Callable[[Claim, Material], Found], str]]] = {
    "one_pattern": (structure.one_pattern, _ONE_PATTERN),
    "severity_order": (structure.severity_order, _ORDER),
    "associations": (relations.associations, _DIRECTIONS),
    "consequences": (relations.consequences, _DIRECTIONS),
    "moderation": (relations.moderated, _DIRECTIONS),
    "two_way": (relations.two_way, f"on the partner effects: {_DIRECTIONS}"),
    "incremental": (prediction.adds, _GAIN),
    "diagnostic": (prediction.proof, _PROOF),
    "prospective": (relations.prospective, _DIRECTIONS),
}


def answer_claims(responses: Responses, *, seed: int = 0) -> ClaimLedger:
    """Answer each claim with estimate, interval, n and a verdict.

    Parameters
    ----------
    responses
        Valid answers of one or more waves. Cross-sectional claims use the first wave;
        claims about what comes later join each person's last later wave.
    seed
        For cross-validation and bootstrap.

    Returns
    -------
    ClaimLedger
        A claim these data cannot test has the verdict ``not testable`` and the
        reason; nothing is raised for it.

    Notes
    -----
    Associations are standardised (z scores over the rows used) with standard errors
    clustered by couple; people who answered without their partner are clusters of one.
    """
    material = Material(responses, score(responses), seed)
    answers = tuple(_answer(claim, material) for claim in responses.instrument.claims)
    return ClaimLedger(answers, responses.n_respondents, responses.waves)


def _answer(claim: Claim, material: Material) -> Answer:
    analyse, rule = _ANALYSES[claim.analysis]
    text = material.instrument.wording(claim.text)
    verdict: Verdict = "not testable"
    try:
        verdict, sentence, table, warnings = analyse(claim, material)
    except AnalysisError as error:
        reason = str(error).rstrip(".")
        sentence = f"These data cannot test it: {reason}."
        table, warnings = estimates([]), warning_table()
    return Answer(
        id=claim.id,
        claim=text,
        verdict=verdict,
        sentence=sentence,
        rule=rule,
        estimates=table,
        warnings=warnings,
        source=claim.source or "",
    )
