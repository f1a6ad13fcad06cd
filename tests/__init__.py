"""Tests: conversations through the whole bot, and each part on its own."""
