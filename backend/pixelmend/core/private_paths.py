"""Where the service keeps its files is told to no caller: texts name the settings instead."""

from pixelmend.core.config import Settings


class PrivatePaths:
    """The folders of a service, to be taken out of texts."""

    def __init__(self, settings: Settings) -> None:
        self._names: dict[str, str] = {}
        for setting in ("data_dir", "models_dir"):
            folder = getattr(settings, setting)
            for path in {folder.resolve(), folder}:
                if path.is_absolute():
                    self._names[str(path)] = f"PIXELMEND_{setting.upper()}"

    def hidden(self, text: str) -> str:
        """The text with settings' names for their folders; the longest first, as one may be in another."""
        for path in sorted(self._names, key=len, reverse=True):
            text = text.replace(path, self._names[path])
        return text
