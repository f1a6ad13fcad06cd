# The whole product in one image; what a container does is its command: serve (the default), worker, insights.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.txt .
# setuptools for the one dependency that is published as source only (pure Python, nothing is compiled)
RUN python -m venv /opt/insights \
    && /opt/insights/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --no-binary jstyleson -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
RUN /opt/insights/bin/pip install --no-cache-dir --no-deps . \
    && /opt/insights/bin/pip uninstall --yes pip

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home insights
COPY --from=build /opt/insights /opt/insights
ENV PATH=/opt/insights/bin:$PATH DATA_DIR=/data PORT=3000 LOG_FORMAT=json PYTHONDONTWRITEBYTECODE=1
USER insights
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["image-insights"]
CMD ["serve"]
