"""`python download_models.py [ID... | --all | --list]`: as `pixelmend models download` and `list`."""

import sys

from pixelmend.cli.app import app

if __name__ == "__main__":
    arguments = sys.argv[1:]
    app(["models", "list"] if "--list" in arguments else ["models", "download", *arguments])
