"""Tags bills against a playbook, with the words that show each tag.

`Classifier.load().tag(bills)` is stateless: mappings in, mappings out. Writing tags to the database is
done elsewhere.
"""

from tracker.classify.bill import BillError
from tracker.classify.classifier import Classifier
from tracker.classify.evaluation import evaluate, render
from tracker.classify.gold import GoldError
from tracker.classify.model import Model, ModelError
from tracker.classify.pool import Pool
from tracker.classify.training import Outcome, train

__all__ = [
    "BillError",
    "Classifier",
    "GoldError",
    "Model",
    "ModelError",
    "Outcome",
    "Pool",
    "evaluate",
    "render",
    "train",
]
