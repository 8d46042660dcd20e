"""What to do if a model needs a library that this installation was made without."""

ADDED_BY = "`make torch` adds it to a checkout, `pip install 'pixelmend[torch,onnx]'` to a package"


def library_missing(name: str, error: ImportError) -> str:
    """A sentence. name: of the file."""
    return f"{name}: a library that it needs cannot be loaded: {error}; {ADDED_BY}"
