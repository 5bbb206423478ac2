"""The web app: pages, API v3 and feeds over one database. ``application.create_app`` puts it together."""
