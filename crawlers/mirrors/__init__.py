"""Sources that cover many jurisdictions."""
