"""Makes what legislatures and readers wrote harmless: the tracker's own functions, shared with the pages."""

from tracker.cleaning import bill_page, clean, day, shorten, web_address

__all__ = ["bill_page", "clean", "day", "shorten", "web_address"]
