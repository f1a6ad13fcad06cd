"""The engine, without Slack."""
