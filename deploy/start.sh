#!/bin/sh
# What the container runs where it is the only one: the index, then the server.
set -eu
sh /usr/local/bin/ingest
exec jiading-assistant serve
