"""The handler of the Lambda image as it comes: stack and data source are those of ``WELLSENTRY_HANDLER__…`` variables.

Importing this module makes it ready, which Lambda does once for each of its processes.
"""

from streams.handler.by_settings import job_named, source_named
from streams.handler.serving import handler_for
from streams.settings import load_settings

_settings = load_settings()
handler = handler_for(job_named(_settings.handler.stack), source_named(_settings), _settings)
