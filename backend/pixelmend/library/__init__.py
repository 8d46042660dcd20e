"""Pixelmend in a program's own process: arrays in, arrays out. docs/python.md describes it."""
