# One image for worker, trainer and sink: docker build --build-arg GIT_COMMIT=$(git rev-parse HEAD) -t wellsentry .
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    NUMBA_CACHE_DIR=/var/lib/wellsentry/numba-cache

# Root owns the program; whoever runs it may write under /var/lib/wellsentry alone.
RUN useradd --system --create-home --uid 10001 wellsentry \
    && mkdir -p /var/lib/wellsentry/registry \
    && chown -R wellsentry:wellsentry /var/lib/wellsentry

WORKDIR /opt/wellsentry
# Apart from the source, so that a change of the source does not install everything again.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY schemas schemas
COPY models models
COPY streams streams
COPY tools/warm_up.py tools/warm_up.py
RUN pip install --no-deps --no-build-isolation --no-index .

USER wellsentry
WORKDIR /var/lib/wellsentry
RUN python /opt/wellsentry/tools/warm_up.py

# Last, because it changes with every commit. Each label names the commit that made it.
ARG GIT_COMMIT=unknown
ENV WELLSENTRY_GIT_COMMIT=$GIT_COMMIT

ENTRYPOINT ["wellsentry"]
CMD ["--help"]
