# selene in a container: built on Debian 12 from this folder, and installed from the Debian package (docs/package.md).
#   docker build -t selene .
#   docker run --rm -i -v "$HOME/models:/models" selene judge - --judge /models/judge.gguf < answers.jsonl
FROM debian:12 AS builder
# The versions are those of Debian 12.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git make \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /selene.cpp
COPY . .
RUN make package

FROM debian:12-slim
COPY --from=builder /selene.cpp/dist/*.deb /tmp/
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends /tmp/*.deb \
  && rm -rf /var/lib/apt/lists/* /tmp/*.deb \
  && useradd --create-home --uid 1000 selene \
  && install -d -o selene -g selene /home/selene/.local /home/selene/.local/share /home/selene/.local/share/selene /work
USER 1000
WORKDIR /work
VOLUME /home/selene/.local/share/selene
ENTRYPOINT ["selene"]
CMD ["--help"]
