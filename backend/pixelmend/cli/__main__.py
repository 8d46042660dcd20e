"""`python -m pixelmend.cli`."""

from pixelmend.cli.app import app

app()
