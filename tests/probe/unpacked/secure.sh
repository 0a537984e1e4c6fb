# TLS as the comments in Debian's files tell to begin it, at every port that has it.
cat >/etc/exim4/conf.d/main/000_macros <<'X'
MAIN_TLS_ENABLE = yes
tls_on_connect_ports = 465
X
sed -i "s/^dc_local_interfaces=.*/dc_local_interfaces='192.0.2.10.25 : 192.0.2.10.465 : 192.0.2.10.587'/" \
    /etc/exim4/update-exim4.conf.conf
cat >>/etc/imapd.conf <<'X'
tls_server_cert: /srv/ims/tls/cert.pem
tls_server_key: /etc/ssl/cyrus.key
X
sed -i 's/^\t#\(\(imaps\|pop3s\)\t.*cmd="\(imapd\|pop3d\) -s\)/\t\1/' /etc/cyrus.conf
