"""The web survey: server-rendered pages that need no JavaScript.

Read in this order: `plan` (which pages whom), `posted` (what came back), `words` (what
the survey itself says), `views` (what templates are given), `guard` (headers, cookies,
forged forms, tries), `desk` (what reads and writes the database), `app` (the routes).
The researcher's pages are another app, in another process: `survey.server.admin`.
"""
