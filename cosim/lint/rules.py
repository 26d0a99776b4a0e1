"""All rules, and the table of them for the documentation."""

from __future__ import annotations

from . import arithmetic, choices, elaboration, naming, reading, syntax
from .rule import KINDS, Rule

RULES: tuple[Rule, ...] = (
    *arithmetic.RULES, *choices.RULES, *elaboration.RULES, *syntax.RULES, *naming.RULES, *reading.RULES,
)  # fmt: skip


def table() -> str:
    """The rules as Markdown, the worst first."""
    lines = ["| rule | kind | what goes wrong | fix | what the rule sees |", "|---|---|---|---|---|"]
    for rule in sorted(RULES, key=lambda rule: list(KINDS).index(rule.kind)):
        cells = (f"`{rule.name}`", rule.kind, rule.effect, rule.fix, rule.sees)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
