"""Write the questionnaire for other platforms, and say what each cannot express.

One module a target, each with ``write(instrument, folder, …) -> Export``; targets never
meet. `xlsform` writes for ODK, KoboToolbox, SurveyCTO and Ona. Below them: `result`
(what an export is).
"""

from survey.export import xlsform
from survey.export.result import Export

__all__ = ["Export", "xlsform"]
