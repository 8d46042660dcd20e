"""What lies in the working directory and is not used, because it may be another user's."""

from pathlib import Path

from pixelmend.core.config import Settings
from pixelmend.core.config_file import CONFIG_VARIABLE, ENV_FILE_VARIABLE, file_of_this_user

_MODEL_FILES = ("*.pth", "*.safetensors")


def unused_here(settings: Settings) -> dict[str, str]:
    """What earlier versions would have used, by name, and the variable that names it if it is to be used."""
    files = {".env": ENV_FILE_VARIABLE, "config.yaml": CONFIG_VARIABLE}
    read = {
        file_of_this_user(ENV_FILE_VARIABLE, "pixelmend.env"),
        file_of_this_user(CONFIG_VARIABLE, "config.yaml"),
    }
    used = {path.resolve() for path in (*read, settings.data_dir, settings.models_dir) if path is not None}
    found = {name: variable for name, variable in files.items() if Path(name).is_file()}
    if Path("data", "jobs.db").is_file():
        found["data"] = "PIXELMEND_DATA_DIR"
    if any(any(Path("models").glob(pattern)) for pattern in _MODEL_FILES):
        found["models"] = "PIXELMEND_MODELS_DIR"
    return {name: variable for name, variable in found.items() if Path(name).resolve() not in used}
