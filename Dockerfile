# An image that serves a folder of studies; docs/docker.md says how it is built and run.

FROM python:3.11-slim-bookworm AS build
# Empty to look at studies; "compute" adds the live model.
ARG EXTRAS=""
# torch for processors alone, which is some gigabytes smaller; https://pypi.org/simple has that for CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/vitpanel
ENV PATH=/opt/vitpanel/bin:$PATH
WORKDIR /src
COPY LICENSE README.md pyproject.toml ./
COPY docs/reading-the-views.md docs/
COPY vitpanel vitpanel
# The ranges of versions stand in pyproject.toml.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.11-slim-bookworm
COPY --from=build /opt/vitpanel /opt/vitpanel
# What it prints is seen at once; numba keeps what it has compiled where any user may write.
ENV PATH=/opt/vitpanel/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba
RUN useradd --create-home --uid 10001 vitpanel
USER 10001
WORKDIR /home/vitpanel
EXPOSE 5006
# The first process of a container leaves SIGTERM unheard.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:5006/healthz', timeout=10)"]
# Who may come, and by which name, is for whoever runs it to say: without it the server does not start.
ENTRYPOINT ["vitpanel", "serve", "/studies", "--address", "0.0.0.0", "--port", "5006", "--no-show"]
