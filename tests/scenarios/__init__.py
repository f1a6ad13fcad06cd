"""Conversations through the whole bot."""
