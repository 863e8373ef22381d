"""What goes wrong with a statement, in Athena's own terms.

Sources: https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html,
https://docs.aws.amazon.com/athena/latest/ug/error-reference.html, and Trino's StandardErrorCode.
"""

from __future__ import annotations

from daap.errors import DaapError


class AthenaFault(DaapError):
    """A statement that Athena would not run, or that this server refuses by name.

    `code` is Trino's error code (`TYPE_MISMATCH`, `COLUMN_NOT_FOUND`, `NOT_SUPPORTED`, ...); the message
    that a client sees begins with it.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


class SyntaxFault(AthenaFault):
    """The statement cannot be parsed: refused at StartQueryExecution with MALFORMED_QUERY."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        self.line, self.column = line, column
        super().__init__("SYNTAX_ERROR", f"line {line}:{column}: {message}")


def unsupported(what: str) -> AthenaFault:
    """The refusal of something this server does not do, by its name."""
    return AthenaFault("NOT_SUPPORTED", f"{what} is not supported here")
