#!/bin/sh
# Prints what unbound needs to know: the address inside of every courier of every family.
#   ./couriers.sh 10.100.100 > /etc/unbound/unbound.conf.d/couriers.conf
prefix=${1:?which prefix? for example 10.100.100}
echo 'server:'
echo '    local-zone: "push.apple.com." transparent'
for family in courier courier2 courier.sandbox; do
    number=0
    while [ "$number" -le 50 ]; do
        echo "    local-data: \"$number-$family.push.apple.com. 30 IN A $prefix.$number\""
        number=$((number + 1))
    done
done
