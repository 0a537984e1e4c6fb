# What the packages of Exim and Cyrus do when they are installed.
place=/var/lib/ims-tests
cp -a $place/exim/usr $place/cyrus/usr /
cp -a $place/exim/etc/exim4 $place/exim/etc/email-addresses /etc
cp -a $place/cyrus/etc/cyrus.conf $place/cyrus/etc/imapd.conf $place/cyrus/etc/default /etc
chmod u+s /usr/sbin/exim4
useradd --system --user-group --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim
install -d /var/lib/exim4
install -d -o Debian-exim -g adm -m 2750 /var/log/exim4
install -d -o Debian-exim -g Debian-exim -m 750 /run/exim4 /var/spool/exim4 /var/spool/exim4/db \
    /var/spool/exim4/input /var/spool/exim4/msglog
useradd --system --gid mail --home-dir /var/spool/cyrus --shell /bin/sh cyrus
install -d -o cyrus -g mail /run/cyrus /run/cyrus/socket /var/lib/cyrus /var/spool/cyrus /var/spool/sieve
cyrus makedirs --cleansquat
