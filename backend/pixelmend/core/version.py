"""The version, which is also known where the package is not installed: in a checkout, in a Space."""

VERSION = "0.1.0"
