"""Image Insights: a picture in Slack, an answer in its thread."""
