"""Text that strangers sent, as any stream, message or database takes it."""

MAX_TEXT_LENGTH = 2000
"""The longest message; messages may quote what strangers sent."""


def printable(text: str) -> str:
    """The text as any stream, message or database takes it: what is not Unicode is escaped (a file's name may
    be any bytes), and what is longer than MAX_TEXT_LENGTH characters is cut.
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 3] + "..."
