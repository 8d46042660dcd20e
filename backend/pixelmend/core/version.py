"""The version, which is also known if the package is not installed, as in a checkout or a Space."""

VERSION = "0.1.0"
