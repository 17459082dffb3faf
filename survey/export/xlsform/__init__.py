"""Write an instrument as an XLSForm, for ODK, KoboToolbox, SurveyCTO and Ona.

Every page is a group shown on one screen; likert items of one response scale that
follow each other are a grid. Raw codes are asked and stored, never reversed ones. Names
that are ours contain an underscore (``page_…``, ``text_…``, ``head_…``), which no item
id does, so that they cannot clash.

Reading order, from the floor up: `xpath` (conditions translated), `texts` (languages,
and letters that would be read as formatting), `fielding` (what is exported),
`losses`, `scores` (optional calculations), `items` (items to rows), `form` (the three
sheets), `workbook` (the file).

In the field
------------
Upload the workbook to the server, and prefill the codes in each person's link:
``?d[/data/after_consent/keys_page/respondent]=P001`` and the same for ``couple``,
``role`` and ``wave`` (without ``after_consent/`` where there is no consent). In ODK
Collect the codes are typed in. The key columns ``respondent couple role wave form
started finished`` come back under the names that `survey.collect` knows; export the
answers without group names. Columns ``head_…`` are the headers of grids and always
empty; drop them. ``audit.csv`` of each submission has the time spent on each screen
and when answers were changed.
"""

from survey.export.xlsform.fielding import Linking
from survey.export.xlsform.workbook import write

__all__ = ["Linking", "write"]
