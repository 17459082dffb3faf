"""The commands that want more than the model of a questionnaire.

Each module is a group of commands; `survey.cli` mounts them. Those of the web survey
are imported when they are used (`later`), so that the rest works without its packages.
"""
