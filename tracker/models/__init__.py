"""The tables, a module per concern. Their names are for SQL users, so they stay.

``bills`` what legislatures did · ``tags`` what we say about it · ``runs`` how we came to know it ·
``readers`` who is told · ``samples`` what was drawn to be read · ``access`` who may ask · ``jobs`` what the clock did.
"""

from tracker.models import access, bills, jobs, readers, runs, samples, tags
from tracker.models.base import Base

__all__ = ["Base", "access", "bills", "jobs", "readers", "runs", "samples", "tags"]
