#!/bin/sh
# What the container runs: the shipped corpus where there is none, the index, the server.
set -eu
[ -e "$JIADING_CORPUS" ] || cp -r /usr/share/jiading/corpus "$JIADING_CORPUS"
jiading-assistant ingest || [ $? -eq 1 ]  # 1: some files were refused, the rest is indexed
exec jiading-assistant serve
