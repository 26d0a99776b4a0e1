"""All rules, and the table of them for the documentation."""

from __future__ import annotations

from duospike.cosim.markdown import markdown_table

from . import arithmetic, choices, elaboration, naming, reading, syntax
from .rule import KINDS, Rule

RULES: tuple[Rule, ...] = (
    *arithmetic.RULES, *choices.RULES, *elaboration.RULES, *syntax.RULES, *naming.RULES, *reading.RULES,
)  # fmt: skip


def table() -> str:
    """The rules as Markdown, the worst first."""
    ordered = sorted(RULES, key=lambda rule: list(KINDS).index(rule.kind))
    rows = [(f"`{rule.name}`", rule.kind, rule.effect, rule.fix, rule.sees) for rule in ordered]
    return markdown_table(("rule", "kind", "what goes wrong", "fix", "what the rule sees"), rows) + "\n"
