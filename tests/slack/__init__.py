"""What speaks Slack, part by part."""
