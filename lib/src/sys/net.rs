//! Addresses on interfaces by rtnetlink, and what the neighbours are told and asked (ARP, RFC 5227; ND, RFC 4861).
