"""The local workspace: as strict as Slack, and safe to have open in a browser."""
