"""Who may ask: API keys, and what analysts add of their own."""
