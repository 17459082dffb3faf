import subprocess
import sys

from click.testing import CliRunner

from pushaway import main as pushaway
from reports.places import ROOT


def test_the_front_door_leads_to_survey_and_reports() -> None:
    door = CliRunner().invoke(pushaway, ["--help"])
    assert door.exit_code == 0
    assert {"report", "validate", "simulate"} <= set(door.stdout.split())
    reports = CliRunner().invoke(pushaway, ["report", "--help"])
    assert {"build", "list"} <= set(reports.stdout.split())


def test_the_front_door_opens_quickly() -> None:
    script = "import sys, pushaway; sys.exit('papermill' in sys.modules)"
    subprocess.run(  # noqa: S603 (our own script)
        [sys.executable, "-c", script], check=True, cwd=ROOT
    )
