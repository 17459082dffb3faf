"""Notebooks in, pages out.

Reading order, from the floor up: `errors`, `places` (which path means what),
`parameters` (what a notebook can be asked), `provenance` (what a page was made from),
`catalog` (what to build), `engine` (one kernel), `run` (one report, or many at a time),
`outputs` (what a cell showed, made safe and accessible), `render` (a page), `index`
(the page that links them) and `cli`.
"""
