"""The engine: a picture in, insights out, over the operator's catalogue. It knows nothing of Slack."""
