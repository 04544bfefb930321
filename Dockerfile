# Two stages on the same Debian: one that builds with the scripts everybody uses, one that only runs.
FROM debian:12 AS build
ENV XDG_CACHE_HOME=/cache
WORKDIR /xiadan
# The tools change rarely: a layer of their own.
COPY scripts scripts
RUN bash scripts/setup.sh
COPY . .
RUN bash scripts/task.sh build

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin xiadan \
    && install -d -o xiadan -g xiadan -m 0750 /data /backups
COPY --from=build /cache/xiadan/target/release/xiadan /usr/local/bin/xiadan
COPY --from=build /xiadan/target/site /usr/share/xiadan/site
COPY --from=build /xiadan/demo /usr/share/xiadan/demo
ENV XIADAN_SITE=/usr/share/xiadan/site \
    XIADAN_DATA=/data \
    XIADAN_LISTEN=0.0.0.0:3000 \
    XIADAN_SANDBOX_LISTEN=0.0.0.0:3002
USER xiadan
WORKDIR /usr/share/xiadan
VOLUME /data
# With --sandbox also 3002, to try a payment. It moves no money, so that a shop that sells for real goes without.
EXPOSE 3000
# With a certificate the shop speaks HTTPS alone, under a name that is not this address.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD curl -fsS -o /dev/null http://127.0.0.1:3000/readyz \
    || curl -fsSk -o /dev/null https://127.0.0.1:3000/readyz
STOPSIGNAL SIGTERM
ENTRYPOINT ["xiadan"]
CMD ["serve"]
