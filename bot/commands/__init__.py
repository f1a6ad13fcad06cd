"""Commands that need neither Slack nor a running bot: a command loads what it works on, and answers soon."""
