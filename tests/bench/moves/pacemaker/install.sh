# What the packages of Corosync and Pacemaker do to a node when they are installed; nothing is started.
place=/var/lib/ims-tests
cp -a "$place"/cluster/etc/. /etc/
cp -a "$place"/cluster/usr/. "$place"/agents/usr/. /usr/
getent group haclient >/dev/null || groupadd --system haclient
getent passwd hacluster >/dev/null ||
    useradd --system --gid haclient --home-dir /var/lib/pacemaker --shell /usr/sbin/nologin hacluster
install -d /var/lib/corosync /var/log/corosync
install -d -o hacluster -g haclient -m 750 /var/lib/pacemaker
install -d -o hacluster -g haclient -m 750 \
    /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/pacemaker/cores /var/lib/pacemaker/blackbox
install -d -o hacluster -g haclient -m 770 /var/log/pacemaker
