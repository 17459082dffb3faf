"""The questionnaire: what is asked, how it is fielded, what came back.

Read in this order: yaml12 -> conditions -> instrument -> responses -> cells -> schema
-> validate; then what stands on them: quality, archive, collect, export, synthetic.
"""

from survey.instrument import Instrument
from survey.responses import RawResponses, Responses
from survey.validate import Validation, validate

__all__ = ["Instrument", "RawResponses", "Responses", "Validation", "validate"]
