"""The researcher's pages: another app than the public survey, on another port.

Read in this order: `accounts` (who may log in, and which studies they see), `journal`
(who did what), `spreadsheet` and `invitations` (what is handed out), `figures` (what is
counted), `office` (database and cookies), `gate` (nobody passes without a login),
`printing` (templates), `entering`, `looking`, `acting` (the pages), `app` (the routes).
How passwords are tried is in `survey.server.crowd`.
"""
