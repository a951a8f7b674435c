"""Entry points of packages that are not installed."""


class Point:
    """One of them, as `importlib.metadata` gives it.

    Parameters
    ----------
    record
        What it leads to, or the error of the import.
    """

    def __init__(self, name: str, record: object) -> None:
        self.name, self.record = name, record

    def load(self) -> object:
        """Import what it leads to."""
        if isinstance(self.record, Exception):
            raise self.record
        return self.record
