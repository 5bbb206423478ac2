"""Where bills come from: one Scrapy spider a source, replayable from recordings, polite by data."""
