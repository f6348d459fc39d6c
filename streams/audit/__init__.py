"""The proof that nothing was lost.

For each stack readings = labels + held + rejected, and DynamoDB = the label topic.
"""

from streams.audit.audit import Audit, Scope
from streams.audit.report import Balance, Offence, Report

__all__ = ["Audit", "Balance", "Offence", "Report", "Scope"]
