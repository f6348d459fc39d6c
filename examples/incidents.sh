#!/bin/sh
# Incidents as they come, with their Kafka timestamp and key: BROKER=kafka:9092 sh examples/incidents.sh (needs kcat).
exec kcat -C -b "${BROKER:-localhost:9092}" -t "${PREFIX:-wellsentry}.incidents" -o beginning -q -u -f '%T %k %s\n'
