# The service of one recognizer, for whoever is not root: the one that comes with the package, or another.
#
#   docker build -t unheard .
#   docker run -p 127.0.0.1:8000:8000 --read-only unheard
#   docker run -p 127.0.0.1:8000:8000 --read-only -v "$PWD/out/mine:/model:ro" -e UNHEARD_MODEL=/model unheard
#
# With -e UNHEARD_API_KEY=... requests must bring that key; before you let others reach the port, give one.
# On a machine without a GPU, --build-arg PIP_EXTRA_INDEX_URL=... with an index that has CPU builds of torch keeps the
# image small.

FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src src
RUN python -m pip install -c constraints.txt ".[serve]" && rm -rf /src/*

RUN useradd --system --uid 10001 --no-create-home unheard
USER unheard
WORKDIR /

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
ENTRYPOINT ["unheard", "serve", "--host", "0.0.0.0"]
