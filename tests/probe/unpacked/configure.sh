# What an administrator then says: a user, her domain, and that her mail goes from Exim to Cyrus. The rest is Debian's.
useradd --create-home alice
hash=$(openssl passwd -6 alice-secret)
echo "alice:$hash" >/etc/exim4/passwd
printf alice-secret | saslpasswd2 -p -c -u "$(hostname)" alice
chown cyrus /etc/sasldb2
hostname >/etc/mailname
echo nameserver 127.0.0.1 >/etc/resolv.conf # refuses at once
cat >/etc/exim4/update-exim4.conf.conf <<'X'
dc_eximconfig_configtype='internet'
dc_other_hostnames='example.test'
dc_local_interfaces='192.0.2.10'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
dc_use_split_config='true'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='cyrus'
X
sed -i -e '/^# plain_server:/,/endif/s/^# //' -e '/^# login_server:/,/endif/s/^# //' \
    /etc/exim4/conf.d/auth/30_exim4-config_examples
cat >/etc/exim4/conf.d/transport/30_cyrus <<'X'
cyrus:
  driver = lmtp
  socket = /run/cyrus/socket/lmtp
  user = cyrus
X
echo 'AUTH_SERVER_ALLOW_NOTLS_PASSWORDS = yes' >/etc/exim4/conf.d/main/000_macros
# Services that are no part of this; and LMTP by TCP, from everybody.
sed -i -e '/^\t\(nntp\|http\)\t/d' -e '/cmd="timsieved"/d' \
    -e 's/^\t#\(lmtp\t\tcmd="lmtpd\)" listen="localhost:lmtp"/\t\1 -a" listen="192.0.2.10:24"/' /etc/cyrus.conf
