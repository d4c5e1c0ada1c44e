"""Tells at the end of a run which worlds were lived through, whichever process did it."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each batch of seeds."""
    told = [
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == "seeds"
    ]
    if told:
        terminalreporter.section("simulated worlds")
    for line in sorted(told):
        terminalreporter.write_line(line)
