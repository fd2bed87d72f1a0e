import { agentPort } from "../vm/arguments.ts";

/**
 * /init of the small guest. Drivers are loaded as in a full distribution: devices of the buses are looked up in
 * modules.alias. Kernel parameters:
 * - `siphon.disk=NAME`: READY waits for /dev/NAME (an IDE disk appears late), at most 10 s
 * - `siphon.address=ADDRESS/PREFIX` and `siphon.gateway=ADDRESS`: of the first network card
 */
export const initScript = String.raw`#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmp /tmp
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
ulimit -n 65536

parameter() { sed -n "s/.*siphon\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

# Buses behind buses: PCI shows the virtio and ATA controllers, those show the disks.
modprobe -abq $(cat /sys/bus/pci/devices/*/modalias)
modprobe -abq $(cat /sys/bus/virtio/devices/*/modalias)
[ -d /sys/module/libata ] || [ -d /sys/module/virtio_scsi ] && modprobe -abq sd_mod

ip link set lo up
address=$(parameter address)
if [ -n "$address" ]; then
  card=$(ls /sys/class/net | grep -v lo | head -n 1)
  ip address add "$address" dev "$card"
  ip link set "$card" up
  gateway=$(parameter gateway)
  [ -n "$gateway" ] && ip route add default via "$gateway"
fi

disk=$(parameter disk)
tries=100
while [ -n "$disk" ] && [ ! -b "/dev/$disk" ] && [ $tries -gt 0 ]; do
  tries=$((tries - 1))
  sleep 0.1
done

# A scheduler costs the emulated guest more than it orders; disks of one queue get mq-deadline by themselves.
for queue in /sys/block/[hsv]d*/queue/scheduler /sys/block/nvme*/queue/scheduler; do
  [ -e "$queue" ] && echo none >"$queue"
done

(while :; do setsid -c sh -l </dev/hvc0 >/dev/hvc0 2>&1; sleep 1; done) &
exec /sbin/agent
`;

/**
 * The agent in the small guest: requests and replies are lines, fields are separated by one blank.
 *
 *     hello NONCE             -> ready NONCE
 *     run ID BASE64(command)  -> done ID EXITCODE BASE64(stdout) BASE64(stderr)
 *     kill ID                 ends a command with all its children; its `done` follows
 *
 * Commands run concurrently. A read returns nothing while no host is connected, hence the sleep.
 */
export const agentScript = String.raw`#!/bin/sh
# The ports get their names a moment after the driver has found the device.
while [ -z "$device" ]; do
  for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name" 2>/dev/null)" = ${agentPort} ] && device=/dev/$(basename "$port")
  done
done
exec 3<>"$device"
mkdir -p /tmp/agent

reply() {
  until mkdir /tmp/agent/lock 2>/dev/null; do sleep 0.02; done
  cat >&3
  rmdir /tmp/agent/lock
}

execute() {
  files=/tmp/agent/$1
  setsid sh -c "echo \$\$ >$files.pid; exec sh $files.sh" </dev/null >$files.out 2>$files.err 3>&-
  code=$?
  {
    printf 'done %s %s ' $1 $code
    base64 -w 0 $files.out
    printf ' '
    base64 -w 0 $files.err
    echo
  } | reply
  rm -f $files.*
}

# The command may only just be starting; when it has ended there is nothing to do.
end() {
  for try in 1 2 3 4 5; do
    [ -e /tmp/agent/$1.sh ] || return
    kill -9 -$(cat /tmp/agent/$1.pid) && return
    sleep 0.2
  done 2>/dev/null
}

while :; do
  if ! read -r verb id argument <&3; then
    sleep 0.1
    continue
  fi
  case $verb in
    hello) echo "ready $id" | reply ;;
    run)
      echo "$argument" | base64 -d >/tmp/agent/$id.sh
      execute $id &
      ;;
    kill) end $id & ;;
  esac
done
`;
