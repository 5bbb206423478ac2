"""The command line's areas; each module offers ``register(app)``."""
