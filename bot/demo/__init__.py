"""A Slack workspace that fits in one process: for `python -m bot demo` and for the tests."""
