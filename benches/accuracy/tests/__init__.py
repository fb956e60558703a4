"""Run from the folder above: python -m unittest. What is not installed or built there is skipped, with its name."""
