"""Items before scales: distribution, category use, keys, joint normality.

Read in this order: codes -> categories -> statistics -> keying -> normality.
"""

from analysis.items.categories import CategoryUse, category_use
from analysis.items.keying import KeyingAudit, keying_audit
from analysis.items.normality import Mardia, mardia
from analysis.items.statistics import ItemStatistics, item_statistics

__all__ = [
    "CategoryUse",
    "ItemStatistics",
    "KeyingAudit",
    "Mardia",
    "category_use",
    "item_statistics",
    "keying_audit",
    "mardia",
]
