#!/bin/sh
# Pid 1 of a machine of the tests (user-mode Linux): the host's files below memory of its own, then one script a line of
# its console, `NUMBER BASE64`, each answered by `=NUMBER STATUS STDOUT STDERR`, the last two in base64. It ends with its console.
set -u
export PATH=/run/ims-bed/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc
word() { sed -n "s/.*\\<$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline; }
name=$(word ims_name) bins=$(word ims_bins) modules=$(word ims_modules)
mount -t tmpfs -o mode=755 run /run
insmod "$modules/kernel/fs/overlayfs/overlay.ko"
mkdir /run/new /run/mine /run/work
mount -t overlay -o lowerdir=/,upperdir=/run/mine,workdir=/run/work root /run/new
cd /run/new || exit 1
mkdir -p old
pivot_root . old
mount --move /old/proc /proc
mount -t devtmpfs dev /dev
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mkdir -p /lib/modules /run/ims-bed /var/lib/ims
ln -s "$modules" "/lib/modules/$(uname -r)"
ln -s "$bins" /run/ims-bed/bin
hostname "$name"
ip link set lo up
exec <>/dev/console >&0 2>&0
stty raw -echo
echo "=0 0"
while IFS=' ' read -r number script; do
    printf '%s' "$script" | base64 -d >/run/ims-bed/script
    sh -eu /run/ims-bed/script >/run/ims-bed/out 2>/run/ims-bed/err </dev/null
    status=$?
    printf '\n=%s %s %s %s\n' "$number" "$status" "$(base64 -w0 /run/ims-bed/out)." "$(base64 -w0 /run/ims-bed/err)."
done
poweroff -f
