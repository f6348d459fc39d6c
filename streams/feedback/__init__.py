"""Feedback from people to the topic, and back: what they said becomes a message, is sent, and what stands is found again.

``making.py`` makes it, ``sender.py`` sends it, ``finding.py`` finds incidents and what was said before.
"""

from streams.feedback.sender import FeedbackSender

__all__ = ["FeedbackSender"]
