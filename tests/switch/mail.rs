//! Real Postfix, Dovecot and slapd in a group.
